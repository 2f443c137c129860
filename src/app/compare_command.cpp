// Two result files of one job, from two machines, versions or compilers, or with other settings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file, const ResultReader& reader, const char* name) {
  const auto* text = reader.attributes().find<std::string>(name);
  if (!text) throw InputError("attribute is missing", {.file = file.string(), .key = name});
  return *text;
}

// Inputs and settings: all but the build.
std::string work_of(const fs::path& file, const ResultReader& reader) {
  return text_of(file, reader, "inputs") + text_of(file, reader, "job_toml");
}

std::string heading(const char* name, const fs::path& file, const ResultReader& reader) {
  const auto text = [&](const char* attribute) {
    return shown_line(text_of(file, reader, attribute));
  };
  return fmt::format("{}  {}: nucreg {} ({}), {}, {}", name, file.string(), text("nucreg_version"),
                     text("git_revision"), text("compiler"), text("cpu_model"));
}

// Whether trials of one problem and number have the same points in both jobs.
bool same_draws(const Job& a, const Job& b) {
  const ProblemOptions &p = a.problem, &q = b.problem;
  return a.job.seed == b.job.seed && p.source == q.source && p.field_px == q.field_px &&
         p.border_px == q.border_px && p.magnification == q.magnification &&
         p.transform.model == q.transform.model;
}

bool of_fit(const std::string& column) {
  constexpr std::array names{"model",           "loss",     "loss_scale_px", "coordinates", "start",
                             "max_evaluations", "ftol_rel", "xtol_rel",      "max_seconds"};
  return std::ranges::any_of(names, [&](const char* name) { return column.starts_with(name); });
}

// Columns that say what a configuration is. One of [fit] that has a single value in each file is a
// setting, which may have been changed.
std::vector<std::string> key_columns(const Table& a, const Table& b) {
  const auto single = [](const Column& column) {
    for (std::size_t row = 1; row < column.rows(); ++row)
      if (cell_text(column, row) != cell_text(column, 0)) return false;
    return column.rows() > 0;
  };
  std::vector<std::string> names;
  for (const Column& column : a.columns) {
    const Column* other = b.find(column.name);
    if (!other || column.name == "configuration") continue;
    if (of_fit(column.name) && single(column) && single(*other)) continue;
    names.push_back(column.name);
  }
  return names;
}

// The configuration of B that each one of A is; nothing if B has none.
std::vector<std::optional<std::uint32_t>> partners(const Table& a, const Table& b) {
  const std::vector<std::string> names = key_columns(a, b);
  const auto key_of = [&](const Table& table, std::size_t row) {
    std::string key;
    for (const std::string& name : names) key += cell_text(table.at(name), row) + '\n';
    return key;
  };
  std::map<std::string, std::uint32_t> places;
  for (std::size_t row = 0; row < b.rows(); ++row)
    places.emplace(key_of(b, row), static_cast<std::uint32_t>(row));
  std::vector<std::optional<std::uint32_t>> found(a.rows());
  for (std::size_t row = 0; row < a.rows(); ++row)
    if (const auto at = places.find(key_of(a, row)); at != places.end()) found[row] = at->second;
  return found;
}

// The rows of a trial by its configuration and number, in whichever order it is asked for.
class TrialIndex {
 public:
  TrialIndex(const ResultReader& reader, const Plan& plan)
      : reader_(reader), trials_(plan.trials), first_row_(plan.tasks(), none), rows_(plan.solvers) {
    static constexpr std::string_view columns[] = {"configuration", "trial", "solver"};
    std::uint64_t row = 0;
    stream_trials(
        reader,
        [&](std::span<const Record> block) {
          for (const Record& r : block) {
            if (r.solver == 0) first_row_.at(r.configuration * trials_ + r.trial) = row;
            ++row;
          }
        },
        columns);
  }
  [[nodiscard]] std::uint64_t size() const {
    return first_row_.size() - static_cast<std::uint64_t>(std::ranges::count(first_row_, none));
  }
  /// Empty if there is no such trial.
  [[nodiscard]] std::span<const Record> find(std::uint64_t configuration, std::uint64_t trial) {
    if (trial >= trials_) return {};
    const std::uint64_t row = first_row_.at(configuration * trials_ + trial);
    if (row == none) return {};
    reader_.read_trials(row, rows_);
    return rows_;
  }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  const ResultReader& reader_;
  std::uint64_t trials_;
  std::vector<std::uint64_t> first_row_;  // by task
  std::vector<Record> rows_;
};

// Solvers that both files name, as positions in each.
struct CommonSolvers {
  std::vector<std::string> names;
  std::vector<std::size_t> in_a, in_b;
};

CommonSolvers common_solvers(const ResultReader& a, const ResultReader& b) {
  const Table solvers_a = a.table("solvers"), solvers_b = b.table("solvers");
  const auto& names_a = solvers_a.get<std::string>("name");
  const auto& names_b = solvers_b.get<std::string>("name");
  CommonSolvers common;
  for (std::size_t s = 0; s < names_a.size(); ++s) {
    const auto at = std::ranges::find(names_b, names_a[s]);
    if (at == names_b.end()) continue;
    common.names.push_back(names_a[s]);
    common.in_a.push_back(s);
    common.in_b.push_back(static_cast<std::size_t>(at - names_b.begin()));
  }
  return common;
}

// Whether the solvers of both trials got the same points.
bool same_points(const Record& a, const Record& b) {
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  return a.pairs == b.pairs && std::ranges::equal(a.true_params, b.true_params, same);
}

struct Counts {
  std::uint64_t both = 0, only_a = 0, only_b = 0, other_points = 0;
};

// Adds the trials that both files have; their rows hold the common solvers in their order.
Counts add_trials(RunComparison& comparison, const CommonSolvers& solvers, TrialCursor& at_a,
                  TrialIndex& of_b,
                  const std::vector<std::optional<std::uint32_t>>& configurations) {
  Counts counts;
  std::vector<Record> rows_a(solvers.names.size()), rows_b = rows_a;
  for (; !at_a.done(); at_a.next()) {
    const std::span<const Record> a = at_a.rows();
    const auto partner = configurations.at(a.front().configuration);
    const std::span<const Record> b =
        partner ? of_b.find(*partner, a.front().trial) : std::span<const Record>();
    if (b.empty()) {
      ++counts.only_a;
      continue;
    }
    for (std::size_t s = 0; s < rows_a.size(); ++s) {
      rows_a[s] = a[solvers.in_a[s]];
      rows_b[s] = b[solvers.in_b[s]];
      rows_b[s].configuration = rows_a[s].configuration;
      rows_a[s].solver = rows_b[s].solver = static_cast<std::uint32_t>(s);
    }
    if (!same_points(rows_a.front(), rows_b.front())) {
      ++counts.other_points;
      continue;
    }
    ++counts.both;
    comparison.add(rows_a, rows_b);
  }
  counts.only_b = of_b.size() - counts.both - counts.other_points;
  return counts;
}

}  // namespace

ExitStatus compare_command(const CompareCommand& command) {
  read_in_child({command.a, command.b});
  const ResultReader a(command.a), b(command.b);
  demand_sound(command.a, a);
  demand_sound(command.b, b);
  const std::string change = difference(work_of(command.a, a), work_of(command.b, b));
  const Job job_a = job_of(command.a, a);
  const Job job_b = job_of(command.b, b);
  if (!same_draws(job_a, job_b) ||
      text_of(command.a, a, "inputs") != text_of(command.b, b, "inputs"))
    throw JobError(fmt::format("has other points in its trials than {} (- that, + this)\n{}",
                               command.a.string(), change),
                   {.file = command.b.string(), .allowed = "two results with the same points"});
  const Plan plan_a = make_plan(job_a), plan_b = make_plan(job_b);
  const CommonSolvers solvers = common_solvers(a, b);
  if (solvers.names.empty())
    throw InputError("has no solver that is in the other file, too", {.file = command.b.string()});
  RunComparison comparison(solvers.names, a.table("configurations").rows());
  TrialCursor at_a(a, plan_a.trials, plan_a.solvers);
  TrialIndex of_b(b, plan_b);
  const Counts counts = add_trials(comparison, solvers, at_a, of_b,
                                   partners(a.table("configurations"), b.table("configurations")));
  if (counts.both == 0)
    throw InputError(fmt::format("has no trial that is in the other file, too{}",
                                 change.empty() ? "" : "; what differs:\n" + change),
                     {.file = command.b.string()});

  const std::vector<SolverChange> changes = comparison.finish();
  bool beyond = false;
  std::string not_compared;
  for (const SolverChange& solver : changes) {
    // With other settings other fits are meant to be; fewer arrivals are worse in any case.
    const bool worse_fits = change.empty() && solver.pair.better_b > 0;
    beyond = beyond || solver.slower(command.threshold) || worse_fits || solver.arrives_less();
    if (!solver.compared()) not_compared += (not_compared.empty() ? "" : ", ") + solver.solver;
  }
  if (command.json) {
    print_result(to_json(changes, command.threshold) + "\n");
    return beyond ? ExitStatus::different : ExitStatus::done;
  }
  const auto width = static_cast<std::size_t>(output_width());
  std::string text;
  const auto print = [&](const std::string& line) { text += wrapped(line, width) + "\n"; };
  print(heading("A", command.a, a));
  print(heading("B", command.b, b));
  if (!change.empty()) text += "settings that differ (- of A, + of B)\n" + change;
  print(fmt::format("{} trials are in both, {} in A only, {} in B only", count_text(counts.both),
                    count_text(counts.only_a), count_text(counts.only_b)));
  if (counts.other_points > 0)
    print(fmt::format("{} have other points in B and are not compared",
                      counted(counts.other_points, "trial")));
  text += "\n" + to_text(changes, command.threshold, width) + "\n";
  if (!not_compared.empty())
    print(fmt::format("speed not compared: {} (no two valid timings at equal accuracy)",
                      not_compared));
  for (const SolverChange& solver : changes)
    if (solver.arrives_less())
      print(fmt::format("{} arrives less often in B: {} against {} of {} trials", solver.solver,
                        count_text(solver.pair.arrived_a), count_text(solver.pair.arrived_b),
                        count_text(solver.pair.known)));
  if (beyond)
    print("B is worse than A beyond the threshold");
  else if (not_compared.empty())
    print("B is not worse than A beyond the threshold");
  else
    print("in what was compared, B is not worse than A beyond the threshold");
  print_result(text);
  return beyond ? ExitStatus::different : ExitStatus::done;
}

}  // namespace nucreg
