#include "nucreg/trials/trial_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>

#include "nucreg/core/allocation.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/fit/loss.hpp"
#include "nucreg/fit/measures.hpp"
#include "nucreg/fit/moments.hpp"
#include "nucreg/solve/certificate.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {
namespace {

// timing_repeats = "auto": a solve is repeated until it must have taken this long. How often
// follows from the estimate of its kind and from the evaluations that were counted, both for a
// machine faster than any, not from a clock: the number is the same on every machine and rank.
constexpr double min_timed_seconds = 200e-6;
constexpr double fastest_machine = 10.0;
constexpr double fastest_call_seconds = 40e-9;
constexpr double fastest_point_seconds = 0.15e-9;
constexpr double max_repeats = 1000.0;
// A timing stands when the clock resolved it to 1 % and the thread ran for 98 % of it.
constexpr double min_clock_steps = 100.0;
constexpr double max_time_off_cpu = 0.02;

std::int64_t auto_repeats(const Record& record, double estimated_seconds) {
  const auto calls = static_cast<double>(record.function_evaluations + record.jacobian_evaluations);
  const double counted_seconds =
      calls * (fastest_call_seconds + fastest_point_seconds * static_cast<double>(record.pairs));
  const double once = std::max(counted_seconds, estimated_seconds / fastest_machine);
  return static_cast<std::int64_t>(
      std::clamp(std::ceil(min_timed_seconds / once), 1.0, max_repeats));
}

/// What a timing may lose to the clock of the thread, which is read within it: a microsecond, and
/// where that clock is slow, as on some virtual machines, twice its fastest reading here.
double clock_reading_seconds() {
  static const double seconds = [] {
    double fastest = 1.0;
    for (int i = 0; i < 100; ++i) {
      const double begin = wall_seconds();
      static_cast<void>(thread_cpu_seconds());
      fastest = std::min(fastest, wall_seconds() - begin);
    }
    return std::max(1e-6, 2.0 * fastest);
  }();
  return seconds;
}

bool timing_stands(double wall, double cpu) {
  return wall >= min_clock_steps * wall_clock_step_seconds() &&
         wall - cpu <= max_time_off_cpu * wall + clock_reading_seconds();
}

// For the exception in flight, whatever a solver's library throws.
std::string text_of_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

// For a solve that says itself that it did not arrive.
std::string reason_of(const SolveResult& result, const Objective::NotFinite& first) {
  if (!result.message.empty()) return result.message;
  if (first.evaluation == 0) return result.reason;
  return fmt::format("objective was {} at evaluation {}",
                     std::isnan(first.value) ? "NaN" : "infinite", first.evaluation);
}

std::string beyond_memory(std::int64_t max_bytes) {
  return fmt::format("wanted more memory than run.max_solve_bytes = {}", max_bytes);
}

// The minimiser of squared loss in the solver's coordinates.
std::optional<Params> closed_form_of(const ScaledFit& fit) {
  const Objective f = fit.objective();
  const auto exact = closed_form(fit.pairs(), f.model(), f.magnification());
  if (!exact) return std::nullopt;
  return fit.in_form(*exact);
}

std::array<double, max_parameters> padded(const Params& params) {
  auto out = Record::no_params;
  std::copy(params.begin(), params.end(), out.begin());
  return out;
}

}  // namespace

// A trial in the coordinates in which its solvers work.
struct TrialRunner::Prepared {
  const Configuration& configuration;
  const Trial& trial;
  ScaledFit fit;
  SolveRequest request;
  bool determined;        // whether the points determine a map at all
  double rounding_floor;  // 40x px^2
};

TrialRunner::TrialRunner(const Job& job, const Plan& plan, std::unique_ptr<ProblemSource> source,
                         std::vector<NamedSolver> solvers, int rank, bool clock_trusted)
    : job_(job),
      plan_(plan),
      source_(std::move(source)),
      solvers_(std::move(solvers)),
      rank_(rank),
      clock_trusted_(clock_trusted) {
  if (job.run.threads_per_rank > 1)
    threads_ = std::make_unique<PassThreads>(static_cast<std::size_t>(job.run.threads_per_rank));
}

namespace {

// The start in pixels and outside units.
Params start_px(const Start& start, Model model, const Trial& trial, double magnification) {
  const auto scaled_identity = [&](double scale) {
    Params trs(5);
    trs << 0.0, 0.0, 0.0, scale, scale;
    // Rigid has no scale of its own; its identity is that of its magnification.
    const double fixed = model == Model::rigid ? scale : magnification;
    return convert({Model::trs, trs, fixed}, model, fixed)->params;
  };
  switch (start.kind) {
    case Start::Kind::nominal:
      return scaled_identity(magnification);
    case Start::Kind::identity:
      return scaled_identity(1.0);
    case Start::Kind::truth:
      return trial.truth->params;
    case Start::Kind::params:
      return Eigen::Map<const Eigen::VectorXd>(start.params.data(),
                                               static_cast<Eigen::Index>(start.params.size()));
    case Start::Kind::closed_form:
      break;
  }
  // The closed form of the largest model with one that `model` contains.
  const Model solvable = model == Model::trs          ? Model::similarity
                         : model == Model::projective ? Model::affine
                                                      : model;
  const auto radians = closed_form(trial.pairs, solvable, magnification);
  if (!radians) return scaled_identity(magnification);
  return convert({solvable, to_degrees(solvable, *radians), magnification}, model, magnification)
      ->params;
}

}  // namespace

TrialRunner::Prepared TrialRunner::prepare(const Configuration& c, const Trial& trial) const {
  const double magnification = job_.problem.magnification;
  ScaledFit fit(trial.pairs, {.model = c.model,
                              .loss = c.loss,
                              .loss_scale_px = trial.loss_scale_px,
                              .magnification = magnification,
                              .coordinates = c.coordinates,
                              .bounds = job_.fit.bounds});
  SolveRequest request{
      .start =
          fit.from_px(with_start_error({c.model, start_px(c.start, c.model, trial, magnification),
                                        magnification},
                                       trial.start_error, trial.field_px)
                          .params),
      .box = fit.box(),
      .max_evaluations = trial.max_evaluations,
      .ftol_rel = trial.ftol_rel,
      .xtol_rel = trial.xtol_rel,
      .seed = trial.solver_seed,
      .max_seconds = trial.max_seconds};
  const bool determined = determines_map(fit, c.model);
  return {.configuration = c,
          .trial = trial,
          .fit = std::move(fit),
          .request = std::move(request),
          .determined = determined,
          .rounding_floor = rounding_floor_px(trial.pairs)};
}

// The mean in solver's coordinates becomes the sum in pixels: rho is homogeneous.
std::vector<TracePoint> TrialRunner::in_px2(std::vector<TracePoint> points, const Prepared& p) {
  for (TracePoint& point : points) {
    point.objective *= p.fit.px2_per_unit();
    if (std::isinf(point.objective)) point.objective = Record::nan;  // finite in no units of ours
  }
  return points;
}

void TrialRunner::solve(const Prepared& p, const NamedSolver& named, Record& record) const {
  const Configuration& c = p.configuration;
  const Trial& trial = p.trial;
  const Solver& solver = *named.solver;
  record.loss_scale_px = trial.loss_scale_px;
  record.bounds = !p.fit.box().bounded()    ? BoundsUse::none
                  : solver.honours_bounds() ? BoundsUse::honoured
                                            : BoundsUse::ignored;
  if (!solver.applies_to(c.model, c.loss)) {
    record.status = SolveStatus::not_applicable;
    record.message =
        fmt::format("has no answer for model {} with loss {}", name_of(c.model), name_of(c.loss));
    return;
  }
  if (trial.pairs.size() == 0) {  // nothing to be far from: every start would be an answer
    record.message = "there are no pairs";
    return;
  }

  SolveResult result;
  Objective::NotFinite not_finite;
  // Only the first solve is traced. Where it is short it is repeated for its time, where it is long
  // the few points that are kept are nothing.
  double solve_start = 0.0;
  std::optional<TraceRecorder> trace;
  if (job_.run.trace) trace.emplace([&solve_start] { return wall_seconds() - solve_start; });
  const auto solve_once = [&] {
    Objective objective = p.fit.objective(threads_.get());
    solve_start = wall_seconds();
    objective.set_clock([begin = solve_start, most = trial.max_seconds] {
      return (wall_seconds() - begin) / most;
    });
    if (trace && record.repeats == 0) objective.set_trace(&*trace);
    SolveResult found = solver.solve(objective, p.request);
    if (record.repeats > 0) return;  // repeated for its time alone
    result = std::move(found);
    record.function_evaluations = objective.function_evaluations();
    record.jacobian_evaluations = objective.jacobian_evaluations();
    not_finite = objective.first_not_finite();
  };
  double wall = 0.0, cpu = 0.0, cpu_of_others = 0.0;
  const auto timed = [&](std::int64_t repeats) {
    const double others_start = threads_ ? threads_->cpu_seconds() : 0.0;
    const double wall_start = wall_seconds(), cpu_start = thread_cpu_seconds();
    for (std::int64_t i = 0; i < repeats; ++i) solve_once();
    cpu = thread_cpu_seconds() - cpu_start;
    wall = wall_seconds() - wall_start;
    cpu_of_others = threads_ ? threads_->cpu_seconds() - others_start : 0.0;
    record.repeats = repeats;
  };
  // Only the first solve is metered: those repeated are the same, and metering takes time.
  const std::int64_t max_bytes = job_.run.max_solve_bytes;
  AllocationMeter meter(max_bytes > 0 ? static_cast<std::size_t>(max_bytes)
                                      : std::numeric_limits<std::size_t>::max());
  const auto stop_meter = [&] {
    meter.stop();
    record.peak_bytes = static_cast<std::int64_t>(meter.peak_bytes());
  };
  try {
    timed(1);
    stop_meter();
    const std::int64_t repeats =
        job_.run.timing_repeats > 0
            ? job_.run.timing_repeats
            : auto_repeats(record, named.seconds(static_cast<double>(record.pairs)));
    // A solve that ran out of time is not made to do so again.
    if (repeats > 1 && result.status != SolveStatus::max_time && std::isnan(result.own_seconds))
      timed(repeats);
  } catch (...) {
    stop_meter();
    record.message = meter.refused() ? beyond_memory(max_bytes) : text_of_exception();
    log_warning("configuration {} trial {} solver {} threw: {}", record.configuration, record.trial,
                named.name, record.message);
    record.repeats = 0;
    return;
  }
  if (trace) record.trace = in_px2(trace->points(), p);
  record.wall_seconds = wall / static_cast<double>(record.repeats);
  record.cpu_seconds = (cpu + cpu_of_others) / static_cast<double>(record.repeats);
  record.timing_valid = clock_trusted_ && timing_stands(wall, cpu);
  if (!std::isnan(result.own_seconds)) {  // by a process of its own: nucreg only waited
    record.wall_seconds = result.own_seconds;
    record.cpu_seconds = Record::nan;
    record.timing_valid = clock_trusted_;
  }
  judge_answer(p, result, not_finite, meter.refused(), record);
}

void TrialRunner::judge_answer(const Prepared& p, SolveResult& result,
                               Objective::NotFinite not_finite, bool refused_memory,
                               Record& record) const {
  const Trial& trial = p.trial;
  if (result.params.allFinite()) {
    const Certificate certificate = certify(p.fit, result.params, p.rounding_floor);
    if (p.determined) record.stationarity = certificate.stationarity;
    judge(certificate, trial.ftol_rel, result);
  }
  record.status = result.status;
  record.iterations = result.iterations;
  record.native_code = result.native_code;
  // Some solvers make do with less when memory is refused: that is another method, not an answer.
  if (refused_memory) {
    record.status = SolveStatus::failed;
    record.message = beyond_memory(job_.run.max_solve_bytes);
  } else if (result.status == SolveStatus::failed || result.status == SolveStatus::stalled) {
    record.message = reason_of(result, not_finite);
  }

  const Map fitted = p.fit.to_px(result.params);
  record.objective = objective_px(trial.pairs, fitted, p.configuration.loss, trial.loss_scale_px);
  if (!fitted.params.allFinite() || !std::isfinite(record.objective)) {
    if (record.message.empty())
      record.message = fitted.params.allFinite() ? "the objective at the answer is not finite"
                                                 : "the answer is not finite";
    record.status = SolveStatus::failed;
    return;
  }
  // Alike for every solver, whatever it makes of such points.
  if (!p.determined) {
    record.status = SolveStatus::stalled;
    record.message = "the pairs do not determine the map";
  }
  record.params = padded(fitted.params);
  record.rmsd_px = rmsd_px(trial.pairs, fitted);
  record.heldout_rmsd_px = rmsd_px(trial.heldout, fitted);
  if (trial.truth) {
    record.param_error = param_error(fitted, *trial.truth);
    record.tre_px = tre_px(fitted, *trial.truth, trial.field_px);
  }
}

namespace {

/// The error up to which a map has arrived; NaN if nothing shows it.
double arrival_px(const Trial& trial, double asked) {
  if (!trial.truth && trial.heldout.size() == 0) return Record::nan;
  return asked > 0.0 ? asked : 0.5 * neighbour_distance_px(trial.pairs, trial.heldout, 0.05);
}

}  // namespace

std::vector<Record> TrialRunner::run(std::uint64_t task) const {
  const Configuration& c = plan_.configurations[task / plan_.trials];
  const auto number = static_cast<std::uint32_t>(task % plan_.trials);
  const Trial trial = source_->make(c, number);
  const Prepared prepared = prepare(c, trial);

  const double arrival = arrival_px(trial, job_.fit.arrival_px);

  std::vector<Record> records(solvers_.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Record& r = records[i];
    r.configuration = c.index;
    r.trial = number;
    r.solver = static_cast<std::uint32_t>(i);
    r.rank = rank_;
    r.pairs = static_cast<std::int64_t>(trial.pairs.size());
    if (trial.truth) r.true_params = padded(trial.truth->params);
    r.arrival_px = arrival;
    solve(prepared, solvers_[i], r);
    r.arrived = r.arrives();
  }

  // The best known objective: the closed form within the bounds, else the best of the solvers.
  double best = Record::nan;
  if (has_closed_form(c.model, c.loss))
    if (const auto exact = closed_form_of(prepared.fit);
        exact && clamp(*exact, prepared.request.box) == *exact)
      best = objective_px(trial.pairs, prepared.fit.to_px(*exact), c.loss, trial.loss_scale_px);
  if (!std::isfinite(best))
    for (const Record& r : records)
      if (r.bounds != BoundsUse::ignored) best = std::fmin(best, r.objective);
  // Where nothing determines the map, no answer is better than another.
  const double floor =
      prepared.rounding_floor +
      loss_rounding(c.loss, trial.loss_scale_px, static_cast<double>(trial.pairs.size()), best);
  if (prepared.determined)
    for (Record& r : records) r.gap = gap(r.objective, best, floor);
  return records;
}

void TrialRunner::run(std::uint64_t task, Bytes& payload) const {
  try {
    put_records(run(task), payload);
  } catch (const std::exception& e) {  // beyond the solvers: the trial could not even be made
    log_warning("configuration {} trial {}: {}", task / plan_.trials, task % plan_.trials,
                e.what());
    give_up(task, fmt::format("the trial could not be made: {}", e.what()), payload);
  }
}

void TrialRunner::give_up(std::uint64_t task, const std::string& reason, Bytes& payload) const {
  std::vector<Record> records(solvers_.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].configuration = static_cast<std::uint32_t>(task / plan_.trials);
    records[i].trial = static_cast<std::uint32_t>(task % plan_.trials);
    records[i].solver = static_cast<std::uint32_t>(i);
    records[i].rank = rank_;
    records[i].message = reason;
  }
  put_records(records, payload);
}

}  // namespace nucreg
