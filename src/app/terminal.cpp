#include "nucreg/app/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

// The file behind a descriptor of the process that the user started: under mpirun our parent, whose
// output ours is forwarded to, else ourselves.
std::string launcher_file(int descriptor) {
  const bool launched = std::getenv("OMPI_COMM_WORLD_RANK") != nullptr;
  const std::string process = launched ? std::to_string(getppid()) : "self";
  std::error_code error;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/fd/{}", process, descriptor), error)
      .string();
}

bool is_terminal_file(const std::string& file) {
  return file.starts_with("/dev/pts/") || file.starts_with("/dev/tty") ||
         file.starts_with("/dev/console");
}

// Columns of the terminal behind a descriptor; 80 if it is no terminal or does not know.
int columns_of(int descriptor) {
  const std::string file = launcher_file(descriptor);
  const int terminal =
      is_terminal_file(file) ? open(file.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
  if (terminal < 0) return 80;
  winsize size{};
  const bool known = ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  close(terminal);
  return known ? size.ws_col : 80;
}

// Whether all of it got there. fmt::print throws if standard error is closed, and a report of
// that would throw again.
bool write_to(std::FILE* stream, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
         std::fflush(stream) == 0;
}

}  // namespace

bool terminal_redraws() {
  const char* kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) != "dumb";
}

bool error_is_terminal() {
  return terminal_redraws() && is_terminal_file(launcher_file(STDERR_FILENO));
}

std::string_view over_bar() {
  static const bool terminal = error_is_terminal();
  return terminal ? "\r\x1b[K" : "";
}

int output_width() {
  if (const char* variable = std::getenv("COLUMNS")) {
    if (const int columns = parse_number<int>(variable).value_or(0); columns > 0) return columns;
  }
  return columns_of(STDOUT_FILENO);
}

bool output_is_unicode() {
  // As setlocale looks for it; the locale of the process itself stays "C".
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || *value == '\0') continue;
    std::string locale(value);
    std::ranges::transform(locale, locale.begin(), [](unsigned char c) { return std::tolower(c); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

TextOptions terminal_text() {
  return {.width = static_cast<std::size_t>(output_width()), .unicode = output_is_unicode()};
}

void print_error(const std::string& text) {
  write_to(stderr, std::string(over_bar()) + shown_text(text));
}

void print_result(const std::string& text, std::string_view before) {
  if (write_to(stdout, std::string(before) + shown_text(text))) return;
  throw OutputError(std::strerror(errno), {.file = "standard output"});
}

void draw_bar(double part, const std::string& text, bool last) {
  constexpr int widest = 24, narrowest = 8;
  // A line that wraps cannot be drawn over, nor can one whose last column is taken.
  const int columns = columns_of(STDERR_FILENO) - 1;
  const int width = std::min(widest, columns - static_cast<int>(text.size()) - 3);
  const int full = static_cast<int>(part * width);
  const std::string bar =
      width < narrowest ? "" : fmt::format("[{:#<{}}{:.<{}}] ", "", full, "", width - full);
  write_to(stderr, fmt::format("\r{:.{}}\x1b[K{}", bar + shown_line(text), std::max(columns, 0),
                               last ? "\n" : ""));
}

namespace {

/// Tasks of this run per second, those of earlier runs not counted.
double rate_of(const RunStatus& s) {
  return static_cast<double>(s.done - std::min(s.earlier, s.done)) / std::max(1e-9, s.elapsed_s);
}

double seconds_left(const RunStatus& s) {
  return static_cast<double>(s.total - std::min(s.done, s.total)) / rate_of(s);
}

// A heartbeat comes each second; network file systems show it some seconds late.
constexpr double worth_a_word_seconds = 5.0;

std::string task_text(const RunStatus& status, const RankNow& now) {
  if (now.lost) return "lost";
  if (!now.heard) return "starting";
  if (!now.task) return "waits";
  if (!status.counts_trials()) return fmt::format("{} {}", status.counting, *now.task);
  return fmt::format("configuration {} trial {}", *now.task / status.trials_per_configuration,
                     *now.task % status.trials_per_configuration);
}

std::string rank_line(const RunStatus& status, std::size_t number) {
  const RankStatus& rank = status.ranks[number];
  const RankNow& now = rank.now;
  const bool known = now.heard && !now.lost;
  // A look each second cannot measure what is shorter.
  constexpr double long_seconds = 3.0;
  return fmt::format(
      "{:>4} {:<32} {:>11} {:>5} {:>6} {:>10} {:>11}  {}", number, task_text(status, now),
      now.task && known && now.task_seconds >= long_seconds ? duration_text(now.task_seconds) : "-",
      known ? fmt::format("{:.0f}", now.cpu_percent) : "-",
      known ? fmt::format("{:.0f}", now.busy_percent) : "-",
      known ? bytes_text(static_cast<double>(now.rss_bytes)) : "-", count_text(now.tasks_done),
      rank.host);
}

std::string time_text(const RunStatus& s) {
  if (s.doing == "stopping") return fmt::format("each {} in progress may end", s.counting);
  if (s.done <= s.earlier || s.elapsed_s <= 0.0)
    return fmt::format("no {} is done yet", s.counting);
  if (!s.counts_trials())
    return fmt::format("{} left of this stage", duration_text(seconds_left(s)));
  return fmt::format("{} solves/s, {} left",
                     number_text(rate_of(s) * static_cast<double>(s.solves_per_trial)),
                     duration_text(seconds_left(s)));
}

// Nothing to do is all done.
double part_done(const RunStatus& s) {
  return s.total == 0 ? 1.0 : static_cast<double>(s.done) / static_cast<double>(s.total);
}

std::string trials_progress(const RunStatus& s) {
  // What matters least is last: a narrow terminal cuts it off.
  return fmt::format(
      "{:5.1f} %  {} of {}  {}{} solves/s", 100.0 * part_done(s), count_text(s.done),
      counted(s.total, s.counting),
      s.done == s.total     ? "took " + duration_text(s.elapsed_s) + "  "
      : s.done == s.earlier ? ""
                            : duration_text(seconds_left(s)) + " left  ",
      count_text(static_cast<std::uint64_t>(rate_of(s) * static_cast<double>(s.solves_per_trial))));
}

}  // namespace

std::string progress_text(const RunStatus& s) {
  if (s.counts_trials()) return trials_progress(s);
  const std::string text =
      fmt::format("{}: {} of {}", s.doing, count_text(s.done), counted(s.total, s.counting));
  if (s.done == s.total) return text + ", took " + duration_text(s.elapsed_s);
  if (s.done == s.earlier) return text;
  return text + ", " + duration_text(seconds_left(s)) + " left";
}

void ProgressDisplay::show(const RunStatus& s) {
  if (stage_ != s.counting) next_line_ = line_seconds_;
  stage_ = s.counting;
  const bool last = s.done == s.total;
  if (!terminal_ && (last ? !s.counts_trials() : s.elapsed_s < next_line_)) return;
  next_line_ = s.elapsed_s + line_seconds_;
  const std::string text = progress_text(s);
  if (terminal_)
    draw_bar(part_done(s), text, last);
  else if (s.counts_trials())
    log_info("{}", text);
  else
    print_error("nucreg: {}\n", text);
}

std::string watch_text(const RunStatus& s, double silent_seconds, std::size_t width,
                       std::size_t max_ranks) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{}{}: {} for {} on {}", s.job,
                              s.part == "1/1" ? "" : ", part " + s.part, s.doing,
                              duration_text(s.elapsed_s), counted(s.ranks.size(), "rank")));
  if (s.total > 0) {  // else the stage has not begun
    constexpr int bar = 24;
    const int full = static_cast<int>(std::clamp(part_done(s), 0.0, 1.0) * bar);
    lines.push_back(fmt::format("[{:#<{}}{:.<{}}] {:5.1f} %  {} of {}{}", "", full, "", bar - full,
                                100.0 * part_done(s), count_text(s.done),
                                counted(s.total, s.counting),
                                s.counts_trials() ? ", " + counted(s.failed, "failed solve") : ""));
  }
  lines.push_back(time_text(s));
  if (silent_seconds > worth_a_word_seconds)
    lines.push_back(fmt::format("no news for {}", duration_text(silent_seconds)));
  lines.push_back(fmt::format("{:>4} {:<32} {:>11} {:>5} {:>6} {:>10} {:>11}  {}", "rank", "does",
                              "since", "cpu %", "busy %", "memory", s.counting + "s", "host"));
  const std::size_t shown = std::min(max_ranks, s.ranks.size());
  for (std::size_t rank = 0; rank < shown; ++rank) lines.push_back(rank_line(s, rank));
  if (shown < s.ranks.size()) {
    double busy = 0.0, cpu = 0.0;
    std::size_t lost = 0;
    for (const RankStatus& rank : s.ranks) {
      busy += rank.now.busy_percent / static_cast<double>(s.ranks.size());
      cpu += rank.now.cpu_percent / static_cast<double>(s.ranks.size());
      lost += rank.now.lost ? 1 : 0;
    }
    lines.push_back(fmt::format("({} more; of all: {:.0f} % cpu, {:.0f} % busy, {} lost)",
                                s.ranks.size() - shown, cpu, busy, lost));
  }
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, width) + "\n";
  return text;
}

}  // namespace nucreg
