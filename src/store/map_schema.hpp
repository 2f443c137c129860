// The columns of a mapped well: the one list that drives writing and reading them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hdf5.hpp"
#include "nucreg/store/map_file.hpp"

namespace nucreg {

/// A column of a table whose rows are structs. Texts have as many bytes as the longest of a file.
template <class Row>
struct MapColumn {
  std::string name, units, description;
  hdf5::Handle (*type)() = nullptr;                   ///< of one value; none for text
  std::size_t value_bytes = 0, width = 0;             ///< of one value; values of a row, 0: one
  std::size_t members = 0;                            ///< legal values of an enumeration; 0: none
  std::function<void(const Row&, std::byte*)> store;  ///< not for text
  std::function<void(Row&, const std::byte*)> load;
  std::function<std::string(const Row&)> text;  ///< only for text
  std::function<void(Row&, std::string)> set_text;

  [[nodiscard]] std::size_t row_bytes() const {
    return value_bytes * std::max<std::size_t>(width, 1);
  }
};

[[nodiscard]] const std::vector<MapColumn<MapTile>>& tile_columns();
[[nodiscard]] const std::vector<MapColumn<mosaic::Link>>& link_columns();
[[nodiscard]] const std::vector<MapColumn<MapPair>>& pair_columns();
[[nodiscard]] const std::vector<MapColumn<MapModel>>& model_columns();
[[nodiscard]] const std::vector<MapColumn<MapKnot>>& knot_columns();
[[nodiscard]] const std::vector<MapColumn<MapDecoy>>& decoy_columns();

/// A column of a nuclei table: a vector of its own.
struct NucleiColumn {
  std::string name, units, description;
  hdf5::Handle (*type)() = nullptr;
  std::size_t value_bytes = 0;
  std::size_t members = 0;  ///< legal values of an enumeration; 0: none
  bool optional = false;    ///< may be empty and absent
  std::size_t (*size)(const MapNuclei&) = nullptr;
  const void* (*values)(const MapNuclei&) = nullptr;
  void* (*resize)(MapNuclei&, std::size_t rows) = nullptr;  ///< where to read to
};
[[nodiscard]] const std::vector<NucleiColumn>& nuclei_columns();

}  // namespace nucreg
