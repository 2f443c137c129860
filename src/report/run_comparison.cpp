#include "nucreg/report/overview.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "nucreg/core/text.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string interval_text(const ConfidenceInterval& interval, auto&& number) {
  return std::isnan(interval.low) ? "-" : number(interval.low) + " to " + number(interval.high);
}

std::string arrivals(std::uint64_t arrived, std::uint64_t known) {
  return fmt::format("{} of {}", count_text(arrived), count_text(known));
}

std::string px_text(double value) {
  return number_text(std::abs(value) < rounding_px ? 0.0 : value);
}

}  // namespace

std::string to_text(std::span<const SolverChange> changes, double threshold, std::size_t width) {
  std::vector<TextColumn> speed{{"solver", false, 9}, {"time B/A", true, 8}, {"95 %", true, 7},
                                {"p", true, 1},       {"timed", true, 2},    {"speed", false, 6}};
  std::vector<TextColumn> results{
      {"solver", false, 9}, {"solves", true, 2},      {"same bits", true, 3}, {"better", true, 4},
      {"worse", true, 8},   {"RMSD B-A px", true, 7}, {"95 %", true, 6},      {"at most", true, 5}};
  std::vector<TextColumn> arrived{
      {"solver", false, 9}, {"arrived in A", true, 7}, {"in B", true, 8}, {"arrival", false, 6}};
  const auto put = [](std::vector<TextColumn>& table, const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < table.size(); ++i) table[i].cells.push_back(cells[i]);
  };
  for (const SolverChange& c : changes) {
    const ConfidenceInterval& interval = c.pair.interval;
    put(speed, {c.solver, number_text(c.pair.ratio), interval_text(interval, number_text),
                std::isnan(c.pair.speed_p) ? "-" : fmt::format("{:.1g}", c.pair.speed_p),
                count_text(c.pair.timed),
                !c.compared()         ? "not compared"
                : c.slower(threshold) ? "B slower"
                : interval.high < 1.0 ? "B faster"
                : interval.low > 1.0  ? "B slower, within the threshold"
                                      : "no difference"});
    if (c.pair.known > 0)
      put(arrived, {c.solver, arrivals(c.pair.arrived_b, c.pair.known),
                    arrivals(c.pair.arrived_a, c.pair.known),
                    c.arrives_less()                      ? "B arrives less often"
                    : c.pair.arrived_a > c.pair.arrived_b ? "B arrives more often"
                                                          : "no difference"});
    put(results,
        {c.solver, count_text(c.pair.trials), count_text(c.identical), count_text(c.pair.better_a),
         count_text(c.pair.better_b), px_text(c.rmsd_change_px),
         interval_text(c.rmsd_interval_px, px_text), px_text(c.largest_change_px)});
  }
  const std::string first =
      arrived.front().cells.empty() ? "" : render(std::move(arrived), width) + "\n";
  return first + render(std::move(speed), width) + "\n" + render(std::move(results), width);
}

std::string to_json(std::span<const SolverChange> changes, double threshold) {
  auto list = nlohmann::ordered_json::array();
  for (const SolverChange& c : changes)
    list.push_back({{"solver", c.solver},
                    {"solves", c.pair.trials},
                    {"timed", c.pair.timed},
                    {"compared", c.compared()},
                    {"time_ratio", c.pair.ratio},
                    {"time_ratio_low", c.pair.interval.low},
                    {"time_ratio_high", c.pair.interval.high},
                    {"time_p", c.pair.speed_p},
                    {"identical", c.identical},
                    {"arrival_known", c.pair.known},
                    {"arrived_a", c.pair.arrived_b},
                    {"arrived_b", c.pair.arrived_a},
                    {"better", c.pair.better_a},
                    {"worse", c.pair.better_b},
                    {"results_p", c.pair.arrival_p},
                    {"rmsd_change_px", c.rmsd_change_px},
                    {"rmsd_change_px_low", c.rmsd_interval_px.low},
                    {"rmsd_change_px_high", c.rmsd_interval_px.high},
                    {"largest_change_px", c.largest_change_px},
                    {"slower", c.slower(threshold)}});
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nucreg
