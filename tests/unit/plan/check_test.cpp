// Values that are right alone but do not go together.
#include <doctest/doctest.h>

#include "unit/plan/text.hpp"

using namespace nucreg;
using plan_test::plan_error;

namespace {

struct Expected {
  int line;
  std::string key, problem, allowed;
};

void check(const std::string& problem, const std::string& fit, const Expected& expected) {
  CAPTURE(problem);
  CAPTURE(fit);
  const auto error = plan_error(problem, fit);
  REQUIRE(error);
  CHECK(error->status() == ExitStatus::usage);
  CHECK(error->fields().file == "job.toml");
  CHECK(error->fields().line == expected.line);
  CHECK(error->fields().key == expected.key);
  CHECK(error->problem() == expected.problem);
  CHECK(error->fields().allowed == expected.allowed);
}

const std::string with_truth = "truth only with models that contain problem.transform";

}  // namespace

TEST_CASE("a start in numbers has as many as the model") {
  CHECK_FALSE(plan_error("", "model = \"trs\"\nstart = { params = [1, 2, 3, 4, 5] }\n"));
  check("", "model = \"trs\"\nstart = { params = [1, 2, 3, 4] }\n",
        {14, "fit.start", "4 params do not make a start of model trs",
         "params = [dx_px, dy_px, angle_deg, scale_x, scale_y], 5 numbers"});
  check("",
        "model = [\"affine\", \"rigid\"]\nstart = [\"nominal\", { params = [1, 2, 3, 4, 5, 6] }]\n",
        {14, "fit.start", "6 params do not make a start of model rigid",
         "params = [dx_px, dy_px, angle_deg], 3 numbers"});
  check("", "model = \"rigid\"\nstart = { params = [] }\n",
        {14, "fit.start", "0 params do not make a start of model rigid",
         "params = [dx_px, dy_px, angle_deg], 3 numbers"});
}

TEST_CASE("a start at the truth needs one") {
  check("source = \"pairs\"\nfiles = \"a\"\n", "start = [\"nominal\", \"truth\"]\n",
        {15, "fit.start", "pairs have no known truth to start from",
         "nominal, identity, closed-form, { params = [...] }"});
  CHECK_FALSE(plan_error("source = \"labels\"\nfiles = \"a\"\n", "start = \"truth\"\n"));
  CHECK_FALSE(plan_error("transform.model = \"affine\"\n",
                         "model = [\"affine\", \"projective\"]\nstart = \"truth\"\n"));
  check("transform.model = \"affine\"\n", "model = [\"affine\", \"trs\"]\nstart = \"truth\"\n",
        {15, "fit.start", "model trs does not contain the true affine map to start from",
         with_truth});
}

TEST_CASE("the scales of each configuration count, not those of the job") {
  const std::string similarity = "model = \"similarity\"\nstart = \"truth\"\n";
  CHECK_FALSE(plan_error("transform = { scale_x = 4.5, scale_y = 4.5 }\n", similarity));
  check("transform = { scale_x = [4, 4.5], scale_y = 4 }\n", similarity,
        {15, "fit.start", "model similarity does not contain the true trs map to start from",
         with_truth});
}

TEST_CASE("which model contains which truth") {
  constexpr Model models[] = {Model::rigid, Model::similarity, Model::trs, Model::affine,
                              Model::projective};
  const std::vector<std::vector<Draw>> general = {
      {1, 2, 3}, {1, 2, 3, 4.5}, {1, 2, 3, 4, 4.5}, {4, 0, 1, 0, 4, 2}, {4, 0, 1, 0, 4, 2, 0, 0}};
  for (std::size_t truth = 0; truth < 5; ++truth)
    for (std::size_t model = 0; model < 5; ++model) {
      CAPTURE(truth);
      CAPTURE(model);
      CHECK(contains_truth(models[model], models[truth], general[truth], 4.0) == (truth <= model));
    }
  // The entries of a matrix are no scales, even where they are alike.
  CHECK_FALSE(contains_truth(Model::trs, Model::affine, {4, 0, 1, 4, 4, 4}, 4.0));
  // Fixed scales that make a smaller model of it.
  using Params = std::vector<Draw>;
  const auto rigid = [](Model truth, const Params& params) {
    return contains_truth(Model::rigid, truth, params, 4.0);
  };
  CHECK(rigid(Model::similarity, {1, 2, 3, 4}));
  CHECK_FALSE(rigid(Model::similarity, {1, 2, 3, Draw(4, 5)}));
  CHECK(rigid(Model::trs, {1, 2, Draw(-5, 5), 4, 4}));
  CHECK_FALSE(rigid(Model::trs, {1, 2, 3, 5, 5}));
  CHECK(contains_truth(Model::similarity, Model::trs, {1, 2, 3, 5, 5}, 4.0));
  CHECK_FALSE(contains_truth(Model::similarity, Model::trs, {1, 2, 3, 5, 4}, 4.0));
  CHECK_FALSE(
      contains_truth(Model::similarity, Model::trs, {1, 2, 3, Draw(4, 5), Draw(4, 5)}, 4.0));
}

TEST_CASE("shift bounds of linear models need finite scale bounds") {
  const std::string allowed = "together with fit.bounds.scale, finite";
  for (const std::string model : {"affine", "projective"})
    check("", "model = [\"trs\", \"" + model + "\"]\nbounds = { dy_px = [-1, inf] }\n",
          {14, "fit.bounds.dy_px",
           "model " + model + " cannot be bounded in shift without a bounded scale", allowed});
  check("", "bounds = { scale = [1, inf], dx_px = [-1, 1] }\n",
        {13, "fit.bounds.dx_px", "model affine cannot be bounded in shift without a bounded scale",
         allowed});
  CHECK_FALSE(plan_error("", "bounds = { scale = [1, 5], dx_px = [-1, 1], dy_px = [-1, 1] }\n"));
  CHECK_FALSE(plan_error("", "bounds = { scale = [1, inf], angle_deg = [-1, 1] }\n"));
  for (const std::string model : {"rigid", "similarity", "trs"})
    CHECK_FALSE(plan_error("", "model = \"" + model + "\"\nbounds.dx_px = [-1, 1]\n"));
  CHECK_FALSE(plan_error("", "model = \"rigid\"\nbounds.scale = [1, 2]\n"));
}

TEST_CASE("a border leaves a field") {
  check("field_px = [100, 50]\nborder_px = 25\n", "",
        {12, "problem.border_px", "25 leaves no field", "less than half of the field, 25"});
  CHECK_FALSE(plan_error("field_px = [100, 50]\nborder_px = 24.9\n", ""));
}
