#include "nucreg/fit/poisson_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t most_tries_per_point = 2000;
constexpr std::uint32_t most_attempts = 100;

// Cells at least as wide as the distance: a disk touches at most nine of them. Points of a cell are
// chained, newest first.
class Grid {
 public:
  Grid(double width, double height, double distance, std::uint64_t count) {
    const double even = std::sqrt(width * height / static_cast<double>(count));
    const double side = std::max({even, distance, std::max(width, height) / 30000.0, 1e-9});
    inverse_side_ = 1.0 / side;
    columns_ = static_cast<std::int32_t>(width * inverse_side_) + 1;
    rows_ = static_cast<std::int32_t>(height * inverse_side_) + 1;
    newest_.assign(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_), none);
    older_.reserve(count);
  }

  // u, v: position within the grid's rectangle.
  [[nodiscard]] bool is_free(double u, double v, double distance, const Points& points) const {
    const double squared = distance * distance;
    return every_cell_near(u, v, distance, [&](std::uint32_t newest) {
      for (std::uint32_t i = newest; i != none; i = older_[i]) {
        const double dx = points.x[i] - u, dy = points.y[i] - v;
        if (dx * dx + dy * dy < squared) return false;
      }
      return true;
    });
  }

  // Brings near what is_free() will read: in two steps, since the cells say where the points are.
  void fetch_cells(double u, double v, double distance) const {
    for (const double row : {v - distance, v + distance})
      __builtin_prefetch(&newest_[index(cell(u, columns_), cell(row, rows_))]);
  }
  void fetch_points(double u, double v, double distance, const Points& points) const {
    every_cell_near(u, v, distance, [&](std::uint32_t newest) {
      if (newest == none) return true;
      __builtin_prefetch(&points.x[newest]);
      __builtin_prefetch(&points.y[newest]);
      __builtin_prefetch(&older_[newest]);
      return true;
    });
  }

  void add(double u, double v) {
    std::uint32_t& head = newest_[index(cell(u, columns_), cell(v, rows_))];
    older_.push_back(head);
    head = static_cast<std::uint32_t>(older_.size() - 1);
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;

  // Whether `visit` holds for the newest point, or none, of every cell that a disk touches.
  template <class Visit>
  bool every_cell_near(double u, double v, double distance, const Visit& visit) const {
    const std::int32_t first_column = cell(u - distance, columns_);
    const std::int32_t last_column = cell(u + distance, columns_);
    const std::int32_t first_row = cell(v - distance, rows_);
    const std::int32_t last_row = cell(v + distance, rows_);
    for (std::int32_t row = first_row; row <= last_row; ++row)
      for (std::int32_t column = first_column; column <= last_column; ++column)
        if (!visit(newest_[index(column, row)])) return false;
    return true;
  }

  [[nodiscard]] std::int32_t cell(double position, std::int32_t cells) const {
    return std::clamp(static_cast<std::int32_t>(position * inverse_side_), 0, cells - 1);
  }
  [[nodiscard]] std::size_t index(std::int32_t column, std::int32_t row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(column);
  }

  double inverse_side_ = 1.0;
  std::int32_t columns_ = 0, rows_ = 0;
  std::vector<std::uint32_t> newest_, older_;
};

std::optional<Points> try_once(double width, double height, double distance, std::uint64_t count,
                               RandomStream random) {
  Points points;
  points.x.reserve(count);
  points.y.reserve(count);
  Grid grid(width, height, distance, count);
  // Of many points all are far away in memory: candidates are looked up some time ahead.
  std::array<std::array<double, 2>, 32> candidates;
  std::uint64_t tries_left = most_tries_per_point * count;
  while (true) {
    for (auto& [u, v] : candidates) {
      u = width * random.uniform();
      v = height * random.uniform();
      if (distance > 0.0) grid.fetch_cells(u, v, distance);
    }
    if (distance > 0.0)
      for (const auto& [u, v] : candidates) grid.fetch_points(u, v, distance, points);
    for (const auto& [u, v] : candidates) {
      if (points.size() == count) return points;
      if (tries_left-- == 0) return std::nullopt;
      if (distance > 0.0) {
        if (!grid.is_free(u, v, distance, points)) continue;
        grid.add(u, v);
      }
      points.x.push_back(u);
      points.y.push_back(v);
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
  for (std::uint32_t attempt = 0; attempt < most_attempts; ++attempt) {
    auto points = try_once(width, height, field.min_distance_px, count, stream(attempt));
    if (!points) continue;
    for (double& x : points->x) x += field.border_px;
    for (double& y : points->y) y += field.border_px;
    return *std::move(points);
  }
  throw Error(ExitStatus::bug,
              fmt::format("no room found for {} points in {} attempts", count, most_attempts));
}

}  // namespace nucreg
