// What the user sees while a run goes on.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "nucreg/report/text.hpp"
#include "nucreg/run/dispatch.hpp"

namespace nucreg {

/// Whether a terminal can draw over what it shows: TERM is not "dumb".
[[nodiscard]] bool terminal_redraws();
/// Whether what is written to standard error reaches a terminal that redraws, also through mpirun,
/// which stands between its ranks and the terminal.
[[nodiscard]] bool error_is_terminal();
/// What a line on standard error begins with while a bar may be drawn: on a terminal it takes the
/// place of the bar, elsewhere it is nothing.
[[nodiscard]] std::string_view over_bar();
/// The variable COLUMNS where it is a number, else the columns of the terminal behind standard
/// output, or 80 where there is none.
[[nodiscard]] int output_width();
/// Whether the locale that the user set takes UTF-8.
[[nodiscard]] bool output_is_unicode();
/// How to lay out text for standard output.
[[nodiscard]] TextOptions terminal_text();

/// Writes to standard output and makes sure that it got there. Throws OutputError.
void print_result(const std::string& text);

/// Draws a bar with `text` (ASCII) beside it on standard error, a terminal, over the one before;
/// where the terminal is narrow the bar is shorter, then missing, and then the text is cut.
void draw_bar(double part, const std::string& text, bool last);

/// "finding nuclei: 12 of 96 tiles, 20.0 s left".
[[nodiscard]] std::string stage_text(const std::string& doing, const std::string& task,
                                     const Progress& progress);

/// Progress of what comes before trials, likewise: nothing at its end but a full bar.
class StageDisplay {
 public:
  /// `doing`, such as "finding nuclei"; a task is a `task`, such as "tile".
  StageDisplay(bool terminal, double line_seconds, std::string doing, std::string task);
  void show(const Progress& progress);

 private:
  bool terminal_;
  double line_seconds_;
  std::string doing_, task_;
  double next_line_;
};

/// Progress of a run: a bar that is redrawn on a terminal, else a line every `line_seconds`.
class ProgressDisplay {
 public:
  /// `earlier`: trials that other runs have done; they count as done, and in no rate.
  ProgressDisplay(bool terminal, double line_seconds, std::uint64_t solves_per_task,
                  std::uint64_t earlier);
  void show(const Progress& progress);

 private:
  bool terminal_;
  double line_seconds_;
  std::uint64_t solves_per_task_;
  std::uint64_t earlier_;
  double next_line_ = 0.0;
};

}  // namespace nucreg
