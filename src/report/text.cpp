#include "nucreg/report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <sstream>

#include "nucreg/core/text.hpp"
#include "spread_text.hpp"
#include "statistics.hpp"
#include "table_access.hpp"
#include "text_table.hpp"
#include "tiles_text.hpp"
#include "verdict_text.hpp"

namespace nucreg {
namespace {

std::string attribute(const Overview& view, const std::string& name) {
  const auto at = view.attributes.find(name);
  if (at == view.attributes.end()) return "?";
  if (const auto* text = std::get_if<std::string>(&at->second)) return *text;
  if (const auto* count = std::get_if<std::int64_t>(&at->second)) return fmt::format("{}", *count);
  return fmt::format("{}", std::get<double>(at->second));
}

/// A whole number, 0 where there is none.
std::int64_t whole(const Overview& view, const std::string& name) {
  const auto at = view.attributes.find(name);
  const auto* value =
      at == view.attributes.end() ? nullptr : std::get_if<std::int64_t>(&at->second);
  return value ? *value : 0;
}

/// What a partial file lacks, by configuration; empty where it lacks nothing.
std::string missing_trials(const Overview& view) {
  const std::int64_t planned = whole(view, "trials_planned"), done = whole(view, "trials_done");
  if (done >= planned) return {};
  std::string text = fmt::format("missing: {} trials", count_text(planned - done));
  const auto configurations = static_cast<std::int64_t>(view.configurations.rows());
  // A part has its own share of each configuration, which the file does not tell.
  if (configurations == 0 || view.attributes.contains("part")) return text;
  std::vector<std::int64_t> lacking(configurations, planned / configurations);
  const auto& configuration = need<std::int64_t>(view.summary, "configuration");
  const auto& solver = need<std::int64_t>(view.summary, "solver");
  const auto& count = need<std::int64_t>(view.summary, "count");
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
  const auto a = [&](const char* name) { return attribute(view, name); };
  std::string text;
  for (const std::string& line :
       {fmt::format("job {}, seed {}{}: {}, {} of {} trials", a("job_name"), a("seed"),
                    view.attributes.contains("part") ? ", part " + a("part") : "", a("status"),
                    a("trials_done"), a("trials_planned")),
        fmt::format("{}, {}, {} on {}", counted(view.configurations.rows(), "configuration"),
                    counted(view.solvers.rows(), "solver"), counted(view.records, "solve"),
                    counted(whole(view, "mpi_ranks"), "rank")),
        fmt::format("{}, nucreg {} ({})", a("created_utc"), a("nucreg_version"), a("git_revision")),
        a("cpu_model")})
    text += wrapped(line, width) + "\n";
  if (view.attributes.contains("warnings")) {
    std::istringstream warnings(a("warnings"));
    for (std::string line; std::getline(warnings, line);)
      text += wrapped("warning: " + line, width) + "\n";
  }
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
  const auto& configuration = need<std::int64_t>(view.summary, "configuration");
  const auto& solver = need<std::int64_t>(view.summary, "solver");
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
  const auto& all = need<double>(view.summary, column);
  std::vector<double> values;
  for (const std::size_t row : rows) values.push_back(all[row]);
  return median(std::move(values));
}

/// Median time of a solve: over the rows with a valid timing, or over all where none has one.
struct Time {
  double seconds = 0.0;
  bool valid = true;
};

Time time_of(const Overview& view, const Group& group) {
  const auto& valid = need<std::int64_t>(view.summary, "timing_valid");
  std::vector<std::size_t> timed;
  for (const std::size_t row : group.rows)
    if (valid[row] > 0) timed.push_back(row);
  const Time time{.valid = !timed.empty()};
  return {median_of(view, time.valid ? timed : group.rows, "wall_s_median"), time.valid};
}

std::int64_t sum_of(const Overview& view, const Group& group, const std::string& column) {
  std::int64_t sum = 0;
  for (const std::size_t row : group.rows) sum += need<std::int64_t>(view.summary, column)[row];
  return sum;
}

std::string solver_table(const Overview& view, const TextOptions& options) {
  const std::vector<std::string> axes = shown_axes(view, options.most_configurations);
  const bool grouped = axes.size() < varying_axes(view.configurations).size();
  const std::vector<Group> groups = group_rows(view, axes);
  const auto& names = need<std::string>(view.solvers, "name");

  constexpr int always = std::numeric_limits<int>::max();
  std::vector<TextColumn> columns;
  for (const std::string& axis : axes) columns.push_back({axis, true, 8});
  columns.push_back({"solver", false, always});
  columns.push_back({"time", true, 9});
  columns.push_back({"", false, 3});
  columns.push_back({"RMSD px", true, 6});
  columns.push_back({"TRE px", true, 5});
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
      cells.insert(cells.end(), {"n/a", "", "-", "-", "-", "-"});
    } else {
      const auto [seconds, valid] = time_of(view, group);
      all_tried += tried;
      all_valid += sum_of(view, group, "timing_valid");
      marked = marked || !valid;
      cells.push_back(seconds_text(seconds) + (valid ? "" : "*"));
      cells.push_back(bar(seconds / slowest[group.labels], 8, options.unicode));
      for (const char* measure : {"rmsd_px", "tre_px", "function_evaluations"})
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
  const std::size_t shown = std::min(view.ranks.rows(), options.most_ranks);
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
  const auto& names = need<std::string>(view.solvers, "name");
  std::string text;
  for (const MessageCount& m :
       std::span(view.messages).first(std::min(view.messages.size(), options.most_messages)))
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
         tiles_text(overview, used) + spread_text(overview, used) + verdict_text(overview, used) +
         "\n" + message_list(overview, used) + rank_table(overview, used);
}

}  // namespace nucreg
