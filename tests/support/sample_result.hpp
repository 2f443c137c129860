// A sound result file: 3 configurations x 4 trials x 2 solvers on 2 ranks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nucreg/stats/summary.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg::sample {

inline constexpr std::uint32_t configurations = 3, trials = 4, solvers = 2;

inline Record result_row(std::uint32_t c, std::uint32_t t, std::uint32_t s) {
  const double x = 1.0 + 8.0 * c + 2.0 * t + s;
  Record r;
  r.configuration = c;
  r.trial = t;
  r.solver = s;
  r.rank = static_cast<std::int32_t>(t % 2);
  r.pairs = 100;
  r.iterations = s == 0 ? -1 : 4;
  r.function_evaluations = 10 + t;
  r.jacobian_evaluations = 5;
  r.repeats = 3;
  r.peak_bytes = 4096;
  r.timing_valid = true;
  r.status = SolveStatus::converged;
  r.rmsd_px = 0.1 * x;
  r.tre_px = 0.01 * x;
  r.param_error = 1.0 / 3.0 * x;
  r.objective = 2.0 + c;
  r.gap = 0.0;
  r.wall_seconds = s == 0 ? 3e-5 : 1e-5;
  r.cpu_seconds = r.wall_seconds;
  for (std::size_t p = 0; p < 6; ++p) r.params[p] = r.true_params[p] = 0.1 * static_cast<double>(p);
  return r;
}

inline std::vector<Record> result_rows(bool partial) {
  std::vector<Record> rows;
  for (std::uint32_t c = 0; c < configurations; ++c)
    for (std::uint32_t t = 0; t < trials; ++t)
      for (std::uint32_t s = 0; s < solvers; ++s)
        if (!partial || (c * trials + t) % 5 != 2) rows.push_back(result_row(c, t, s));
  // A failure and a solver without an answer, which are rows like any other.
  rows[1].status = SolveStatus::failed;
  rows[1].rmsd_px = rows[1].objective = rows[1].gap = rows[1].tre_px = Record::nan;
  rows[1].params = Record::no_params;
  rows[1].message = "objective was NaN at evaluation 3";
  rows.back() = {{.configuration = 2, .trial = 3, .solver = 1}, "has no answer"};
  rows.back().status = SolveStatus::not_applicable;
  return rows;
}

inline Table configuration_table() {
  const double nan = Record::nan;
  return {"configurations",
          {{"configuration", "1", std::vector<std::int64_t>{0, 1, 2}},
           {"points", "1", std::vector<double>{100, 1000, 1000000}},
           {"noise_px", "px", std::vector<double>{0.5, 0.5, nan}},
           {"noise_px_min", "px", std::vector<double>{0.5, 0.5, 1}},
           {"noise_px_max", "px", std::vector<double>{0.5, 0.5, 2.5}},
           {"outliers", "1", std::vector<double>{0, 0, 0}},
           {"model", "", std::vector<std::string>(3, "affine")},
           {"loss", "", std::vector<std::string>(3, "squared")}}};
}

inline Table solver_table() {
  return {"solvers",
          {{"name", "", std::vector<std::string>{"L-BFGS, \"bounded\"", "LM"}},
           {"kind", "", std::vector<std::string>{"nlopt", "lm"}}}};
}

inline Table rank_table() {
  return {"ranks",
          {{"rank", "1", std::vector<std::int64_t>{0, 1}},
           {"host", "", std::vector<std::string>{"node-a", "node-b"}},
           {"solves", "1", std::vector<std::int64_t>{12, 12}},
           {"busy_s", "s", std::vector<double>{0.25, 12.0}},
           {"max_rss_bytes", "B", std::vector<std::int64_t>{1 << 20, 3 << 19}}}};
}

inline Attributes result_attributes(const std::vector<Record>& rows) {
  const auto done = static_cast<std::int64_t>(rows.size() / solvers);
  const std::int64_t planned = configurations * trials;
  Attributes attributes{{"status", done == planned ? "complete" : "partial"},
                        {"seed", std::int64_t{7}},
                        {"trials_planned", planned},
                        {"trials_done", done},
                        {"mpi_ranks", std::int64_t{2}}};
  for (const char* name : {"job_name", "job_toml", "created_utc", "mpi_library", "nucreg_version",
                           "git_revision", "compiler", "cpu_model"})
    attributes[name] = std::string("the ") + name;
  return attributes;
}

/// With the traces that the rows have. `job`: as TOML.
inline void write_result(const std::filesystem::path& file,
                         const std::vector<Record>& rows = result_rows(false),
                         const std::string& job = "the job_toml") {
  SummaryBuilder summary(solvers);
  summary.add(rows);
  std::optional<std::uint64_t> trace_points;
  for (const Record& row : rows)
    if (!row.trace.empty()) trace_points = trace_points.value_or(0) + row.trace.size();
  ResultWriter writer(file, rows.size(), 6, max_message_bytes, trace_points);
  Attributes attributes = result_attributes(rows);
  attributes["job_toml"] = job;
  writer.set_attributes(attributes);
  for (const Table& table : {configuration_table(), solver_table(), rank_table(), summary.finish()})
    writer.write_table(table);
  writer.write_table({"rank_samples",
                      {{"rank", "1", std::vector<std::int64_t>{0, 1}},
                       {"time_s", "s", std::vector<double>{0.0, 0.5}}}});
  writer.append_trials(rows);
  writer.commit(true);
}

}  // namespace nucreg::sample
