#include "constellations.hpp"

#include <algorithm>
#include <nanoflann.hpp>

namespace nucreg::matching {
namespace {

constexpr std::size_t neighbours = 5;
constexpr std::size_t most_alike_count = 3;
constexpr double least_ratio = 0.15;        // of the nearest to the farthest neighbour
constexpr float largest_difference = 0.3f;  // of two shapes that are taken for alike

}  // namespace

std::vector<Constellation> constellations_of(const Cloud& cloud, std::uint32_t centre) {
  std::vector<Neighbour> near;
  cloud.nearest(cloud.at(centre), neighbours + 1, near);
  std::erase_if(near, [&](const Neighbour& n) { return n.index == centre; });
  std::vector<Constellation> out;
  const Complex c = cloud.at(centre);
  for (std::size_t k = 2; k < near.size(); ++k)
    for (std::size_t j = 1; j < k; ++j)
      for (std::size_t i = 0; i < j; ++i) {
        if (near[i].square < least_ratio * least_ratio * near[k].square) continue;
        const Complex unit = 1.0 / (cloud.at(near[k].index) - c);
        const Complex z1 = (cloud.at(near[i].index) - c) * unit;
        const Complex z2 = (cloud.at(near[j].index) - c) * unit;
        out.push_back({{static_cast<float>(z1.real()), static_cast<float>(z1.imag()),
                        static_cast<float>(z2.real()), static_cast<float>(z2.imag())},
                       {centre, near[i].index, near[j].index, near[k].index}});
      }
  return out;
}

struct ConstellationIndex::Tree {
  struct Adaptor {
    const std::vector<std::array<float, 4>>& shapes;
    [[nodiscard]] std::size_t kdtree_get_point_count() const { return shapes.size(); }
    [[nodiscard]] float kdtree_get_pt(std::uint32_t i, std::size_t axis) const {
      return shapes[i][axis];
    }
    template <class Box>
    bool kdtree_get_bbox(Box&) const {
      return false;
    }
  };
  using Index =
      nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, Adaptor, float>,
                                          Adaptor, 4, std::uint32_t>;
  explicit Tree(const std::vector<std::array<float, 4>>& shapes)
      : adaptor{shapes}, index(4, adaptor, nanoflann::KDTreeSingleIndexAdaptorParams(16)) {}
  Adaptor adaptor;
  Index index;
};

ConstellationIndex::ConstellationIndex(const Cloud& cloud,
                                       const std::vector<std::uint32_t>& centres)
    : cloud_(cloud) {
  shapes_.reserve(10 * centres.size());
  centre_.reserve(10 * centres.size());
  for (const std::uint32_t centre : centres)
    for (const Constellation& c : constellations_of(cloud, centre)) {
      shapes_.push_back(c.shape);
      centre_.push_back(centre);
    }
  tree_ = std::make_unique<Tree>(shapes_);
}

ConstellationIndex::~ConstellationIndex() = default;

void ConstellationIndex::most_alike(const std::array<float, 4>& shape,
                                    std::vector<Constellation>& out) const {
  out.clear();
  std::array<std::uint32_t, most_alike_count> ids{};
  std::array<float, most_alike_count> squares{};
  const std::size_t found =
      tree_->index.knnSearch(shape.data(), most_alike_count, ids.data(), squares.data());
  for (std::size_t i = 0; i < found; ++i) {
    if (squares[i] > largest_difference * largest_difference) break;
    // Which neighbours it has is worked out again: to keep them would double the memory.
    for (const Constellation& c : constellations_of(cloud_, centre_[ids[i]]))
      if (c.shape == shapes_[ids[i]]) {
        out.push_back(c);
        break;
      }
  }
}

}  // namespace nucreg::matching
