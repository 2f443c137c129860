#include "nucreg/fit/poisson_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <optional>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t max_tries_per_point = 2000;
constexpr std::uint32_t max_attempts = 100;

// Points in cells of side >= 2 distance: what a disk touches lies in two by two cells, known from
// its middle alone. Points of a cell are chained, newest first. Every chain ends at point 0, which
// is infinitely far away: its first links can be read without asking, since a branch that nothing
// predicts costs more than a distance.
class Grid {
 public:
  struct Place {
    double u, v;           // within the grid's rectangle
    std::size_t own, low;  // cell of the point, and the first of the two by two
  };

  Grid(double width, double height, double distance, std::uint64_t count)
      : squared_distance_(distance * distance) {
    const double even = std::sqrt(width * height / static_cast<double>(count));
    // Wider by more than what rounding moves.
    const double touched = 2.0 * distance * (1.0 + 1e-9);
    const double side = std::max({0.5 * even, touched, std::max(width, height) / 30000.0, 1e-9});
    inverse_side_ = 1.0 / side;
    // A row or column of empty cells on each side spares the question of the edge.
    columns_ = static_cast<std::size_t>(width * inverse_side_) + 3;
    const std::size_t rows = static_cast<std::size_t>(height * inverse_side_) + 3;
    newest_.assign(columns_ * rows, 0);
    nodes_ = std::make_unique_for_overwrite<Node[]>(count + 2);
    nodes_[0] = {far_away, far_away, 0};
  }

  [[nodiscard]] Place place(double u, double v) const {
    const double column = u * inverse_side_, row = v * inverse_side_;
    return {u, v, index(column + 1.0, row + 1.0), index(column + 0.5, row + 0.5)};
  }

  // Brings near what add_if_free() will read: in two steps, since the cells say where the points
  // are.
  void fetch_cells(const Place& at) const {
    __builtin_prefetch(&newest_[at.low]);
    __builtin_prefetch(&newest_[at.low + columns_]);
  }
  void fetch_points(const Place& at) const {
    for (const std::uint32_t i : first_links(at)) __builtin_prefetch(&nodes_[i]);
  }

  void add_if_free(const Place& at) {
    std::array<std::uint32_t, 4> link = first_links(at);
    bool free = true;
    const auto follow = [&] {
      for (std::uint32_t& i : link) {
        const Node& node = nodes_[i];
        const double du = node.u - at.u, dv = node.v - at.v;
        free &= du * du + dv * dv >= squared_distance_;
        i = node.older;
      }
    };
    do follow();
    while ((link[0] | link[1] | link[2] | link[3]) != 0);
    std::uint32_t& head = newest_[at.own];
    nodes_[size_ + 1] = {at.u, at.v, head};
    head = free ? static_cast<std::uint32_t>(size_ + 1) : head;
    size_ += free ? 1 : 0;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Points points() const {
    Points points;
    points.x.resize(size_);
    points.y.resize(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      points.x[i] = nodes_[i + 1].u;
      points.y[i] = nodes_[i + 1].v;
    }
    return points;
  }

 private:
  static constexpr double far_away = 1e150;  // its square is finite
  struct Node {
    double u, v;
    std::uint32_t older;
  };

  [[nodiscard]] std::size_t index(double column, double row) const {
    return static_cast<std::size_t>(static_cast<std::int64_t>(row)) * columns_ +
           static_cast<std::size_t>(static_cast<std::int64_t>(column));
  }
  [[nodiscard]] std::array<std::uint32_t, 4> first_links(const Place& at) const {
    const std::uint32_t* low = &newest_[at.low];
    const std::uint32_t* high = low + columns_;
    return {low[0], low[1], high[0], high[1]};
  }

  double squared_distance_, inverse_side_ = 1.0;
  std::size_t columns_ = 0, size_ = 0;
  std::vector<std::uint32_t> newest_;
  std::unique_ptr<Node[]> nodes_;
};

std::optional<Points> try_once(double width, double height, double distance, std::uint64_t count,
                               RandomStream random) {
  Grid grid(width, height, distance, count);
  // Many points are far from each other in memory: candidates are looked up some time ahead.
  std::array<Grid::Place, 32> candidates;
  // One word for both coordinates: 2^-32 of a field is far below what an image resolves.
  const double wide = 0x1p-32 * width, high = 0x1p-32 * height;
  std::uint64_t tries_left = max_tries_per_point * count;
  while (true) {
    for (Grid::Place& candidate : candidates) {
      const std::uint64_t bits = random.bits();
      candidate = grid.place(wide * static_cast<std::uint32_t>(bits >> 32),
                             high * static_cast<std::uint32_t>(bits));
      grid.fetch_cells(candidate);
    }
    for (const Grid::Place& candidate : candidates) grid.fetch_points(candidate);
    for (const Grid::Place& candidate : candidates) {
      if (grid.size() == count) return grid.points();
      if (tries_left-- == 0) return std::nullopt;
      grid.add_if_free(candidate);
    }
  }
}

}  // namespace

std::uint64_t largest_count(const DiskField& field) {
  const double area = std::max(0.0, field.size_px[0] - 2.0 * field.border_px) *
                      std::max(0.0, field.size_px[1] - 2.0 * field.border_px);
  const double disk = 0.25 * std::numbers::pi * field.min_distance_px * field.min_distance_px;
  const double count = std::min(0.5 * area / disk, 4e9);  // no distance: bounded by 32-bit indices
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(count));
}

void check_density(const DiskField& field, std::uint64_t count, ErrorFields where) {
  const std::uint64_t largest = largest_count(field);
  if (count <= largest) return;
  where.allowed = fmt::format("at most {}", largest);
  throw JobError(fmt::format("{} nuclei at least {} px apart do not fit in a field of {} x {} px",
                             count, field.min_distance_px, field.size_px[0] - 2 * field.border_px,
                             field.size_px[1] - 2 * field.border_px),
                 std::move(where));
}

Points scatter_points(const DiskField& field, std::uint64_t count,
                      const std::function<RandomStream(std::uint32_t)>& stream) {
  check_density(field, count, {.key = "count"});
  if (count == 0) return {};
  const double width = field.size_px[0] - 2.0 * field.border_px;
  const double height = field.size_px[1] - 2.0 * field.border_px;
  for (std::uint32_t attempt = 0; attempt < max_attempts; ++attempt) {
    auto points = try_once(width, height, field.min_distance_px, count, stream(attempt));
    if (!points) continue;
    for (double& x : points->x) x += field.border_px;
    for (double& y : points->y) y += field.border_px;
    return *std::move(points);
  }
  throw Error(ExitStatus::bug,
              fmt::format("no room found for {} points in {} attempts", count, max_attempts));
}

}  // namespace nucreg
