#include "verify_extras.hpp"

#include <algorithm>
#include <cmath>

#include "nucreg/report/verdict.hpp"
#include "table_access.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t block_rows = 2048;  // a trace is up to 6 KiB

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

void check_columns(const Table& found, const Table& expected, Findings& findings) {
  for (const Column& column : expected.columns) {
    const std::string path = "/" + found.name + "/" + column.name;
    const Column* there = find_column(found, column.name);
    if (!there)
      findings.add(path + " is missing");
    else if (there->values.index() != column.values.index())
      findings.add(path + " is of another type than nucreg writes");
  }
}

/// Visits the texts of a column; what is missing was told already.
template <class Visit>
void each_text(const Table& table, const char* name, Visit&& visit) {
  const Column* column = find_column(table, name);
  if (!column) return;
  const auto* texts = std::get_if<std::vector<std::string>>(&column->values);
  if (!texts) return;
  for (std::size_t row = 0; row < texts->size(); ++row) visit(row, (*texts)[row]);
}

}  // namespace

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
  const auto& names = need<std::string>(solvers, "name");
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
    check_columns(verdict, verdict_table(Comparison{}), findings);
    for (const char* side : {"solver_a", "solver_b"}) demand(verdict, side, is_solver, no_solver);
    for (const char* winner : {"faster", "arrives"})
      demand(
          verdict, winner, [&](const std::string& name) { return name.empty() || is_solver(name); },
          no_solver);
    demand(verdict, "scope", is_verdict_scope, "is no scope");
    demand(verdict, "finding", is_verdict_finding, "is no finding");
    if (const Column* column = find_column(verdict, "configuration"))
      if (const auto* rows = std::get_if<std::vector<std::int64_t>>(&column->values))
        for (const std::int64_t row : *rows)
          if (row < -1 || row >= static_cast<std::int64_t>(configurations))
            findings.add("/verdict/configuration is none of the file", fmt::format("{}", row));
  }
  if (reader.has_table("verdict_ranks")) {
    const Table ranks = reader.table("verdict_ranks");
    check_columns(ranks, solver_rank_table(Comparison{}), findings);
    demand(ranks, "solver", is_solver, no_solver);
  }
}

}  // namespace nucreg
