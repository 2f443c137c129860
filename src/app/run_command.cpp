#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <system_error>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/gather.hpp"
#include "nucreg/app/identity.hpp"
#include "nucreg/app/image_stages.hpp"
#include "nucreg/app/inputs.hpp"
#include "nucreg/app/launch_line.hpp"
#include "nucreg/app/run_files.hpp"
#include "nucreg/app/run_setup.hpp"
#include "nucreg/app/run_status.hpp"
#include "nucreg/app/stop_signal.hpp"
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
#include "nucreg/run/machine.hpp"
#include "nucreg/solve/record_bytes.hpp"
#include "nucreg/store/result_file.hpp"
#include "on_ranks.hpp"
#include "run_start.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

void load_runner(Loaded& loaded, const RunSetup& setup, int rank) {
  fill_counts(loaded.plan, setup.inputs);
  loaded.runner.emplace(loaded.job, loaded.plan, make_source(loaded.job, loaded.plan, setup.inputs),
                        make_solvers(loaded.job), rank,
                        setup.clock_trusted[static_cast<std::size_t>(rank)]);
}

std::size_t threads_per_rank(const Job& job) {
  return static_cast<std::size_t>(job.run.threads_per_rank);
}

// A worker that hangs outlives everything but what it shares.
Work work_of(std::shared_ptr<const Loaded> loaded) {
  return [loaded = std::move(loaded)](std::uint64_t task, Bytes& payload) {
    loaded->runner->run(task, payload);
  };
}

ExitStatus run_other_rank(Communicator& communicator) {
  try {
    Bytes bytes = receive_setup(communicator);
    for (; is_image_stage(bytes); bytes = receive_setup(communicator))
      serve_image_stage(communicator, bytes);
    const RunSetup setup = RunSetup::from_bytes(bytes);
    const int rank = communicator.rank();
    open_log(RunFiles(setup.output).log(rank), rank, host_name(), false);
    if (setup.build != build_identity())
      throw Error(ExitStatus::bug, fmt::format("rank {} runs another build than rank 0: {} and {}",
                                               rank, build_identity(), setup.build));
    const auto loaded = std::make_shared<Loaded>(Loaded{.job = parse_job_text(setup.job_toml)});
    loaded->plan = make_plan(loaded->job);
    load_runner(*loaded, setup, rank);
    try {
      serve(communicator, work_of(loaded), dispatch_options(loaded->job, loaded->plan));
    } catch (const RootLost& lost) {
      throw Error(lost.status(), fmt::format("{}; nucreg watch {} tells how to go on",
                                             lost.problem(), setup.output));
    }
    flush_log();
    return ExitStatus::done;
  } catch (const SetupRefused& refused) {
    return static_cast<ExitStatus>(refused.exit_status);
  }
}

void keep_warning(RunReport& report, std::string warning) {
  if (std::ranges::find(report.warnings, warning) == report.warnings.end())
    report.warnings.push_back(std::move(warning));
}

// To the log at once, and to the result file, where it is still seen in a year.
void warn(RunReport& report, std::string warning) {
  log_warning("{}", warning);
  keep_warning(report, std::move(warning));
}

// Of the runs that this one goes on with, and of looking into images: these were told already.
void keep_earlier_warnings(RunReport& report, const RunStart& start) {
  std::istringstream lines(start.journal.warnings);
  for (std::string line; std::getline(lines, line);) keep_warning(report, std::move(line));
  for (const std::string& warning : start.warnings) keep_warning(report, warning);
}

void log_machine(const std::vector<RankFacts>& facts, std::size_t threads, RunReport& report) {
  for (const RankFacts& rank : facts)
    log_info("rank {} on {} pid {} cpus {}", rank.rank, rank.host, rank.pid, cpu_list(rank.cpus));
  for (std::string& warning : machine_warnings(facts, threads)) warn(report, std::move(warning));
}

void show_result(const Overview& overview, const RunFiles& files, bool complete) {
  const std::string out = files.output.string();
  print_result(
      fmt::format("{}\n"
                  "result  {} ({})\nlogs    {}/\nnext    {}nucreg inspect {}\n"
                  "        nucreg export {} --to DIR\n",
                  to_text(overview, terminal_text()), out,
                  bytes_text(static_cast<double>(fs::file_size(files.output))), files.logs.string(),
                  complete ? "" : resume_command() + "\n        ", out, out));
}

// Prints the exception in flight.
ExitStatus tell_error() {
  try {
    throw;
  } catch (const Error& e) {
    fmt::print(stderr, "{}nucreg: {}\n", over_bar(), e.what());
    return e.status();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}nucreg: bug: {}\n", over_bar(), e.what());
    return ExitStatus::bug;
  }
}

void tell_how_to_go_on(const RunStart& start) {
  try {
    if (start.journal.keeper->put_back())
      fmt::print(stderr, "nucreg: the journal was removed; what it held has been put back\n");
    fmt::print(stderr,
               "nucreg: finished trials are safe in {}\n"
               "nucreg: to go on: {}\n",
               start.files.journal.string(), resume_command());
  } catch (const OutputError&) {
    static_cast<void>(tell_error());
  }
}

void warn_of_lost_ranks(RunReport& report, const Plan& plan) {
  for (const LostRank& rank : report.dispatch.lost)
    warn(report, fmt::format("rank {} on {} {}; its trials were run elsewhere: {}", rank.rank,
                             rank.host, rank.reason, trials_text(rank.tasks, plan)));
}

// Of no concern to the results, and so not kept with them.
void warn_of_idle_ranks(std::uint64_t ranks, std::uint64_t trials) {
  if (ranks > trials)
    log_warning("more ranks than trials: {} for {}, so that {} of them do nothing",
                counted(ranks, "rank"), counted(trials, "trial"), ranks - trials);
}

RunStatus first_status(const RunStart& start, const std::vector<RankFacts>& facts) {
  const Plan& plan = start.loaded->plan;
  RunStatus status{.job = start.loaded->job.job.name,
                   .part = start.part.text(),
                   .resume = resume_command(),
                   .doing = "running",
                   .trials_per_configuration = plan.trials,
                   .solves_per_trial = plan.solvers,
                   .done = start.journal.trials_done,
                   .total = start.part.tasks(plan),
                   .earlier = start.journal.trials_done,
                   .ranks = rank_statuses(facts)};
  return status;
}

// Counts the solves that failed, as results pass by.
class FailedSolves {
 public:
  explicit FailedSolves(std::size_t solvers) : rows_(solvers) {}
  void add(std::span<const std::byte> trial) {
    get_records(trial, rows_);
    count_ +=
        static_cast<std::uint64_t>(std::ranges::count(rows_, SolveStatus::failed, &Record::status));
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::vector<Record> rows_;
  std::uint64_t count_ = 0;
};

struct Ending {
  bool complete = false;
  RowFindings findings;
};

Ending run_and_write(Communicator& communicator, RunStart& start,
                     const std::vector<RankFacts>& facts, RunReport report) {
  const Job& job = start.loaded->job;
  const Plan& plan = start.loaded->plan;
  JournalWriter& journal = *start.journal.writer;
  ProgressDisplay display(error_is_terminal(), job.run.monitor_seconds, plan.solvers,
                          start.journal.trials_done);
  DispatchOptions options = dispatch_options(job, plan);
  if (!start.status)
    start.status = std::make_unique<StatusFile>(start.files.status, first_status(start, facts));
  const std::unique_ptr<StatusFile> owner = std::move(start.status);  // removed with the run
  StatusFile& status_file = *owner;
  status_file.change([&](RunStatus& status) { status = first_status(start, facts); });
  FailedSolves failed(plan.solvers);
  options.progress = [&](const Progress& progress) {
    display.show(progress);
    status_file.change([&](RunStatus& status) {
      status.done = status.earlier + progress.done;
      status.elapsed_s = progress.elapsed_seconds;
      status.failed = failed.count();
    });
  };
  options.watch = [&](const std::vector<RankNow>& ranks) {
    status_file.change([&](RunStatus& status) {
      for (std::size_t rank = 0; rank < ranks.size(); ++rank) status.ranks[rank].now = ranks[rank];
      if (stop_signal() != 0) status.doing = "stopping";
    });
  };
  options.sync = [&] { journal.sync(); };
  options.stop_requested = [&options] { return stop_told("trials", options); };
  options.abandoned = [&](std::uint64_t task, Bytes& payload) {
    start.loaded->runner->give_up(task, "given up: the ranks that ran this trial hung or died",
                                  payload);
    warn(report, fmt::format("{}: given up, its solves are recorded as failed",
                             trials_text(std::vector{TaskList::Block{task, 1}}, plan)));
  };
  report.dispatch = dispatch(
      communicator, task_list(job, plan, start.part, start.journal.done), work_of(start.loaded),
      [&](std::uint64_t task, int rank, std::span<const std::byte> payload) {
        journal.append(task, rank, payload);
        failed.add(payload);
      },
      facts, options);
  journal.sync();
  warn_of_lost_ranks(report, plan);
  status_file.change([](RunStatus& status) { status.doing = "writing the result file"; });
  WrittenResult written = write_result(start.files.output, start.journal.replace_output,
                                       JournalReader(start.files.journal), job, plan, report);
  remove_file(start.files.replaced);
  const std::uint64_t trials_planned = start.part.tasks(plan);
  const bool complete = written.trials_done == trials_planned;
  if (complete)
    remove_file(start.files.journal);
  else
    fmt::print(stderr, "{}nucreg: {} of {} trials are done; {} is partial\n", over_bar(),
               count_text(written.trials_done), count_text(trials_planned),
               start.files.output.string());
  return {complete, std::move(written.findings)};
}

ExitStatus run_root(Communicator& communicator, const RunCommand& command) {
  RunReport report{.created_utc = utc_now(),
                   .mpi_library = communicator.library(),
                   .mpi_ranks = communicator.size()};
  std::optional<RunStart> start;
  std::vector<RankFacts> facts;
  // All that can fail comes before the others begin: from then on they wait for tasks.
  try {
    start.emplace(start_run(communicator, command));
    if (!start->journal.writer) {
      refuse_setup(communicator, static_cast<int>(ExitStatus::done));
      fmt::print(stderr, "nucreg: {}: is complete, nothing is left to do\n",
                 start->files.output.string());
      show_result(make_overview(ResultReader(start->files.output)), start->files, true);
      return ExitStatus::done;
    }
    make_folder(start->files.logs);
    open_log(start->files.log(0), 0, host_name(), true, over_bar());
    report.inputs = describe_inputs(start->setup.inputs);
    report.part = start->part;
    report.images = std::move(start->images);
    report.trials_resumed = start->journal.trials_done;
    report.merged_from = start->journal.merged_from;
    keep_earlier_warnings(report, *start);
    facts = share_setup(communicator, [&](const std::vector<RankFacts>& all) {
      for (const RankFacts& rank : all)
        start->setup.clock_trusted.push_back(
            !oversubscribed(rank, all, threads_per_rank(start->loaded->job)));
      load_runner(*start->loaded, start->setup, 0);
      return start->setup.to_bytes();
    });
  } catch (...) {
    const ExitStatus status = tell_error();
    std::error_code ignored;
    if (start && start->journal.fresh) {
      fs::remove(start->files.journal, ignored);
      if (!fs::exists(start->files.output, ignored))
        fs::rename(start->files.replaced, start->files.output, ignored);
    }
    refuse_setup(communicator, static_cast<int>(status));
    return status;
  }
  log_machine(facts, threads_per_rank(start->loaded->job), report);
  const Plan& plan = start->loaded->plan;
  log_info("{}: {}, {}, {} on {}", start->loaded->job.job.name,
           counted(plan.configurations.size(), "configuration"), counted(plan.tasks(), "trial"),
           counted(plan.solves(), "solve"),
           counted(static_cast<std::uint64_t>(communicator.size()), "rank"));
  if (!start->part.whole())
    log_info("part {}: {} trials of these", start->part.text(),
             count_text(start->part.tasks(plan)));
  if (report.trials_resumed > 0)
    log_info("{} trials are done already", count_text(report.trials_resumed));
  warn_of_idle_ranks(facts.size(), start->part.tasks(plan) - report.trials_resumed);
  Ending ending;
  try {
    ending = run_and_write(communicator, *start, facts, std::move(report));
  } catch (...) {
    const ExitStatus status = tell_error();
    tell_how_to_go_on(*start);
    flush_log();
    return status;
  }
  ExitStatus status = ending.complete ? ExitStatus::done : ExitStatus::stopped;
  try {
    const Overview overview =
        make_overview(ResultReader(start->files.output), std::move(ending.findings));
    show_result(overview, start->files, ending.complete);
  } catch (...) {
    status = tell_error();
  }
  flush_log();
  return status;
}

// Another rank that throws leaves without a farewell: the root would wait for it for ever, and the
// launcher ends it instead.
ExitStatus run_rank(Communicator& communicator, const RunCommand& command) {
  if (communicator.rank() != 0) return run_other_rank(communicator);
  const ExitStatus status = run_root(communicator, command);
  // For scripts: mpirun tells no status with --enable-recovery.
  if (const char* file = std::getenv("NUCREG_STATUS_FILE"))
    std::ofstream(file) << static_cast<int>(status) << '\n';
  return status;
}

}  // namespace

ExitStatus run_command(const RunCommand& command) {
  return on_ranks([&](Communicator& communicator) { return run_rank(communicator, command); });
}

}  // namespace nucreg
