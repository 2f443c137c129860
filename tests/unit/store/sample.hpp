// A result whose every value follows from its row number, so that any reader can check it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg::sample {

inline constexpr std::size_t parameters = 6;

inline Record record(std::uint64_t row) {
  const auto i = static_cast<std::int64_t>(row);
  const auto x = static_cast<double>(row);
  Record r;
  r.configuration = static_cast<std::uint32_t>(row / 6);
  r.trial = static_cast<std::uint32_t>(row / 2 % 3);
  r.solver = static_cast<std::uint32_t>(row % 2);
  r.rank = static_cast<std::int32_t>(row % 5);
  r.pairs = 100 + i;
  r.iterations = row % 4 == 0 ? -1 : i;
  r.function_evaluations = 2 * i;
  r.jacobian_evaluations = 3 * i;
  r.repeats = 1 + i % 7;
  r.peak_bytes = (std::int64_t{1} << 40) + i;
  r.native_code = -static_cast<std::int32_t>(row % 3);
  r.arrived = static_cast<std::int32_t>(row % 2);
  r.arrival_px = row % 7 == 0 ? Record::nan : 0.5 * x;
  r.status = static_cast<SolveStatus>(row % 6);
  r.bounds = static_cast<BoundsUse>(row % 3);
  r.timing_valid = row % 2 == 0;
  r.rmsd_px = 0.1 * x;
  r.tre_px = row % 3 == 0 ? Record::nan : 0.2 * x;
  r.stationarity = 1e-9 * x;
  r.loss_scale_px = 3.0;
  r.heldout_rmsd_px = row % 4 == 1 ? Record::nan : 0.4 * x;
  r.param_error = 0.3 * x;
  r.objective = x * x;
  r.gap = row % 5 == 0 ? 1.0 / 0.0 : 1e-300 * x;
  r.wall_seconds = 1e-6 * x;
  r.cpu_seconds = 2e-6 * x;
  if (row % 250 == 7) r.message = "M\u00fcller " + std::to_string(row);
  for (std::size_t p = 0; p < parameters; ++p) {
    r.params[p] = x + 0.125 * static_cast<double>(p);
    r.true_params[p] = -r.params[p];
  }
  return r;
}

inline std::vector<Record> records(std::uint64_t first, std::uint64_t count) {
  std::vector<Record> rows;
  for (std::uint64_t i = 0; i < count; ++i) rows.push_back(record(first + i));
  return rows;
}

inline Table table(const std::string& name) {
  return {name,
          {{"zeta", "px", std::vector<double>{1.5, Record::nan, -0.0}},
           {"count", "1", std::vector<std::int64_t>{1, -2, std::int64_t{1} << 60}},
           {"name", "1", std::vector<std::string>{"L-BFGS", "", "M\u00fcller \u00b5"}},
           {"flag", "1", std::vector<bool>{true, false, true}}}};
}

inline Table empty_table(const std::string& name) {
  return {name,
          {{"rank", "1", std::vector<std::int64_t>{}},
           {"time_s", "s", std::vector<double>{}},
           {"host", "1", std::vector<std::string>{}},
           {"flag", "1", std::vector<bool>{}}}};
}

inline Attributes attributes() {
  return {{"job_name", std::string("m\u00fcller")},
          {"job_toml", std::string(200 * 1024, 'x') + "end"},
          {"empty", std::string()},
          {"seed", std::int64_t{42}},
          {"trials_planned", std::int64_t{0}},
          {"ratio", 0.1}};
}

inline void write(const std::filesystem::path& file, std::uint64_t rows, std::size_t threads = 1) {
  ResultWriter writer(file, rows, parameters, max_message_bytes, std::nullopt, threads);
  writer.set_attributes(attributes());
  writer.write_table(table("configurations"));
  writer.write_table(empty_table("rank_samples"));
  for (std::uint64_t done = 0, step = 1; done < rows; done += step, step = step * 7 % 40009) {
    step = std::min(step, rows - done);
    writer.append_trials(records(done, step));
  }
  writer.commit(true);
}

}  // namespace nucreg::sample
