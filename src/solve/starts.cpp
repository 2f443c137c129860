#include "starts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"

namespace nucreg {
namespace {

constexpr double most_scale = 1.25;  // drawn starts are magnified by 1/1.25 ... 1.25 of the first

// The start turned by any angle and magnified a little about the middle of the points, which goes
// to the middle of their partners.
Params drawn_start(const Objective& f, const Params& start, RandomStream& random) {
  const double angle = random.uniform(-std::numbers::pi, std::numbers::pi);
  const double factor = std::exp(random.uniform(-std::log(most_scale), std::log(most_scale)));
  const auto old = map_entries(f.model(), start, f.magnification(), false, f.form()).entries;
  const double c = factor * std::cos(angle), s = factor * std::sin(angle);
  const Centroids middle = centroids(f.pairs());
  std::array<double, 6> map{c * old[0] - s * old[3], c * old[1] - s * old[4], 0.0,
                            s * old[0] + c * old[3], s * old[1] + c * old[4], 0.0};
  map[2] = middle.x40 - map[0] * middle.x10 - map[1] * middle.y10;
  map[5] = middle.y40 - map[3] * middle.x10 - map[4] * middle.y10;
  return nearest_params(f.model(), map, f.form(), f.magnification());
}

class StartsSolver : public Solver {
 public:
  StartsSolver(std::unique_ptr<Solver> first, std::unique_ptr<Solver> solver, std::int64_t starts)
      : first_(std::move(first)), solver_(std::move(solver)), starts_(starts) {}
  [[nodiscard]] bool honours_bounds() const override { return solver_->honours_bounds(); }
  [[nodiscard]] bool applies_to(Model model, Loss loss) const override {
    return solver_->applies_to(model, loss) && (!first_ || first_->applies_to(model, loss));
  }

  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    SolveRequest from = request;
    std::int64_t iterations = 0;
    if (first_) {
      const SolveResult found = first_->solve(f, request);
      if (found.status == SolveStatus::max_time || found.status == SolveStatus::failed ||
          f.function_evaluations() >= request.max_evaluations)
        return found;
      from.start = clamp(found.params, request.box);
      iterations += std::max<std::int64_t>(0, found.iterations);
    }
    RandomStream random(request.seed, 0, 0, Purpose::resampling, 1);
    const Params first_start = from.start;
    SolveResult best;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::int64_t k = 0; k < starts_; ++k) {
      const std::int64_t used = f.function_evaluations();
      if (k > 0 && used >= request.max_evaluations) break;
      if (k > 0) from.start = clamp(drawn_start(f, first_start, random), request.box);
      // Equal shares of the evaluations that are left, one of them for the value of the answer.
      from.max_evaluations =
          std::max(used + 1, used + (request.max_evaluations - used) / (starts_ - k) - 1);
      SolveResult result = solver_->solve(f, from);
      iterations += std::max<std::int64_t>(0, result.iterations);
      const bool over = result.status == SolveStatus::max_time;
      const bool asked = starts_ > 1 && f.function_evaluations() < request.max_evaluations &&
                         result.params.allFinite();
      const double value = asked ? f.value(result.params) : std::numeric_limits<double>::infinity();
      if (k == 0 || value < lowest) {
        lowest = value;
        best = result;
      }
      if (over) {
        best.status = SolveStatus::max_time;
        break;
      }
    }
    best.iterations = iterations;
    return best;
  }

 private:
  std::unique_ptr<Solver> first_, solver_;
  std::int64_t starts_;
};

}  // namespace

const std::vector<SolverOption>& start_options() {
  static const std::vector<SolverOption> options{
      {"start", std::string("fit"), 0.0,
       "\"fit\": fit.start; \"consensus\" or \"irls\": what that kind finds, by its defaults, "
       "counted and timed with the solve"},
      {"starts", std::int64_t{1}, 1.0,
       "so many solves, the first from the start, others from it turned by any angle and magnified "
       "by up to 1.25; the best counts, all are counted and timed as one"}};
  return options;
}

std::unique_ptr<Solver> with_starts(std::unique_ptr<Solver> solver, const SolverOptions& options) {
  const auto& word = std::get<std::string>(options.at("start"));
  const std::int64_t starts = std::get<std::int64_t>(options.at("starts"));
  if (word == "fit" && starts == 1) return solver;
  std::unique_ptr<Solver> first;
  for (const SolverKind& kind : {consensus_kind(), irls_kind()}) {
    if (word != kind.name) continue;
    SolverOptions standard;
    for (const SolverOption& option : kind.options) standard[option.name] = option.standard;
    first = kind.make(standard);
  }
  if (!first && word != "fit")
    throw JobError("no start \"" + word + "\"",
                   {.key = "start", .allowed = "fit, consensus, irls"});
  return std::make_unique<StartsSolver>(std::move(first), std::move(solver), starts);
}

}  // namespace nucreg
