// The command line: what each command is and takes; errors become messages and exit statuses.
#include "nucreg/app/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/on_ranks.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/report/export.hpp"
#include "nucreg/report/well.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/launcher.hpp"
#include "options.hpp"

namespace nucreg {
namespace {

constexpr const char* description =
    "Which nucleus at 10x is which at 40x, and which optimizer finds out best.";
// What `nucreg` alone prints.
// {}: an example of a job.
constexpr const char* first_steps =
    "Which nucleus at 10x is which at 40x, and which optimizer finds out best.\n\n"
    "match two tiles       nucreg match 10x.tif 40x.tif --pairs pairs.csv\n"
    "map a whole well      mpirun nucreg map 10x.csv 40x.csv -o well.h5\n"
    "compare optimizers    mpirun nucreg run {}\n"
    "look at a result      nucreg report results/synthetic.h5\n"
    "check this machine    nucreg doctor\n\n"
    "nucreg --help lists all commands, nucreg COMMAND --help the options of one.\n";
constexpr const char* exit_statuses =
    "Exit status: 0 done, 1 bug, 2 bad command line or job, 3 input that cannot be read,\n"
    "4 stopped early, 5 output that cannot be written, 6 a comparison found a difference.";

/// In the checkout that this is called from, else the one installed beside the program.
std::string example_job() {
  const std::filesystem::path here = "jobs/synthetic.toml";
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path installed =
      (self.parent_path().parent_path() / "share/nucreg" / here).lexically_normal();
  const bool use_installed =
      !std::filesystem::exists(here, ignored) && std::filesystem::exists(installed, ignored);
  const std::string job = (use_installed ? installed : here).string();
  return job.find(' ') == std::string::npos ? job : "'" + job + "'";
}

std::string version_text() {
  const BuildInfo& info = build_info();
  return fmt::format("nucreg {} ({}, {})", info.version, info.git_revision, info.compiler);
}

/// The commands, and what they are given.
class Commands {
 public:
  explicit Commands(const SolverRegistry& registry) : registry_(registry) {
    add_runs();
    add_looks();
    add_images();
    add_lists();
  }
  [[nodiscard]] const std::vector<Command>& table() const { return table_; }

 private:
  Command& command(const char* name, const char* group, const char* doc,
                   std::function<ExitStatus()> run) {
    return table_.emplace_back(
        Command{.name = name, .group = group, .doc = doc, .run = std::move(run)});
  }
  static void add_job(Command& command, std::filesystem::path& job, std::vector<std::string>& set,
                      std::string& part);
  void add_runs();
  void add_looks();
  void add_recommend();
  void add_images();
  void add_match();
  void add_synth();
  void add_lists();

  const SolverRegistry& registry_;
  std::vector<Command> table_;
  RunCommand run_;
  PlanCommand plan_;
  InspectCommand inspect_;
  ExportCommand export_;
  VerifyCommand verify_;
  WatchCommand watch_;
  CompareCommand compare_;
  PairsCommand pairs_;
  RecommendCommand recommend_;
  MergeCommand merge_;
  ImageCommand image_;
  SegmentCommand segment_;
  MatchCommand match_;
  MapCommand map_;
  SynthCommand synth_;
  ReportCommand report_;
  DoctorCommand doctor_;
  bool json_ = false, keys_of_maps_ = false;
};

void Commands::add_job(Command& command, std::filesystem::path& job, std::vector<std::string>& set,
                       std::string& part) {
  command.path("JOB", "FILE", job, "job file (TOML); jobs/README.md explains it").demand();
  command.repeated("--set", "KEY=VALUE", set,
                   "override a key of the job, such as job.trials=2; may be repeated");
  command.text("--part", "K/N", part, "only the K-th of N equal parts of the job");
}

void Commands::add_runs() {
  constexpr const char* group = "Run";
  Command& run = command("run", group, "run a job; under mpirun, on all its ranks",
                         [this] { return run_command(run_, registry_); });
  run.on_ranks = true;
  add_job(run, run_.job, run_.set, run_.part);
  run.path("-o,--output", "FILE", run_.output, "result file; missing folders are made")
      .otherwise("results/<job name>.h5");
  run.path("--recommendation", "FILE", run_.recommendation,
           "take solver, loss and start from a file that `recommend --to` wrote");
  run.flag("--force", run_.force,
           "overwrite an existing output (a link, not what it leads to); forget the journal of an "
           "earlier run");
  run.flag("--resume", run_.resume, "continue where an earlier run of this job ended")
      .without("--force");

  Command& map =
      command("map", group, "which nucleus is which in whole wells; under mpirun, on all its ranks",
              [this] { return map_command(map_, registry_); });
  map.on_ranks = true;
  map.text("TEN", "INPUT", map_.ten,
           "10x tiles: a sheet (CSV), a folder that segment wrote, or a quoted glob of images, "
           "label images or tables; or, alone, a map file (TOML)")
      .demand();
  map.text("FORTY", "INPUT", map_.forty, "the same at 40x");
  map.path("-o,--output", "FILE", map_.output, "result file")
      .otherwise("results/<name of TEN's folder or of the map>.h5");
  map.repeated("--set", "KEY=VALUE", map_.set,
               "override a key of the map, such as place.stage=false; may be repeated");
  map.path("--recommendation", "FILE", map_.recommendation,
           "take solver and loss of the fit of all tiles from a file that `recommend --to` wrote");
  map.flag("--force", map_.force,
           "overwrite an existing output; forget the journal of an earlier map");
  map.flag("--resume", map_.resume, "continue where an earlier map of these tiles ended")
      .without("--force");
  map.flag("--compare-solvers", map_.compare_solvers,
           "also run LM and L-BFGS on the fit of all tiles, a minute each at most, and keep a row "
           "for each");
  map.footer = "No match is an answer: exit status 0. jobs/maps.md explains inputs and map files.";

  Command& plan =
      command("plan", group, "what a job would run and cost; checks it without running it",
              [this] { return plan_command(plan_, registry_); });
  add_job(plan, plan_.job, plan_.set, plan_.part);
  plan.number("--ranks", "N", plan_.ranks, {1, 1 << 20}, "ranks for the estimate of time");

  Command& watch =
      command("watch", group, "a run in progress, from its files; ends when the run ends",
              [this] { return watch_command(watch_); });
  watch.path("OUT", "FILE", watch_.file, "result file that the run will write").demand();
  watch.flag("--once", watch_.once, "look once, as if the output were no terminal");

  Command& merge = command("merge", group, "put result files of parts of one job together",
                           [this] { return merge_command(merge_); });
  merge.paths("FILES", "FILE", merge_.files, "result files: parts, partial or whole").demand();
  merge.path("-o,--output", "FILE", merge_.output, "merged result file").demand();
  merge.flag("--force", merge_.force, "overwrite an existing output");
}

void Commands::add_looks() {
  constexpr const char* group = "Look";
  Command& inspect = command("inspect", group, "what was run or mapped, and what came of it",
                             [this] { return inspect_command(inspect_); });
  inspect.path("OUT", "FILE", inspect_.file, "result file").demand();
  inspect.flag("--json", inspect_.json, "as JSON");
  inspect.flag("--all", inspect_.all, "every configuration, however many");

  Command& report = command("report", group, "one page with plots of a result; needs Python",
                            [this] { return report_command(report_); });
  report.path("OUT", "FILE", report_.file, "result file").demand();
  report.path("-o,--output", "FILE", report_.output, "the page").otherwise("OUT with .html");
  report.path("--plots", "DIR", report_.plots, "write each plot as SVG and PNG, too");
  report.flag("--force", report_.force, "overwrite existing files");

  Command& exporting =
      command("export", group, "a run or a map of a well as tables for other programs",
              [this] { return export_command(export_); });
  exporting.path("OUT", "FILE", export_.file, "result file").demand();
  exporting.path("--to", "DIR", export_.folder, "folder, made if it does not exist").demand();
  exporting.flag("--force", export_.force, "overwrite existing files");
  const std::vector<std::string> of_runs = names_of(result_formats),
                                 of_maps = names_of(map_formats);
  std::vector<std::string> formats = of_runs;
  for (const std::string& name : of_maps)
    if (std::ranges::find(of_runs, name) == of_runs.end()) formats.push_back(name);
  exporting.choice("--format", "FORMAT", export_.format, std::move(formats),
                   fmt::format("of a run: {}; of the map of a well: {}", fmt::join(of_runs, ", "),
                               fmt::join(of_maps, ", "))
                       .c_str());

  Command& verify =
      command("verify", group, "prove that a run or a map is whole and its file is sound",
              [this] { return verify_command(verify_); });
  verify.path("OUT", "FILE", verify_.file, "result file").demand();

  Command& compare =
      command("compare", group, "two results with the same points: what changed from A to B",
              [this] { return compare_command(compare_); });
  compare.path("A", "FILE", compare_.a, "result file").demand();
  compare.path("B", "FILE", compare_.b, "result file").demand();
  compare.number("--threshold", "X", compare_.threshold, {0.0, 1e6},
                 "how much slower B may be (0.1: 10 %) before the exit status is 6; it is also 6 "
                 "if a solver arrives less often in B or, with the same settings, any solve of B "
                 "ends at a higher objective or fails alone");
  compare.flag("--json", compare_.json, "as JSON");

  Command& pairs = command("pairs", group, "the points of a trial, made again from its result",
                           [this] { return pairs_command(pairs_); });
  pairs.path("OUT", "FILE", pairs_.file, "result file").demand();
  pairs.number("--configuration", "C", pairs_.configuration, {}, "row of /configurations")
      .without("--trials");
  pairs.number("--trial", "T", pairs_.trial, {}, "number of the trial").without("--trials");
  pairs.number("--trials", "N", pairs_.trials, {1, 1e12},
               "instead: so many trials, evenly over the job, one after the other");
  pairs.path("--to", "FILE", pairs_.to, "CSV: x10,y10,x40,y40,inlier").demand();
  pairs.flag("--force", pairs_.force, "overwrite an existing file");
  add_recommend();
}

void Commands::add_recommend() {
  Command& recommend =
      command("recommend", "Look", "which solver, loss and start to use, from results of runs",
              [this] { return recommend_command(recommend_); });
  recommend.paths("OUT", "FILE", recommend_.files, "result files of runs").demand();
  std::vector<std::string> models(Spelling<Model>::names.begin(), Spelling<Model>::names.end());
  recommend.choice("--model", "MODEL", recommend_.model, std::move(models), "that is fitted")
      .otherwise("any");
  recommend.number("--points", "N", recommend_.points, {1, 1e12}, "pairs of nuclei in a fit")
      .otherwise("any");
  recommend.number("--noise", "PX", recommend_.noise_px, {0.0, 1e9}, "of a coordinate, 40x px")
      .otherwise("any");
  recommend.number("--outliers", "F", recommend_.outliers, {0.0, 1.0}, "part of the pairs")
      .otherwise("any");
  recommend.flag("--json", recommend_.json, "as JSON");
  recommend.path("--to", "FILE", recommend_.to,
                 "also write it as a job, for --recommendation of map and run");
  recommend.flag("--force", recommend_.force, "overwrite an existing file").with("--to");
  recommend.footer =
      "Recommended is what arrives as often as the best (within 1 %) at the least time until an "
      "arrival. Evidence that does not reach the point is an answer: exit status 0.";
}

void Commands::add_images() {
  constexpr const char* group = "Images";
  Command& image = command("image", group,
                           "what an ND2 or TIFF file, or a table, holds; one plane of it as TIFF",
                           [this] { return image_command(image_); });
  image
      .path("FILE", "FILE", image_.file,
            "ND2 or TIFF, told apart by content; also what match takes as nuclei")
      .demand();
  image.flag("--json", image_.json, "as JSON");
  image.path("--to", "FILE", image_.to, "TIFF file for one plane");
  image.number("--frame", "N", image_.frame, {}, "frame of the plane, as listed").with("--to");
  image.text("--channel", "NAME", image_.channel, "name or number").with("--to");
  image.flag("--force", image_.force, "overwrite an existing file").with("--to");

  Command& segment =
      command("segment", group, "find the nuclei of images; under mpirun, on all its ranks",
              [this] { return segment_command(segment_, registry_); });
  segment.on_ranks = true;
  segment.paths("IMAGE", "FILE", segment_.images, "ND2 or TIFF files; all their frames").demand();
  segment.path("--to", "DIR", segment_.folder, "folder for tables, labels and overlays").demand();
  segment.text("--channel", "NAME", segment_.channel, "name or number");
  segment
      .number("--diameter", "PX", segment_.diameter_px, {min_diameter_px, max_diameter_px},
              "of a typical nucleus")
      .otherwise("estimated for each frame");
  segment.flag("--no-overlay", segment_.no_overlay, "write tables and labels only");
  segment.flag("--force", segment_.force, "overwrite existing files");
  segment.flag("--resume", segment_.resume, "keep outputs made of the same pixels and diameter")
      .without("--force");
  add_match();
  add_synth();
}

// How files of nuclei are read: of both sides, or of the one whose options end so.
void add_reading(Command& command, const std::string& end, NucleiReading& reading) {
  const auto doc = [&](const char* text) { return end.empty() ? text : "of that file alone"; };
  command.choice(("--as" + end).c_str(), "KIND", reading.as,
                 doc("take files for that, whatever they look like"));
  command.text(("--columns" + end).c_str(), "x=NAME,y=NAME", reading.columns,
               doc("columns of tables by name; also label=NAME, unit=px, unit=um"));
  command
      .choice(("--npy-order" + end).c_str(), "ORDER", reading.npy_order,
              doc("columns of N x 2 arrays; yx: row, column"))
      .otherwise(end.empty() ? "yx" : "");
  command.number(("--pixel-um" + end).c_str(), "UM", reading.pixel_um, {.low = 0.0, .above = true},
                 doc("size of a pixel of tables in micrometres"));
}

void Commands::add_match() {
  Command& match = command("match", "Images",
                           "which nucleus at 10x is which at 40x, whatever turn and mirroring",
                           [this] { return match_command(match_); });
  match
      .path("TEN", "FILE", match_.ten.file,
            "image, label TIFF, or table (.csv, .npy) of nuclei at 10x")
      .demand();
  match.path("FORTY", "FILE", match_.forty.file, "the same at 40x").demand();
  match.flag("--json", match_.json, "as JSON");
  match.path("--pairs", "FILE", match_.pairs,
             "CSV file for the pairs: x10,y10,x40,y40,label10,label40,residual_px");
  match.flag("--force", match_.force, "overwrite an existing file").with("--pairs");
  match.numbers("--magnification", "LOW HIGH", match_.magnification, 2,
                "lowest and highest, 40x px per 10x px");
  match.choice("--model", "MODEL", match_.model, {"trs", "affine"}, "what is fitted to the pairs");
  match.number("--significance", "P", match_.significance, {.low = 0.0, .high = 1.0, .above = true},
               "largest probability that chance explains the match, all hypotheses counted");
  match
      .numbers("--near", "X,Y,UNCERTAINTY", match_.near, 3,
               "hint: approximate centre of the 40x nuclei at 10x, px")
      .separator = ",";
  match
      .number("--stage-error", "UM", match_.stage_error_um, {0.0, 1e9},
              "how far stage positions of images may be off; 0: they are not used")
      .without("--near")
      .otherwise(fmt::format("{}", standard_stage_error_um));
  match.text("--channel", "NAME", match_.channel, "of images, name or number").otherwise("0");
  match.number("--frame", "N", match_.frame, {}, "of images").otherwise("0");
  add_reading(match, "", match_.reading);
  for (const auto& [end, side] : {std::pair{"-10x", &match_.ten}, {"-40x", &match_.forty}}) {
    const auto name = [end = end](const char* option) { return std::string(option) + end; };
    match.text(name("--channel").c_str(), "NAME", side->channel, "of that image alone");
    match.number(name("--frame").c_str(), "N", side->frame, {}, "of that image alone");
    match
        .number(name("--diameter").c_str(), "PX", side->diameter_px,
                {min_diameter_px, max_diameter_px}, "of a typical nucleus in that image")
        .otherwise("estimated");
    add_reading(match, end, side->reading);
  }
  match.footer = "No match is an answer: exit status 0; --pairs then writes nothing.";
}

void Commands::add_synth() {
  Command& synth = command("synth", "Images", "render 10x and 40x tiles of a random tissue",
                           [this] { return synth_command(synth_); });
  SynthOptions& o = synth_.options;
  synth.path("--to", "DIR", synth_.folder, "folder for the tiles and truth.json").demand();
  synth.number("--seed", "N", o.seed, {}, "another seed, another tissue");
  synth.number("--ten", "N", o.ten, {1, 1000}, "tiles at 10x, side by side");
  synth.number("--forty", "N", o.forty, {0, 10000}, "tiles at 40x, within those");
  synth
      .flag("--well", o.well,
            "40x tiles cover all of it, some with faults; with sheets for nucreg map")
      .without("--forty");
  synth.number("--field", "PX", o.field_px, {32, 8192}, "width and height of a 10x tile");
  synth.number("--tile", "PX", o.tile_px, {32, 8192}, "width and height of a 40x tile");
  synth.number("--nuclei", "N", o.nuclei, {1, 1000000}, "per 10x tile");
  synth.number("--diameter", "PX", o.diameter_px, {3.0, 200.0}, "of a typical nucleus at 10x");
  synth.number("--missing", "X", o.missing, {0.0, 1.0},
               "part of the nuclei that a magnification does not see");
  synth.number("--stage-error", "UM", o.stage_error_um, {0.0, 1e6}, "of the stage positions");
  synth.flag("--turned", o.turned, "40x mirrored or turned by right angles against 10x");
  synth.flag("--force", synth_.force, "overwrite existing files; tiles of an earlier synth go");
}

void Commands::add_lists() {
  constexpr const char* group = "About";
  command("solvers", group, "the solvers that a job can name",
          [this] { return solvers_command(registry_); });
  command("models", group, "the maps that a job can name", [] { return models_command(); });
  Command& keys = command("keys", group, "every key of a job file with default, unit and range",
                          [this] { return job_keys_command(keys_of_maps_); });
  keys.flag("--map", keys_of_maps_, "of a map file (nucreg map) instead");
  Command& doctor = command("doctor", group, "what of this machine will hurt a run, and what to do",
                            [this] { return doctor_command(doctor_); });
  doctor.on_ranks = true;
  doctor.path("FOLDER", "DIR", doctor_.folder, "where results will lie");
  doctor.flag("--ranks", doctor_.ranks, "under mpirun: how its ranks are bound");
  Command& options = command("options", group, "every option of every command", [this] {
    print_result(options_json(table_));
    return ExitStatus::done;
  });
  options.flag("--json", json_, "as JSON");
  options.hidden = true;  // for scripts that make man pages and completions
}

// A worker that hangs cannot be joined, and exit() would take what it uses from under it.
int leave(ExitStatus status) {
  const int code = static_cast<int>(status);
  if (!has_hanging_worker()) return code;
  flush_log();
  std::fflush(nullptr);
  std::_Exit(code);
}

// A standard stream that is closed gets a descriptor that refuses: else the first file to be opened
// would be it, and take what is printed.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(descriptor, F_GETFD) < 0)
      static_cast<void>(open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

// What no caller catches, as on a thread that cannot even keep its result for want of memory.
[[noreturn]] void end_with_a_sentence() {
  static std::atomic_flag ending;
  if (!ending.test_and_set() && std::current_exception()) try {
      std::_Exit(static_cast<int>(print_exception()));
    } catch (...) {  // printing takes memory, too
    }
  // Where memory is too short even for an exception there is none.
  constexpr std::string_view sentence =
      "nucreg: there is not enough memory to continue, or this is a bug\n";
  static_cast<void>(!write(STDERR_FILENO, sentence.data(), sentence.size()));
  std::_Exit(static_cast<int>(ExitStatus::bug));
}

}  // namespace

int run_program(int argc, char** argv, const SolverRegistry& registry) {
  keep_standard_descriptors();
  std::set_terminate(end_with_a_sentence);
  // A file that reaches the limit of the process (ulimit -f) is a write that fails.
  std::signal(SIGXFSZ, SIG_IGN);
  one_thread_per_rank();
  use_one_image_thread();
  // Every rank of a launcher has the same line; what all would say is said once.
  const bool first = launched_rank() == 0;
  try {
    Commands commands(registry);
    ParsedLine line{.text = fmt::format(first_steps, example_job())};
    try {
      if (argc > 1)
        line = parse_command_line(argc, argv, commands.table(), description, exit_statuses,
                                  version_text());
    } catch (const JobError& e) {
      // mpirun ends all ranks when one fails, perhaps before the first has spoken.
      if (!first) return leave(ExitStatus::done);
      write_status(print_exception());
      return leave(e.status());
    }
    ExitStatus status = ExitStatus::done;
    if (line.command) {
      if (first || line.command->on_ranks) status = line.command->run();
    } else if (first) {
      print_result(line.text);
    }
    print_result("");  // what was printed before it is buffered
    return leave(status);
  } catch (...) {
    return leave(print_exception());
  }
}

}  // namespace nucreg
