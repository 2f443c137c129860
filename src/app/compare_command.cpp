// Two result files of one job, from two machines, versions or compilers.
#include <fmt/format.h>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/report/run_comparison.hpp"
#include "nucreg/report/text.hpp"
#include "nucreg/report/verify.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/store/result_file.hpp"
#include "trial_cursor.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file, const ResultReader& reader, const char* name) {
  const auto at = reader.attributes().find(name);
  const auto* text =
      at == reader.attributes().end() ? nullptr : std::get_if<std::string>(&at->second);
  if (!text) throw InputError("attribute is missing", {.file = file.string(), .key = name});
  return *text;
}

// What must be equal: all but the build.
std::string work_of(const fs::path& file, const ResultReader& reader) {
  return text_of(file, reader, "inputs") + text_of(file, reader, "job_toml");
}

void demand_sound(const fs::path& file, const ResultReader& reader) {
  const Verification verified = verify(reader);
  if (!verified.findings.empty())
    throw InputError("is not sound: " + verified.findings.front(), {.file = file.string()});
}

std::string heading(const char* name, const fs::path& file, const ResultReader& reader) {
  const auto text = [&](const char* attribute) { return text_of(file, reader, attribute); };
  return fmt::format("{}  {}: nucreg {} ({}), {}, {}", name, file.string(), text("nucreg_version"),
                     text("git_revision"), text("compiler"), text("cpu_model"));
}

}  // namespace

ExitStatus compare_command(const CompareCommand& command) {
  read_in_child({command.a, command.b});
  const ResultReader a(command.a), b(command.b);
  if (const std::string change = difference(work_of(command.a, a), work_of(command.b, b));
      !change.empty())
    throw JobError(fmt::format("is of another job or input than {} (- that, + this)\n{}",
                               command.a.string(), change),
                   {.file = command.b.string(), .allowed = "two results of one job"});
  demand_sound(command.a, a);
  demand_sound(command.b, b);
  const Plan plan = make_plan(parse_job_text(text_of(command.a, a, "job_toml")));
  RunComparison comparison(a.table("solvers").get<std::string>("name"),
                           a.table("configurations").rows());
  std::uint64_t both = 0, only_a = 0, only_b = 0;
  TrialCursor at_a(a, plan.trials, plan.solvers), at_b(b, plan.trials, plan.solvers);
  while (at_a.task() || at_b.task()) {
    if (!at_b.task() || (at_a.task() && *at_a.task() < *at_b.task())) {
      ++only_a;
      at_a.next();
    } else if (!at_a.task() || *at_b.task() < *at_a.task()) {
      ++only_b;
      at_b.next();
    } else {
      ++both;
      comparison.add(at_a.rows(), at_b.rows());
      at_a.next();
      at_b.next();
    }
  }
  if (both == 0)
    throw InputError("has no trial that is in the other file, too", {.file = command.b.string()});

  const std::vector<SolverChange> changes = comparison.finish();
  bool beyond = false;
  std::string not_compared;
  for (const SolverChange& change : changes) {
    beyond = beyond || change.slower(command.threshold) || change.pair.better_b > 0;
    if (!change.compared()) not_compared += (not_compared.empty() ? "" : ", ") + change.solver;
  }
  if (command.json) {
    print_result(to_json(changes, command.threshold) + "\n");
  } else {
    const auto width = static_cast<std::size_t>(output_width());
    std::string text;
    const auto say = [&](const std::string& line) { text += wrapped(line, width) + "\n"; };
    say(heading("A", command.a, a));
    say(heading("B", command.b, b));
    say(fmt::format("{} trials are in both, {} in A only, {} in B only", count_text(both),
                    count_text(only_a), count_text(only_b)));
    text += "\n" + to_text(changes, command.threshold, width) + "\n";
    if (!not_compared.empty())
      say(fmt::format("speed not compared: {} (no two valid timings at equal accuracy)",
                      not_compared));
    if (beyond)
      say("B is worse than A beyond the threshold");
    else if (not_compared.empty())
      say("B is not worse than A beyond the threshold");
    else
      say("in what was compared, B is not worse than A beyond the threshold");
    print_result(text);
  }
  return beyond ? ExitStatus::different : ExitStatus::done;
}

}  // namespace nucreg
