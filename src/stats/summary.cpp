#include "nucreg/stats/summary.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/stats/inference.hpp"
#include "nucreg/stats/samples.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

struct Measure {
  const TrialColumn* column;
  bool time;

  [[nodiscard]] double value(const Record& row) const {
    const TrialValue value = column->value(row, 0);
    if (const auto* number = std::get_if<double>(&value)) return *number;
    const auto count = std::get<std::int64_t>(value);
    return count < 0 ? Record::nan : static_cast<double>(count);  // iterations: -1 is unknown
  }
};

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = [] {
    std::vector<Measure> made;
    for (const std::string name :
         {"rmsd_px", "tre_px", "param_error", "objective", "gap", "wall_s", "cpu_s", "peak_bytes",
          "iterations", "function_evaluations", "jacobian_evaluations", "heldout_rmsd_px"})
      made.push_back({&*std::ranges::find(trial_columns(), name, &TrialColumn::name),
                      name == "wall_s" || name == "cpu_s"});
    return made;
  }();
  return all;
}

Table empty_summary() {
  Table table{.name = "summary"};
  for (const char* name :
       {"configuration", "solver", "count", "failures", "not_applicable", "timing_valid"})
    table.columns.push_back({name, "1", std::vector<std::int64_t>{}});
  for (const Measure& measure : measures()) {
    const std::string& name = measure.column->name;
    table.columns.push_back({name + "_count", "1", std::vector<std::int64_t>{}});
    for (const char* suffix : {"_mean", "_std", "_median", "_p05", "_p95"})
      table.columns.push_back({name + suffix, measure.column->units, std::vector<double>{}});
  }
  for (const char* name : {"arrival_known", "arrived"})
    table.columns.push_back({name, "1", std::vector<std::int64_t>{}});
  for (const char* name : {"arrival_rate", "arrival_low", "arrival_high"})
    table.columns.push_back({name, "1", std::vector<double>{}});
  table.columns.push_back({"expected_s", "s", std::vector<double>{}});
  table.columns.push_back({"expected_evaluations", "1", std::vector<double>{}});
  table.columns.push_back({"sampled", "1", std::vector<bool>{}});
  return table;
}

/// Appends values to the columns of a row from left to right.
class RowWriter {
 public:
  explicit RowWriter(Table& table) : table_(table) {}
  template <class T>
  void put(T value) {
    std::get<std::vector<T>>(table_.columns[next_++].values).push_back(value);
  }

 private:
  Table& table_;
  std::size_t next_ = 0;
};

}  // namespace

struct SummaryBuilder::Cell {
  std::int64_t count = 0, failures = 0, not_applicable = 0, timing_valid = 0;
  std::int64_t arrival_known = 0, arrived = 0;
  std::vector<BoundedSample> measures = std::vector<BoundedSample>(nucreg::measures().size());
};

SummaryBuilder::SummaryBuilder(std::size_t solvers) : cells_(solvers), table_(empty_summary()) {
  // One stream per measure: what was drawn for times must not change other samples.
  for (std::uint32_t m = 0; m < measures().size(); ++m)
    random_.emplace_back(0, 0, 0, Purpose::resampling, m);
}
SummaryBuilder::~SummaryBuilder() = default;

void SummaryBuilder::add(std::span<const Record> rows) {
  for (const Record& row : rows) {
    if (row.solver >= cells_.size())
      throw InputError("solver " + std::to_string(row.solver) + " is not in /solvers",
                       {.key = "/trials/solver"});
    if (row.configuration != configuration_) {
      if (row.configuration < configuration_)
        throw InputError("rows are not sorted by configuration", {.key = "/trials/configuration"});
      close_configuration();
      configuration_ = row.configuration;
    }
    Cell& cell = cells_[row.solver];
    ++cell.count;
    if (row.status == SolveStatus::not_applicable) {
      ++cell.not_applicable;
      continue;
    }
    if (row.status == SolveStatus::failed) ++cell.failures;
    if (row.timing_valid) ++cell.timing_valid;
    if (row.arrival_known()) {
      ++cell.arrival_known;
      cell.arrived += row.arrived;
    }
    for (std::size_t m = 0; m < measures().size(); ++m) {
      const Measure& measure = measures()[m];
      auto& values = cell.measures[m];
      if (measure.time && cell.timing_valid > 0) {
        if (!row.timing_valid) continue;
        if (cell.timing_valid == 1) values.clear();  // the first valid one outdoes all before
      }
      if (const double value = measure.value(row); std::isfinite(value))
        values.add(value, random_[m]);
    }
  }
}

void SummaryBuilder::close_configuration() {
  if (configuration_ < 0) return;
  for (std::size_t s = 0; s < cells_.size(); ++s) {
    Cell& cell = cells_[s];
    RowWriter row(table_);
    row.put(configuration_);
    row.put(static_cast<std::int64_t>(s));
    const bool sampled =
        cell.count - cell.not_applicable > static_cast<std::int64_t>(BoundedSample::most);
    for (auto* number : {&cell.count, &cell.failures, &cell.not_applicable, &cell.timing_valid})
      row.put(std::exchange(*number, 0));
    const std::int64_t known = std::exchange(cell.arrival_known, 0);
    const std::int64_t arrived = std::exchange(cell.arrived, 0);
    const double per_arrival =
        known == 0 ? Record::nan : static_cast<double>(known) / static_cast<double>(arrived);
    double seconds = Record::nan, evaluations = Record::nan;
    for (std::size_t m = 0; m < measures().size(); ++m) {
      if (measures()[m].column->name == "wall_s") seconds = cell.measures[m].mean();
      if (measures()[m].column->name == "function_evaluations")
        evaluations = cell.measures[m].mean();
    }
    for (BoundedSample& values : cell.measures) {
      row.put(static_cast<std::int64_t>(values.count()));
      row.put(values.mean());
      row.put(values.standard_deviation());
      for (const double fraction : {0.5, 0.05, 0.95}) row.put(quantile(values.sorted(), fraction));
      values.clear();
    }
    row.put(known);
    row.put(arrived);
    row.put(known == 0 ? Record::nan : static_cast<double>(arrived) / static_cast<double>(known));
    const ConfidenceInterval rate =
        wilson_interval(static_cast<std::uint64_t>(arrived), static_cast<std::uint64_t>(known));
    row.put(rate.low);
    row.put(rate.high);
    const auto of_arrival = [&](double mean) {  // also if the mean is 0
      return arrived == 0 && known > 0 && !std::isnan(mean) ? per_arrival : mean * per_arrival;
    };
    row.put(of_arrival(seconds));
    row.put(of_arrival(evaluations));
    row.put(sampled);
  }
}

Table SummaryBuilder::finish() {
  close_configuration();
  configuration_ = -1;
  return std::move(table_);
}

}  // namespace nucreg
