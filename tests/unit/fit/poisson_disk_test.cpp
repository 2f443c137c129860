#include "nucreg/fit/poisson_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

using namespace nucreg;

namespace {

auto stream_of(std::uint32_t trial) {
  return [trial](std::uint32_t attempt) {
    return RandomStream(7, 0, trial, Purpose::positions, attempt);
  };
}

double min_distance(const Points& points) {
  double least = 1e300;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      least = std::min(least, std::hypot(points.x[i] - points.x[j], points.y[i] - points.y[j]));
  return least;
}

void check_within(const Points& points, const DiskField& field) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    CHECK(points.x[i] >= field.border_px);
    CHECK(points.x[i] <= field.size_px[0] - field.border_px);
    CHECK(points.y[i] >= field.border_px);
    CHECK(points.y[i] <= field.size_px[1] - field.border_px);
  }
}

}  // namespace

TEST_CASE("as many points as asked for, as far apart as asked for, within the field") {
  for (const DiskField& field : {DiskField{{1024, 1024}, 0, 10}, DiskField{{1024, 1024}, 100, 10},
                                 DiskField{{2000, 30}, 5, 3}, DiskField{{3, 900}, 0, 1}})
    for (const std::uint64_t count : {1u, 2u, 100u, 400u}) {
      const Points points = scatter_points(field, count, stream_of(1));
      CHECK(points.x.size() == count);
      CHECK(points.y.size() == count);
      CHECK(min_distance(points) >= field.min_distance_px);
      check_within(points, field);
    }
}

TEST_CASE("the largest count is reached, one more is refused, in fields of any size") {
  for (const DiskField& field :
       {DiskField{{1024, 1024}, 0, 10}, DiskField{{300, 200}, 10, 7}, DiskField{{40, 40}, 0, 10},
        DiskField{{25, 25}, 0, 10}, DiskField{{12, 12}, 0, 10}, DiskField{{11, 11}, 5, 10},
        DiskField{{10, 10}, 0, 10}, DiskField{{1, 1}, 0, 10}, DiskField{{100, 9}, 0, 10},
        DiskField{{500, 1}, 0, 10}, DiskField{{1e-3, 1e-3}, 0, 1e-4},
        DiskField{{1e6, 1e6}, 0, 2e4}}) {
    CAPTURE(field.size_px[0]);
    CAPTURE(field.size_px[1]);
    const std::uint64_t largest = largest_count(field);
    REQUIRE(largest >= 1);
    for (std::uint32_t trial = 0; trial < 5; ++trial) {
      const Points points = scatter_points(field, largest, stream_of(trial));
      CHECK(points.size() == largest);
      CHECK(min_distance(points) >= field.min_distance_px);
      check_within(points, field);
    }
    CHECK_THROWS_AS(static_cast<void>(scatter_points(field, largest + 1, stream_of(0))), JobError);
  }
}

TEST_CASE("a density that does not fit is an error that names the largest count") {
  const DiskField field{{1024, 1024}, 0, 10};
  CHECK(largest_count(field) == 6675);  // 0.5 * 1024^2 / (25 pi)
  CHECK_NOTHROW(check_density(field, 6675, {}));
  try {
    check_density(field, 8000, {.file = "job.toml", .line = 3, .key = "problem.points"});
    FAIL("8000 points do not fit");
  } catch (const JobError& error) {
    CHECK(error.fields().file == "job.toml");
    CHECK(error.fields().line == 3);
    CHECK(error.fields().key == "problem.points");
    CHECK(error.fields().allowed == "at most 6675");
    CHECK(error.problem().find("8000") != std::string::npos);
    CHECK(error.problem().find("1024 x 1024") != std::string::npos);
  }
}

TEST_CASE("equal streams give equal points, others give others") {
  const DiskField field{{500, 500}, 0, 10};
  const Points a = scatter_points(field, 200, stream_of(1));
  const Points b = scatter_points(field, 200, stream_of(1));
  const Points c = scatter_points(field, 200, stream_of(2));
  CHECK(a.x == b.x);
  CHECK(a.y == b.y);
  CHECK(a.x != c.x);
}

TEST_CASE("no points and no distance are no problem") {
  const DiskField field{{100, 50}, 0, 0};
  CHECK(scatter_points(field, 0, stream_of(1)).size() == 0);
  const Points points = scatter_points(field, 20000, stream_of(1));  // denser than any disks
  CHECK(points.size() == 20000);
  check_within(points, field);
}

TEST_CASE("points cover the field evenly") {
  const DiskField field{{1000, 1000}, 0, 5};
  int counts[4][4] = {};
  constexpr int trials = 20, each = 2000;
  for (std::uint32_t trial = 0; trial < trials; ++trial) {
    const Points points = scatter_points(field, each, stream_of(trial));
    for (std::size_t i = 0; i < points.size(); ++i)
      ++counts[std::min(3, static_cast<int>(points.x[i] / 250))]
              [std::min(3, static_cast<int>(points.y[i] / 250))];
  }
  // Disks spread more evenly than independent points would, so five sigma of those is ample; the
  // edge of the field is a little denser.
  const double expected = trials * each / 16.0;
  for (const auto& row : counts)
    for (const int count : row)
      CHECK(std::abs(count - expected) < 5.0 * std::sqrt(expected) + 0.01 * expected);
}

TEST_CASE("a million points keep their distance") {
  const DiskField field{{12000, 12000}, 0, 8};
  const auto begin = std::chrono::steady_clock::now();
  const Points points = scatter_points(field, 1'000'000, stream_of(1));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  MESSAGE("1,000,000 points in " << seconds.count() << " s");
  REQUIRE(points.size() == 1'000'000);
  std::vector<std::uint32_t> order(points.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return points.x[a] < points.x[b]; });
  double least = 1e300;
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      const double dx = points.x[order[j]] - points.x[order[i]];
      if (dx >= field.min_distance_px) break;
      least = std::min(least, std::hypot(dx, points.y[order[j]] - points.y[order[i]]));
    }
  CHECK(least >= field.min_distance_px);
}
