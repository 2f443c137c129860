// Every certified answer of ../shared/oracle against every solver that claims it. The answers were
// computed with 40-digit arithmetic; digits are NIST's log relative error, -log10(|x - c| / |c|),
// and -log10(|x|) where the certified value c is 0.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "nucreg/core/error.hpp"
#include "nucreg/fit/loss.hpp"
#include "nucreg/fit/moments.hpp"
#include "nucreg/fit/pairs_file.hpp"
#include "support/scaled_problem.hpp"

using namespace nucreg;

namespace {

constexpr double max_digits = 17.0;

// In long double, which reads more of the certified 25 digits than a double keeps.
double digits(double value, const std::string& certified_text) {
  const long double certified = std::strtold(certified_text.c_str(), nullptr);
  const long double error = std::abs(value - certified);
  const long double relative = certified == 0.0L ? error : error / std::abs(certified);
  if (std::isnan(relative)) return 0.0;
  return relative == 0.0L ? max_digits
                          : std::clamp(static_cast<double>(-std::log10(relative)), 0.0, max_digits);
}

struct Contender {
  std::string name, kind;
  std::map<std::string, OptionValue> options;
  double objective_digits, parameter_digits;
};

OptionValue word(const char* text) {
  return std::string(text);
}

// Every kind, with each method that is code of its own. Other people's code has to reach fewer
// digits.
std::vector<Contender> all_contenders() {
  std::vector<Contender> all{{"lm", "lm", {}, 9.0, 6.0},
                             {"LD_LBFGS", "nlopt", {{"algorithm", word("LD_LBFGS")}}, 9.0, 6.0},
                             {"eigen-lm", "eigen-lm", {}, 9.0, 6.0},
                             {"closed-form", "closed-form", {}, 12.0, 6.0},
                             {"irls", "irls", {{"graduated", word("no")}}, 9.0, 6.0},
                             {"irls, gm", "irls", {{"graduated", word("gm")}}, 9.0, 6.0},
                             {"irls, tls", "irls", {{"graduated", word("tls")}}, 9.0, 6.0},
                             {"consensus", "consensus", {}, 9.0, 6.0}};
  for (const char* algorithm : {"LM", "DOGLEG", "SUBSPACE_DOGLEG", "LBFGS"})
    all.push_back(
        {fmt::format("Ceres {}", algorithm), "ceres", {{"algorithm", word(algorithm)}}, 9.0, 5.5});
  for (const char* algorithm : {"LM", "DOGLEG", "DDOGLEG", "SUBSPACE2D"})
    all.push_back(
        {fmt::format("GSL {}", algorithm), "gsl", {{"algorithm", word(algorithm)}}, 9.0, 5.5});
  for (const char* method : {"L-BFGS-B", "lm"})
    all.push_back(
        {fmt::format("SciPy {}", method),
         "process",
         {{"command",
           std::vector<std::string>{NUCREG_PYTHON, "-B",
                                    NUCREG_SOURCE_DIR "/tools/solvers/scipy_solver.py", method}}},
         9.0,
         4.5});
  return all;
}

// None where the library was not there when nucreg was built.
std::unique_ptr<Solver> solver_of(const Contender& contender) {
  try {
    return standard_solvers().make(
        {.name = contender.name, .kind = contender.kind, .options = contender.options}, Job{});
  } catch (const JobError&) {
    if (contender.kind != "ceres" && contender.kind != "gsl") throw;
    return nullptr;
  }
}

std::filesystem::path oracle() {
  const char* shared = std::getenv("NUCREG_SHARED");
  return shared ? std::filesystem::path(shared) / "oracle" : std::filesystem::path();
}

// The objective at a map, summed up in long double: no summation in double can be closer to it.
long double long_sum(const Objective& objective, const Params& p, Loss loss, double loss_scale) {
  const MapEntries map =
      map_entries(objective.model(), p, objective.magnification(), false, objective.form());
  const auto& m = map.entries;
  const PairsView& pairs = objective.pairs();
  long double sum = 0.0L;
  for (std::size_t i = 0; i < pairs.size; ++i) {
    const double x = pairs.x10[i], y = pairs.y10[i];
    const double inverse = map.projective ? 1.0 / (m[6] * x + m[7] * y + 1.0) : 1.0;
    const double rx = (m[0] * x + m[1] * y + m[2]) * inverse - pairs.x40[i];
    const double ry = (m[3] * x + m[4] * y + m[5]) * inverse - pairs.y40[i];
    sum += evaluate_loss(loss, rx * rx + ry * ry, loss_scale).rho;
  }
  return sum;
}

}  // namespace

TEST_CASE("passes lose nothing against exact summation, and moments are the passes") {
  if (!std::filesystem::exists(oracle() / "answers.json")) {
    MESSAGE("skipped: no oracle/answers.json below NUCREG_SHARED");
    return;
  }
  int by_moments = 0;
  for (const auto& answer : nlohmann::json::parse(std::ifstream(oracle() / "answers.json"))) {
    const Model model = value_of<Model>(answer.at("model").get<std::string>()).value();
    const Loss loss = value_of<Loss>(answer.at("loss").get<std::string>()).value();
    const auto file = answer.at("pairs").get<std::string>();
    const double loss_scale_px = answer.at("loss_scale_px").get<double>();
    ScaledProblem problem(read_pairs(oracle() / file), model, loss, loss_scale_px, 4.0);
    const double loss_scale = loss_scale_px / problem.normalization().scale40;
    const double n = static_cast<double>(problem.pairs_px().size());
    Objective points = problem.objective();
    Objective reduced = problem.objective();
    if (has_moments(model, loss)) reduced.use_moments();
    const Params best = make_solver("lm")->solve(points, problem.request).params;
    CAPTURE(file);
    CAPTURE(name_of(model));
    CAPTURE(name_of(loss));
    for (const Params& p : {problem.request.start, best}) {
      const double value = points.value(p);
      const auto exact = static_cast<double>(long_sum(points, p, loss, loss_scale)) / n;
      const bool perfect =
          exact < 1e-24;  // nothing but rounding: three points and their affine map
      CHECK(std::abs(value - exact) <= (perfect ? 1e-24 : 1e-12 * exact));
      if (!has_moments(model, loss)) continue;
      by_moments += !perfect;
      CHECK(std::abs(reduced.value(p) - value) <= (perfect ? 1e-24 : 1e-12 * value));
    }
  }
  CHECK(by_moments >= 10);
}

TEST_CASE("solvers reach the certified answers") {
  if (!std::filesystem::exists(oracle() / "answers.json")) {
    MESSAGE("skipped: no oracle/answers.json below NUCREG_SHARED");
    return;
  }
  const auto answers = nlohmann::json::parse(std::ifstream(oracle() / "answers.json"));
  REQUIRE(answers.size() >= 20);
  std::puts(
      "| pairs | model | loss | solver | digits of objective | digits of parameters | "
      "function evaluations | status |\n|---|---|---|---|---|---|---|---|");
  // Made once: a process then starts once.
  std::vector<std::pair<Contender, std::unique_ptr<Solver>>> contenders;
  for (const Contender& contender : all_contenders())
    if (auto solver = solver_of(contender)) contenders.emplace_back(contender, std::move(solver));
  int compared = 0;
  std::map<std::string, std::array<double, 2>> fewest;  // of objective and parameters, by solver
  for (const auto& answer : answers) {
    const auto file = answer.at("pairs").get<std::string>();
    const Model model = value_of<Model>(answer.at("model").get<std::string>()).value();
    const Loss loss = value_of<Loss>(answer.at("loss").get<std::string>()).value();
    const auto start = answer.at("start_trs").get<std::vector<double>>();
    const auto certified = answer.at("params").get<std::vector<std::string>>();

    ScaledProblem problem(read_pairs(oracle() / file), model, loss,
                          answer.at("loss_scale_px").get<double>(), 4.0);
    problem.start_at({Model::trs, Eigen::Map<const Eigen::VectorXd>(start.data(), 5), 4.0});
    problem.request.ftol_rel = problem.request.xtol_rel = 1e-15;
    problem.request.max_evaluations = 10000;

    for (const auto& [contender, solver] : contenders) {
      if (!solver->applies_to(model, loss)) continue;
      ++compared;
      Objective objective = problem.objective();
      const SolveResult result = solver->solve(objective, problem.request);
      const Map fitted = problem.map_of(result);
      const double of_objective =
          digits(problem.value_px(result), answer.at("objective").get<std::string>());
      double of_parameters = max_digits;
      REQUIRE(fitted.params.size() == static_cast<Eigen::Index>(certified.size()));
      for (std::size_t i = 0; i < certified.size(); ++i)
        of_parameters = std::min(of_parameters,
                                 digits(fitted.params[static_cast<Eigen::Index>(i)], certified[i]));

      const std::string& name = contender.name;
      std::puts(fmt::format("| {} | {} | {} | {} | {:.1f} | {:.1f} | {} | {} |", file,
                            name_of(model), name_of(loss), name, of_objective, of_parameters,
                            objective.function_evaluations(), name_of(result.status))
                    .c_str());
      const auto [least, added] = fewest.try_emplace(name, std::array{max_digits, max_digits});
      least->second = {std::min(least->second[0], of_objective),
                       std::min(least->second[1], of_parameters)};
      CAPTURE(file);
      CAPTURE(name_of(model));
      CAPTURE(name_of(loss));
      CAPTURE(name);
      CHECK(of_objective >= contender.objective_digits);
      CHECK(of_parameters >= contender.parameter_digits);
      CHECK(result.status != SolveStatus::failed);
      CHECK(result.status != SolveStatus::max_evaluations);
    }
  }
  std::puts("| solver | fewest digits of objective | fewest digits of parameters |\n|---|---|---|");
  for (const auto& [name, digits] : fewest)
    std::puts(fmt::format("| {} | {:.1f} | {:.1f} |", name, digits[0], digits[1]).c_str());
  CHECK(compared >= 60);
}
