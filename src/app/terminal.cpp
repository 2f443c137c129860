#include "nucreg/app/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
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

// Columns of the terminal behind a descriptor; 80 where it does not tell, or is none.
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
    const std::string_view text(variable);
    int columns = 0;
    const auto end = std::from_chars(text.begin(), text.end(), columns);
    if (end.ec == std::errc() && end.ptr == text.end() && columns > 0) return columns;
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

void print_result(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
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
  fmt::print(stderr, "\r{:.{}}\x1b[K{}", bar + text, std::max(columns, 0), last ? "\n" : "");
  std::fflush(stderr);
}

std::string stage_text(const std::string& doing, const std::string& task, const Progress& p) {
  const std::string text =
      fmt::format("{}: {} of {}", doing, count_text(p.done), counted(p.total, task));
  if (p.done == p.total) return text + ", took " + duration_text(p.elapsed_seconds);
  if (p.done == 0) return text;
  const double left = static_cast<double>(p.total - p.done) / static_cast<double>(p.done);
  return text + ", " + duration_text(p.elapsed_seconds * left) + " left";
}

StageDisplay::StageDisplay(bool terminal, double line_seconds, std::string doing, std::string task)
    : terminal_(terminal),
      line_seconds_(line_seconds),
      doing_(std::move(doing)),
      task_(std::move(task)),
      next_line_(line_seconds) {}

void StageDisplay::show(const Progress& p) {
  const bool last = p.done == p.total;
  if (!terminal_ && (last || p.elapsed_seconds < next_line_)) return;
  next_line_ = p.elapsed_seconds + line_seconds_;
  const std::string text = stage_text(doing_, task_, p);
  if (terminal_)
    draw_bar(static_cast<double>(p.done) / static_cast<double>(p.total), text, last);
  else
    fmt::print(stderr, "nucreg: {}\n", text);
}

ProgressDisplay::ProgressDisplay(bool terminal, double line_seconds, std::uint64_t solves_per_task,
                                 std::uint64_t earlier)
    : terminal_(terminal),
      line_seconds_(line_seconds),
      solves_per_task_(solves_per_task),
      earlier_(earlier),
      next_line_(line_seconds) {}

void ProgressDisplay::show(const Progress& p) {
  const bool last = p.done == p.total;
  if (!terminal_ && !last && p.elapsed_seconds < next_line_) return;
  next_line_ = p.elapsed_seconds + line_seconds_;
  const double rate = static_cast<double>(p.done) / std::max(1e-9, p.elapsed_seconds);
  const double left = p.done == 0 ? 0.0 : static_cast<double>(p.total - p.done) / rate;
  const std::uint64_t done = p.done + earlier_, total = p.total + earlier_;
  const double part = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  // What matters least is last: a narrow terminal cuts it off.
  const std::string text = fmt::format(
      "{:5.1f} %  {} of {}  {}{} solves/s", 100.0 * part, count_text(done), counted(total, "trial"),
      last          ? "took " + duration_text(p.elapsed_seconds) + "  "
      : p.done == 0 ? ""
                    : duration_text(left) + " left  ",
      count_text(static_cast<std::uint64_t>(rate * static_cast<double>(solves_per_task_))));
  if (!terminal_) {
    log_info("{}", text);
    return;
  }
  draw_bar(part, text, last);
}

}  // namespace nucreg
