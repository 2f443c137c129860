// What the user sees during a run.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "nucreg/report/overview.hpp"
#include "nucreg/run/status.hpp"

namespace nucreg {

/// Whether a terminal can draw over what it shows: TERM is not "dumb".
[[nodiscard]] bool terminal_redraws();
/// Whether what is written to standard error reaches a terminal that redraws, also through mpirun,
/// which stands between its ranks and the terminal.
[[nodiscard]] bool error_is_terminal();
/// What a line on standard error begins with while a bar may be drawn: on a terminal it takes the
/// place of the bar, elsewhere it is nothing.
[[nodiscard]] std::string_view over_bar();
/// Writes to standard error, in place of a bar; what it does not take is lost, since there is no
/// other place to say so. Text from outside is made harmless (shown_text).
void print_error(const std::string& text);
template <class... Args>
void print_error(fmt::format_string<Args...> format, Args&&... args) {
  print_error(fmt::format(format, std::forward<Args>(args)...));
}
/// The variable COLUMNS where it is a number, else the columns of the terminal behind standard
/// output, or 80 if there is none.
[[nodiscard]] int output_width();
/// Whether the locale that the user set takes UTF-8.
[[nodiscard]] bool output_is_unicode();
/// How to lay out text for standard output.
[[nodiscard]] TextOptions terminal_text();

/// Writes to standard output and makes sure that it got there. Throws OutputError. Text from
/// outside is made harmless (shown_text); `before`: what moves the cursor of a terminal, written as
/// it is.
void print_result(const std::string& text, std::string_view before = {});

/// Draws a bar with `text` (ASCII) beside it on standard error, a terminal, over the one before;
/// where the terminal is narrow the bar is shorter, then missing, and then the text is cut.
void draw_bar(double part, const std::string& text, bool last);

/// One line about a stage: "finding nuclei: 12 of 96 tiles, 20.0 s left"; about trials
/// " 50.0 %  2,000 of 4,000 trials  12.0 s left  300 solves/s".
[[nodiscard]] std::string progress_text(const RunStatus& status);

/// Progress of a run, stage by stage: a bar that is redrawn on a terminal, else a line every
/// `line_seconds`, and one at the end of the trials.
class ProgressDisplay {
 public:
  ProgressDisplay(bool terminal, double line_seconds)
      : terminal_(terminal), line_seconds_(line_seconds) {}
  void show(const RunStatus& status);

 private:
  bool terminal_;
  double line_seconds_;
  std::string stage_;  // what next_line_ is of
  double next_line_ = 0.0;
};

/// A block of lines of at most `width` columns: progress, rate, time left, and a line for each of
/// the first `max_ranks` ranks. `silent_seconds`: since the run has last said anything.
[[nodiscard]] std::string watch_text(const RunStatus& status, double silent_seconds,
                                     std::size_t width, std::size_t max_ranks);

}  // namespace nucreg
