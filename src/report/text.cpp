#include "nucreg/report/overview.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "nucreg/core/text.hpp"
#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/samples.hpp"
#include "nucreg/stats/verdict.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string finding_text(const PairStatistics& pair) {
  std::string text;
  switch (pair.finding) {
    case SpeedFinding::faster:
      text = pair.faster == Side::a ? "faster" : "slower";
      break;
    case SpeedFinding::same:
      text = "no difference";
      break;
    case SpeedFinding::undecided:
      text = pair.lacks_timings() ? "timings not valid"
             : pair.more_trials == 0
                 ? "unclear"
                 : fmt::format("{} more would tell", count_text(pair.more_trials));
      break;
    case SpeedFinding::mixed:
      text = "faster, but costs more";
      break;
    case SpeedFinding::neither:
      text = "neither arrives";
      break;
    case SpeedFinding::incomparable:
      text = "no times";
      break;
  }
  if (pair.arrives == Side::neither) return text;
  const char* const what = pair.known > 0 ? "arrives" : "fits";
  return fmt::format("{}, {} {}", text, what,
                     pair.known > 0 ? (pair.arrives == Side::a ? "more often" : "less often")
                                    : (pair.arrives == Side::a ? "better" : "worse"));
}

/// What a partial result does not speak of.
std::string partial_note(const Overview& view) {
  const std::int64_t planned = view.attributes.count("trials_planned");
  const std::int64_t done = view.attributes.count("trials_done");
  if (done >= planned || planned <= 0) return {};
  const auto& configuration = view.summary.get<std::int64_t>("configuration");
  std::vector<bool> present(view.configurations.rows());
  for (const std::int64_t c : configuration)
    if (c >= 0 && static_cast<std::size_t>(c) < present.size())
      present[static_cast<std::size_t>(c)] = true;
  std::string absent;
  for (const std::string& axis : varying_axes(view.configurations)) {
    std::map<std::string, bool> values;  // whether any configuration with it has trials
    for (std::size_t row = 0; row < present.size(); ++row)
      values[axis_text(view.configurations, axis, row)] |= present[row];
    for (const auto& [value, there] : values)
      if (!there) absent += fmt::format("{}{} = {}", absent.empty() ? "" : ", ", axis, value);
  }
  const auto some = static_cast<std::uint64_t>(std::ranges::count(present, true));
  std::string text = fmt::format("partial result: {:.0f} % of the trials, from {} of {}",
                                 100.0 * static_cast<double>(done) / static_cast<double>(planned),
                                 count_text(some), counted(present.size(), "configuration"));
  if (!absent.empty()) text += "; nothing is known of " + absent;
  return text + ". What follows speaks of these only";
}

bool declared(const PairStatistics& pair) {
  return pair.faster != Side::neither || pair.arrives != Side::neither;
}

std::string arrivals_cell(const PairStatistics& pair) {
  if (pair.known == 0) return "-";
  return fmt::format("{}:{} of {}", pair.arrived_a, pair.arrived_b, pair.known);
}

/// The best solver of a region and the next one, a being the best. Where neither was declared
/// better, the one whose times look shorter.
PairStatistics leading_pair(const Comparison& comparison, const Region& region) {
  const Leaders lead = leaders(comparison, region);
  const PairStatistics& pair = pair_of(comparison, region, lead.best, lead.second);
  const bool by_ratio = !declared(pair) && !std::isnan(pair.ratio);
  const std::size_t first = !by_ratio ? lead.best : pair.ratio <= 1.0 ? pair.a : pair.b;
  return pair.a == first ? pair : mirrored(pair);
}

/// The verdict in words, where it flips, what to bear in mind, and a row per region: the best
/// solver, how much faster than the next, with a bar.
std::string verdict_text(const Overview& view, const TextOptions& options) {
  std::string text = "verdict\n";
  const auto line = [&](const std::string& words) { text += wrapped(words, options.width) + "\n"; };
  const Verdict verdict = make_verdict(view.comparison);
  if (const std::string partial = partial_note(view); !partial.empty()) line(partial);
  for (const std::string& sentence : verdict.sentences) line(sentence);
  for (const std::string& flip : verdict.flips) line("but where " + flip);
  for (const std::string& fit : verdict.fits) line(fit);
  for (const std::string& note : verdict.notes) line("(" + note + ")");
  if (!verdict.more.empty()) line("trials enough to tell: run again with " + verdict.more);
  if (view.comparison.solvers.size() < 2) return text;

  constexpr std::size_t bar_width = 8;
  std::vector<TextColumn> columns{
      {"where", false, 11},  {"best", false, 10}, {"against", false, 9}, {"arrive", true, 8},
      {"x faster", true, 8}, {"95 %", true, 6},   {"", false, 5},        {"in total", true, 5},
      {"p", true, 4},        {"trials", true, 2}, {"finding", false, 7}};
  std::vector<PairStatistics> shown;
  double largest = 0.0;  // logarithm of a factor
  for (const Region& region : view.comparison.regions) {
    if (region.scope > Region::Scope::axis) continue;
    const PairStatistics pair = leading_pair(view.comparison, region);
    const bool nobody = pair.finding == SpeedFinding::neither && pair.arrives == Side::neither;
    columns[0].cells.push_back(region_name(region));
    columns[1].cells.push_back(nobody ? "neither arrives" : view.comparison.labels[pair.a]);
    columns[2].cells.push_back(nobody ? "-" : view.comparison.labels[pair.b]);
    if (!std::isnan(pair.ratio)) largest = std::max(largest, -std::log(pair.ratio));
    shown.push_back(pair);
  }
  bool brackets = false;
  for (const PairStatistics& pair : shown) {
    const bool doubtful = !declared(pair) && !std::isnan(pair.ratio);
    const std::string interval =
        std::isnan(pair.interval.low)
            ? "-"
            : fmt::format("{:.3g} to {:.3g}", 1.0 / pair.interval.high, 1.0 / pair.interval.low);
    const bool silent = pair.finding == SpeedFinding::neither;  // times of failures mean nothing
    const std::vector<std::string> cells{
        arrivals_cell(pair),
        silent     ? "-"
        : doubtful ? fmt::format("({})", number_text(1.0 / pair.ratio))
                   : number_text(1.0 / pair.ratio),
        silent ? "-" : interval,
        largest > 0.0 && !silent ? bar(-std::log(pair.ratio) / largest, bar_width, options.unicode)
                                 : "",
        silent ? "-" : number_text(1.0 / pair.total_ratio),
        silent || std::isnan(pair.speed_p_holm) ? "-" : fmt::format("{:.1g}", pair.speed_p_holm),
        count_text(pair.timed),
        finding_text(pair)};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[3 + i].cells.push_back(cells[i]);
    brackets = brackets || (doubtful && !silent);
  }
  if (std::ranges::all_of(shown, [](const PairStatistics& pair) { return pair.known == 0; }))
    columns.erase(columns.begin() + 3);
  text += "\n" + render(std::move(columns), options.width);
  if (brackets) text += wrapped("(a factor in brackets may be chance)", options.width) + "\n";
  return text;
}

/// What a partial file lacks, by configuration; empty if it lacks nothing.
std::string missing_trials(const Overview& view) {
  const std::int64_t planned = view.attributes.count("trials_planned"),
                     done = view.attributes.count("trials_done");
  if (done >= planned) return {};
  std::string text = fmt::format("missing: {} trials", count_text(planned - done));
  const auto configurations = static_cast<std::int64_t>(view.configurations.rows());
  // A part has its own share of each configuration, which the file does not hold.
  if (configurations == 0 || view.attributes.contains("part")) return text;
  std::vector<std::int64_t> lacking(configurations, planned / configurations);
  const auto& configuration = view.summary.get<std::int64_t>("configuration");
  const auto& solver = view.summary.get<std::int64_t>("solver");
  const auto& count = view.summary.get<std::int64_t>("count");
  for (std::size_t row = 0; row < view.summary.rows(); ++row)
    if (solver[row] == 0 && configuration[row] >= 0 && configuration[row] < configurations)
      lacking[configuration[row]] -= count[row];
  constexpr int most = 8;
  int shown = 0, more = 0;
  std::string list;
  for (std::int64_t c = 0; c < configurations; ++c) {
    if (lacking[c] <= 0) continue;
    if (++shown > most) {
      ++more;
      continue;
    }
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", c, count_text(lacking[c]));
  }
  if (list.empty()) return text;
  return text + " of configurations " + list + (more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string heading(const Overview& view, std::size_t width) {
  const auto a = [&](const char* name) { return shown_line(view.attributes.shown(name)); };
  std::string text;
  for (const std::string& line :
       {fmt::format("job {}, seed {}{}: {}, {} of {} trials", a("job_name"), a("seed"),
                    view.attributes.contains("part") ? ", part " + a("part") : "", a("status"),
                    a("trials_done"), a("trials_planned")),
        fmt::format(
            "{}, {}, {} on {}", counted(view.configurations.rows(), "configuration"),
            counted(view.solvers.rows(), "solver"), counted(view.records, "solve"),
            counted(static_cast<std::uint64_t>(view.attributes.count("mpi_ranks")), "rank")),
        fmt::format("{}, nucreg {} ({})", a("created_utc"), a("nucreg_version"), a("git_revision")),
        a("cpu_model")})
    text += wrapped(line, width) + "\n";
  text += warnings_text(view.attributes.text("warnings"), width);
  const std::string missing = missing_trials(view);
  return text + (missing.empty() ? "" : wrapped(missing, width) + "\n");
}

/// Rows of /summary that are shown as one: equal labels, one solver.
struct Group {
  std::vector<std::string> labels;
  std::size_t solver = 0;
  std::vector<std::size_t> rows;  // of /summary
};

/// As many leading axes as keep the number of different labels within `most`.
std::vector<std::string> shown_axes(const Overview& view, std::size_t most) {
  std::vector<std::string> axes = varying_axes(view.configurations);
  // Numbers of different models and losses have no median: these axes stay the longest.
  std::stable_partition(axes.begin(), axes.end(),
                        [](const std::string& axis) { return axis == "model" || axis == "loss"; });
  while (!axes.empty()) {
    std::map<std::vector<std::string>, int> different;
    for (std::size_t row = 0; row < view.configurations.rows(); ++row) {
      std::vector<std::string> labels;
      for (const auto& axis : axes) labels.push_back(axis_text(view.configurations, axis, row));
      different[labels] = 1;
    }
    if (different.size() <= most) break;
    axes.pop_back();
  }
  return axes;
}

std::vector<Group> group_rows(const Overview& view, const std::vector<std::string>& axes) {
  const auto& configuration = view.summary.get<std::int64_t>("configuration");
  const auto& solver = view.summary.get<std::int64_t>("solver");
  std::vector<Group> groups;  // in the order of their first row
  std::map<std::pair<std::vector<std::string>, std::int64_t>, std::size_t> place;
  for (std::size_t row = 0; row < view.summary.rows(); ++row) {
    const auto c = static_cast<std::uint64_t>(configuration[row]);
    const auto s = static_cast<std::uint64_t>(solver[row]);
    if (c >= view.configurations.rows() || s >= view.solvers.rows())
      throw InputError(fmt::format("row {} names what is not in the file", row),
                       {.key = "/summary"});
    std::vector<std::string> labels;
    for (const auto& axis : axes) labels.push_back(axis_text(view.configurations, axis, c));
    const auto [at, added] = place.try_emplace({labels, solver[row]}, groups.size());
    if (added) groups.push_back({labels, s, {}});
    groups[at->second].rows.push_back(row);
  }
  return groups;
}

double median_of(const Overview& view, std::span<const std::size_t> rows,
                 const std::string& column) {
  const auto& all = view.summary.get<double>(column);
  std::vector<double> values;
  for (const std::size_t row : rows) values.push_back(all[row]);
  return median(std::move(values));
}

/// Median time of a solve: over the rows with a valid timing, or over all if none has one.
struct Time {
  double seconds = 0.0;
  bool valid = true;
};

Time time_of(const Overview& view, const Group& group) {
  const auto& valid = view.summary.get<std::int64_t>("timing_valid");
  std::vector<std::size_t> timed;
  for (const std::size_t row : group.rows)
    if (valid[row] > 0) timed.push_back(row);
  const Time time{.valid = !timed.empty()};
  return {median_of(view, time.valid ? timed : group.rows, "wall_s_median"), time.valid};
}

std::int64_t sum_of(const Overview& view, const Group& group, const std::string& column) {
  std::int64_t sum = 0;
  for (const std::size_t row : group.rows) sum += view.summary.get<std::int64_t>(column)[row];
  return sum;
}

/// Files of nucreg 0.1 and pairs without a truth do not say who arrived.
bool arrival_is_known(const Overview& view) {
  if (!view.summary.find("arrival_known")) return false;
  return std::ranges::any_of(view.summary.get<std::int64_t>("arrival_known"),
                             [](std::int64_t known) { return known > 0; });
}

std::string solver_table(const Overview& view, const TextOptions& options) {
  const std::vector<std::string> axes = shown_axes(view, options.max_configurations);
  const bool grouped = axes.size() < varying_axes(view.configurations).size();
  const std::vector<Group> groups = group_rows(view, axes);
  const auto& names = view.solvers.get<std::string>("name");

  constexpr int always = std::numeric_limits<int>::max();
  std::vector<TextColumn> columns;
  for (const std::string& axis : axes) columns.push_back({axis, true, 8});
  columns.push_back({"solver", false, always});
  const bool arrivals = arrival_is_known(view);
  if (arrivals) columns.push_back({"arrived", true, 11});
  columns.push_back({"time", true, 10});
  columns.push_back({"", false, 3});
  columns.push_back({"TRE px", true, 9});
  columns.push_back({"RMSD px", true, 5});
  columns.push_back({"evals", true, 4});
  columns.push_back({"failed", true, 7});
  std::map<std::vector<std::string>, double> slowest;
  for (const Group& group : groups) {
    const double seconds = time_of(view, group).seconds;
    if (double& most = slowest[group.labels]; seconds > most) most = seconds;
  }
  std::int64_t all_tried = 0, all_valid = 0;
  bool marked = false;
  for (const Group& group : groups) {
    std::vector<std::string> cells = group.labels;
    cells.push_back(names[group.solver]);
    const std::int64_t tried = sum_of(view, group, "count") - sum_of(view, group, "not_applicable");
    if (tried == 0) {
      if (arrivals) cells.push_back("-");
      cells.insert(cells.end(), {"n/a", "", "-", "-", "-", "-"});
    } else {
      const auto [seconds, valid] = time_of(view, group);
      all_tried += tried;
      all_valid += sum_of(view, group, "timing_valid");
      marked = marked || !valid;
      if (arrivals)
        cells.push_back(fmt::format("{} of {}", sum_of(view, group, "arrived"),
                                    sum_of(view, group, "arrival_known")));
      cells.push_back(seconds_text(seconds) + (valid ? "" : "*"));
      cells.push_back(bar(seconds / slowest[group.labels], 8, options.unicode));
      for (const char* measure : {"tre_px", "rmsd_px", "function_evaluations"})
        cells.push_back(number_text(median_of(view, group.rows, measure + std::string("_median"))));
      cells.push_back(fmt::format("{} of {}", sum_of(view, group, "failures"), tried));
    }
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  std::string text =
      wrapped("medians per " + std::string(grouped ? "group of configurations" : "configuration") +
                  " and solver",
              options.width) +
      "\n" + render(std::move(columns), options.width);
  if (all_valid < all_tried)
    text +=
        wrapped(fmt::format("({} of {} timings are not valid; left out where there are others{})",
                            count_text(all_tried - all_valid), count_text(all_tried),
                            marked ? "; * of all solves: none has a valid timing" : ""),
                options.width) +
        "\n";
  if (grouped)
    text +=
        wrapped(fmt::format("({} configurations; each number is the median over a group; all of "
                            "them: nucreg export, summary.csv)",
                            view.configurations.rows()),
                options.width) +
        "\n";
  return text;
}

std::string rank_cell(const Column& column, std::size_t row) {
  const auto* numbers = std::get_if<std::vector<double>>(&column.values);
  if (numbers && column.units == "s") return seconds_text((*numbers)[row]);
  if (numbers) return number_text((*numbers)[row]);
  const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values);
  if (counts && column.units == "B") return bytes_text(static_cast<double>((*counts)[row]));
  return cell_text(column, row);
}

std::string rank_table(const Overview& view, const TextOptions& options) {
  const std::size_t shown = std::min(view.ranks.rows(), options.max_ranks);
  std::vector<TextColumn> columns;
  int keep = static_cast<int>(view.ranks.columns.size());
  for (const Column& column : view.ranks.columns) {
    TextColumn& made = columns.emplace_back(TextColumn{.title = column.name, .keep = keep--});
    made.numbers = !std::holds_alternative<std::vector<std::string>>(column.values);
    for (std::size_t row = 0; row < shown; ++row) made.cells.push_back(rank_cell(column, row));
  }
  if (columns.empty()) return {};
  std::string text = "ranks\n" + render(std::move(columns), options.width);
  if (shown < view.ranks.rows())
    text += wrapped(fmt::format("({} more; all of them: nucreg export, ranks.csv)",
                                view.ranks.rows() - shown),
                    options.width) +
            "\n";
  return text;
}

std::string message_list(const Overview& view, const TextOptions& options) {
  const auto& names = view.solvers.get<std::string>("name");
  std::string text;
  for (const MessageCount& m :
       std::span(view.messages).first(std::min(view.messages.size(), options.max_messages)))
    text += wrapped(fmt::format("{} x {}, {}: {} (first: configuration {} trial {})",
                                count_text(m.count), names.at(m.solver), name_of(m.status),
                                m.message, m.configuration, m.trial),
                    options.width) +
            "\n";
  return text.empty() ? "" : "commonest messages\n" + text + "\n";
}

}  // namespace

std::string to_text(const Overview& overview, const TextOptions& options) {
  TextOptions used = options;
  used.width = std::max<std::size_t>(options.width, 20);
  return heading(overview, used.width) + "\n" + solver_table(overview, used) + "\n" +
         tiles_text(overview, used) + spread_text(overview, used) + message_list(overview, used) +
         rank_table(overview, used) + "\n" + verdict_text(overview, used);
}

}  // namespace nucreg
