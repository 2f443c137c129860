// The command that says which nucleus is which in whole wells.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/app/on_ranks.hpp"
#include "nucreg/app/result.hpp"
#include "nucreg/app/resume.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/job/map.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/report/well.hpp"
#include "nucreg/run/launcher.hpp"
#include "nucreg/run/run_files.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/tiles/map_wells.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

MapJob job_of(const MapCommand& command) {
  if (command.forty.empty() && fs::path(command.ten).extension() != ".toml")
    throw JobError("one input",
                   {.key = command.ten, .allowed = "TEN and FORTY, or a map file (.toml)"});
  MapJob map = command.forty.empty() ? parse_map(command.ten, command.set)
                                     : map_of_inputs(command.ten, command.forty, command.set);
  if (command.compare_solvers) map.fit.compare_solvers = true;
  if (!command.recommendation.empty()) take_fit(map, parse_job(command.recommendation));
  return map;
}

// The folder that the 10x input lies in, as far as it can be the name of a file.
std::string name_of(const MapJob& map) {
  if (!map.map.name.empty()) return map.map.name;
  std::error_code ignored;
  const fs::path input = fs::absolute(map.map.ten.front()).lexically_normal();
  const bool is_folder = fs::is_directory(input, ignored);
  fs::path folder = is_folder ? input : input.parent_path();
  if (is_folder && !folder.has_filename()) folder = folder.parent_path();
  std::string name = folder.filename().string();
  const auto harmless = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '+' || c == '-';
  };
  std::ranges::replace_if(
      name, [&](char c) { return !harmless(static_cast<unsigned char>(c)); }, '_');
  const std::size_t first = name.find_first_not_of("._+-");
  return first == std::string::npos ? "map" : name.substr(first, 100);
}

std::vector<fs::path> inputs_of(const ListedWells& listed) {
  std::vector<fs::path> files;
  for (const WellInputs& well : listed.wells)
    for (const TileInput& tile : well.tiles)
      for (const std::string& file : {tile.file, tile.sheet})
        if (!file.empty()) files.emplace_back(file);
  return files;
}

// What an output says of itself, and what is printed of it if it is complete.
struct EarlierMap {
  std::string map_toml, status, text;
};
void fields(auto& archive, MaybeConst<EarlierMap> auto& map) {
  archive(map.map_toml, map.status, map.text);
}

/// The root's side of `nucreg map`.
class MapRoot {
 public:
  MapRoot(Stages& stages, const MapCommand& command)
      : stages_(stages),
        command_(command),
        map_(job_of(command)),
        name_(name_of(map_)),
        files_(command.output.empty() ? fs::path("results") / (name_ + ".h5") : command.output),
        folders_{.store = fs::absolute(files_.output).string() + ".tiles",
                 .image_cache = fs::absolute(files_.output).parent_path() / "image-cache"},
        display_(error_is_terminal(), map_.run.monitor_seconds) {}
  /// A mistake in the inputs leaves no journal, unless there was one.
  [[nodiscard]] ExitStatus run();

 private:
  /// Whether --resume finds this map complete; says so, and removes what was left beside it. An
  /// output that is anything else is refused.
  [[nodiscard]] bool is_complete() const;
  void tell_what_changed() const;
  void open_journal();
  void make();
  void show_phase(const std::string& doing);
  void warn(const std::string& sentence);
  [[nodiscard]] Attributes attributes() const;
  [[nodiscard]] std::string text_of(const WellMap& map) const;
  void print_resume_hint() const;
  void remove_store() const {
    std::error_code ignored;
    fs::remove_all(folders_.store, ignored);
  }

  Stages& stages_;
  const MapCommand& command_;
  const MapJob map_;
  const std::string name_;
  const RunFiles files_;
  const MapFolders folders_;
  ProgressDisplay display_;
  std::optional<OpenJournal> journal_;
  std::optional<StatusFile> status_;
  const std::string created_utc_ = utc_now();
};

ExitStatus MapRoot::run() {
  try {
    if (!is_complete()) make();
    return ExitStatus::done;
  } catch (...) {
    const ExitStatus status = print_exception();
    if (!journal_) {
      if (status == ExitStatus::stopped) print_error("nucreg: to continue: {}\n", resume_command());
      return status;
    }
    const bool mistake = status == ExitStatus::input || status == ExitStatus::usage;
    if (!mistake) {
      print_resume_hint();
    } else if (journal_->fresh) {
      forget_journal(*journal_, files_);
      remove_store();
    }
    return status;
  }
}

bool MapRoot::is_complete() const {
  if (!command_.resume) return false;
  check_output(files_.output, true, another_output);
  if (!file_exists(files_.output)) return false;
  const auto there = as_output(files_, [&] {
    return read_apart({files_.output}, [&] {
      const WellMap map = read_map(files_.output);
      return EarlierMap{map.attributes.text("map_toml"), map.attributes.text("status"),
                        text_of(map)};
    });
  });
  refuse_other(files_.output, there.map_toml, to_toml(map_));
  if (there.status != "complete")
    throw OutputError("already exists and is not complete",
                      {.file = files_.output.string(), .allowed = another_output});
  if (!journal_) wait_until_free(files_.journal);
  tidy_up(files_);
  remove_store();
  print_error("nucreg: {}: is complete, nothing is left to do\n", files_.output.string());
  warn_if_altered(files_.output);
  tell_what_changed();
  print_result(there.text);
  return true;
}

/// By the times of the files: reading them all is what a complete map spares.
void MapRoot::tell_what_changed() const {
  try {
    const auto mapped = fs::last_write_time(files_.output);
    std::set<std::string> changed;
    for (const fs::path& file : inputs_of(list_wells(map_)))
      if (fs::last_write_time(file) > mapped) changed.insert(file.string());
    if (changed.empty()) return;
    const std::string more =
        changed.size() > 1 ? " and " + counted(changed.size() - 1, "more file") : "";
    print_error("nucreg: {}{} changed since it was made: --force maps again\n", *changed.begin(),
                more);
  } catch (const std::exception&) {  // inputs that are gone: the map is there all the same
  }
}

void MapRoot::open_journal() {
  const std::string identity =
      fmt::format("{}build {}\n{}", map_identity_start, build_identity(), to_toml(map_));
  journal_ = command_.resume ? resume_journal(files_, identity, resume_command())
                             : begin_journal(files_, identity, command_.force, resume_command());
  announce_journal(files_.journal);
  status_.emplace(files_.status, RunStatus{.job = name_,
                                           .resume = resume_command(),
                                           .doing = "starting",
                                           .counting = "tile",
                                           .ranks = rank_statuses({this_rank_facts(0)})});
  RunView& view = stages_.view();
  view.status = &*status_;
  view.journal = journal_->writer.get();
  view.output = fs::absolute(files_.output);
  view.warn = [this](const std::string& sentence) { warn(sentence); };
  view.show = [this](const RunStatus& status) { display_.show(status); };
}

void MapRoot::make() {
  ListedWells wells = list_wells(map_);
  std::vector<fs::path> read = inputs_of(wells);
  read.insert(read.end(), {command_.ten, command_.forty, command_.recommendation});
  check_not_input(files_.output, read, "--output");
  open_journal();
  if (is_complete()) return;  // another process has made it while this one waited for its journal
  auto [map, more] = map_wells(stages_, map_, std::move(wells), folders_,
                               {.phase = [this](const std::string& doing) { show_phase(doing); },
                                .warn = [this](const std::string& sentence) { warn(sentence); }});
  for (const auto& [name, value] : attributes()) map.attributes[name] = value;
  show_phase("writing the result file");
  write_map(files_.output, map, false, more);
  remove_file(files_.replaced);
  remove_file(files_.journal);
  remove_store();
  status_.reset();
  stages_.view().status = nullptr;
  print_result(text_of(map));
}

void MapRoot::show_phase(const std::string& doing) {
  status_->change([&](RunStatus& status) { status.doing = doing; });
}

void MapRoot::warn(const std::string& sentence) {
  print_error("nucreg: {}\n", sentence);
  journal_->warn(sentence);
}

Attributes MapRoot::attributes() const {
  const BuildInfo& build = build_info();
  Communicator& communicator = stages_.communicator();
  return {{"status", "complete"},
          {"map_name", name_},
          {"map_toml", to_toml(map_)},
          {"seed", static_cast<std::int64_t>(map_.map.seed)},
          {"warnings", fmt::format("{}", fmt::join(journal_->warnings, "\n"))},
          {"created_utc", created_utc_},
          {"mpi_ranks", std::int64_t{communicator.size()}},
          {"mpi_library", communicator.library()},
          {"nucreg_version", build.version},
          {"git_revision", build.git_revision},
          {"compiler", build.compiler},
          {"cpu_model", cpu_model()}};
}

std::string MapRoot::text_of(const WellMap& map) const {
  const std::string out = files_.output.string();
  return fmt::format(
      "{}\nresult  {} ({})\nnext    nucreg inspect {}\n"
      "        nucreg report {}\n        nucreg export {} --to DIR\n",
      to_text(summarize(map), static_cast<std::size_t>(output_width())), out,
      bytes_text(static_cast<double>(fs::file_size(files_.output))), out, out, out);
}

void MapRoot::print_resume_hint() const {
  try {
    if (journal_->keeper->put_back())
      print_error("nucreg: the journal was removed; what it held has been put back\n");
    print_error("nucreg: what was found is safe in {}\nnucreg: to continue: {}\n",
                files_.journal.string(), resume_command());
  } catch (const OutputError&) {
    print_exception();
  }
}

}  // namespace

ExitStatus map_command(const MapCommand& command, const SolverRegistry& registry) {
  return on_ranks(registry, [&](Stages& stages) { return MapRoot(stages, command).run(); });
}

}  // namespace nucreg
