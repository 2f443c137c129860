#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/resume.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/run/status.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// A run says something each second. Network file systems show that up to half a minute late, and
// clocks of two machines differ: only what stays the same for this long is the end.
constexpr double dead_seconds = 60.0;
// On the host of the run its process can be asked for.
constexpr double dead_here_seconds = 3.0;
constexpr double pause_seconds = 1.0;

std::atomic<bool> leaving = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void leave(int) {
  leaving = true;
}

/// What the files say of the run, and for how long they have said the same.
class Watched {
 public:
  explicit Watched(RunFiles files) : files_(std::move(files)) {}

  /// Looks at the status again; nothing if there is none.
  const std::optional<RunStatus>& look() {
    auto status = RunStatus::read(files_.status);
    const double now = wall_seconds();
    const bool news = status.has_value() != status_.has_value() ||
                      (status && status->written_s != status_->written_s);
    if (!looked_ && status) {
      // At the first look only the clock shows how old it is.
      const double age =
          std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
              .count() -
          status->written_s;
      changed_ = now - std::max(0.0, age);
    } else if (news) {
      changed_ = now;
    }
    looked_ = true;
    status_ = std::move(status);
    return status_;
  }
  [[nodiscard]] double silent_seconds() const { return wall_seconds() - changed_; }
  /// Its root ran on this host and is no process of it any more.
  [[nodiscard]] bool root_gone() const {
    const RankStatus& root = status_->ranks.front();
    std::error_code error;
    return root.host == host_name() && !fs::exists(fmt::format("/proc/{}", root.pid), error);
  }
  [[nodiscard]] bool alive() const {
    return status_ && silent_seconds() < (root_gone() ? dead_here_seconds : dead_seconds);
  }
  [[nodiscard]] const RunFiles& files() const { return files_; }

 private:
  RunFiles files_;
  std::optional<RunStatus> status_;
  bool looked_ = false;
  double changed_ = 0.0;
};

/// Trials in the journal of a run that has ended, and in its job or part of it.
std::string journal_text(const JournalReader& journal, const std::string& file) {
  if (journal.identity().starts_with(map_identity_start))
    return fmt::format("{}: the map has not ended; what it found is kept\n", file);
  const auto trials = journal.stage(TrialStage::kind);
  if (!trials) {
    const bool of_images =
        parse_job_text(job_of_identity(journal.identity()), file).problem.source == Source::images;
    return fmt::format("{}: the run ended before its first trial{}\n", file,
                       of_images ? "; what it found in images is kept" : "");
  }
  const Plan plan = make_plan(parse_job_text(job_of_identity(trials->identity), file));
  const Part part = part_of_identity(trials->identity);
  std::vector<std::uint64_t> safe;  // not as many as the job claims: as many as are there
  static_cast<void>(journal.scan(
      [&](std::uint64_t task, int, std::uint64_t) {
        if (task < plan.tasks()) safe.push_back(task);
      },
      trials->number));
  std::ranges::sort(safe);
  safe.erase(std::unique(safe.begin(), safe.end()), safe.end());
  return fmt::format("{} of the {} trials of {} are safe in {}\n", count_text(safe.size()),
                     count_text(part.tasks(plan)), part.whole() ? "the job" : "part " + part.text(),
                     file);
}

std::string resume_noted_in(const JournalReader& journal) {
  for (const JournalReader::Note& note : journal.notes())
    if (note.kind == OpenJournal::resume_note) return note.text;
  return {};
}

struct Left {
  ExitStatus status = ExitStatus::done;
  std::string text;
};
void fields(auto& archive, MaybeConst<Left> auto& left) {
  archive(left.status, left.text);
}

/// Nobody is at work: what is there.
Left what_is_left(const RunFiles& files, const std::optional<RunStatus>& status) {
  const std::string output = files.output.string();
  // A map is written when it is complete.
  if (is_map(files.output)) return {ExitStatus::done, output + ": complete; nothing is running\n"};
  Left left{ExitStatus::stopped, {}};
  std::optional<Attributes> attributes;
  if (file_exists(files.output)) attributes = ResultReader(files.output).attributes();
  const bool complete = attributes && attributes->text("status") == "complete";
  if (attributes) {
    const auto count = [&](const char* name) {
      return count_text(static_cast<std::uint64_t>(attributes->count(name)));
    };
    left.text += fmt::format("{}: {}: {} of {} trials are done; nothing is running\n", output,
                             complete ? "complete" : "partial", count("trials_done"),
                             count("trials_planned"));
  }
  if (complete) return {ExitStatus::done, left.text};
  std::string resume = status ? status->resume : "";
  if (file_exists(files.journal)) {
    const JournalReader journal(files.journal);
    left.text += journal_text(journal, files.journal.string());
    if (resume.empty()) resume = resume_noted_in(journal);
  } else if (!attributes && !status) {
    throw InputError(
        "there is no such result, and no run of it",
        {.file = output, .allowed = "the output of a run: -o, or results/<job name>.h5"});
  }
  if (resume.empty()) {
    const Part part = attributes ? part_of(*attributes) : Part{};
    resume = fmt::format("nucreg run JOB.toml -o {}{} --resume", output,
                         part.whole() ? "" : " --part " + part.text());
  }
  left.text += fmt::format("to continue: {}\n", shown_line(resume));
  return left;
}

ExitStatus print_what_is_left(const RunFiles& files, const std::optional<RunStatus>& status) {
  const Left left =
      read_apart({files.output, files.journal}, [&] { return what_is_left(files, status); });
  if (file_exists(files.output)) warn_if_altered(files.output);
  print_result(left.text);
  return left.status;
}

ExitStatus print_dead(const Watched& watched, const RunStatus& status) {
  const RankStatus& root = status.ranks.front();
  print_result(fmt::format("{}: the run is dead: rank 0 (pid {} on {}) has not been heard for {}\n",
                           watched.files().output.string(), root.pid, root.host,
                           duration_text(watched.silent_seconds())));
  return print_what_is_left(watched.files(), status);
}

/// A terminal that gives keys at once and shows none, while it lives.
class Keys {
 public:
  Keys() {
    if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
  }
  ~Keys() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  /// Waits that long; whether the user wants to leave.
  [[nodiscard]] bool leave_within(double seconds) const {
    pollfd keyboard{.fd = changed_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    char key = 0;
    if (poll(&keyboard, 1, static_cast<int>(1000.0 * seconds)) > 0 &&
        (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q'))
      return true;
    return leaving;
  }

 private:
  termios before_{};
  bool changed_ = false;
};

/// Catches what ends a program, so that the terminal is left as it was.
class Leaving {
 public:
  Leaving() {
    struct sigaction action {};
    action.sa_handler = leave;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  }
};

std::size_t terminal_rows() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

std::string block_of(const Watched& watched, const RunStatus& status, std::size_t max_ranks) {
  // Lines are cut for the redraw; if there is no terminal nothing is lost.
  const std::size_t width =
      isatty(STDOUT_FILENO) != 0 ? static_cast<std::size_t>(output_width()) : std::string::npos;
  return watch_text(status, watched.silent_seconds(), width, max_ranks);
}

ExitStatus watch_live(Watched& watched) {
  constexpr std::size_t lines_beside_ranks = 8;
  const Leaving caught;
  const Keys keys;
  std::size_t shown_lines = 0;
  while (true) {
    // Copied: the status of a run that ends in between still names its command.
    const std::optional<RunStatus> status = watched.look();
    if (!watched.alive())
      return status ? print_dead(watched, *status) : print_what_is_left(watched.files(), status);
    const std::size_t rows = terminal_rows();
    const std::string block =
        block_of(watched, *status, rows > lines_beside_ranks ? rows - lines_beside_ranks : 1) +
        "q leaves; the run continues\n";
    print_result(block, shown_lines > 0 ? fmt::format("\x1b[{}A\r\x1b[J", shown_lines) : "");
    shown_lines = static_cast<std::size_t>(std::ranges::count(block, '\n'));
    if (keys.leave_within(pause_seconds)) return ExitStatus::done;
  }
}

ExitStatus watch_once(Watched& watched) {
  std::optional<RunStatus> status = watched.look();
  // What looks old may be the clock of another machine, a process that is gone one that has just
  // ended: a run that lives says something soon, one that ended removes its status.
  const auto in_doubt = [&] {
    return status && (watched.silent_seconds() < dead_here_seconds) == watched.root_gone();
  };
  for (int wait = 0; wait < 8 && in_doubt(); ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    status = watched.look();
  }
  if (!status) return print_what_is_left(watched.files(), status);
  if (!watched.alive()) return print_dead(watched, *status);
  print_result(block_of(watched, *status, status->ranks.size()));
  return ExitStatus::done;
}

}  // namespace

ExitStatus watch_command(const WatchCommand& command) {
  Watched watched{RunFiles(command.file)};
  return command.once || isatty(STDOUT_FILENO) == 0 || !terminal_redraws() ? watch_once(watched)
                                                                           : watch_live(watched);
}

}  // namespace nucreg
