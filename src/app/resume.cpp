#include "nucreg/app/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <variant>

#include "nucreg/app/crash_guard.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

std::string identity_with(const Attributes& attributes, const Part& part) {
  const auto text = [&](const char* name) { return attributes.get<std::string>(name); };
  // 0.1 knew a build by what git said.
  const std::string build = attributes.contains("build_identity")
                                ? text("build_identity")
                                : fmt::format("nucreg {} ({}, {})", text("nucreg_version"),
                                              text("git_revision"), text("compiler"));
  return run_identity(build, part, text("inputs"), text("job_toml"));
}

// What an output says of itself.
struct EarlierOutput {
  std::string identity, status, merged_from, warnings;
  [[nodiscard]] bool complete() const { return status == "complete"; }
};
void fields(auto& archive, MaybeConst<EarlierOutput> auto& output) {
  archive(output.identity, output.status, output.merged_from, output.warnings);
}

std::optional<EarlierOutput> output_of(const RunFiles& files, const std::string& identity) {
  check_output(files.output, true, another_output);
  if (!file_exists(files.output)) return std::nullopt;
  auto output = as_output(files, [&] {
    return read_apart({files.output}, [&] {
      const ResultReader reader(files.output);
      const Attributes& a = reader.attributes();
      return EarlierOutput{run_identity(a), a.text("status"), a.text("merged_from"),
                           a.text("warnings")};
    });
  });
  refuse_other(files.output, output.identity, identity);
  return output;
}

struct EarlierTrial {
  std::uint64_t task = 0;
  std::int32_t rank = 0;
  Bytes records;
};
void fields(auto& archive, MaybeConst<EarlierTrial> auto& trial) {
  archive(trial.task, trial.rank, trial.records);
}

// Sends what is not known yet.
void send_trials(const fs::path& partial, const Plan& plan, const std::vector<bool>& known,
                 const TakeBytes& send) {
  const ResultReader reader(partial);
  for (TrialCursor at(reader, plan.trials, plan.solvers); !at.done(); at.next()) {
    EarlierTrial trial{*at.task(), at.rows()[0].rank, {}};
    if (trial.task >= known.size() || known[trial.task]) continue;
    put_records(at.rows(), trial.records);
    send(to_bytes(trial));
  }
}

// Takes the trials of a partial output into the journal.
void take_over(EarlierTrials& earlier, JournalWriter& journal, const RunFiles& files,
               const Plan& plan) {
  as_output(files, [&] {
    read_apart(
        {files.output},
        [&](const TakeBytes& send) { send_trials(files.output, plan, earlier.done, send); },
        [&](std::span<const std::byte> bytes) {
          const auto trial = from_bytes<EarlierTrial>(bytes);
          journal.append(trial.task, trial.rank, trial.records);
          earlier.done.at(trial.task) = true;
        });
  });
  journal.sync();
}

}  // namespace

std::vector<std::string> programs_of(const Job& job) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const SolverSpec& solver : job.solvers) {
    const auto command = solver.options.find("command");
    const auto* words = command == solver.options.end()
                            ? nullptr
                            : std::get_if<std::vector<std::string>>(&command->second);
    if (words != nullptr)
      for (const std::string& word : *words)
        if (fs::is_regular_file(word, ignored)) files.push_back(word);
  }
  return files;
}

std::string build_of(const Job& job) {
  std::string build = build_identity();
  for (const std::string& program : programs_of(job))
    build += fmt::format(", {} {}", one_line(program, 400), sha256_of_file(program).substr(0, 16));
  return build;
}

std::string run_identity(const std::string& build, const Part& part, const std::string& inputs,
                         const std::string& job_toml) {
  return fmt::format("build {}\n{}{}{}", build,
                     part.whole() ? "" : fmt::format("part {}\n", part.text()), inputs, job_toml);
}

std::string run_identity(const Attributes& attributes) {
  return identity_with(attributes, part_of(attributes));
}

std::string whole_identity(const Attributes& attributes) {
  return identity_with(attributes, {});
}

Part part_of_identity(const std::string& identity) {
  for (const std::string& line : split_lines(identity)) {
    if (line.starts_with("part ")) return parse_part(line.substr(5));
    if (line.starts_with("[")) break;
  }
  return {};
}

std::string job_of_identity(const std::string& identity) {
  // Facts of one line each come before the first [section] of the job.
  const std::size_t at = identity.find("\n[");
  return at == std::string::npos ? "" : identity.substr(at + 1);
}

std::string describe_inputs(const std::vector<InputFile>& inputs) {
  std::string text;
  for (const InputFile& input : inputs) {
    Sha256 sum;
    for (const auto* column : {&input.pairs.x10, &input.pairs.y10, &input.pairs.x40,
                               &input.pairs.y40, &input.points.x, &input.points.y})
      sum.add(std::as_bytes(std::span(*column)));
    sum.add(std::as_bytes(std::span(input.field_px)));
    text += fmt::format("input {}: {} points, checksum {}\n", input.path,
                        std::max(input.pairs.size(), input.points.size()), sum.hex().substr(0, 16));
  }
  return text;
}

bool output_is_complete(const RunFiles& files, const std::string& identity) {
  const std::optional<EarlierOutput> output = output_of(files, identity);
  return output && output->complete();
}

EarlierTrials earlier_trials(OpenJournal& journal, const RunFiles& files,
                             const std::string& identity, const Plan& plan) {
  EarlierTrials earlier{.done = std::vector<bool>(plan.tasks())};
  const JournalReader reader(files.journal);
  if (const auto known = reader.stage(TrialStage::kind)) {
    refuse_other(files.journal, known->identity, identity);
    static_cast<void>(reader.scan(
        [&](std::uint64_t task, int, std::uint64_t) {
          if (task < earlier.done.size()) earlier.done[task] = true;
        },
        known->number));
  }
  if (const std::optional<EarlierOutput> output = output_of(files, identity)) {
    earlier.complete = output->complete();
    if (earlier.complete) return earlier;
    earlier.replace_output = true;
    earlier.merged_from = output->merged_from;
    for (const std::string& line : split_lines(output->warnings)) journal.warn(line);
    journal.writer->begin_stage(TrialStage::kind, identity);
    take_over(earlier, *journal.writer, files, plan);
  }
  earlier.count = static_cast<std::uint64_t>(std::ranges::count(earlier.done, true));
  return earlier;
}

}  // namespace nucreg
