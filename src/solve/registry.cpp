#include "nucreg/solve/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "budget.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"

namespace nucreg {
namespace {

// What any solver can be given: several starts, and a start that another solver finds.

constexpr double max_scale = 1.25;  // drawn starts are magnified by 1/1.25 ... 1.25 of the first

// The start turned by any angle and magnified a little about the middle of the points, which goes
// to the middle of their partners.
Params drawn_start(const Objective& f, const Params& start, RandomStream& random) {
  const double angle = random.uniform(-std::numbers::pi, std::numbers::pi);
  const double factor = std::exp(random.uniform(-std::log(max_scale), std::log(max_scale)));
  const auto old = map_entries(f.model(), start, f.magnification(), false, f.form()).entries;
  const double scale = f.model() == Model::rigid ? 1.0 : factor;
  const double c = scale * std::cos(angle), s = scale * std::sin(angle);
  const Centroids middle = centroids(f.pairs());
  AffineMap map{c * old[0] - s * old[3], c * old[1] - s * old[4], 0.0,
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
    const double begin = wall_seconds();
    double first_seconds = 0.0, own_seconds = 0.0;  // of processes, which have clocks of their own
    if (first_) {
      const SolveResult found = find_start(f, request);
      if (found.status == SolveStatus::failed || f.out_of_time() ||
          f.function_evaluations() >= request.max_evaluations)
        return found;
      from.start = clamp(found.params, request.box);
      iterations += std::max<std::int64_t>(0, found.iterations);
      first_seconds = wall_seconds() - begin;
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
      const std::int64_t share = (request.max_evaluations - used) / (starts_ - k);
      from.max_evaluations = std::min(request.max_evaluations,
                                      used + std::max<std::int64_t>(1, share - (starts_ > 1)));
      from.max_seconds = request.max_seconds - first_seconds - own_seconds;
      SolveResult result = solver_->solve(f, from);
      iterations += std::max<std::int64_t>(0, result.iterations);
      if (!std::isnan(result.own_seconds)) own_seconds += result.own_seconds;
      const bool over = result.status == SolveStatus::max_time ||
                        first_seconds + own_seconds >= request.max_seconds;
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
    if (!std::isnan(best.own_seconds)) best.own_seconds = first_seconds + own_seconds;
    return best;
  }

 private:
  SolveResult find_start(Objective& f, const SolveRequest& request) const {
    const SearchTime earlier(f);
    return first_->solve(f, search_request(f, request));
  }

  std::unique_ptr<Solver> first_, solver_;
  std::int64_t starts_;
};

/// The options `start` and `starts` that every kind has.
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

/// The solver with its starts, or as it is if there is one, the job's. Throws JobError on words
/// that are no start.
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

std::string type_name(const OptionValue& value) {
  static constexpr const char* names[] = {"true or false", "an integer", "a number", "a string",
                                          "a list of strings"};
  return names[value.index()];
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

ErrorFields at(const SolverSpec& spec, const std::string& file, const std::string& key,
               std::string allowed) {
  const auto line = spec.option_lines.find(key);
  return {.file = file,
          .line = line == spec.option_lines.end() ? spec.line : line->second,
          .key = "solver." + key,
          .allowed = std::move(allowed)};
}

// The value in the type of the option, or nothing. An integer is a number, too.
bool take(const OptionValue& given, OptionValue& value) {
  if (given.index() == value.index()) {
    value = given;
    return true;
  }
  if (std::holds_alternative<double>(value) && std::holds_alternative<std::int64_t>(given)) {
    value = static_cast<double>(std::get<std::int64_t>(given));
    return true;
  }
  return false;
}

double number(const OptionValue& value, double otherwise) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return otherwise;
}

}  // namespace

void SolverRegistry::add(SolverKind kind) {
  const auto same = [&](const SolverKind& k) { return k.name == kind.name; };
  if (std::any_of(kinds_.begin(), kinds_.end(), same))
    throw std::logic_error("two solver kinds are named " + kind.name);
  kinds_.push_back(std::move(kind));
}

const SolverKind& SolverRegistry::kind(const SolverSpec& spec, const std::string& file) const {
  std::vector<std::string> names;
  for (const SolverKind& kind : kinds_) {
    if (kind.name == spec.kind) return kind;
    names.push_back(kind.name);
  }
  throw JobError(fmt::format("no solver of kind \"{}\"", spec.kind),
                 at(spec, file, "kind", joined(names)));
}

SolverOptions SolverRegistry::options(const SolverSpec& spec, const std::string& file) const {
  const SolverKind& chosen = kind(spec, file);
  SolverOptions options;
  std::vector<std::string> names{"name", "kind"};
  std::vector<SolverOption> all = chosen.options;
  all.insert(all.end(), start_options().begin(), start_options().end());
  for (const SolverOption& option : all) {
    options[option.name] = option.standard;
    names.push_back(option.name);
  }
  for (const auto& [key, given] : spec.options) {
    const auto option = std::find_if(
        all.begin(), all.end(), [&, &key = key](const SolverOption& o) { return o.name == key; });
    if (option == all.end())
      throw JobError(fmt::format("unknown key for kind \"{}\"", spec.kind),
                     at(spec, file, key, joined(names)));
    if (!take(given, options[key]))
      throw JobError("wrong type", at(spec, file, key, type_name(option->standard)));
    if (!(number(options[key], option->min) >= option->min))
      throw JobError("out of range", at(spec, file, key, fmt::format("{} or more", option->min)));
  }
  return options;
}

std::unique_ptr<Solver> SolverRegistry::make(const SolverSpec& spec, const Job& job) const {
  const SolverKind& chosen = kind(spec, job.file);
  const SolverOptions resolved = options(spec, job.file);
  try {
    if (chosen.check) chosen.check(resolved, job.fit);
    return with_starts(chosen.make(resolved), resolved);
  } catch (const JobError& e) {
    throw JobError(e.problem(), at(spec, job.file, e.fields().key, e.fields().allowed));
  }
}

SolverRegistry standard_solvers() {
  SolverRegistry registry;
  registry.add(nlopt_kind());
  registry.add(eigen_lm_kind());
  registry.add(lm_kind());
  registry.add(closed_form_kind());
  registry.add(irls_kind());
  registry.add(consensus_kind());
  registry.add(process_kind());
  registry.add(ceres_kind());
  registry.add(gsl_kind());
  return registry;
}

SolverOption evaluation_option() {
  return {"evaluation", std::string("points"), 0.0,
          "\"points\": a pass over the points each time; \"moments\": one reduction of them, then "
          "nanoseconds; squared loss only, not projective"};
}

bool by_moments(const SolverOptions& options) {
  const auto& word = std::get<std::string>(options.at("evaluation"));
  if (word != "points" && word != "moments")
    throw JobError(fmt::format("unknown evaluation \"{}\"", word),
                   {.key = "evaluation", .allowed = "points, moments"});
  return word == "moments";
}

std::string options_text(const SolverOptions& options) {
  std::string text;
  for (const auto& [key, value] : options) {
    if (!text.empty()) text += ", ";
    text += key + " = ";
    if (const auto* s = std::get_if<std::string>(&value))
      text += "\"" + *s + "\"";
    else if (const auto* list = std::get_if<std::vector<std::string>>(&value))
      text += fmt::format("[\"{}\"]", fmt::join(*list, "\", \""));
    else
      std::visit(
          [&](const auto& v) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>)
              text += fmt::format("{}", v);
          },
          value);
  }
  return text;
}

}  // namespace nucreg
