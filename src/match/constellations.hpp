// Local constellations that look the same at every magnification, turn and mirroring.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cloud.hpp"

namespace nucreg::matching {

/// A nucleus c and three of its neighbours n1, n2, n3 by rising distance, described by the complex
/// ratios (n1 - c) / (n3 - c) and (n2 - c) / (n3 - c), as four numbers. No shift, turn or scale
/// changes them; a mirrored constellation has the conjugate ones.
struct Constellation {
  std::array<float, 4> shape{};
  std::array<std::uint32_t, 4> points{};  ///< c n1 n2 n3
};

/// Those of one nucleus: every three of its five nearest neighbours. Left out are those with a
/// neighbour so near that noise turns it anywhere.
[[nodiscard]] std::vector<Constellation> constellations_of(const Cloud& cloud,
                                                           std::uint32_t centre);

/// Constellations around chosen nuclei of a cloud, searched by shape.
class ConstellationIndex {
 public:
  /// Keeps a reference to the cloud.
  ConstellationIndex(const Cloud& cloud, const std::vector<std::uint32_t>& centres);
  ~ConstellationIndex();
  ConstellationIndex(const ConstellationIndex&) = delete;
  ConstellationIndex& operator=(const ConstellationIndex&) = delete;

  /// Those most alike, at most three, best first.
  void most_alike(const std::array<float, 4>& shape, std::vector<Constellation>& out) const;

 private:
  struct Tree;

  const Cloud& cloud_;
  std::vector<std::array<float, 4>> shapes_;
  std::vector<std::uint32_t> centre_;  // of each shape
  std::unique_ptr<Tree> tree_;
};

}  // namespace nucreg::matching
