#include "nucreg/stats/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "pair_cell.hpp"

namespace nucreg {

/// Log ratios of one configuration and pair, of which max_ranked are kept. Each is passed on
/// clipped, the later ones to the limits of the first max_ranked.
class ConfigurationSample {
 public:
  template <class Emit>
  void add(double value, RandomStream& random, Emit&& emit) {
    if (kept_.count() == max_ranked) pass_on(emit);
    if (kept_.count() >= max_ranked) emit(limits_.clipped(value));
    kept_.add(value, random);
  }
  /// Ends the configuration; what remains is passed on.
  template <class Emit>
  [[nodiscard]] SignedRank finish(Emit&& emit) {
    if (!sampled()) pass_on(emit);
    const SignedRank ranks = wilcoxon_signed_rank(kept_.values());
    kept_.clear();
    return ranks;
  }
  [[nodiscard]] bool sampled() const { return kept_.sampled(); }

 private:
  template <class Emit>
  void pass_on(Emit&& emit) {
    limits_ = ClipLimits(kept_.values());
    for (const double value : kept_.values()) emit(limits_.clipped(value));
  }
  Reservoir kept_{max_ranked};
  ClipLimits limits_;
};

struct ComparisonBuilder::Body {
  /// The first trial of a configuration of pairs, which others may repeat.
  std::vector<Record> held;
  bool may_repeat = false;
  Comparison result;
  std::vector<std::vector<std::size_t>> regions_of;  // of each configuration, but its own
  std::map<std::size_t, Region> alone;               // configurations that are one of two axes
  bool judges_configurations = false;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::vector<PairCell> cells;               // [region * pairs + pair]
  std::vector<PairCell> own;                 // of the configuration under way
  std::vector<ConfigurationSample> samples;  // of the configuration under way, per pair
  Resampler resampler;
  FitComparison fits;
  RandomStream random{0, 0, 0, Purpose::resampling};
  RandomStream random_of_totals{0, 1, 0, Purpose::resampling};
  std::vector<Record> trial;  // the trial under way
  std::int64_t configuration = -1;

  Body(std::vector<std::string> solvers, const Table& configurations, ComparisonOptions options,
       std::vector<std::string> labels)
      : may_repeat(repeats_its_trials(configurations)), fits(configurations, solvers.size()) {
    for (std::size_t a = 0; a < solvers.size(); ++a)
      for (std::size_t b = a + 1; b < solvers.size(); ++b) pairs.emplace_back(a, b);
    RegionMap map = map_regions(
        configurations, options.overall_only || pairs.empty() ? 0 : max_judged / pairs.size());
    regions_of = std::move(map.of_configuration);
    alone = std::move(map.alone);
    if (labels.empty()) labels = solvers;
    result = {.solvers = std::move(solvers),
              .labels = std::move(labels),
              .options = options,
              .regions = std::move(map.regions)};
    judges_configurations = !options.overall_only && configurations.rows() > 1 &&
                            configurations.rows() * pairs.size() <= max_judged;
    cells.resize(result.regions.size() * pairs.size());
    own.resize(pairs.size());
    samples.resize(pairs.size());
  }

  void add(const Record& row);
  void close_trial();
  /// Whether the trial repeats the fit that is held; takes over valid timings that it lacks.
  [[nodiscard]] bool repeats_held();
  void judge(std::span<const Record> rows);
  void add_ratio(std::size_t pair, double log_ratio);
  void close_configuration();
  void adjust(std::size_t first, std::size_t last, double families);
};

void ComparisonBuilder::Body::add(const Record& row) {
  if (row.solver >= result.solvers.size())
    throw InputError(fmt::format("solver {} is not in /solvers", row.solver),
                     {.key = "/trials/solver"});
  if (row.configuration >= regions_of.size())
    throw InputError(fmt::format("configuration {} is not in /configurations", row.configuration),
                     {.key = "/trials/configuration"});
  if (row.configuration != configuration || trial.empty() || trial.front().trial != row.trial)
    close_trial();
  if (row.configuration != configuration) {
    if (row.configuration < configuration)
      throw InputError("rows are not sorted by configuration", {.key = "/trials/configuration"});
    close_configuration();
    configuration = row.configuration;
  }
  if (std::ranges::find(trial, row.solver, &Record::solver) != trial.end())
    throw InputError(fmt::format("solver {} is there twice in configuration {}, trial {}",
                                 row.solver, row.configuration, row.trial),
                     {.key = "/trials/solver"});
  trial.push_back(row);
}

void ComparisonBuilder::Body::close_trial() {
  if (trial.empty()) return;
  std::ranges::sort(trial, {}, &Record::solver);
  if (may_repeat && held.empty())
    held = trial;
  else if (may_repeat && repeats_held())
    ++result.repeated;
  else
    judge(trial);
  trial.clear();
}

bool ComparisonBuilder::Body::repeats_held() {
  const auto same = [](const Record& a, const Record& b) {
    return a.solver == b.solver && a.status == b.status && same_bits(a.objective, b.objective) &&
           a.function_evaluations == b.function_evaluations;
  };
  if (!std::ranges::equal(held, trial, same)) return false;
  for (std::size_t i = 0; i < held.size(); ++i)
    if (!held[i].timing_valid && trial[i].timing_valid) held[i] = trial[i];
  return true;
}

void ComparisonBuilder::Body::judge(std::span<const Record> rows) {
  fits.add(rows);
  const std::size_t solvers = result.solvers.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      const Record &a = rows[i], &b = rows[j];
      if (a.status == SolveStatus::not_applicable || b.status == SolveStatus::not_applicable)
        continue;
      // Pairs are counted row by row of a triangle.
      const std::size_t pair =
          a.solver * (2 * solvers - a.solver - 1) / 2 + b.solver - a.solver - 1;
      const PairOutcome outcome = compare_solves(a, b, result.options);
      const std::uint64_t bits = random_of_totals.bits();
      for (const std::size_t region : regions_of[a.configuration])
        cells[region * pairs.size() + pair].add(outcome, bits);
      if (judges_configurations) own[pair].add(outcome, bits);
      if (outcome.timed)
        samples[pair].add(outcome.log_ratio, random,
                          [&](double log_ratio) { add_ratio(pair, log_ratio); });
    }
  }
}

void ComparisonBuilder::Body::add_ratio(std::size_t pair, double log_ratio) {
  const std::uint64_t bits = random.bits();
  for (const std::size_t region : regions_of[static_cast<std::size_t>(configuration)])
    cells[region * pairs.size() + pair].add_ratio(log_ratio, bits);
  if (judges_configurations) own[pair].add_ratio(log_ratio, bits);
}

void ComparisonBuilder::Body::close_configuration() {
  if (configuration < 0) return;
  judge(held);
  held.clear();
  const auto number = static_cast<std::size_t>(configuration);
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    const bool sampled = samples[pair].sampled();
    const SignedRank ranks =
        samples[pair].finish([&](double log_ratio) { add_ratio(pair, log_ratio); });
    for (const std::size_t region : regions_of[number])
      cells[region * pairs.size() + pair].add_ranks(ranks, sampled);
    if (judges_configurations) own[pair].add_ranks(ranks, sampled);
  }
  if (!judges_configurations) return;
  const auto named = alone.find(number);
  Region& region = result.regions.emplace_back(named == alone.end() ? Region{.configurations = 1}
                                                                    : named->second);
  region.scope = Region::Scope::configuration;
  region.configuration = configuration;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair)
    region.pairs.push_back(std::exchange(own[pair], {}).statistics(resampler));
}

/// One family of hypotheses: speed and arrival of all pairs of these regions. It has an equal share
/// of the error. If both solvers arrive in the same trials there is nothing to test.
void ComparisonBuilder::Body::adjust(std::size_t first, std::size_t last, double families) {
  std::vector<double> p;
  for (std::size_t r = first; r < last; ++r)
    for (const PairStatistics& pair : result.regions[r].pairs) {
      p.push_back(pair.neither_arrives() ? PairStatistics::nan : pair.speed_p);
      p.push_back(pair.arrival_p);
    }
  const auto tests = static_cast<double>(
      std::ranges::count_if(p, [](double value) { return !std::isnan(value); }));
  const std::vector<double> adjusted = holm(p);
  std::size_t at = 0;
  for (std::size_t r = first; r < last; ++r)
    for (PairStatistics& pair : result.regions[r].pairs) {
      for (double* mine : {&pair.speed_p_holm, &pair.arrival_p_holm}) {
        const double value = families * adjusted[at++];
        *mine = value > 1.0 ? 1.0 : value;  // NaN stays
      }
      decide(pair, result.options, result.options.error / (families * std::max(tests, 1.0)));
    }
}

namespace {

std::vector<std::string> labels_of(const Table& solvers) {
  std::vector<std::string> labels = solvers.get<std::string>("name");
  if (solvers.find("kind"))
    for (std::size_t s = 0; s < labels.size(); ++s)
      labels[s] = solver_label(labels[s], solvers.get<std::string>("kind")[s]);
  return labels;
}

}  // namespace

std::string solver_label(const std::string& name, const std::string& kind) {
  std::string plain;
  for (const char c : name)
    plain +=
        c == ' ' || c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (kind.empty() || plain.find(kind) != std::string::npos || name.ends_with(')')) return name;
  return fmt::format("{} ({})", name, kind);
}

std::span<const Region> Comparison::wholes() const {
  const auto end = std::ranges::find_if(
      regions, [](const Region& region) { return region.scope != Region::Scope::overall; });
  return {regions.begin(), end};
}

ComparisonBuilder::ComparisonBuilder(std::vector<std::string> solvers, const Table& configurations,
                                     ComparisonOptions options, std::vector<std::string> labels)
    : body_(
          std::make_unique<Body>(std::move(solvers), configurations, options, std::move(labels))) {}

ComparisonBuilder::ComparisonBuilder(const Table& solvers, const Table& configurations)
    : ComparisonBuilder(solvers.get<std::string>("name"), configurations, {}, labels_of(solvers)) {}

ComparisonBuilder::~ComparisonBuilder() = default;

void ComparisonBuilder::add(std::span<const Record> rows) {
  for (const Record& row : rows) body_->add(row);
}

Comparison ComparisonBuilder::finish() {
  Body& body = *body_;
  body.close_trial();
  body.close_configuration();
  const auto count = [&](auto... scopes) {
    return static_cast<std::size_t>(std::ranges::count_if(
        body.result.regions,
        [&](const Region& region) { return ((region.scope == scopes) || ...); }));
  };
  using enum Region::Scope;
  const std::size_t wide = count(overall, axis), pooled = count(overall, axis, two_axes);
  for (std::size_t r = 0; r < pooled; ++r)
    for (std::size_t pair = 0; pair < body.pairs.size(); ++pair)
      body.result.regions[r].pairs.push_back(
          body.cells[r * body.pairs.size() + pair].statistics(body.resampler));
  for (Region& region : body.result.regions)
    for (std::size_t pair = 0; pair < body.pairs.size(); ++pair)
      std::tie(region.pairs[pair].a, region.pairs[pair].b) = body.pairs[pair];
  const double families = 1.0 + (body.result.regions.size() > wide) + body.fits.any();
  body.result.fits = body.fits.finish(body.result.options.error / families);
  body.adjust(0, wide, families);
  body.adjust(wide, body.result.regions.size(), families);
  if (body.result.repeated > 0)  // more of the same add nothing
    for (Region& region : body.result.regions)
      for (PairStatistics& pair : region.pairs) pair.more_trials = pair.more_arrival_trials = 0;
  return std::move(body.result);
}

}  // namespace nucreg
