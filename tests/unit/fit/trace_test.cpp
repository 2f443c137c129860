#include "nucreg/fit/trace.hpp"

#include <doctest/doctest.h>

using nucreg::TraceRecorder;

TEST_CASE("a trace holds the lowest objective so far, and the time") {
  double now = 0.0;
  TraceRecorder trace([&] { return now += 0.5; });
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  std::int64_t evaluation = 0;
  for (const double value : {nan, inf, 5.0, 7.0, nan, 3.0}) trace.add(++evaluation, value);
  const auto& points = trace.points();
  REQUIRE(points.size() == 6);
  CHECK(std::isnan(points[0].objective));
  CHECK(std::isnan(points[1].objective));
  CHECK(points[2].objective == 5.0);
  CHECK(points[3].objective == 5.0);
  CHECK(points[5].objective == 3.0);
  CHECK(points[5].evaluation == 6);
  CHECK(points[5].seconds == 3.0);
}

TEST_CASE("points thin out geometrically, without losing what is lowest between them") {
  TraceRecorder trace([] { return 0.0; });
  constexpr std::int64_t evaluations = 1'000'000;
  for (std::int64_t i = 1; i <= evaluations; ++i)
    trace.add(i, i == 500'001 ? -1.0 : static_cast<double>(evaluations - i));
  const auto& points = trace.points();
  CHECK(points.size() > 100);
  CHECK(points.size() < 200);
  for (std::size_t i = 0; i < 16; ++i) CHECK(points[i].evaluation == static_cast<int>(i) + 1);
  for (std::size_t i = 16; i < points.size(); ++i) {
    CHECK(points[i].evaluation > points[i - 1].evaluation);
    CHECK(static_cast<double>(points[i].evaluation) <=
          1.1 * static_cast<double>(points[i - 1].evaluation) + 1.0);
  }
  CHECK(points.back().objective == -1.0);
}

TEST_CASE("no number of evaluations outgrows the memory that was taken") {
  TraceRecorder trace([] { return 0.0; });
  const auto* begin = trace.points().data();
  for (std::int64_t i = 1; i < (std::int64_t{1} << 40); i += 1 + i / 11) trace.add(i, 0.0);
  CHECK(trace.points().data() == begin);
}
