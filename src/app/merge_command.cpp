#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/resume.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/stats/digest.hpp"
#include "nucreg/store/result_file.hpp"
#include "nucreg/trials/trial_stage.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

struct MergeFile {
  fs::path file;
  ResultReader reader;
  std::int64_t first_rank = 0;  ///< its rank 0 in the merged file

  explicit MergeFile(const fs::path& path) : file(path), reader(path) {}
  [[nodiscard]] std::int64_t count(const char* name) const {
    return reader.attributes().count(name);
  }
  [[nodiscard]] std::string text(const char* name) const { return reader.attributes().text(name); }
};
using MergeFiles = std::vector<std::unique_ptr<MergeFile>>;

MergeFiles open_all(const std::vector<fs::path>& files) {
  MergeFiles sources;
  std::string identity;
  std::int64_t ranks = 0;
  for (const fs::path& file : files) {
    auto& source = sources.emplace_back(std::make_unique<MergeFile>(file));
    const std::string theirs =
        naming<Error>(file.string(), [&] { return whole_identity(source->reader.attributes()); });
    if (sources.size() == 1) identity = theirs;
    if (theirs != identity)
      throw JobError(fmt::format("is of another job, input or build than {} (- that, + this)\n{}",
                                 files.front().string(), difference(identity, theirs)),
                     {.file = file.string(), .allowed = "parts of one job"});
    demand_sound(file, source->reader);
    source->first_rank = ranks;
    ranks += source->count("mpi_ranks");
  }
  return sources;
}

Plan plan_of(const MergeFile& source) {
  const Plan plan = naming<Error>(source.file.string(),
                                  [&] { return make_plan(job_of(source.file, source.reader)); });
  const std::int64_t trials = part_of(source.reader.attributes()).whole()
                                  ? source.count("trials_planned")
                                  : source.count("trials_of_job");
  if (plan.configurations.size() != source.reader.table("configurations").rows() ||
      plan.solvers != source.reader.table("solvers").rows() ||
      plan.tasks() != static_cast<std::uint64_t>(trials))
    throw InputError("holds other trials than its job has", {.file = source.file.string()});
  return plan;
}

// Where a solver ran into its time limit or failed, another run may have ended otherwise.
bool repeatable(std::span<const Record> rows) {
  return std::ranges::none_of(rows, [](const Record& r) {
    return r.status == SolveStatus::max_time || r.status == SolveStatus::failed;
  });
}

bool is_measured(std::string_view column) {
  constexpr std::array<std::string_view, 5> measured{"rank", "wall_s", "cpu_s", "peak_bytes",
                                                     "timing_valid"};
  return std::ranges::find(measured, column) != measured.end();
}

bool same_bits(const TrialValue& a, const TrialValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x && y) return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
  return a == b;
}

void demand_same(const MergeFile& one, std::span<const Record> ours, const MergeFile& other,
                 std::span<const Record> theirs, std::size_t parameters) {
  if (!repeatable(ours) || !repeatable(theirs)) return;
  for (std::size_t row = 0; row < ours.size(); ++row)
    for (const TrialColumn& column : trial_columns()) {
      if (is_measured(column.name)) continue;
      for (std::size_t p = 0; p < (column.per_parameter ? parameters : 1); ++p)
        if (!same_bits(column.value(ours[row], p), column.value(theirs[row], p)))
          throw InputError(
              fmt::format("has another {} than {} for configuration {}, trial {}, solver {}",
                          column.name, one.file.string(), ours[row].configuration, ours[row].trial,
                          ours[row].solver),
              {.file = other.file.string(), .allowed = "equal results of equal trials"});
    }
}

/// Visits each trial that a file has, in order and once: visit(task, rows) with the rows of the
/// first file that has it, ranks numbered through; also(task) for each time that it is there again.
template <class Visit, class Also>
void merge_trials(const MergeFiles& sources, const Plan& plan, Visit&& visit, Also&& also) {
  std::vector<TrialCursor> cursors;
  for (const auto& source : sources)
    cursors.emplace_back(source->reader, plan.trials, plan.solvers);
  while (true) {
    std::size_t first = cursors.size();
    for (std::size_t i = 0; i < cursors.size(); ++i)
      if (cursors[i].task() &&
          (first == cursors.size() || *cursors[i].task() < *cursors[first].task()))
        first = i;
    if (first == cursors.size()) return;
    const std::uint64_t task = *cursors[first].task();
    for (std::size_t i = first + 1; i < cursors.size(); ++i)
      if (cursors[i].task() == task) {
        also(*sources[first], cursors[first].rows(), *sources[i], cursors[i].rows());
        cursors[i].next();
      }
    for (Record& row : cursors[first].rows())
      row.rank += static_cast<std::int32_t>(sources[first]->first_rank);
    visit(task, cursors[first].rows());
    cursors[first].next();
  }
}

/// The table of that name of all files, one after the other.
Table all_rows(const MergeFiles& sources, const std::string& name) {
  Table all{.name = name};
  for (const auto& source : sources) {
    Table table = source->reader.table(name);
    for (Column& column : table.columns)
      if (column.name == "rank") {
        std::vector<std::int64_t> ranks = table.get<std::int64_t>("rank");
        for (std::int64_t& rank : ranks) rank += source->first_rank;
        column.values = std::move(ranks);
      }
    if (all.columns.empty()) {
      all.columns = std::move(table.columns);
      continue;
    }
    for (Column& column : all.columns)
      std::visit(
          [&](auto& values) {
            const auto& more =
                table.get<typename std::decay_t<decltype(values)>::value_type>(column.name);
            values.insert(values.end(), more.begin(), more.end());
          },
          column.values);
  }
  return all;
}

/// What the files say, each different line once, in their order.
std::string united(const MergeFiles& sources, const char* name, const char* separator) {
  std::string all;
  std::set<std::string> seen;
  for (const auto& source : sources)
    if (const std::string text = source->text(name); !text.empty() && seen.insert(text).second)
      all += (all.empty() ? "" : separator) + text;
  return all;
}

Attributes attributes_of(const MergeFiles& sources, const Plan& plan, std::uint64_t trials_done) {
  Attributes all = sources.front()->reader.attributes();
  all.erase("part");
  all.erase("trials_of_job");
  all["status"] = trials_done == plan.tasks() ? "complete" : "partial";
  all["trials_planned"] = static_cast<std::int64_t>(plan.tasks());
  all["trials_done"] = static_cast<std::int64_t>(trials_done);
  std::int64_t ranks = 0, resumed = 0;
  std::string created, from, warnings;
  for (const auto& source : sources) {
    const Part part = part_of(source->reader.attributes());
    from += fmt::format("{}: {}, {}, {} from {}\n", source->file.string(),
                        part.whole() ? "the whole job" : "part " + part.text(),
                        counted(static_cast<std::uint64_t>(source->count("trials_done")), "trial"),
                        counted(static_cast<std::uint64_t>(source->count("mpi_ranks")), "rank"),
                        source->first_rank);
    for (const std::string& line : split_lines(source->text("warnings")))
      warnings += fmt::format("{}: {}\n", source->file.string(), line);
    ranks += source->count("mpi_ranks");
    resumed += source->count("trials_resumed");
    const std::string theirs = source->text("created_utc");  // ISO 8601 sorts as time
    if (created.empty() || theirs < created) created = theirs;
  }
  all["mpi_ranks"] = ranks;
  all["trials_resumed"] = resumed;
  all["created_utc"] = created;
  all["merged_from"] = from;
  all["warnings"] = warnings;
  for (const char* name : {"mpi_library", "cpu_model"}) all[name] = united(sources, name, "; ");
  return all;
}

std::string missing_text(const std::vector<bool>& done, const Plan& plan) {
  std::vector<TaskList::Block> blocks;
  for (std::uint64_t task = 0; task < done.size(); ++task) {
    if (done[task]) continue;
    // Blocks end with their configuration, as names of trials do.
    if (!blocks.empty() && blocks.back().first + blocks.back().count == task &&
        task % plan.trials != 0)
      ++blocks.back().count;
    else
      blocks.push_back({task, 1});
  }
  return blocks.empty() ? "" : trials_text(blocks, plan);
}

struct MergeReport {
  std::uint64_t trials_done = 0;
  std::uint64_t trials_planned = 0;  ///< of the whole job
  std::uint64_t trials_twice = 0;    ///< that more than one file had; the first one's rows count
  std::string missing;               ///< trials_text of what no file has; empty if complete
  RowFindings findings;
};

/// Writes what a run of the whole job would have written of the trials in `files`: parts, partial
/// and merged files, disjoint or overlapping. Ranks are numbered through, in the order of the
/// files, and `solves` leaves out what another file has. Streams: memory is some megabytes per file
/// and a bit per trial. Throws JobError with the difference where files are not of one job, input
/// and build, InputError if one cannot be read, is not sound or has other results than another
/// for the same trial, OutputError.
MergeReport merge_results(const std::vector<fs::path>& files, const fs::path& output,
                          bool overwrite) {
  const MergeFiles sources = open_all(files);
  const MergeFile& first = *sources.front();
  const Plan plan = plan_of(first);
  const std::size_t parameters = first.reader.parameters();

  // A first pass, since the writer wants to know what comes.
  MergeReport report{.trials_planned = plan.tasks()};
  std::vector<bool> done(plan.tasks());
  std::size_t message_bytes = 0;
  std::uint64_t trace_points = 0;
  merge_trials(
      sources, plan,
      [&](std::uint64_t task, std::span<const Record> rows) {
        done[task] = true;
        ++report.trials_done;
        for (const Record& row : rows) {
          message_bytes = std::max(message_bytes, row.message.size());
          trace_points += row.trace.size();
        }
      },
      [&](const MergeFile& one, std::span<const Record> ours, const MergeFile& other,
          std::span<const Record> theirs) {
        ++report.trials_twice;
        demand_same(one, ours, other, theirs, parameters);
      });
  report.missing = missing_text(done, plan);

  ResultWriter writer(output, report.trials_done * plan.solvers, parameters, message_bytes,
                      first.reader.has_traces() ? std::optional(trace_points) : std::nullopt);
  writer.set_attributes(attributes_of(sources, plan, report.trials_done));
  for (const char* table : {"configurations", "solvers"})
    writer.write_table(first.reader.table(table));
  for (const char* table : {"images", "nuclei", "matches", "pairs"})
    if (first.reader.has_table(table)) writer.write_table(first.reader.table(table));
  Digest digest(first.reader.table("configurations"), first.reader.table("solvers"));
  merge_trials(
      sources, plan,
      [&](std::uint64_t, std::span<const Record> rows) {
        writer.append_trials(rows);
        digest.add(rows);
      },
      [](const MergeFile&, std::span<const Record>, const MergeFile&, std::span<const Record>) {});
  for (const Table& table : digest.finish()) writer.write_table(table);
  // What each rank did, also if its rows were left out because another file has them.
  writer.write_table(all_rows(sources, "ranks"));
  writer.write_table(all_rows(sources, "rank_samples"));
  writer.commit(overwrite);
  report.findings = digest.findings();
  return report;
}

// Before the work, which may take minutes.
void check_merge_output(const MergeCommand& command) {
  const std::string output = command.output.string();
  std::error_code none;
  for (const fs::path& file : command.files)
    if (fs::equivalent(file, command.output, none))
      throw JobError("is one of the files to merge", {.file = output, .allowed = "another output"});
  if (const fs::path journal = RunFiles(command.output).journal; file_exists(journal))
    throw OutputError("is the journal of a run with this output",
                      {.file = journal.string(), .allowed = "another output with -o"});
  check_output(command.output, command.force, "--force to overwrite it, or another output with -o");
  make_folder(command.output.parent_path());
}

}  // namespace

ExitStatus merge_command(const MergeCommand& command) {
  read_in_child(command.files);
  check_merge_output(command);
  MergeReport report = merge_results(command.files, command.output, command.force);
  const Overview overview = make_overview(ResultReader(command.output), std::move(report.findings));
  print_result(fmt::format("{}\nresult  {}, merged from {}\n", to_text(overview, terminal_text()),
                           command.output.string(), counted(command.files.size(), "file")));
  if (report.trials_twice > 0)
    print_error(
        "nucreg: {} there more than once, with equal results\n",
        counted(report.trials_twice, "trial") + (report.trials_twice == 1 ? " was" : " were"));
  if (report.missing.empty()) return ExitStatus::done;
  print_error(
      "nucreg: {} of {} trials are done; {} is partial\n"
      "nucreg: missing: {}\n"
      "nucreg: merge the files that hold them, too, or run them:\n"
      "nucreg:   nucreg run JOB.toml -o {} --resume\n",
      count_text(report.trials_done), count_text(report.trials_planned), command.output.string(),
      report.missing, command.output.string());
  return ExitStatus::stopped;
}

}  // namespace nucreg
