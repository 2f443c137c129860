#include "nucreg/stats/recommendation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/inference.hpp"

namespace nucreg {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
// Rates that differ by less are as good as each other. The interval of the best rate would allow
// more: where trials are few, choices that arrive in a quarter fewer (measured as regret).
constexpr double as_often = 0.01;

// Columns of /configurations that are no conditions: what is chosen, and numbers of rows.
bool is_chosen(const std::string& column) {
  return column == "configuration" || column == "problem" || column == "loss" ||
         column.starts_with("loss_scale_px") || column == "start";
}

std::string conditions_key(const Table& configurations, std::size_t row) {
  std::string key;
  for (const Column& column : configurations.columns)
    if (!is_chosen(column.name)) key += fmt::format("{}={};", column.name, cell_text(column, row));
  return key;
}

std::string draw_text(const Draw& draw) {
  return draw.fixed() ? fmt::format("{}", draw.min) : fmt::format("{}..{}", draw.min, draw.max);
}

std::string beyond_text(const std::string& axis, double edge, double asked) {
  const bool counts = axis == "points";
  const auto number = [counts](double value) {
    return counts ? count_text(static_cast<std::uint64_t>(std::llround(value)))
                  : fmt::format("{}", value);
  };
  return fmt::format(
      "No evidence {} {}: this answer is for {}, not {}.", edge < asked ? "beyond" : "below",
      counts ? number(edge) + " points" : axis + " " + number(edge), number(edge), number(asked));
}

/// The numbers that an axis takes in a configuration; nothing if it is not known.
std::optional<Draw> range_of(const Table& table, const std::string& axis, std::size_t row) {
  const Column* column = table.find(axis);
  if (!column) return std::nullopt;
  const double value = table.get<double>(axis)[row];
  if (!std::isnan(value)) return Draw(value);
  if (!table.find(axis + "_min")) return std::nullopt;
  return Draw(table.get<double>(axis + "_min")[row], table.get<double>(axis + "_max")[row]);
}

bool holds(const Draw& range, double value) {
  return range.min <= value && value <= range.max;
}

}  // namespace

void RecommendationBuilder::Tally::add(const Record& row) {
  ++trials;
  if (row.status == SolveStatus::not_applicable) return;
  ++applied;
  arrived += row.arrived != 0 ? 1 : 0;
  evaluations += static_cast<double>(row.function_evaluations);
  if (!std::isfinite(row.wall_seconds)) return;
  undisturbed_seconds +=
      row.cpu_seconds > 0.0 ? std::min(row.wall_seconds, row.cpu_seconds) : row.wall_seconds;
  if (!row.timing_valid) return;
  ++timed;
  valid_seconds += row.wall_seconds;
}

void RecommendationBuilder::Tally::add(const Tally& other) {
  trials += other.trials;
  arrived += other.arrived;
  applied += other.applied;
  timed += other.timed;
  evaluations += other.evaluations;
  valid_seconds += other.valid_seconds;
  undisturbed_seconds += other.undisturbed_seconds;
}

double RecommendationBuilder::Tally::seconds() const {
  if (timed == 0) return undisturbed_seconds;
  return valid_seconds / static_cast<double>(timed) * static_cast<double>(applied);
}

void RecommendationBuilder::Sum::add(const Tally& tally) {
  ++cells;
  trials += tally.trials;
  arrived += tally.arrived;
  applied += tally.applied;
  seconds += tally.seconds();
  evaluations += tally.evaluations;
}

double RecommendationBuilder::Sum::rate() const {
  return trials == 0 ? 0.0 : static_cast<double>(arrived) / static_cast<double>(trials);
}

double RecommendationBuilder::Sum::per_arrival(double spent) const {
  return arrived == 0 ? infinite : spent / static_cast<double>(arrived);
}

std::size_t RecommendationBuilder::choice_at(const std::string& key, FitChoice choice) {
  const auto [at, fresh] = choice_of_key_.try_emplace(key, choices_.size());
  if (fresh) choices_.push_back(std::move(choice));
  return at->second;
}

std::size_t RecommendationBuilder::cell_at(const std::string& key, std::size_t row) {
  const auto [at, fresh] = cell_of_key_.try_emplace(key, cells_.size());
  if (fresh) cells_.push_back({.table = tables_.size() - 1, .row = row, .choices = {}});
  return at->second;
}

void RecommendationBuilder::begin(const Job& job, Table configurations, const Table& solvers) {
  const Plan plan = make_plan(job);
  solvers_ = solvers.rows();
  if (plan.configurations.size() != configurations.rows() || job.solvers.size() != solvers_)
    throw InputError("is not what the job says", {.key = "/configurations, /solvers"});
  tables_.push_back(std::move(configurations));
  const Table& table = tables_.back();
  cell_of_.clear();
  choice_of_.clear();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const Configuration& c = plan.configurations[row];
    const std::string& start = table.get<std::string>("start")[row];
    cell_of_.push_back(cell_at(conditions_key(table, row), row));
    const std::string fit =
        fmt::format("{};{};{}", name_of(c.loss), draw_text(c.loss_scale_px), start);
    for (std::size_t s = 0; s < solvers_; ++s) {
      std::string key = fit;
      for (const char* column : {"name", "kind", "options"})
        key += ";" + solvers.get<std::string>(column)[s];
      choice_of_.push_back(
          choice_at(key, {job.solvers[s], c.loss, c.loss_scale_px, c.start, start}));
    }
  }
}

void RecommendationBuilder::add(std::span<const Record> rows) {
  for (const Record& row : rows) {
    if (row.configuration >= cell_of_.size() || row.solver >= solvers_)
      throw InputError("a row names what is not there", {.key = "/trials"});
    if (!row.arrival_known()) continue;
    const std::size_t choice = choice_of_[row.configuration * solvers_ + row.solver];
    cells_[cell_of_[row.configuration]].choices[choice][row.trial % 2].add(row);
  }
}

RecommendationBuilder::Cells RecommendationBuilder::cells_of_model(Recommendation& made) const {
  Cells cells;
  std::vector<std::string> models;
  for (const Cell& cell : cells_) {
    const std::string model = tables_[cell.table].get<std::string>("model")[cell.row];
    if (!asked_.model || model == name_of(*asked_.model)) cells.push_back(&cell);
    if (std::ranges::find(models, model) == models.end()) models.push_back(model);
  }
  if (cells.empty() && asked_.model)
    made.shortfalls.push_back(fmt::format("The evidence has no fit of model {}, only of {}.",
                                          name_of(*asked_.model), fmt::join(models, ", ")));
  return cells;
}

void RecommendationBuilder::narrow(Cells& cells, const std::string& axis,
                                   std::optional<double> asked, Recommendation& made) const {
  if (!asked || cells.empty()) return;
  const auto range = [&](const Cell* cell) {
    return range_of(tables_[cell->table], axis, cell->row);
  };
  double below = -infinite, above = infinite;
  bool inside = false;
  for (const Cell* cell : cells) {
    const std::optional<Draw> r = range(cell);
    if (!r) continue;
    inside = inside || holds(*r, *asked);
    if (r->max < *asked) below = std::max(below, r->max);
    if (r->min > *asked) above = std::min(above, r->min);
  }
  if (!inside && std::isinf(below) && std::isinf(above)) {
    made.shortfalls.push_back(
        fmt::format("The evidence does not say its {}: all of it counts.", axis));
    return;
  }
  std::erase_if(cells, [&](const Cell* cell) {
    const std::optional<Draw> r = range(cell);
    return !r || (inside ? !holds(*r, *asked) : r->max != below && r->min != above);
  });
  if (inside) return;
  if (std::isfinite(below) && std::isfinite(above))
    made.notes.push_back(fmt::format("{} {} lies between {} and {}, and the trials of both count.",
                                     axis, *asked, below, above));
  else
    made.shortfalls.push_back(beyond_text(axis, std::isfinite(below) ? below : above, *asked));
}

std::vector<RecommendationBuilder::Sum> RecommendationBuilder::sums_of(const Cells& cells,
                                                                       Part part) const {
  std::vector<Sum> sums(choices_.size());
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i].choice = i;
  std::size_t tried = 0;  // cells with trials of this part
  for (const Cell* cell : cells) {
    bool any = false;
    for (const auto& [choice, halves] : cell->choices) {
      Tally tally;
      if (part != Part::odd) tally.add(halves[0]);
      if (part != Part::even) tally.add(halves[1]);
      if (tally.trials == 0) continue;
      any = true;
      sums[choice].add(tally);
    }
    tried += any ? 1 : 0;
  }
  std::erase_if(sums, [&](const Sum& sum) {
    const bool beyond_reach = choices_[sum.choice].start.kind == Start::Kind::truth;
    return sum.cells < tried || sum.applied == 0 || beyond_reach;
  });
  return sums;
}

const RecommendationBuilder::Sum* RecommendationBuilder::best_of(std::span<const Sum> sums) {
  const auto cost = [](const Sum& sum) {
    return std::tuple(sum.per_arrival(sum.seconds), sum.per_arrival(sum.evaluations));
  };
  const Sum* top = nullptr;
  for (const Sum& sum : sums)
    if (sum.arrived > 0 && (!top || sum.rate() > top->rate())) top = &sum;
  if (!top) return nullptr;
  const double low = top->rate() - as_often;
  const Sum* best = top;
  for (const Sum& sum : sums)
    if (sum.rate() >= low && cost(sum) < cost(*best)) best = &sum;
  return best;
}

// Axes that were asked for, and those over which trials are pooled.
void RecommendationBuilder::describe(const Cells& cells, Recommendation& made) const {
  if (cells.empty()) return;
  for (const Column& column : tables_[cells.front()->table].columns) {
    const std::string& axis = column.name;
    if (is_chosen(axis) || axis.ends_with("_min") || axis.ends_with("_max")) continue;
    std::vector<std::string> values;
    for (const Cell* cell : cells) {
      if (!tables_[cell->table].find(axis)) continue;
      std::string value = axis_text(tables_[cell->table], axis, cell->row);
      if (std::ranges::find(values, value) == values.end()) values.push_back(std::move(value));
    }
    const bool usual =
        axis == "model" || axis == "points" || axis == "noise_px" || axis == "outliers";
    if (values.size() > 1 || (usual && values.front() != "nan"))
      made.conditions.emplace_back(axis, fmt::format("{}", fmt::join(values, ", ")));
  }
}

ChoiceResult RecommendationBuilder::result_of(const Sum& sum) const {
  return {.choice = choices_[sum.choice],
          .trials = sum.trials,
          .arrived = sum.arrived,
          .rate = wilson_interval(sum.arrived, sum.trials),
          .expected_seconds = sum.per_arrival(sum.seconds),
          .expected_evaluations = sum.per_arrival(sum.evaluations)};
}

// The best choice; then the best of each other solver, those that arrive more often first.
void RecommendationBuilder::choose(const Cells& cells, Recommendation& made) const {
  const std::vector<Sum> sums = sums_of(cells, Part::all);
  std::map<std::string, std::vector<Sum>> of_solver;
  for (const Sum& sum : sums) of_solver[choices_[sum.choice].solver.name].push_back(sum);
  const Sum* best = best_of(sums);
  for (const auto& [name, own] : of_solver) {
    const Sum* of_this = best_of(own);
    if (of_this && best) made.choices.push_back(result_of(*of_this));
  }
  const auto order = [&](const ChoiceResult& r) {
    return std::tuple(r.choice.solver.name != choices_[best->choice].solver.name,
                      -static_cast<double>(r.arrived) / static_cast<double>(r.trials),
                      r.expected_seconds);
  };
  if (best) {
    std::ranges::sort(made.choices, {}, order);
    made.choices.front() = result_of(*best);
  }
  const auto everywhere = static_cast<std::ptrdiff_t>(cells.size());
  const auto partly = std::ranges::count_if(choice_of_key_, [&](const auto& key) {
    const auto tried = std::ranges::count_if(
        cells, [&](const Cell* cell) { return cell->choices.contains(key.second); });
    return tried > 0 && tried < everywhere;
  });
  if (partly > 0)
    made.notes.push_back(
        fmt::format("{} of {} choices were tried under some of these conditions "
                    "only and do not count.",
                    partly, choices_.size()));
}

void RecommendationBuilder::warn_of_few(Recommendation& made) const {
  if (made.choices.empty()) {
    made.shortfalls.emplace_back("No trial there arrives, by any solver, loss and start.");
    return;
  }
  const ChoiceResult& best = made.choices.front();
  if (2 * best.arrived < best.trials)
    made.shortfalls.push_back(fmt::format("Even the best arrives in {} of {} trials there only.",
                                          best.arrived, best.trials));
  else if (best.rate.low < 0.5)
    made.shortfalls.push_back(
        fmt::format("{} of {} trials are too few to say that it arrives more often than not.",
                    best.arrived, best.trials));
}

Regret RecommendationBuilder::regret_of(const Cells& cells) const {
  const std::array<std::vector<Sum>, 2> halves{sums_of(cells, Part::even),
                                               sums_of(cells, Part::odd)};
  Regret regret{.trials = 0, .arrival = 0.0, .time = 0.0};
  for (std::size_t h = 0; h < 2; ++h) {
    const Sum* chosen = best_of(halves[1 - h]);
    const Sum* hindsight = best_of(halves[h]);
    if (!chosen || !hindsight) return {};
    const auto used = std::ranges::find(halves[h], chosen->choice, &Sum::choice);
    if (used == halves[h].end()) return {};
    const double top = std::ranges::max(halves[h], {}, &Sum::rate).rate();
    regret.trials += used->trials;
    regret.arrival += 0.5 * (top - used->rate());
    regret.time += 0.5 * std::log(used->per_arrival(used->seconds) /
                                  hindsight->per_arrival(hindsight->seconds));
  }
  regret.time = std::exp(regret.time);
  return regret;
}

Recommendation RecommendationBuilder::finish() const {
  Recommendation made{.asked = asked_};
  Cells cells = cells_of_model(made);
  narrow(cells, "points", asked_.points, made);
  narrow(cells, "noise_px", asked_.noise_px, made);
  narrow(cells, "outliers", asked_.outliers, made);
  std::erase_if(cells, [](const Cell* cell) { return cell->choices.empty(); });
  describe(cells, made);
  choose(cells, made);
  warn_of_few(made);
  made.regret = regret_of(cells);
  return made;
}

}  // namespace nucreg
