// Which column of a table is which: the names that programs give to centroids, labels and tiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/nuclei/nuclei_table.hpp"

namespace nucreg {

/// The unit of a coordinate. `unknown`: the header does not say; it is taken as px.
enum class TableUnit : std::uint8_t { unknown, px, nm, um, mm, cm, inch, m };

/// Micrometres of one; 0 for px and unknown.
[[nodiscard]] double micrometres_of(TableUnit unit);
/// "um", "µm" (also in Latin-1), "micron", "pixel", ...
[[nodiscard]] std::optional<TableUnit> unit_in(std::string_view word);

struct TableHeader {
  std::size_t columns = 0;
  std::vector<std::string> names;  ///< as UTF-8
  std::size_t x = 0, y = 0;
  TableUnit unit = TableUnit::unknown, area_unit = TableUnit::unknown;
  std::optional<std::size_t> area, intensity, tile, well;
  std::optional<std::size_t> z;     ///< has to be the same in all rows
  std::optional<std::size_t> time;  ///< frame, time point or slice of an image
  std::optional<std::size_t> unit_column;
  std::vector<std::size_t> row_names;  ///< where ImageJ writes "Mean" of a row that is no object
  std::vector<std::size_t> labels;     ///< those that could hold labels, the preferred one first
  bool label_asked = false;            ///< by the user: the only one of `labels`
  bool sub_headers = false;            ///< more lines of names and units may follow
};

/// What arrays of NumPy may be.
constexpr std::string_view npy_allowed =
    "a .npy array of two dimensions: N x 2 finite numbers (points), a label image of whole numbers "
    "or a mask; whole numbers of 1 to 8 bytes, float32 or float64";

/// What keeps a line from being a header.
struct NoHeader {
  std::string problem, allowed;
};

/// Finds the columns by the names that `wanted` gives or by known ones. Throws NoHeader.
[[nodiscard]] TableHeader read_header(const std::vector<std::string_view>& cells,
                                      const TableColumns& wanted);

}  // namespace nucreg
