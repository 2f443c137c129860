// The command that runs a job.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/on_ranks.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/resume.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/run/launcher.hpp"
#include "nucreg/run/machine.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/tiles/find.hpp"
#include "nucreg/tiles/inputs.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// For compressing the result file; one thread reads the journal for them.
constexpr std::size_t max_writing_threads = 8;

// Parts of one job that run at the same time have outputs of their own.
fs::path default_output(const Job& job, const Part& part) {
  const std::string which =
      part.whole() ? "" : fmt::format(".part-{}-of-{}", part.number, part.count);
  return fs::path("results") / (job.job.name + which + ".h5");
}

fs::path image_cache_of(const RunFiles& files) {
  return fs::absolute(files.output).parent_path() / "image-cache";
}

Job job_of(const RunCommand& command, const SolverRegistry& registry) {
  Job job = parse_job(command.job, command.set);
  if (command.recommendation.empty()) return job;
  const Job recommended = parse_job(command.recommendation);
  check_solvers(registry, recommended);
  take_fit(job, recommended);
  return job;
}

/// Counts the solves that failed, as results pass by.
class FailedSolves {
 public:
  explicit FailedSolves(std::size_t solvers) : rows_(solvers) {}
  /// Those of one trial.
  [[nodiscard]] std::uint64_t in(std::span<const std::byte> trial) {
    get_records(trial, rows_);
    return static_cast<std::uint64_t>(
        std::ranges::count(rows_, SolveStatus::failed, &Record::status));
  }

 private:
  std::vector<Record> rows_;
};

/// The root's side of `nucreg run`.
class RunRoot {
 public:
  RunRoot(Stages& stages, const RunCommand& command, const SolverRegistry& registry)
      : stages_(stages),
        command_(command),
        registry_(registry),
        job_(job_of(command, registry)),
        part_(command.part.empty() ? Part{} : parse_part(command.part)),
        files_(command.output.empty() ? default_output(job_, part_) : command.output),
        build_(build_of(job_)),
        identity_(run_identity(build_, part_, "", to_toml(job_))),
        display_(error_is_terminal(), job_.run.monitor_seconds) {
    check_solvers(registry_, job_);
  }
  /// What fails before the first trial leaves no journal, unless there was one or the user stopped
  /// it.
  [[nodiscard]] ExitStatus run();

 private:
  void open_journal();
  void show_status(RunStatus status);
  void find_tiles();
  void prepare();
  void begin(const std::vector<RankFacts>& facts);
  [[nodiscard]] StageReport run_trials();
  [[nodiscard]] ExitStatus write(StageReport trials);
  void warn(const std::string& warning);
  void print_resume_hint() const;
  void print_complete() const;
  [[nodiscard]] std::string overview_text(const Overview& overview, bool complete) const;
  [[nodiscard]] std::size_t threads() const {
    return static_cast<std::size_t>(job_.run.threads_per_rank);
  }

  Stages& stages_;
  const RunCommand& command_;
  const SolverRegistry& registry_;
  Job job_;
  const Part part_;
  const RunFiles files_;
  const std::string build_;
  const std::string identity_;  // what is known before images are looked into
  ProgressDisplay display_;
  std::optional<OpenJournal> journal_;
  std::optional<StatusFile> status_;
  Plan plan_;
  std::vector<InputFile> inputs_;
  EarlierTrials earlier_;
  std::string trials_identity_;
  std::vector<int> host_cpus_;  // of all ranks here
  std::vector<Table> images_;
  bool begun_ = false;
  const std::string created_utc_ = utc_now();
};

ExitStatus RunRoot::run() {
  try {
    prepare();
    if (earlier_.complete) {
      print_complete();
      return ExitStatus::done;
    }
    return write(run_trials());
  } catch (...) {
    const ExitStatus status = print_exception();
    if (begun_)
      print_resume_hint();
    else if (status == ExitStatus::stopped)
      print_error("nucreg: to continue: {}\n", resume_command());
    else if (journal_)
      forget_journal(*journal_, files_);
    return status;
  }
}

/// All that can be refused before anything takes long: jobs, outputs, inputs, earlier runs.
void RunRoot::prepare() {
  std::vector<fs::path> read{command_.job, command_.recommendation};
  read.insert(read.end(), job_.problem.files.begin(), job_.problem.files.end());
  check_not_input(files_.output, read, "--output");
  compare_inputs(stages_, programs_of(job_));
  const bool of_images = job_.problem.source == Source::images;
  if (of_images) find_tiles();
  plan_ = make_plan(job_);
  check_part(part_, plan_);
  if (!of_images) inputs_ = read_inputs(job_);
  fill_counts(plan_, inputs_);
  check_problems(job_, plan_, inputs_);
  trials_identity_ = run_identity(build_, part_, describe_inputs(inputs_), to_toml(job_));
  if (command_.resume && output_is_complete(files_, trials_identity_)) {
    if (!journal_) wait_until_free(files_.journal);
    earlier_.complete = true;
  } else {
    if (!journal_) open_journal();
    if (command_.resume) earlier_ = earlier_trials(*journal_, files_, trials_identity_, plan_);
  }
  if (earlier_.complete) tidy_up(files_);
}

void RunRoot::open_journal() {
  journal_ = command_.resume ? resume_journal(files_, identity_, resume_command())
                             : begin_journal(files_, identity_, command_.force, resume_command());
  announce_journal(files_.journal);
  stages_.view().journal = journal_->writer.get();
  stages_.view().output = fs::absolute(files_.output);
  stages_.view().warn = [this](const std::string& warning) { warn(warning); };
  stages_.view().show = [this](const RunStatus& status) { display_.show(status); };
}

/// Makes the status file, with what it says first.
void RunRoot::show_status(RunStatus status) {
  if (!status_) {
    status.job = job_.job.name;
    status.part = part_.text();
    status.resume = resume_command();
    status.ranks = rank_statuses({this_rank_facts(0)});
    status_.emplace(files_.status, std::move(status));
  }
  stages_.view().status = &*status_;
}

/// What can be refused is, before images are looked into: that may take long.
void RunRoot::find_tiles() {
  if (command_.resume)
    wait_until_free(files_.journal);
  else
    check_begin(files_, command_.force);
  const Tiles tiles = list_tiles(job_);
  open_journal();
  show_status({.doing = "finding nuclei", .counting = "tile", .total = tiles.list.size()});
  FoundImages found =
      find_images(stages_, job_, tiles, image_cache_of(files_),
                  [](const std::string& line) { print_error("nucreg: {}\n", line); });
  job_ = with_pairs(std::move(job_), std::move(found.pairs));
  inputs_ = std::move(found.inputs);
  images_ = std::move(found.tables);
}

/// To the log at once, and to the result file, where it is still seen in a year.
void RunRoot::warn(const std::string& warning) {
  log_warning("{}", warning);
  journal_->warn(warning);
}

StageReport RunRoot::run_trials() {
  show_status({.doing = "starting"});
  status_->change([&](RunStatus& status) {
    status.trials_per_configuration = plan_.trials;
    status.solves_per_trial = plan_.solvers;
  });
  FailedSolves failed(plan_.solvers);
  return stages_.run(
      [&](const std::vector<RankFacts>& facts) {
        // Ranks of another build have been refused: from here on something is left of this run.
        make_folder(files_.logs);
        open_log(files_.log(0), 0, host_name(), true, over_bar());
        TrialSetup setup{.job_toml = to_toml(job_),
                         .output = fs::absolute(files_.output).string(),
                         .inputs = inputs_};
        for (const bool crowded : oversubscribed(facts, threads()))
          setup.clock_trusted.push_back(!crowded);
        return std::make_shared<const TrialStage>(std::move(setup), registry_, 0, part_,
                                                  trials_identity_);
      },
      [&](std::uint64_t, int, std::span<const std::byte> result) {
        const std::uint64_t more = failed.in(result);
        if (more > 0) status_->change([&](RunStatus& status) { status.failed += more; });
      },
      {.last = true, .done = earlier_.done, .begin = [&](const std::vector<RankFacts>& facts) {
         begin(facts);
       }});
}

void RunRoot::begin(const std::vector<RankFacts>& facts) {
  begun_ = true;
  host_cpus_ = root_host_cpus(facts);
  for (const RankFacts& rank : facts)
    log_info("rank {} on {} pid {} cpus {}", rank.rank, rank.host, rank.pid, cpu_list(rank.cpus));
  for (const std::string& warning : machine_warnings(facts, threads())) warn(warning);
  log_info("{}: {}, {}, {} on {}", job_.job.name,
           counted(plan_.configurations.size(), "configuration"), counted(plan_.tasks(), "trial"),
           counted(plan_.solves(), "solve"), counted(facts.size(), "rank"));
  const std::uint64_t trials = part_.tasks(plan_);
  if (!part_.whole()) log_info("part {}: {} trials of these", part_.text(), count_text(trials));
  if (earlier_.count > 0) log_info("{} trials are done already", count_text(earlier_.count));
  // Does not affect results, so it is not kept with them.
  const std::uint64_t left = trials - earlier_.count;
  if (facts.size() > left)
    log_warning("more ranks than trials: {} for {}, so that {} of them do nothing",
                counted(facts.size(), "rank"), counted(left, "trial"), facts.size() - left);
}

ExitStatus RunRoot::write(StageReport trials) {
  journal_->writer->sync();
  status_->change([](RunStatus& status) { status.doing = "writing the result file"; });
  const RunReport report{.created_utc = created_utc_,
                         .build = build_,
                         .mpi_library = stages_.communicator().library(),
                         .mpi_ranks = stages_.communicator().size(),
                         .inputs = describe_inputs(inputs_),
                         .part = part_,
                         .trials_resumed = earlier_.count,
                         .merged_from = earlier_.merged_from,
                         .warnings = journal_->warnings,
                         .dispatch = std::move(trials.dispatch),
                         .images = std::move(images_)};
  // The other ranks have left: what they ran on may help.
  const OnProcessors all_here(host_cpus_);
  WrittenResult written =
      write_result(files_.output, earlier_.replace_output, JournalReader(files_.journal), registry_,
                   job_, plan_, report, std::min(host_cpus_.size(), max_writing_threads));
  remove_file(files_.replaced);
  const std::uint64_t planned = part_.tasks(plan_);
  const bool complete = written.trials_done == planned;
  if (complete)
    remove_file(files_.journal);
  else
    print_error("nucreg: {} of {} trials are done; {} is partial\n",
                count_text(written.trials_done), count_text(planned), files_.output.string());
  status_.reset();
  try {
    print_result(overview_text(
        make_overview(ResultReader(files_.output), std::move(written.findings)), complete));
  } catch (...) {
    return print_exception();
  }
  return complete ? ExitStatus::done : ExitStatus::stopped;
}

std::string RunRoot::overview_text(const Overview& overview, bool complete) const {
  const std::string out = files_.output.string();
  return fmt::format(
      "{}\n"
      "result  {} ({})\nlogs    {}/\nnext    {}nucreg inspect {}\n"
      "        nucreg report {}\n        nucreg export {} --to DIR\n",
      to_text(overview, terminal_text()), out,
      bytes_text(static_cast<double>(fs::file_size(files_.output))), files_.logs.string(),
      complete ? "" : resume_command() + "\n        ", out, out, out);
}

void RunRoot::print_complete() const {
  print_error("nucreg: {}: is complete, nothing is left to do\n", files_.output.string());
  warn_if_altered(files_.output);
  print_result(read_apart({files_.output}, [&] {
    return overview_text(make_overview(ResultReader(files_.output)), true);
  }));
}

void RunRoot::print_resume_hint() const {
  try {
    if (journal_->keeper->put_back())
      print_error("nucreg: the journal was removed; what it held has been put back\n");
    print_error(
        "nucreg: finished trials are safe in {}\n"
        "nucreg: to continue: {}\n",
        files_.journal.string(), resume_command());
  } catch (const OutputError&) {
    print_exception();
  }
}

}  // namespace

ExitStatus run_command(const RunCommand& command, const SolverRegistry& registry) {
  return on_ranks(registry,
                  [&](Stages& stages) { return RunRoot(stages, command, registry).run(); });
}

}  // namespace nucreg
