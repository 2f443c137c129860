#include "nucreg/stats/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/stats/summary.hpp"
#include "nucreg/stats/verdict.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t block_rows = 2048;  // a trace is up to 6 KiB

/// Fed with the rows of /trials one by one. A row's place in the whole product is
/// (configuration * trials + trial) * solvers + solver, so sorted rows have rising places, and a
/// step of more than one is a gap.
class RowOrder {
 public:
  RowOrder(std::uint64_t configurations, std::uint64_t trials, std::uint64_t solvers)
      : configurations_(configurations), trials_(trials), solvers_(solvers) {}

  void add(std::uint64_t row, const Record& record);
  /// Rows that could not be read are taken to be the right ones.
  void skip(std::uint64_t rows) { next_ += rows; }
  /// `partial`: whole trials may be missing; returns how many are.
  std::uint64_t finish(bool partial);
  /// Whether all rows so far rise and lie within the product.
  [[nodiscard]] bool sorted() const { return sorted_; }
  [[nodiscard]] std::vector<std::string> findings() const { return findings_.lines(); }

 private:
  void gap(std::uint64_t from, std::uint64_t to);
  [[nodiscard]] std::string name_of_place(std::uint64_t place) const;

  std::uint64_t configurations_, trials_, solvers_;
  std::uint64_t next_ = 0;  // the place that should come
  std::uint64_t missing_ = 0, missing_trials_ = 0, missing_parts_ = 0;
  std::string first_missing_, first_missing_part_;
  bool sorted_ = true;
  Findings findings_;
};

std::string RowOrder::name_of_place(std::uint64_t place) const {
  return fmt::format("configuration {}, trial {}, solver {}", place / solvers_ / trials_,
                     place / solvers_ % trials_, place % solvers_);
}

void RowOrder::add(std::uint64_t row, const Record& record) {
  const std::string what = fmt::format("row {} (configuration {}, trial {}, solver {})", row,
                                       record.configuration, record.trial, record.solver);
  if (record.configuration >= configurations_ || record.trial >= trials_ ||
      record.solver >= solvers_) {
    findings_.add("a row is not part of the plan", what);
    sorted_ = false;
    return;
  }
  const std::uint64_t place =
      (record.configuration * trials_ + record.trial) * solvers_ + record.solver;
  if (place + 1 == next_) {
    findings_.add("a row is there twice", what);
    sorted_ = false;
  } else if (place < next_) {
    findings_.add("rows are not sorted by configuration, trial and solver", what);
    sorted_ = false;
  } else {
    if (place > next_) gap(next_, place);
    next_ = place + 1;
  }
}

void RowOrder::gap(std::uint64_t from, std::uint64_t to) {
  if (missing_ == 0) first_missing_ = name_of_place(from);
  missing_ += to - from;
  const std::uint64_t first_whole = (from + solvers_ - 1) / solvers_, last_whole = to / solvers_;
  const std::uint64_t whole = last_whole > first_whole ? last_whole - first_whole : 0;
  missing_trials_ += whole;
  const std::uint64_t parts = to - from - whole * solvers_;
  if (parts > 0 && missing_parts_ == 0)
    first_missing_part_ = name_of_place(from % solvers_ != 0 ? from : last_whole * solvers_);
  missing_parts_ += parts;
}

std::uint64_t RowOrder::finish(bool partial) {
  const std::uint64_t all = configurations_ * trials_ * solvers_;
  if (next_ < all) gap(next_, all);
  // In a file out of order a gap may be filled later on.
  if (!sorted_) return 0;
  if (partial && missing_parts_ > 0)
    findings_.add("a row is missing in a trial that was done", first_missing_part_, missing_parts_);
  if (!partial && missing_ > 0) findings_.add("a row is missing", first_missing_, missing_);
  return missing_trials_;
}

void check_trace(std::uint64_t number, const Record& row, Findings& findings) {
  const auto demand = [&](bool right, const char* what) {
    if (!right) findings.add(std::string("/trace/") + what, fmt::format("row {}", number));
  };
  for (std::size_t i = 0; i < row.trace.size(); ++i) {
    const TracePoint& now = row.trace[i];
    demand(std::isfinite(now.seconds) && now.seconds >= 0.0, "time_s is no finite number >= 0");
    demand(!std::isinf(now.objective), "objective is infinite");
    if (i == 0) {
      demand(now.evaluation == 1, "evaluation does not begin at 1");
      continue;
    }
    const TracePoint& before = row.trace[i - 1];
    demand(now.evaluation > before.evaluation, "evaluation does not rise");
    demand(!(now.seconds < before.seconds), "time_s falls");
    demand(std::isnan(before.objective) || now.objective <= before.objective,
           "objective rises, but is the lowest so far");
  }
  demand(row.trace.empty() || row.trace.back().evaluation <= row.function_evaluations,
         "evaluation is beyond function_evaluations");
}

/// Columns of /verdict that no file had before regions of two axes were judged.
bool came_last(const std::string& column) {
  return column == "axis_2" || column == "value_2";
}

/// Those that files before arrival do not have.
bool came_with_arrival(const std::string& column) {
  constexpr std::array names{"kind",         "arrival_known",   "arrived_a",        "arrived_b",
                             "total_ratio",  "total_ratio_low", "total_ratio_high", "evaluations_a",
                             "evaluations_b"};
  return std::ranges::find(names, column) != names.end();
}

void check_columns(const Table& found, const Table& expected, bool knows_arrival,
                   Findings& findings) {
  for (const Column& column : expected.columns) {
    const std::string path = "/" + found.name + "/" + column.name;
    const Column* there = found.find(column.name);
    if (!there && !came_last(column.name) && (knows_arrival || !came_with_arrival(column.name)))
      findings.add(path + " is missing");
    else if (there && there->values.index() != column.values.index())
      findings.add(path + " is of another type than nucreg writes");
  }
}

/// Visits the texts of a column; what is missing was reported already.
template <class Visit>
void each_text(const Table& table, const char* name, Visit&& visit) {
  const Column* column = table.find(name);
  if (!column) return;
  const auto* texts = std::get_if<std::vector<std::string>>(&column->values);
  if (!texts) return;
  for (std::size_t row = 0; row < texts->size(); ++row) visit(row, (*texts)[row]);
}

/// Whether the file is of a nucreg that knew arrival.
bool has_arrival(const ResultReader& reader) {
  const auto units = reader.trial_units();
  const auto at = std::ranges::find(trial_columns(), "arrived", &TrialColumn::name);
  return units[static_cast<std::size_t>(at - trial_columns().begin())].has_value();
}

void check_traces(const ResultReader& reader, Findings& findings) {
  if (!reader.has_traces()) return;
  constexpr std::string_view column = "function_evaluations";
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min(block_rows, reader.trial_rows() - first));
    reader.read_trials(first, block, std::span(&column, 1));
    reader.read_traces(first, block);
    for (std::size_t i = 0; i < block.size(); ++i) check_trace(first + i, block[i], findings);
  }
}

void check_verdict(const ResultReader& reader, std::uint64_t configurations, const Table& solvers,
                   Findings& findings) {
  const auto& names = solvers.get<std::string>("name");
  const auto is_solver = [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  const auto demand = [&](const Table& table, const char* column, auto&& right, const char* rule) {
    each_text(table, column, [&](std::size_t row, const std::string& text) {
      if (!right(text))
        findings.add(fmt::format("/{}/{} {}", table.name, column, rule),
                     fmt::format("\"{}\", row {}", text, row));
    });
  };
  constexpr const char* no_solver = "names no solver of the file";
  if (reader.has_table("verdict")) {
    const Table verdict = reader.table("verdict");
    check_columns(verdict, verdict_table(Comparison{}), has_arrival(reader), findings);
    for (const char* side : {"solver_a", "solver_b"}) demand(verdict, side, is_solver, no_solver);
    for (const char* winner : {"faster", "arrives"})
      demand(
          verdict, winner, [&](const std::string& name) { return name.empty() || is_solver(name); },
          no_solver);
    demand(verdict, "scope", is_verdict_scope, "is no scope");
    demand(verdict, "finding", is_verdict_finding, "is no finding");
    if (const Column* column = verdict.find("configuration"))
      if (const auto* rows = std::get_if<std::vector<std::int64_t>>(&column->values))
        for (const std::int64_t row : *rows)
          if (row < -1 || row >= static_cast<std::int64_t>(configurations))
            findings.add("/verdict/configuration is none of the file", fmt::format("{}", row));
  }
}

class Verifier {
 public:
  explicit Verifier(const ResultReader& reader) : reader_(reader) {}

  Verification run() {
    result_.records = reader_.trial_rows();
    configurations_ = read_table("configurations");
    solvers_ = read_table("solvers");
    result_.configurations = configurations_.rows();
    result_.solvers = solvers_.rows();
    check_attributes();
    attempt([&] { check_units(); });
    attempt([&] { check_configurations(); });
    attempt([&] { check_solvers(); });
    attempt([&] { check_ranks(); });
    attempt([&] { check_traces(reader_, findings_); });
    attempt([&] { check_verdict(reader_, result_.configurations, solvers_, findings_); });
    if (result_.configurations > 0 && result_.solvers > 0 && result_.trials > 0) check_rows();
    const auto lines = findings_.lines();
    result_.findings.insert(result_.findings.end(), lines.begin(), lines.end());
    return result_;
  }

 private:
  /// What cannot be read is a finding.
  template <class Check>
  void attempt(Check&& check) {
    try {
      check();
    } catch (const InputError& error) {
      findings_.add(error.fields().key + ": " + error.problem());
    }
  }
  Table read_table(const std::string& name) {
    Table table{.name = name};
    attempt([&] { table = reader_.table(name); });
    return table;
  }
  template <class T>
  std::optional<T> attribute(const std::string& name) {
    const Attributes& attributes = reader_.attributes();
    if (const T* value = attributes.find<T>(name)) return *value;
    findings_.add(
        fmt::format("attribute {} is {}", name,
                    attributes.contains(name) ? "of another type than nucreg writes" : "missing"));
    return std::nullopt;
  }

  void demand_units(const std::string& column, const std::optional<std::string>& found,
                    const std::string& expected) {
    if (found && *found != expected)
      findings_.add(column + " is of another unit than nucreg writes",
                    fmt::format("\"{}\" and not \"{}\"", *found, expected));
  }

  void check_attributes();
  void check_part_size(std::optional<std::int64_t> planned);
  void check_units();
  void check_configurations();
  void check_solvers();
  void check_ranks();
  void check_rows();
  /// Reads a block and visits its rows; halves it down to the row that cannot be read.
  void read_rows(std::uint64_t first, std::uint64_t count, RowOrder& order,
                 SummaryBuilder& summary);
  void check_values(std::uint64_t row, const Record& record);
  /// Whether a solver is a program of its own, whose processor time nobody knows.
  [[nodiscard]] bool times_itself(std::size_t solver) const {
    return solvers_.find("kind") && solver < solvers_.rows() &&
           solvers_.get<std::string>("kind")[solver] == "process";
  }
  void check_summary(const Table& expected);

  const ResultReader& reader_;
  Table configurations_, solvers_;
  std::vector<std::size_t> parameters_;  // of each configuration's model
  bool partial_ = false;
  Part part_;
  std::uint64_t unreadable_ = 0;
  Findings findings_;
  Verification result_;
};

void Verifier::check_attributes() {
  for (const char* name : {"job_name", "job_toml", "created_utc", "mpi_library", "nucreg_version",
                           "git_revision", "compiler", "cpu_model"})
    (void)attribute<std::string>(name);
  (void)attribute<std::int64_t>("seed");
  const auto status = attribute<std::string>("status");
  const auto planned = attribute<std::int64_t>("trials_planned");
  const auto done = attribute<std::int64_t>("trials_done");
  partial_ = status == "partial";
  attempt([&] { part_ = part_of(reader_.attributes()); });
  if (status && !partial_ && status != "complete")
    findings_.add("attribute status is neither complete nor partial", *status);
  const char* const total = part_.whole() ? "trials_planned" : "trials_of_job";
  const auto all = part_.whole() ? planned : attribute<std::int64_t>(total);
  if (all && result_.configurations > 0) {
    if (*all <= 0 || static_cast<std::uint64_t>(*all) % result_.configurations != 0)
      findings_.add(
          fmt::format("attribute {} is no multiple of the number of configurations", total),
          fmt::format("{} trials, {} configurations", *all, result_.configurations));
    else
      result_.trials = static_cast<std::uint64_t>(*all) / result_.configurations;
  }
  check_part_size(planned);
  if (!planned || !done) return;
  if (status == "complete" && *done != *planned)
    findings_.add("status is complete, but trials are missing",
                  fmt::format("trials_done {}, trials_planned {}", *done, *planned));
  if (partial_)
    result_.notes.push_back(fmt::format("partial: {} of {} trials were done", *done, *planned));
  if (*done < 0 || static_cast<std::uint64_t>(*done) * result_.solvers != result_.records)
    findings_.add("trials_done x solvers is not the number of rows of /trials",
                  fmt::format("{} x {}, {} rows", *done, result_.solvers, result_.records));
}

void Verifier::check_part_size(std::optional<std::int64_t> planned) {
  if (part_.whole() || !planned || result_.trials == 0) return;
  const std::uint64_t size = part_.tasks(result_.configurations, result_.trials);
  if (static_cast<std::uint64_t>(*planned) != size)
    findings_.add("attribute trials_planned is not the size of the part",
                  fmt::format("{} trials, part {} has {}", *planned, part_.text(), size));
  result_.notes.push_back(fmt::format("part {} of its job: {} of {} trials", part_.text(), size,
                                      result_.configurations * result_.trials));
}

void Verifier::check_units() {
  const auto found = reader_.trial_units();
  for (std::size_t i = 0; i < found.size(); ++i)
    demand_units("/trials/" + trial_columns()[i].name, found[i], trial_columns()[i].units);
}

void Verifier::check_configurations() {
  if (configurations_.rows() == 0) findings_.add("/configurations has no rows");
  for (const std::string& name : configurations_.get<std::string>("model")) {
    const auto model = value_of<Model>(name);
    if (!model)
      findings_.add("/configurations/model names no model", name);
    else if (parameter_count(*model) > reader_.parameters())
      findings_.add("/trials/params has fewer columns than a model has parameters", name);
    parameters_.push_back(model ? parameter_count(*model) : 0);
  }
  if (!configurations_.find("configuration")) return;
  const auto& numbers = configurations_.get<std::int64_t>("configuration");
  for (std::size_t row = 0; row < numbers.size(); ++row)
    if (numbers[row] != static_cast<std::int64_t>(row))
      findings_.add("/configurations/configuration does not count from 0",
                    fmt::format("row {}", row));
}

void Verifier::check_solvers() {
  if (solvers_.rows() == 0) findings_.add("/solvers has no rows");
  std::vector<std::string> names = solvers_.get<std::string>("name");
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    findings_.add("/solvers/name is there twice", *twice);
}

void Verifier::check_ranks() {
  const Table ranks = reader_.table("ranks");
  const auto& numbers = ranks.get<std::int64_t>("rank");
  if (const auto count = attribute<std::int64_t>("mpi_ranks");
      count && *count != static_cast<std::int64_t>(numbers.size()))
    findings_.add("attribute mpi_ranks is not the number of rows of /ranks",
                  fmt::format("{} and {}", *count, numbers.size()));
  for (std::size_t row = 0; row < numbers.size(); ++row)
    if (numbers[row] != static_cast<std::int64_t>(row))
      findings_.add("/ranks/rank does not count from 0", fmt::format("row {}", row));
  const Table samples = reader_.table("rank_samples");
  if (samples.rows() == 0) return;
  for (const std::int64_t rank : samples.get<std::int64_t>("rank"))
    if (rank < 0 || rank >= static_cast<std::int64_t>(numbers.size()))
      findings_.add("/rank_samples names a rank that is not in /ranks",
                    fmt::format("rank {}", rank));
}

void Verifier::check_rows() {
  RowOrder order(result_.configurations, result_.trials, result_.solvers);
  SummaryBuilder summary(result_.solvers);
  for (std::uint64_t first = 0; first < result_.records; first += stream_rows)
    read_rows(first, std::min(stream_rows, result_.records - first), order, summary);
  // The trials of other parts are missing here, and none of them may be there: then trials_done,
  // which was compared with the rows, shows whether this part lacks any.
  const std::uint64_t missing = order.finish(partial_ || !part_.whole());
  const std::uint64_t of_others =
      result_.configurations * result_.trials - part_.tasks(result_.configurations, result_.trials);
  const std::uint64_t missing_trials = missing - std::min(missing, of_others);
  result_.findings = order.findings();
  if (partial_ && order.sorted() && missing_trials > 0)
    result_.notes.push_back(fmt::format("{} trials are missing", missing_trials));
  if (order.sorted() && unreadable_ == 0) check_summary(summary.finish());
}

void Verifier::read_rows(std::uint64_t first, std::uint64_t count, RowOrder& order,
                         SummaryBuilder& summary) {
  constexpr std::uint64_t enough = 16;  // of a damaged chunk no more is worth the time
  std::vector<Record> block(count);
  try {
    reader_.read_trials(first, block);
  } catch (const InputError& error) {
    if (count > 1 && unreadable_ < enough) {
      read_rows(first, count / 2, order, summary);
      read_rows(first + count / 2, count - count / 2, order, summary);
      return;
    }
    findings_.add(error.fields().key + ": rows cannot be read", error.problem(), count);
    unreadable_ += count;
    order.skip(count);
    return;
  }
  for (std::size_t i = 0; i < block.size(); ++i) {
    order.add(first + i, block[i]);
    if (block[i].trial < result_.trials &&
        !part_.of(block[i].configuration, result_.trials).contains(block[i].trial))
      findings_.add("a row is not of this part", fmt::format("row {}", first + i));
    check_values(first + i, block[i]);
  }
  if (order.sorted() && unreadable_ == 0) summary.add(block);
}

void Verifier::check_values(std::uint64_t row, const Record& r) {
  const auto demand = [&](bool right, const char* column, const char* rule) {
    if (!right)
      findings_.add(fmt::format("/trials/{} {}", column, rule), fmt::format("row {}", row));
  };
  const auto amount = [](double value) { return std::isfinite(value) && value >= 0.0; };
  const char* count_rule = "is negative";
  demand(r.rank >= 0, "rank", count_rule);
  demand(r.pairs >= 0, "pairs", count_rule);
  demand(r.repeats >= 0, "repeats", count_rule);
  demand(r.peak_bytes >= 0, "peak_bytes", count_rule);
  demand(r.iterations >= -1, "iterations", "is below -1");
  demand(r.function_evaluations >= 0, "function_evaluations", count_rule);
  demand(r.jacobian_evaluations >= 0, "jacobian_evaluations", count_rule);
  demand(r.arrived == static_cast<std::int32_t>(r.arrives()), "arrived",
         "does not follow from tre_px, heldout_rmsd_px, arrival_px and status");
  if (r.status == SolveStatus::failed || r.status == SolveStatus::not_applicable) return;
  const char* finite_rule = "is no finite number >= 0 in a row that did not fail";
  demand(amount(r.rmsd_px), "rmsd_px", finite_rule);
  demand(amount(r.objective), "objective", finite_rule);
  demand(amount(r.wall_seconds), "wall_s", finite_rule);
  demand(amount(r.cpu_seconds) || (std::isnan(r.cpu_seconds) && times_itself(r.solver)), "cpu_s",
         finite_rule);
  if (r.configuration >= parameters_.size()) return;
  const std::size_t used = parameters_[r.configuration];
  for (std::size_t p = 0; p < reader_.parameters(); ++p)
    demand(std::isfinite(r.params[p]) == (p < used), "params",
           "is not finite for each parameter of the model and NaN beyond");
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || a == b ||
         std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

void Verifier::check_summary(const Table& expected) {
  attempt([&] {
    const Table found = reader_.table("summary");
    if (found.rows() != expected.rows())
      return findings_.add("/summary has not a row per configuration and solver",
                           fmt::format("{} rows, expected {}", found.rows(), expected.rows()));
    for (const Column& column : expected.columns) {
      if (std::holds_alternative<std::vector<bool>>(column.values)) continue;  // a remark
      // Files of nucreg before jobs of images.
      const Column* there = found.find(column.name);
      if (column.name.starts_with("heldout_") && !there) continue;
      const bool of_arrival =
          column.name.starts_with("arriv") || column.name.starts_with("expected_");
      if (of_arrival && !there && !has_arrival(reader_)) continue;
      if (there) demand_units("/summary/" + column.name, there->units, column.units);
      for (std::size_t row = 0; row < expected.rows(); ++row) {
        const bool equal = std::holds_alternative<std::vector<double>>(column.values)
                               ? same(found.get<double>(column.name)[row],
                                      std::get<std::vector<double>>(column.values)[row])
                               : found.get<std::int64_t>(column.name)[row] ==
                                     std::get<std::vector<std::int64_t>>(column.values)[row];
        if (!equal)
          findings_.add("/summary is not what the rows of /trials give",
                        fmt::format("{}, row {}", column.name, row));
      }
    }
  });
}

}  // namespace

Verification verify(const ResultReader& reader) {
  return Verifier(reader).run();
}

}  // namespace nucreg
