// Writes a result file of any size: `large_result FILE ROWS CONFIGURATIONS SOLVERS`.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/store/result_file.hpp"
#include "support/verdict_simulation.hpp"

namespace {

using namespace nucreg;

Table solver_table(std::uint32_t solvers) {
  std::vector<std::string> names;
  for (std::uint32_t s = 0; s < solvers; ++s) names.push_back("solver " + std::to_string(s));
  return {"solvers", {{"name", "1", names}, {"kind", "1", names}}};
}

Table configuration_table(std::uint32_t count) {
  Table table = simulation::configurations(count);
  table.columns.push_back({"model", "1", std::vector<std::string>(count, "affine")});
  return table;
}

/// Numbers like those of a run, not compressible by much.
Record row(RandomStream& random, std::uint32_t c, std::uint32_t t, std::uint32_t s) {
  Record r;
  r.configuration = c;
  r.trial = t;
  r.solver = s;
  r.pairs = 100;
  r.status = random.below(1000) == 0 ? SolveStatus::failed : SolveStatus::converged;
  if (r.status == SolveStatus::failed) r.message = "objective was NaN";
  r.function_evaluations = static_cast<std::int64_t>(10 + random.below(20));
  r.jacobian_evaluations = r.function_evaluations;
  r.repeats = 3;
  r.peak_bytes = 4096;
  r.timing_valid = true;
  r.rmsd_px = 1.0 + random.uniform();
  r.tre_px = random.uniform();
  r.param_error = random.uniform();
  r.objective = 1.0;
  r.gap = 0.0;
  r.wall_seconds = r.cpu_seconds = 1e-4 * (1.0 + 0.1 * s) * (1.0 + 0.2 * random.uniform());
  for (std::size_t p = 0; p < 6; ++p) r.params[p] = r.true_params[p] = random.uniform();
  return r;
}

void write(const char* file, std::uint64_t rows, std::uint32_t configurations,
           std::uint32_t solvers) {
  const auto trials = static_cast<std::uint32_t>(rows / configurations / solvers);
  const auto planned = std::int64_t{trials} * configurations;
  ResultWriter writer(file, std::uint64_t{trials} * configurations * solvers, 6);
  Attributes attributes{{"status", "complete"},
                        {"seed", std::int64_t{1}},
                        {"trials_planned", planned},
                        {"trials_done", planned},
                        {"mpi_ranks", std::int64_t{1}}};
  for (const char* name : {"job_name", "job_toml", "created_utc", "mpi_library", "nucreg_version",
                           "git_revision", "compiler", "cpu_model"})
    attributes[name] = std::string("simulated");
  writer.set_attributes(attributes);
  const Table table = configuration_table(configurations), names = solver_table(solvers);
  writer.write_table(table);
  writer.write_table(names);
  writer.write_table({"ranks", {{"rank", "1", std::vector<std::int64_t>{0}}}});
  writer.write_table({"rank_samples", {{"rank", "1", std::vector<std::int64_t>{}}}});
  Digest digest(table, names);
  RandomStream random(1, 0, 0, Purpose::draws);
  std::vector<Record> trial(solvers);
  for (std::uint32_t c = 0; c < configurations; ++c)
    for (std::uint32_t t = 0; t < trials; ++t) {
      for (std::uint32_t s = 0; s < solvers; ++s) trial[s] = row(random, c, t, s);
      writer.append_trials(trial);
      digest.add(trial);
    }
  for (const Table& made : digest.finish()) writer.write_table(made);
  writer.commit(true);
}

}  // namespace

int main(int count, char** words) {
  const auto number = [&](int i) { return std::strtoull(words[i], nullptr, 10); };
  if (count != 5 || number(3) == 0 || number(4) == 0) {
    std::fprintf(stderr, "usage: large_result FILE ROWS CONFIGURATIONS SOLVERS\n");
    return 2;
  }
  try {
    write(words[1], number(2), static_cast<std::uint32_t>(number(3)),
          static_cast<std::uint32_t>(number(4)));
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.status());
  }
  return 0;
}
