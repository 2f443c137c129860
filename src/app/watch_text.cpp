#include "nucreg/app/watch_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

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
  // Of what is shorter a look each second cannot tell.
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
  if (s.doing == "stopping") return fmt::format("each {} in hand may end", s.counting);
  const auto fresh = static_cast<double>(s.done - std::min(s.earlier, s.done));
  if (fresh == 0.0 || s.elapsed_s <= 0.0) return fmt::format("no {} is done yet", s.counting);
  const double rate = fresh / s.elapsed_s;
  const auto left = static_cast<double>(s.total - std::min(s.done, s.total));
  if (!s.counts_trials()) return fmt::format("{} left of this stage", duration_text(left / rate));
  return fmt::format("{} solves/s, {} left",
                     number_text(rate * static_cast<double>(s.solves_per_trial)),
                     duration_text(left / rate));
}

}  // namespace

std::string watch_text(const RunStatus& s, double silent_seconds, std::size_t width,
                       std::size_t most_ranks) {
  const double part =
      s.total == 0 ? 1.0 : static_cast<double>(s.done) / static_cast<double>(s.total);
  constexpr int bar = 24;
  const int full = static_cast<int>(std::clamp(part, 0.0, 1.0) * bar);
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{}{}: {} for {} on {}", s.job,
                              s.part == "1/1" ? "" : ", part " + s.part, s.doing,
                              duration_text(s.elapsed_s), counted(s.ranks.size(), "rank")));
  lines.push_back(fmt::format("[{:#<{}}{:.<{}}] {:5.1f} %  {} of {}{}", "", full, "", bar - full,
                              100.0 * part, count_text(s.done), counted(s.total, s.counting),
                              s.counts_trials() ? ", " + counted(s.failed, "failed solve") : ""));
  lines.push_back(time_text(s));
  if (silent_seconds > worth_a_word_seconds)
    lines.push_back(fmt::format("no news for {}", duration_text(silent_seconds)));
  lines.push_back(fmt::format("{:>4} {:<32} {:>11} {:>5} {:>6} {:>10} {:>11}  {}", "rank", "does",
                              "since", "cpu %", "busy %", "memory", s.counting + "s", "host"));
  const std::size_t shown = std::min(most_ranks, s.ranks.size());
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
