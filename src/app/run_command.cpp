#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/gather.hpp"
#include "nucreg/app/inputs.hpp"
#include "nucreg/app/run_setup.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/app/trial_runner.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/report/text.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// The files of a run, all beside its output.
struct RunFiles {
  fs::path output, journal, logs;

  explicit RunFiles(const fs::path& out)
      : output(out), journal(out.string() + ".journal"), logs(out.string() + ".logs") {}
  [[nodiscard]] fs::path log(int rank) const { return logs / fmt::format("rank-{:04}.log", rank); }
};

bool is_there(const fs::path& file) {
  std::error_code error;
  const bool found = fs::exists(file, error);
  if (error) throw OutputError(error.message(), {.file = file.string()});
  return found;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error) throw OutputError(error.message(), {.file = folder.string()});
}

// Makes room for the output; refuses to lose what an earlier run left.
void prepare_files(const RunFiles& files, bool force) {
  const auto refuse = [&](const fs::path& file, const char* what) {
    throw OutputError(what, {.file = file.string(),
                             .allowed = "--force to overwrite it, or another output with -o"});
  };
  const bool output_there = is_there(files.output);
  if (output_there && !fs::is_regular_file(files.output))
    throw OutputError("is there and is no file",
                      {.file = files.output.string(), .allowed = "another output with -o"});
  if (!force && output_there) refuse(files.output, "exists already");
  if (!force && is_there(files.journal))
    refuse(files.journal, "is the journal of a run that did not end");
  std::error_code error;
  fs::remove(files.journal, error);
  if (error && error != std::errc::not_a_directory)
    throw OutputError(error.message(), {.file = files.journal.string()});
  make_folder(files.output.parent_path());
}

// A job in hand, on whichever rank.
struct Loaded {
  Job job;
  Plan plan;
  std::optional<TrialRunner> runner;
};

void load_runner(Loaded& loaded, const RunSetup& setup, int rank) {
  fill_counts(loaded.plan, setup.inputs);
  loaded.runner.emplace(loaded.job, loaded.plan, make_source(loaded.job, loaded.plan, setup.inputs),
                        make_solvers(loaded.job), rank,
                        setup.clock_trusted[static_cast<std::size_t>(rank)]);
}

Work work_of(const Loaded& loaded) {
  return [&loaded](std::uint64_t task, Bytes& payload) { loaded.runner->run(task, payload); };
}

ExitStatus run_other_rank(Communicator& communicator) {
  try {
    const RunSetup setup = RunSetup::from_bytes(receive_setup(communicator));
    const int rank = communicator.rank();
    open_log(RunFiles(setup.output).log(rank), rank, host_name(), false);
    if (setup.build != build_identity())
      throw Error(ExitStatus::bug, fmt::format("rank {} runs another build than rank 0: {} and {}",
                                               rank, build_identity(), setup.build));
    Loaded loaded{.job = parse_job_text(setup.job_toml)};
    loaded.plan = make_plan(loaded.job);
    load_runner(loaded, setup, rank);
    serve(communicator, work_of(loaded),
          {.monitor_seconds = loaded.job.run.monitor_seconds,
           .solves_per_task = loaded.plan.solvers});
    flush_log();
    return ExitStatus::done;
  } catch (const SetupRefused& refused) {
    return static_cast<ExitStatus>(refused.exit_status);
  }
}

void log_machine(const std::vector<RankFacts>& facts) {
  bool crowded = false;
  for (const RankFacts& rank : facts) {
    log_info("rank {} on {} pid {} cpus {}", rank.rank, rank.host, rank.pid, cpu_list(rank.cpus));
    crowded = crowded || oversubscribed(rank, facts);
  }
  if (crowded)
    log_warning(
        "more ranks than processors: no timing of this run is valid (timing_valid = false)");
}

void show_result(const RunFiles& files) {
  const Overview overview = make_overview(ResultReader(files.output));
  fmt::print("{}\n", to_text(overview, {.width = static_cast<std::size_t>(output_width())}));
  const std::string out = files.output.string();
  fmt::print(
      "result  {} ({})\nlogs    {}/\nnext    nucreg inspect {}\n"
      "        nucreg export {} --to DIR\n",
      out, bytes_text(static_cast<double>(fs::file_size(files.output))), files.logs.string(), out,
      out);
}

// Everything that can be wrong before the first task, on the root alone.
struct Start {
  Loaded loaded;
  RunFiles files;
  RunSetup setup;
};

Start start_of(const RunCommand& command) {
  Loaded loaded{.job = parse_job(command.job, command.set)};
  loaded.plan = make_plan(loaded.job);
  static_cast<void>(make_solvers(loaded.job));
  RunSetup setup{.job_toml = to_toml(loaded.job), .build = build_identity()};
  setup.inputs = read_inputs(loaded.job);
  static_cast<void>(make_source(loaded.job, loaded.plan, setup.inputs));
  RunFiles files(command.output.empty() ? fs::path("results") / (loaded.job.job.name + ".h5")
                                        : command.output);
  prepare_files(files, command.force);
  setup.output = fs::absolute(files.output).string();
  return {std::move(loaded), std::move(files), std::move(setup)};
}

ExitStatus run_root(Communicator& communicator, const RunCommand& command) {
  RunReport report{.created_utc = utc_now(),
                   .mpi_library = communicator.library(),
                   .mpi_ranks = communicator.size()};
  std::optional<Start> start;
  std::optional<JournalWriter> journal;
  std::vector<RankFacts> facts;
  // All that can fail comes before the others begin: from then on they wait for tasks.
  const auto refuse = [&](ExitStatus status) {
    std::error_code ignored;
    if (journal) fs::remove(start->files.journal, ignored);
    refuse_setup(communicator, static_cast<int>(status));
  };
  try {
    start.emplace(start_of(command));
    const RunFiles& made = start->files;
    // The journal first: where it cannot be written, nothing is left behind.
    journal.emplace(made.journal, start->setup.build + "\n" + start->setup.job_toml);
    make_folder(made.logs);
    open_log(made.log(0), 0, host_name(), true);
    facts = share_setup(communicator, [&](const std::vector<RankFacts>& all) {
      for (const RankFacts& rank : all)
        start->setup.clock_trusted.push_back(!oversubscribed(rank, all));
      load_runner(start->loaded, start->setup, 0);
      return start->setup.to_bytes();
    });
  } catch (const Error& e) {
    refuse(e.status());
    throw;
  } catch (...) {
    refuse(ExitStatus::bug);
    throw;
  }
  Loaded& loaded = start->loaded;
  const RunFiles& files = start->files;
  log_machine(facts);
  log_info("{}: {} configurations, {} trials, {} solves on {} rank(s)", loaded.job.job.name,
           loaded.plan.configurations.size(), count_text(loaded.plan.tasks()),
           count_text(loaded.plan.solves()), communicator.size());

  ProgressDisplay display(error_is_terminal(), loaded.job.run.monitor_seconds, loaded.plan.solvers);
  report.dispatch =
      dispatch(communicator, task_list(loaded.job, loaded.plan), work_of(loaded),
               [&](std::uint64_t task, int rank, std::span<const std::byte> payload) {
                 journal->append(task, rank, payload);
               },
               facts,
               {.monitor_seconds = loaded.job.run.monitor_seconds,
                .solves_per_task = loaded.plan.solvers,
                .progress = [&](const Progress& progress) { display.show(progress); }});
  journal->sync();
  write_result(files.output, command.force, JournalReader(files.journal), loaded.job, loaded.plan,
               report);
  fs::remove(files.journal);
  show_result(files);
  flush_log();
  return ExitStatus::done;
}

// Errors of the root are told here, while the other ranks are still in order and MPI can be left in
// order. Another rank that throws leaves without a farewell: the root would wait for it for ever,
// and the launcher ends it instead.
ExitStatus run_rank(Communicator& communicator, const RunCommand& command) {
  if (communicator.rank() != 0) return run_other_rank(communicator);
  try {
    return run_root(communicator, command);
  } catch (const Error& e) {
    fmt::print(stderr, "nucreg: {}\n", e.what());
    return e.status();
  } catch (const std::exception& e) {
    fmt::print(stderr, "nucreg: bug: {}\n", e.what());
    return ExitStatus::bug;
  }
}

}  // namespace

ExitStatus run_command(const RunCommand& command) {
  ExitStatus status = ExitStatus::bug;
  if (started_by_launcher()) {
    MpiSession session;
    status = run_rank(session.communicator(), command);
  } else {
    run_local(1, [&](Communicator& communicator) { status = run_rank(communicator, command); });
  }
  return status;
}

}  // namespace nucreg
