// Any algorithm of the NLopt library.
#include <fmt/format.h>
#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <optional>

#include "nucreg/core/error.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

// Stochastic algorithms start from the same seed in every solve: a trial's result must not depend
// on what the rank did before.
constexpr unsigned long random_seed = 5489;

// In NLopt's list, but its source is not free: every build that can be had refuses to run it.
constexpr std::string_view not_built = "LD_LBFGS_NOCEDAL";

struct Optimizer {
  explicit Optimizer(nlopt_algorithm algorithm, unsigned parameters)
      : handle(nlopt_create(algorithm, parameters)) {
    if (!handle) throw std::bad_alloc();
  }
  ~Optimizer() { nlopt_destroy(handle); }
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  nlopt_opt handle;
};

// A round that refines an answer counts from its start. Close by, the difference of two values is
// rounding, but the trapezoid of the gradients along the way there keeps its digits; it is exact
// where the objective is quadratic.
struct Reference {
  static constexpr double close_by = 1e-9;  // change of the value, relative

  Params point, gradient;
  double value = 0.0;
  // NLopt sees stretch * p and scale * value, so that its first step, down the gradient by the
  // gradient's length, and the slope that its fixed stops look at are both about one. The stretch
  // is a power of two, which rounds nothing.
  double stretch = 1.0;
  double scale = 1.0;

  Reference(Params p, Params g, double f, double curvature)
      : point(std::move(p)), gradient(std::move(g)), value(f) {
    const double slope = gradient.norm();
    scale = 1.0 / slope;
    if (!std::isnormal(curvature) || curvature < 0.0) return;
    stretch = std::exp2(std::clamp(std::round(std::log2(curvature / slope)), -500.0, 500.0));
    scale = stretch * stretch / curvature;
  }

  [[nodiscard]] double difference(const Params& p, const Params& g, double f) const {
    const double plain = f - value;
    if (g.size() == 0) return plain;  // an algorithm asked for the value alone
    return std::abs(plain) < close_by * value ? 0.5 * (g + gradient).dot(p - point) : plain;
  }
};

// What the callback needs and remembers.
struct Evaluation {
  static constexpr double fixed_stop = 1e-8;  // of a gradient: where Luksan's algorithms end
  static constexpr double vanishing = 1e-3;   // what is still to be gained, relative to the value
  static constexpr double rounding = 1e-28;   // of squares of the first residuals

  Objective& objective;
  nlopt_opt optimizer;
  std::int64_t max_evaluations;
  bool stop_at_once;
  Params best;
  // NLopt sees scale * value. Its quasi-Newton algorithms take the whole gradient as their first
  // step, which may lead anywhere; others take min(1, 1 / |gradient|) of it.
  bool rescales = false;
  double scale = 0.0;  // 0 = not known yet
  // Before there is a reference NLopt sees stretch * p, and a value scaled so that its steps are
  // the same ones.
  double stretch = 1.0;
  bool vanishes = false;  // the value goes to 0, as where pairs have no noise
  double first_value = 0.0;
  Params best_gradient = {};
  double best_value = std::numeric_limits<double>::infinity();
  double best_slope = 0.0;  // length of the gradient there
  double curvature = 0.0;   // along the step that led there
  // What is still to be gained, if the next step is as good as the last one: near a minimum the
  // objective falls with the square of the gradient.
  double expected_gain = std::numeric_limits<double>::infinity();
  std::optional<Reference> reference = {};
  double best_difference = 0.0;  // to the reference
  double negligible = 0.0;       // arrived where less than this times the value can be gained
  bool arrived = false;
  bool out_of_evaluations = false;
  bool not_finite = false;
  bool out_of_time = false;
  bool stop_due = false;

  [[nodiscard]] bool stopped() const {
    return arrived || out_of_evaluations || not_finite || out_of_time;
  }
  // A value that goes to 0 has not arrived where steps are small, but where its digits end or a
  // round has brought it hardly further.
  [[nodiscard]] bool falls_to_zero() const {
    return stretch > 1.0 && expected_gain > vanishing * best_value &&
           best_value > rounding * first_value &&
           (!reference || best_value < 0.1 * reference->value);
  }
  // A value that goes to 0 keeps more of its digits in a round with a reference.
  [[nodiscard]] bool wants_reference() const { return vanishes && !reference; }
  // Of NLopt's fixed stop, did it see the parameters as they are.
  [[nodiscard]] bool below_fixed_stop(double slope) const {
    return slope * scale < fixed_stop * stretch * stretch;
  }
};

// Ends the search; an algorithm that continues learns nothing from there, at no cost. NLopt's
// original DIRECT is asked one call later: stopped at its first, it reads memory that it has not
// set.
double stop(Evaluation& e, unsigned n, double* gradient) {
  if (e.stop_at_once || e.stop_due) nlopt_force_stop(e.optimizer);
  e.stop_due = true;
  if (gradient) std::fill_n(gradient, n, 0.0);
  return 1e300;
}

double evaluate(unsigned n, const double* x, double* gradient, void* data) {
  auto& e = *static_cast<Evaluation*>(data);
  // Some algorithms look at their stops now and then only, or never.
  if (!e.stopped()) e.out_of_evaluations = e.objective.function_evaluations() >= e.max_evaluations;
  if (e.stopped() || e.wants_reference()) return stop(e, n, gradient);
  const double stretch = e.reference ? e.reference->stretch : e.stretch;
  const Params p = Eigen::Map<const Eigen::VectorXd>(x, n) / stretch;
  if (e.reference && gradient && p == e.reference->point) {  // known: a round starts there
    Eigen::Map<Eigen::VectorXd>(gradient, n) = e.reference->scale / stretch * e.reference->gradient;
    return 0.0;
  }
  Params g;
  const double value = gradient ? e.objective.value_and_gradient(p, g) : e.objective.value(p);
  const double slope = gradient ? g.norm() : 0.0;
  e.out_of_time = e.objective.out_of_time();
  e.not_finite = !std::isfinite(value) || !std::isfinite(slope);
  if (e.not_finite) return stop(e, n, gradient);
  if (e.out_of_time) static_cast<void>(stop(e, 0, nullptr));
  if (e.scale == 0.0) {
    e.first_value = value;
    e.scale = e.stretch * e.stretch * (e.rescales && slope > 1.0 ? 1.0 / slope : 1.0);
  }
  const double scale = e.reference ? e.reference->scale : e.scale;
  const double difference = e.reference ? e.reference->difference(p, g, value) : 0.0;
  if (gradient) Eigen::Map<Eigen::VectorXd>(gradient, n) = scale / stretch * g;
  if (e.reference ? difference < e.best_difference : value < e.best_value) {
    const double fall = slope / e.best_slope;
    const double gain = e.reference ? e.best_difference - difference : e.best_value - value;
    e.expected_gain = gain * fall * fall;
    e.best_value = value;
    e.best_difference = difference;
    e.best_slope = slope;
    if (gradient && e.best_gradient.size() > 0)
      e.curvature = (g - e.best_gradient).dot(p - e.best) / (p - e.best).squaredNorm();
    e.best = p;
    e.best_gradient = g;
    e.arrived = gradient && e.expected_gain < e.negligible * value;
    if (e.stretch > 1.0 && e.below_fixed_stop(slope))
      e.vanishes = e.expected_gain > Evaluation::vanishing * value;
    if (e.arrived || e.wants_reference()) static_cast<void>(stop(e, 0, nullptr));
  }
  return scale * (e.reference ? difference : value);
}

SolveStatus status_of(nlopt_result result, const Evaluation& evaluation) {
  if (evaluation.not_finite) return SolveStatus::failed;
  if (evaluation.out_of_time) return SolveStatus::max_time;
  if (evaluation.out_of_evaluations) return SolveStatus::max_evaluations;
  if (evaluation.arrived) return SolveStatus::converged;
  switch (result) {
    case NLOPT_SUCCESS:
    case NLOPT_STOPVAL_REACHED:
    case NLOPT_FTOL_REACHED:
    case NLOPT_XTOL_REACHED:
      return SolveStatus::converged;
    case NLOPT_MAXEVAL_REACHED:
      return SolveStatus::max_evaluations;
    case NLOPT_MAXTIME_REACHED:
      return SolveStatus::max_time;
    case NLOPT_ROUNDOFF_LIMITED:
      return SolveStatus::stalled;
    default:
      return SolveStatus::failed;
  }
}

const char* reason_of(nlopt_result result) {
  switch (result) {
    case NLOPT_FAILURE:
      return "NLopt: failure (a line search that found nothing better)";
    case NLOPT_INVALID_ARGS:
      return "NLopt: invalid arguments";
    case NLOPT_OUT_OF_MEMORY:
      return "NLopt: out of memory";
    case NLOPT_ROUNDOFF_LIMITED:
      return "NLopt: limited by rounding";
    case NLOPT_FORCED_STOP:
      return "NLopt: stopped";
    default:
      return "";
  }
}

nlopt_algorithm algorithm_of(const SolverOptions& options, const std::string& key) {
  const auto& name = std::get<std::string>(options.at(key));
  const nlopt_algorithm algorithm = nlopt_algorithm_from_string(name.c_str());
  if (name == not_built)
    throw JobError(fmt::format("free builds of NLopt do not contain {}", name),
                   {.key = key, .allowed = "LD_LBFGS, which is NLopt's own"});
  if (algorithm >= 0 && algorithm < NLOPT_NUM_ALGORITHMS) return algorithm;
  throw JobError(fmt::format("NLopt has no algorithm \"{}\"", name),
                 {.key = key, .allowed = fmt::format("{}", fmt::join(nlopt_algorithms(), ", "))});
}

bool is_global(const std::string& name) {
  return name.starts_with("G");
}
// MLSL and AUGLAG hand the work to another algorithm.
bool wants_local(const std::string& name) {
  return name.find("MLSL") != std::string::npos || name.find("AUGLAG") != std::string::npos;
}

// What a global algorithm searches. Of an angle without bounds the whole turn is box enough.
Box searched_box(Box box, Model model) {
  if (const int i = angle_index(model); i >= 0 && !std::isfinite(box.upper[i] - box.lower[i])) {
    box.upper[i] = 180.0 * radians_per_degree;
    box.lower[i] = -box.upper[i];
  }
  return box;
}

class NloptSolver : public Solver {
 public:
  explicit NloptSolver(const SolverOptions& options)
      : algorithm_(algorithm_of(options, "algorithm")),
        vector_storage_(
            static_cast<unsigned>(std::get<std::int64_t>(options.at("vector_storage")))),
        population_(static_cast<unsigned>(std::get<std::int64_t>(options.at("population")))),
        rounds_(std::get<std::int64_t>(options.at("rounds"))),
        moments_(by_moments(options)) {
    const auto& name = std::get<std::string>(options.at("algorithm"));
    honours_bounds_ = name != "LN_NEWUOA";
    global_ = is_global(name);
    refines_ = name.starts_with("LD_");
    stops_by_slope_ = name == "LD_LBFGS" || name.starts_with("LD_VAR");
    stop_at_once_ = !name.starts_with("GN_ORIG_DIRECT");
    seeds_ = !name.starts_with("LD_") || wants_local(name);
    if (wants_local(name)) local_ = algorithm_of(options, "local_algorithm");
  }

  [[nodiscard]] bool honours_bounds() const override { return honours_bounds_; }
  [[nodiscard]] bool applies_to(Model model, Loss loss) const override {
    return !moments_ || has_moments(model, loss);
  }

  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    if (moments_) objective.use_moments();
    const auto n = static_cast<unsigned>(objective.parameters());
    const Optimizer optimizer(algorithm_, n);
    Evaluation evaluation{objective, optimizer.handle, request.max_evaluations, stop_at_once_,
                          request.start};
    evaluation.rescales = refines_ && rounds_ > 0;
    if (stops_by_slope_ && rounds_ > 0) evaluation.stretch = beyond_fixed_stop;
    if (refines_ && rounds_ > 0 && local_ == NLOPT_NUM_ALGORITHMS &&
        request.ftol_rel >= resolution_of_value)
      evaluation.negligible = negligible;
    nlopt_set_min_objective(optimizer.handle, evaluate, &evaluation);
    const Box box = global_ ? searched_box(request.box, objective.model()) : request.box;
    const auto optimize_from = [&](const Params& start) {
      const double stretch =
          evaluation.reference ? evaluation.reference->stretch : evaluation.stretch;
      if (honours_bounds_ && box.bounded()) {
        const Params lower = stretch * box.lower, upper = stretch * box.upper;
        nlopt_set_lower_bounds(optimizer.handle, lower.data());
        nlopt_set_upper_bounds(optimizer.handle, upper.data());
      }
      Params x = stretch * start;
      double value = 0.0;
      return nlopt_optimize(optimizer.handle, x.data(), &value);
    };
    set_stops(optimizer.handle, request);
    if (vector_storage_ > 0) nlopt_set_vector_storage(optimizer.handle, vector_storage_);
    if (population_ > 0) nlopt_set_population(optimizer.handle, population_);
    if (local_ < NLOPT_NUM_ALGORITHMS) {
      const Optimizer local(local_, n);
      set_stops(local.handle, request);
      nlopt_set_local_optimizer(optimizer.handle, local.handle);  // copies it
    }
    if (seeds_) nlopt_srand(random_seed);
    nlopt_result result = optimize_from(global_ ? clamp(request.start, box) : request.start);
    if (evaluation.wants_reference()) result = NLOPT_SUCCESS;
    nlopt_result native = result;
    // The quasi-Newton algorithms stop with plain success where the gradient is small, which the
    // job has not asked for and no option can change; and none can continue where the digits of the
    // value end, which a job's tolerance may well ask for. Where more than the tolerance is still
    // to be gained, or may be, they continue from there.
    const auto unfinished = [&] {
      if (evaluation.best_slope == 0.0 || evaluation.arrived || evaluation.stopped()) return false;
      if (result == NLOPT_FAILURE && refines_) return true;
      if (result == NLOPT_SUCCESS &&
          evaluation.expected_gain > request.ftol_rel * evaluation.best_value)
        return true;
      const bool ended_well = result == NLOPT_SUCCESS || result == NLOPT_FTOL_REACHED ||
                              result == NLOPT_XTOL_REACHED || result == NLOPT_ROUNDOFF_LIMITED;
      return ended_well && refines_ &&
             (evaluation.falls_to_zero() || request.ftol_rel < resolution_of_value);
    };
    for (std::int64_t round = 0; round < rounds_ && unfinished(); ++round) {
      const double slope_before = evaluation.best_slope;
      evaluation.reference.emplace(evaluation.best, evaluation.best_gradient, evaluation.best_value,
                                   evaluation.curvature);
      evaluation.best_difference = 0.0;
      native = result = optimize_from(evaluation.best);
      if (evaluation.stopped() || result == NLOPT_MAXEVAL_REACHED) break;
      const bool gained = -evaluation.best_difference > request.ftol_rel * evaluation.best_value;
      const bool at_its_end = result == NLOPT_FAILURE || evaluation.best_slope > 0.1 * slope_before;
      if (!gained && at_its_end) {
        result = NLOPT_FTOL_REACHED;
        break;
      }
      // Below where NLopt was content, a line search that fails has met the end of the digits.
      if (result == NLOPT_FAILURE) result = NLOPT_ROUNDOFF_LIMITED;
    }
    // A line search that finds nothing better may stand at the minimum: that is no error.
    SolveStatus status = status_of(result, evaluation);
    if (result == NLOPT_FAILURE && refines_ && !evaluation.stopped()) status = SolveStatus::stalled;
    return {.params = evaluation.best,
            .status = status,
            .native_code = static_cast<std::int32_t>(native),
            .reason = reason_of(result)};
  }

 private:
  // What begins anew at the fixed stop lacks its corrections. Parameters stretched by a power of
  // two, which rounds nothing, move it to 1e-10 of the first gradient.
  static constexpr double beyond_fixed_stop = 128.0;
  static constexpr double resolution_of_value = 1e-14;  // sums over many points, relative
  // A line search that looks for less than the value can show fails after twenty evaluations. The
  // margin is for problems as badly scaled as pixels make them.
  static constexpr double negligible = 1e-19;

  static void set_stops(nlopt_opt optimizer, const SolveRequest& request) {
    nlopt_set_ftol_rel(optimizer, request.ftol_rel);
    nlopt_set_xtol_rel(optimizer, request.xtol_rel);
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    nlopt_set_maxeval(optimizer, static_cast<int>(std::min(request.max_evaluations, most)));
  }

  nlopt_algorithm algorithm_;
  nlopt_algorithm local_ = NLOPT_NUM_ALGORITHMS;
  unsigned vector_storage_, population_;
  std::int64_t rounds_;  // 0 = NLopt as it is
  bool moments_;
  bool global_ = false;
  bool honours_bounds_ = true;
  bool stop_at_once_ = true;
  bool seeds_ = true;     // may draw random numbers; seeding takes as long as a small fit
  bool refines_ = false;  // a gradient and no search elsewhere
  bool stops_by_slope_ = false;
};

// The inner search of LN_NEWUOA_BOUND ends on ftol_rel alone and, near a bound, may never reach a
// strict one: NLopt then loops without a call that could stop it (one problem in six at 1e-12).
void check_ends(const SolverOptions& options, const char* key, const FitOptions& fit) {
  constexpr double reached = 1e-8;
  const auto& name = std::get<std::string>(options.at(key));
  if (name != "LN_NEWUOA_BOUND") return;
  for (const Draw& ftol_rel : fit.ftol_rel)
    if (ftol_rel.min < reached)
      throw JobError(
          fmt::format("{} can run for ever where fit.ftol_rel is {}", name, ftol_rel.min),
          {.key = key,
           .allowed =
               fmt::format("LN_BOBYQA, its successor, or fit.ftol_rel of at least {}", reached)});
}

// Global algorithms search the whole box, so there must be one.
void check(const SolverOptions& options, const FitOptions& fit) {
  const auto& name = std::get<std::string>(options.at("algorithm"));
  static_cast<void>(algorithm_of(options, "algorithm"));
  check_ends(options, "algorithm", fit);
  if (wants_local(name)) check_ends(options, "local_algorithm", fit);
  if (!is_global(name)) return;
  for (const Model model : fit.model) {
    const Box box = searched_box(box_of(fit.bounds, model), model);
    if (box.lower.allFinite() && box.upper.allFinite()) continue;
    throw JobError(fmt::format("{} searches a whole box, but fit.bounds leave parameters of model "
                               "{} without one",
                               name, name_of(model)),
                   {.key = "algorithm",
                    .allowed = model == Model::projective
                                   ? "a local algorithm (L...): projective has no full box"
                                   : "fit.bounds with scale, dx_px and dy_px, or a local algorithm "
                                     "(L...)"});
  }
}

}  // namespace

std::vector<std::string> nlopt_algorithms() {
  std::vector<std::string> names;
  for (int i = 0; i < NLOPT_NUM_ALGORITHMS; ++i)
    if (const char* name = nlopt_algorithm_to_string(static_cast<nlopt_algorithm>(i)))
      if (std::string_view(name) != not_built) names.emplace_back(name);
  return names;
}

SolverKind nlopt_kind() {
  return {
      .name = "nlopt",
      .summary =
          "any algorithm of the NLopt library by its name, such as LD_LBFGS (Luksan's "
          "limited-memory "
          "BFGS, not L-BFGS-B), LN_BOBYQA or GN_DIRECT_L; honours bounds (LN_NEWUOA does not)",
      .options = {{"algorithm", std::string("LD_LBFGS"), 0.0, "NLopt's name of the algorithm"},
                  {"local_algorithm", std::string("LD_LBFGS"), 0.0,
                   "the local search within MLSL and AUGLAG"},
                  {"vector_storage", std::int64_t{50}, 0.0,
                   "corrections kept by L-BFGS and its like; 0 = NLopt's choice, max_evaluations, "
                   "all of which it clears at each start"},
                  {"population", std::int64_t{0}, 0.0,
                   "population of stochastic algorithms; 0 = NLopt's choice"},
                  {"rounds", std::int64_t{20}, 0.0,
                   "of algorithms with gradients: the first step is at most 1 long, and a search "
                   "that ends short of the tolerances is restarted up to so many times, rescaled; "
                   "0 = NLopt as it is"},
                  evaluation_option()},
      .make = [](const SolverOptions& options) { return std::make_unique<NloptSolver>(options); },
      .check = check,
      .seconds = [](double pairs) { return 5e-6 + 2e-8 * pairs; }};
}

}  // namespace nucreg
