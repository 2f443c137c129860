// The plan as the /configurations table.
#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/core/error.hpp"
#include "unit/plan/text.hpp"

using namespace nucreg;
using plan_test::job_with;

namespace {

Table table_of(const Job& job) {
  return configuration_table(make_plan(job), job);
}

std::string header_of(const Table& table) {
  std::string text;
  for (const Column& column : table.columns)
    text += column.name + (column.units.empty() ? "" : "/" + column.units) + " ";
  return text;
}

using Numbers = std::vector<double>;
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("columns and units of a synthetic job") {
  const Table table = table_of(job_with("points = [5, 6]\n", "model = [\"trs\", \"rigid\"]\n"));
  CHECK(table.name == "configurations");
  CHECK(header_of(table) ==
        "configuration/1 problem/1 points/1 min_distance_px/px noise_px/px outliers/1 missing/1 "
        "layout noise_kind outlier_kind "
        "magnification/1 transform_model true_dx_px/px true_dy_px/px true_angle_deg/deg "
        "true_scale_x/1 true_scale_y/1 model loss loss_scale_px/px coordinates start "
        "start_turn_deg/deg start_shift_px/px start_scale/1 "
        "max_evaluations/1 ftol_rel/1 xtol_rel/1 max_seconds/s ");
  CHECK(table.rows() == 4);
  for (const Column& column : table.columns) CHECK(column.rows() == 4);
  CHECK(table.get<std::int64_t>("configuration") == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(table.get<double>("points") == Numbers{5, 5, 6, 6});
  CHECK(table.get<double>("magnification") == Numbers{4, 4, 4, 4});
  CHECK(table.get<std::string>("transform_model") == Words{"trs", "trs", "trs", "trs"});
  CHECK(table.get<double>("true_scale_y") == Numbers{4, 4, 4, 4});
  CHECK(table.get<std::string>("model") == Words{"trs", "rigid", "trs", "rigid"});
  CHECK(table.get<std::string>("loss").front() == "squared");
  CHECK(table.get<std::string>("coordinates").front() == "normalized");
  CHECK(table.get<double>("xtol_rel").front() == 1e-12);
}

TEST_CASE("what is drawn in any configuration has its range, and no value there") {
  const Table table =
      table_of(job_with("noise_px = [1, { min = 2, max = 3 }]\n"
                        "transform.angle_deg = { min = -5, max = 5 }\n"));
  const Numbers& noise = table.get<double>("noise_px");
  CHECK(noise[0] == 1.0);
  CHECK(std::isnan(noise[1]));
  CHECK(table.get<double>("noise_px_min") == Numbers{1, 2});
  CHECK(table.get<double>("noise_px_max") == Numbers{1, 3});
  CHECK(std::isnan(table.get<double>("true_angle_deg")[0]));
  CHECK(table.get<double>("true_angle_deg_min") == Numbers{-5, -5});
  CHECK(table.get<double>("true_angle_deg_max") == Numbers{5, 5});
  CHECK_THROWS_AS((void)table.at("points_min"), InputError);
}

TEST_CASE("starts as words") {
  const Table table = table_of(job_with(
      "", "model = \"rigid\"\nstart = [\"closed-form\", { params = [1, -2.5, 1e-20] }]\n"));
  CHECK(table.get<std::string>("start") == Words{"closed-form", "params [1, -2.5, 1e-20]"});
}

TEST_CASE("label images have files, and no distance") {
  const Job job = job_with("source = \"labels\"\nfiles = [\"a\", \"b\"]\nnoise_px = 2\n");
  Plan plan = make_plan(job);
  plan.configurations[1].points = Draw(125.0);
  const Table table = configuration_table(plan, job);
  CHECK(table.get<std::string>("file") == Words{"a", "b"});
  CHECK(table.get<double>("points") == Numbers{0, 125});
  CHECK(std::isnan(table.get<double>("min_distance_px")[0]));
  CHECK(table.get<double>("noise_px") == Numbers{2, 2});
  CHECK(table.get<double>("true_dx_px") == Numbers{0, 0});
}

TEST_CASE("pairs have files, and nothing that is made") {
  const Table table = table_of(job_with("source = \"pairs\"\nfiles = \"a\"\n"));
  CHECK(table.get<std::string>("file") == Words{"a"});
  for (const std::string name : {"min_distance_px", "noise_px", "outliers", "missing"})
    CHECK(std::isnan(table.get<double>(name)[0]));
  CHECK(table.get<std::string>("transform_model") == Words{""});
  CHECK_THROWS_AS((void)table.at("true_dx_px"), InputError);
  CHECK_THROWS_AS((void)table.at("noise_px_min"), InputError);
}
