#include "nucreg/stats/map_spread.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

Table configurations(std::vector<std::string> models) {
  const std::size_t count = models.size();
  return {"configurations",
          {{"model", "", std::move(models)},
           {"magnification", "1", std::vector<double>(count, 4.0)},
           {"field_width_px", "px", std::vector<double>(count, 100.0)},
           {"field_height_px", "px", std::vector<double>(count, 50.0)}}};
}

// A shift of the affine map by so many 40x px.
Record shifted(std::uint32_t configuration, std::uint32_t trial, std::uint32_t solver, double tx,
               SolveStatus status = SolveStatus::converged) {
  Record record;
  record.configuration = configuration;
  record.trial = trial;
  record.solver = solver;
  record.status = status;
  record.params = {4.0, 0.0, tx, 0.0, 4.0, 7.0, Record::nan, Record::nan};
  return record;
}

}  // namespace

TEST_CASE("scatter and agreement of maps that are shifted") {
  MapSpread spread(configurations({"affine", "affine"}), 2);
  const std::vector<Record> rows{shifted(0, 0, 0, 1.0), shifted(0, 0, 1, 1.5),
                                 shifted(0, 1, 0, 3.0), shifted(0, 1, 1, 0.0),
                                 shifted(1, 0, 0, 9.0), shifted(1, 0, 1, 2.0)};
  // In pieces as in one.
  for (const Record& row : rows) spread.add({&row, 1});
  const std::vector<Table> tables = spread.finish();
  REQUIRE(tables.size() == 2);
  const Table &scatter = tables[0], &agreement = tables[1];
  REQUIRE(scatter.rows() == 4);
  CHECK(scatter.get<std::int64_t>("count") == std::vector<std::int64_t>{2, 2, 1, 1});
  const auto& far = scatter.get<double>("map_scatter_px");
  CHECK(far[0] == doctest::Approx(std::sqrt(2.0)));
  CHECK(far[1] == doctest::Approx(std::sqrt(2.0 * 0.75 * 0.75)));
  CHECK(std::isnan(far[2]));  // one map does not scatter
  CHECK(scatter.get<double>("param_scatter_2")[0] == doctest::Approx(std::sqrt(2.0)));
  CHECK(scatter.get<double>("param_scatter_0")[0] == 0.0);
  CHECK(std::isnan(scatter.get<double>("param_scatter_6")[0]));
  REQUIRE(agreement.rows() == 2);
  CHECK(agreement.get<double>("max_px")[0] == doctest::Approx(3.0));
  CHECK(agreement.get<double>("rms_px")[0] == doctest::Approx(std::sqrt((0.25 + 9.0) / 2.0)));
  CHECK(agreement.get<double>("max_px")[1] == doctest::Approx(7.0));
}

TEST_CASE("solves that failed, have no answer or are not finite do not count") {
  MapSpread spread(configurations({"affine"}), 2);
  Record broken = shifted(0, 2, 1, 5.0);
  broken.params[0] = Record::nan;
  const std::vector<Record> rows{
      shifted(0, 0, 0, 1.0), shifted(0, 0, 1, 5.0, SolveStatus::failed),
      shifted(0, 1, 0, 2.0), shifted(0, 1, 1, 5.0, SolveStatus::not_applicable),
      shifted(0, 2, 0, 3.0), broken};
  spread.add(rows);
  const std::vector<Table> tables = spread.finish();
  CHECK(tables[0].get<std::int64_t>("count") == std::vector<std::int64_t>{3, 0});
  CHECK(std::isnan(tables[0].get<double>("map_scatter_px")[1]));
  CHECK(tables[1].get<std::int64_t>("count")[0] == 0);
  CHECK(std::isnan(tables[1].get<double>("max_px")[0]));
}

TEST_CASE("tables that are not of images, rows that are of nothing") {
  CHECK(MapSpread::applies(configurations({"trs"})));
  CHECK_FALSE(MapSpread::applies({"configurations", {}}));
  CHECK_THROWS_AS(MapSpread({"configurations", {}}, 1), InputError);
  CHECK_THROWS_AS(MapSpread(configurations({"spline"}), 1), InputError);
  MapSpread spread(configurations({"affine"}), 1);
  const Record other = shifted(1, 0, 0, 0.0), solver = shifted(0, 0, 1, 0.0);
  CHECK_THROWS_AS(spread.add({&other, 1}), InputError);
  CHECK_THROWS_AS(spread.add({&solver, 1}), InputError);
  CHECK(spread.finish()[0].rows() == 0);
}
