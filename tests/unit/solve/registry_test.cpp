#include "nucreg/solve/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

#include "nucreg/job/parse.hpp"

using namespace nucreg;

namespace {

Job job_with(const std::string& solver, const std::string& fit = {}) {
  return parse_job_text(
      "[job]\nname = \"t\"\n[fit]\n" + fit + "\n[[solver]]\nname = \"S\"\n" + solver, "job.toml");
}

// Makes the solver of the job; line 7 is the first of `solver`.
JobError error_of(const std::string& solver, const std::string& fit = {}) {
  const Job job = job_with(solver, fit);
  try {
    static_cast<void>(standard_solvers().make(job.solvers.at(0), job));
  } catch (const JobError& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.fields().file == "job.toml");
    return error;
  }
  FAIL("was made: " << solver);
  throw std::logic_error("unreachable");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the registry ships every kind, each with a summary and an estimate that grows") {
  const SolverRegistry registry = standard_solvers();
  std::set<std::string> names;
  for (const SolverKind& kind : registry.kinds()) {
    names.insert(kind.name);
    CHECK(!kind.summary.empty());
    CHECK(kind.seconds(1000.0) > 0.0);
    CHECK(kind.seconds(1e6) > 10.0 * kind.seconds(1000.0));
  }
  CHECK(names == std::set<std::string>{"nlopt", "eigen-lm", "lm", "closed-form", "irls",
                                       "consensus", "process", "ceres", "gsl"});
}

TEST_CASE("a kind is named once") {
  SolverRegistry registry = standard_solvers();
  CHECK_THROWS_AS(registry.add(lm_kind()), std::logic_error);
}

TEST_CASE("an unknown kind is answered with those that exist, at its line") {
  const JobError error = error_of("kind = \"simplex\"\n");
  CHECK(error.fields().line == 7);
  CHECK(error.fields().key == "solver.kind");
  CHECK(error.fields().allowed ==
        "nlopt, eigen-lm, lm, closed-form, irls, consensus, process, "
        "ceres, gsl");
  CHECK(contains(error.problem(), "simplex"));
}

TEST_CASE("an unknown key is answered with those of the kind") {
  const JobError lm = error_of("kind = \"lm\"\nalgorithm = \"LD_LBFGS\"\n");
  CHECK(lm.fields().line == 8);
  CHECK(lm.fields().key == "solver.algorithm");
  CHECK(lm.fields().allowed == "name, kind, evaluation, start, starts");
  const JobError nlopt = error_of("kind = \"nlopt\"\n\nalgoritm = \"LD_LBFGS\"\n");
  CHECK(nlopt.fields().line == 9);
  CHECK(contains(nlopt.fields().allowed, "algorithm"));
  CHECK(contains(nlopt.fields().allowed, "vector_storage"));
}

TEST_CASE("options of another type or out of range are errors at their line") {
  const JobError type = error_of("kind = \"nlopt\"\nalgorithm = 7\n");
  CHECK(type.fields().line == 8);
  CHECK(type.fields().allowed == "a string");
  const JobError text = error_of("kind = \"nlopt\"\nvector_storage = \"ten\"\n");
  CHECK(text.fields().key == "solver.vector_storage");
  CHECK(text.fields().allowed == "an integer");
  CHECK(contains(error_of("kind = \"nlopt\"\npopulation = 1.5\n").fields().allowed, "an integer"));
  const JobError range = error_of("kind = \"nlopt\"\npopulation = -1\n");
  CHECK(range.fields().line == 8);
  CHECK(contains(range.fields().allowed, "0 or more"));
}

TEST_CASE("an algorithm that NLopt does not know is answered with all that it knows") {
  for (const std::string key : {"algorithm", "local_algorithm"}) {
    const std::string global = key == "algorithm" ? "" : "algorithm = \"LN_AUGLAG\"\n";
    const JobError error = error_of("kind = \"nlopt\"\n" + global + key + " = \"LD_LBFSG\"\n");
    CHECK(error.fields().line == (global.empty() ? 8 : 9));
    CHECK(error.fields().key == "solver." + key);
    for (const std::string& name : nlopt_algorithms())
      CHECK(contains(error.fields().allowed, name));
  }
  CHECK(nlopt_algorithms().size() > 40);
}

TEST_CASE("a global algorithm needs a whole box") {
  const std::string global = "kind = \"nlopt\"\nalgorithm = \"GN_DIRECT_L\"\n";
  const std::string box =
      "bounds = { scale = [3, 5], angle_deg = [-9, 9], dx_px = [-50, 50], dy_px = [-50, 50] }";
  const JobError none = error_of(global);
  CHECK(none.fields().line == 8);
  CHECK(contains(none.problem(), "GN_DIRECT_L"));
  CHECK(contains(none.fields().allowed, "dx_px"));
  CHECK_NOTHROW(error_of(global, "bounds = { scale = [3, 5] }"));
  CHECK(contains(error_of(global, "model = [\"trs\", \"projective\"]\n" + box).problem(),
                 "projective"));
  // Of the angle the whole turn is a box.
  const std::string turn =
      "bounds = { scale = [3, 5], angle_deg = [-180, 180], dx_px = [-50, 50], dy_px = [-50, 50] }";
  for (const std::string& bounds : {box, turn})
    for (const std::string model : {"rigid", "similarity", "trs", "affine"}) {
      const Job job = job_with(global, "model = \"" + model + "\"\n" + bounds);
      CHECK(standard_solvers().make(job.solvers.at(0), job) != nullptr);
    }
}

TEST_CASE("an algorithm that no build of NLopt contains is refused, and not listed") {
  const JobError error = error_of("kind = \"nlopt\"\nalgorithm = \"LD_LBFGS_NOCEDAL\"\n");
  CHECK(error.fields().line == 8);
  CHECK(contains(error.fields().allowed, "LD_LBFGS"));
  for (const std::string& name : nlopt_algorithms()) CHECK(name != "LD_LBFGS_NOCEDAL");
}

TEST_CASE("starts that are none, and other options of robust kinds out of range, are errors") {
  CHECK(error_of("kind = \"lm\"\nstart = \"best\"\n").fields().allowed == "fit, consensus, irls");
  CHECK(error_of("kind = \"lm\"\nstarts = 0\n").fields().key == "solver.starts");
  CHECK(error_of("kind = \"irls\"\ngraduated = \"yes\"\n").fields().allowed == "gm, tls, no");
  CHECK(error_of("kind = \"irls\"\nfactor = 1\n").fields().key == "solver.factor");
  CHECK(error_of("kind = \"consensus\"\nconfidence = 1.0\n").fields().key == "solver.confidence");
}

TEST_CASE("an algorithm that may never end is refused where it may") {
  const std::string alone = "kind = \"nlopt\"\nalgorithm = \"LN_NEWUOA_BOUND\"\n";
  const std::string within =
      "kind = \"nlopt\"\nalgorithm = \"LN_AUGLAG\"\nlocal_algorithm = \"LN_NEWUOA_BOUND\"\n";
  const JobError error = error_of(alone);  // at the default of 1e-12
  CHECK(error.fields().line == 8);
  CHECK(error.fields().key == "solver.algorithm");
  CHECK(contains(error.fields().allowed, "LN_BOBYQA"));
  CHECK(contains(error.problem(), "1e-12"));
  CHECK(error_of(within).fields().key == "solver.local_algorithm");
  CHECK(contains(error_of(alone, "ftol_rel = [1e-8, 0]").problem(), "0"));
  for (const std::string& solver : {alone, within}) {
    const Job job = job_with(solver, "ftol_rel = 1e-8");
    CHECK(standard_solvers().make(job.solvers.at(0), job) != nullptr);
  }
}

TEST_CASE("options are filled in from their defaults and told as text") {
  const Job job = job_with("kind = \"nlopt\"\nvector_storage = 7\n");
  const SolverOptions options = standard_solvers().options(job.solvers.at(0), "job.toml");
  CHECK(options.size() == 8);
  CHECK(std::get<std::string>(options.at("algorithm")) == "LD_LBFGS");
  CHECK(std::get<std::int64_t>(options.at("vector_storage")) == 7);
  CHECK(options_text(options) ==
        "algorithm = \"LD_LBFGS\", evaluation = \"points\", local_algorithm = \"LD_LBFGS\", "
        "population = 0, rounds = 20, start = \"fit\", starts = 1, vector_storage = 7");
  CHECK(options_text({}).empty());
}
