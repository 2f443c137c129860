#include "nucreg/app/result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/fit/kernels.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/solve/registry.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/stats/verify.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t not_there = std::numeric_limits<std::uint64_t>::max();

std::vector<std::uint64_t> offsets_by_task(const JournalReader& journal, const Plan& plan) {
  std::vector<std::uint64_t> offsets(plan.tasks(), not_there);
  const auto trials = journal.stage(TrialStage::kind);
  if (!trials) return offsets;
  journal.scan(
      [&](std::uint64_t task, int, std::uint64_t offset) {
        if (task < offsets.size() && offsets[task] == not_there) offsets[task] = offset;
      },
      trials->number);
  return offsets;
}

Attributes attributes_of(const Job& job, const Plan& plan, const RunReport& report,
                         std::uint64_t trials_done) {
  const BuildInfo& build = build_info();
  const std::uint64_t trials_planned = report.part.tasks(plan);
  Attributes attributes{{"format", "nucreg"},
                        {"format_version", result_format_version},
                        {"status", trials_done == trials_planned ? "complete" : "partial"},
                        {"job_name", job.job.name},
                        {"job_toml", to_toml(job)},
                        {"inputs", report.inputs},
                        {"seed", static_cast<std::int64_t>(job.job.seed)},
                        {"trials_planned", static_cast<std::int64_t>(trials_planned)},
                        {"trials_done", static_cast<std::int64_t>(trials_done)},
                        {"warnings", fmt::format("{}", fmt::join(report.warnings, "\n"))},
                        {"trials_resumed", static_cast<std::int64_t>(report.trials_resumed)},
                        {"created_utc", report.created_utc},
                        {"mpi_ranks", std::int64_t{report.mpi_ranks}},
                        {"mpi_library", report.mpi_library},
                        {"nucreg_version", build.version},
                        {"git_revision", build.git_revision},
                        {"build_identity", report.build},
                        {"compiler", build.compiler},
                        {"cpu_model", cpu_model()},
                        {"instruction_set", std::string(kernel_instruction_set())}};
  if (!report.part.whole()) {
    attributes["part"] = report.part.text();
    attributes["trials_of_job"] = static_cast<std::int64_t>(plan.tasks());
  }
  if (!report.merged_from.empty()) attributes["merged_from"] = report.merged_from;
  return attributes;
}

Table solver_table(const SolverRegistry& registry, const Job& job) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> names, kinds, algorithms, options;
  for (const SolverSpec& spec : job.solvers) {
    SolverOptions resolved = registry.options(spec, job.file);
    numbers.push_back(static_cast<std::int64_t>(numbers.size()));
    names.push_back(spec.name);
    kinds.push_back(spec.kind);
    const auto algorithm = resolved.find("algorithm");
    algorithms.push_back(algorithm == resolved.end() ? ""
                                                     : std::get<std::string>(algorithm->second));
    resolved.erase("algorithm");
    options.push_back(options_text(resolved));
  }
  return {"solvers",
          {{"solver", "1", numbers},  // as /trials counts them
           {"name", "1", names},
           {"kind", "1", kinds},
           {"algorithm", "1", algorithms},
           {"options", "1", options}}};
}

// What rows hold beyond their numbers.
struct Extras {
  std::size_t longest_message = 0;
  std::uint64_t trace_points = 0;
};

// Over all trials of the journal.
Extras extras_of(const JournalReader& journal, const std::vector<std::uint64_t>& offsets,
                 std::vector<Record> rows) {
  Extras extras;
  for (const std::uint64_t offset : offsets) {
    if (offset == not_there) continue;
    get_records(journal.payload_at(offset), rows);
    for (const Record& row : rows) {
      extras.longest_message = std::max(extras.longest_message, row.message.size());
      extras.trace_points += row.trace.size();
    }
  }
  return extras;
}

std::size_t max_parameters_of(const Plan& plan) {
  std::size_t max = 0;
  for (const Configuration& c : plan.configurations) max = std::max(max, parameter_count(c.model));
  return max;
}

}  // namespace

WrittenResult write_result(const std::filesystem::path& file, bool overwrite,
                           const JournalReader& journal, const SolverRegistry& registry,
                           const Job& job, const Plan& plan, const RunReport& report,
                           std::size_t threads) {
  const std::vector<std::uint64_t> offsets = offsets_by_task(journal, plan);
  const auto missing = static_cast<std::uint64_t>(std::ranges::count(offsets, not_there));
  const std::uint64_t trials_done = plan.tasks() - missing;
  std::vector<Record> rows(plan.solvers);
  const Extras extras = extras_of(journal, offsets, rows);
  ResultWriter writer(file, trials_done * plan.solvers, max_parameters_of(plan),
                      extras.longest_message,
                      job.run.trace ? std::optional(extras.trace_points) : std::nullopt, threads);
  writer.set_attributes(attributes_of(job, plan, report, trials_done));
  const Table configurations = configuration_table(plan, job),
              solvers = solver_table(registry, job);
  writer.write_table(configurations);
  writer.write_table(solvers);
  for (const Table& table : report.images) writer.write_table(table);

  Digest digest(configurations, solvers);
  for (const std::uint64_t offset : offsets) {
    if (offset == not_there) continue;
    get_records(journal.payload_at(offset), rows);
    writer.append_trials(rows);
    digest.add(rows);
  }
  for (const Table& table : digest.finish()) writer.write_table(table);
  writer.write_table(report.dispatch.ranks);
  writer.write_table(report.dispatch.samples);
  writer.commit(overwrite);
  return {trials_done, digest.findings()};
}

void demand_sound(const std::filesystem::path& file, const ResultReader& reader) {
  const Verification verified = verify(reader);
  if (!verified.findings.empty())
    throw InputError("is not sound: " + verified.findings.front(), {.file = file.string()});
}

Job job_of(const std::filesystem::path& file, const ResultReader& reader) {
  const auto text = naming<Error>(file.string(),
                                  [&] { return reader.attributes().get<std::string>("job_toml"); });
  try {
    return parse_job_text(text, "job_toml");
  } catch (const Error& error) {
    throw InputError(fmt::format("holds no job of this nucreg: {}", error.what()),
                     {.file = file.string()});
  }
}

void warn_if_altered(const std::filesystem::path& file) {
  if (checksum_matches(file) != false) return;
  const std::string name = file.string();
  print_error("nucreg: warning: {}: the checksum does not hold: nucreg verify {} says what\n", name,
              name);
}

ExitStatus print_soundness(const std::filesystem::path& file, std::vector<std::string> findings,
                           const std::vector<std::string>& notes, const std::string& counts) {
  if (checksum_matches(file) == false)
    findings.emplace_back("bytes of the file are not those that nucreg wrote (checksum)");
  std::string text;
  for (const std::string& finding : findings) text += fmt::format("damage: {}\n", finding);
  for (const std::string& note : notes) text += fmt::format("note: {}\n", note);
  const bool sound = findings.empty();
  print_result(text + fmt::format("{}: {}\n", file.string(),
                                  sound ? "sound: " + counts : std::string("not sound")));
  return sound ? ExitStatus::done : ExitStatus::input;
}

ExitStatus print_exported(const std::filesystem::path& file,
                          const std::vector<std::filesystem::path>& written) {
  warn_if_altered(file);
  for (const auto& path : written) print_result(path.string() + "\n");
  return ExitStatus::done;
}

}  // namespace nucreg
