// The command line: parses, calls a command, turns errors into messages and exit statuses.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <system_error>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/run/communicator.hpp"

namespace {

using namespace nucreg;

int status(ExitStatus status) {
  return static_cast<int>(status);
}

std::string version_text() {
  const BuildInfo& info = build_info();
  return fmt::format("nucreg {} ({}, {})", info.version, info.git_revision, info.compiler);
}

// CLI11 says only that a command is required.
JobError no_command(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  const std::vector<std::string> rest = app.remaining();
  return JobError(rest.empty() ? "no command" : "unknown command " + rest.front(),
                  {.allowed = names + ", --help, --version"});
}

/// CLI::Range lets a NaN pass, which is neither below nor above.
CLI::Validator finite() {
  return {[](const std::string& text) {
            double value = 0.0;
            const bool sound = CLI::detail::lexical_cast(text, value) && std::isfinite(value);
            return sound ? std::string() : text + " is not a finite number";
          },
          ""};
}

/// CLI11 takes -1 for the largest of the unsigned numbers.
CLI::Validator whole_number() {
  return {[](const std::string& text) {
            std::uint64_t value = 0;
            const char* const last = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), last, value);
            const bool sound = error == std::errc() && stop == last;
            return sound ? std::string()
                         : text + " is no whole number from 0 to 18446744073709551615";
          },
          ""};
}

CLI::App* add_synth(CLI::App& app, SynthCommand& synth) {
  CLI::App* sub = app.add_subcommand("synth", "render 10x and 40x tiles of a random tissue");
  SynthOptions& o = synth.options;
  sub->add_option("--to", synth.folder, "folder for the tiles and truth.json")->required();
  const auto add = [&](const char* name, auto& value, auto low, auto high, const char* doc) {
    sub->add_option(name, value, doc)
        ->check(CLI::Range(low, high))
        ->check(finite())
        ->capture_default_str();
  };
  sub->add_option("--seed", o.seed, "another seed, another tissue")
      ->check(whole_number())
      ->capture_default_str();
  add("--ten", o.ten, 1, 1000, "tiles at 10x, side by side");
  add("--forty", o.forty, 0, 10000, "tiles at 40x, within those");
  add("--field", o.field_px, 32, 8192, "width and height of a 10x tile, px");
  add("--tile", o.tile_px, 32, 8192, "width and height of a 40x tile, px");
  add("--nuclei", o.nuclei, 1, 1000000, "per 10x tile");
  add("--diameter", o.diameter_px, 3.0, 200.0, "of a typical nucleus, 10x px");
  add("--missing", o.missing, 0.0, 1.0, "part of the nuclei that a magnification does not see");
  add("--stage-error", o.stage_error_um, 0.0, 1e6, "of the stage positions, um");
  sub->add_flag("--turned", o.turned, "40x mirrored or turned by right angles against 10x");
  sub->add_flag("--force", synth.force, "overwrite existing files; tiles of an earlier synth go");
  return sub;
}

JobError wrong_options(const CLI::App& command, const CLI::ParseError& e) {
  std::string allowed;  // CLI11 says itself what an option that is known takes
  if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
    for (const CLI::Option* option : command.get_options())
      allowed += (allowed.empty() ? "" : ", ") + option->get_name();
  else
    allowed = fmt::format("what nucreg {} --help tells", command.get_name());
  return JobError(fmt::format("{}: {}", command.get_name(), e.what()), {.allowed = allowed});
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Which optimizer maps nuclei from 10x to 40x best? Benchmarks solvers over MPI ranks.\n"
      "A run:   mpirun -n 4 nucreg run jobs/synthetic.toml\n"
      "A look:  nucreg inspect results/synthetic.h5",
      "nucreg"};
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(
      "Exit status: 0 done, 1 bug, 2 bad command line or job, 3 input that cannot be read,\n"
      "4 stopped early, 5 output that cannot be written, 6 a comparison found a difference.");

  const auto add_job = [](CLI::App* command, std::filesystem::path& job,
                          std::vector<std::string>& set) {
    command->add_option("JOB", job, "job file (TOML); jobs/README.md explains it")->required();
    command->add_option("--set", set, "key=value: overrides a key of the job, such as job.trials=2")
        ->take_all()
        ->expected(1);
  };

  const auto add_part = [](CLI::App* command, std::string& part) {
    command->add_option("--part", part, "K/N: only that one of N equal parts of the job");
  };

  ExitStatus result = ExitStatus::done;
  RunCommand run;
  CLI::App* sub = app.add_subcommand("run", "run a job; under mpirun, on all its ranks");
  add_job(sub, run.job, run.set);
  sub->add_option("-o,--output", run.output, "result file; default results/<job name>.h5");
  add_part(sub, run.part);
  CLI::Option* force = sub->add_flag(
      "--force", run.force, "overwrite an existing output; forget the journal of an earlier run");
  sub->add_flag("--resume", run.resume, "go on where an earlier run of this job ended")
      ->excludes(force);
  sub->callback([&] { result = run_command(run); });

  PlanCommand plan;
  sub = app.add_subcommand("plan", "what a job would run and cost; checks it without running it");
  add_job(sub, plan.job, plan.set);
  add_part(sub, plan.part);
  sub->add_option("--ranks", plan.ranks, "ranks for the estimate of time")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  sub->callback([&] { result = plan_command(plan); });

  InspectCommand inspect;
  sub = app.add_subcommand("inspect", "what was run or mapped, and what came of it");
  sub->add_option("OUT", inspect.file, "result file")->required();
  sub->add_flag("--json", inspect.json, "as JSON");
  sub->add_flag("--all", inspect.all, "every configuration, however many");
  sub->callback([&] { result = inspect_command(inspect); });

  ExportCommand exporting;
  sub = app.add_subcommand("export", "a run or a map of a well as tables for other programs");
  sub->add_option("OUT", exporting.file, "result file")->required();
  sub->add_option("--to", exporting.folder, "folder, made if it is not there")->required();
  sub->add_flag("--force", exporting.force, "overwrite existing files");
  sub->add_option("--format", exporting.format,
                  "of a run: csv, python-benchmark, maps, profiles or coco; of the map of a well: "
                  "csv, brieflow, h5ad or napari")
      ->check(CLI::IsMember(
          {"csv", "python-benchmark", "maps", "profiles", "coco", "brieflow", "h5ad", "napari"}))
      ->capture_default_str();
  sub->callback([&] { result = export_command(exporting); });

  VerifyCommand verify;
  sub = app.add_subcommand("verify", "prove that a run or a map is whole and its file is sound");
  sub->add_option("OUT", verify.file, "result file")->required();
  sub->callback([&] { result = verify_command(verify); });

  WatchCommand watch;
  sub = app.add_subcommand("watch", "a run in progress, from its files; ends when the run ends");
  sub->add_option("OUT", watch.file, "result file that the run will write")->required();
  sub->add_flag("--once", watch.once, "look once, as where the output is no terminal");
  sub->callback([&] { result = watch_command(watch); });

  CompareCommand compare;
  sub = app.add_subcommand("compare", "two results of one job: what changed from A to B");
  sub->add_option("A", compare.a, "result file")->required();
  sub->add_option("B", compare.b, "result file")->required();
  sub->add_option(
         "--threshold", compare.threshold,
         "how much slower B may be (0.1: 10 %) before the exit status is 6; it is 6, too, where "
         "any solve of B ends at a higher objective or fails alone")
      ->check(CLI::Range(0.0, 1e6))
      ->check(finite())
      ->capture_default_str();
  sub->add_flag("--json", compare.json, "as JSON");
  sub->callback([&] { result = compare_command(compare); });

  MergeCommand merge;
  sub = app.add_subcommand("merge", "put result files of parts of one job together");
  sub->add_option("FILES", merge.files, "result files: parts, partial or whole")->required();
  sub->add_option("-o,--output", merge.output, "merged result file")->required();
  sub->add_flag("--force", merge.force, "overwrite an existing output");
  sub->callback([&] { result = merge_command(merge); });

  ImageCommand image;
  sub = app.add_subcommand("image", "what an ND2 or TIFF file holds; one plane of it as TIFF");
  sub->add_option("FILE", image.file, "ND2 or TIFF, told apart by content")->required();
  sub->add_flag("--json", image.json, "as JSON");
  CLI::Option* to = sub->add_option("--to", image.to, "TIFF file for one plane");
  sub->add_option("--frame", image.frame, "frame of the plane, as listed")
      ->capture_default_str()
      ->check(whole_number())
      ->needs(to);
  sub->add_option("--channel", image.channel, "name or number")->capture_default_str()->needs(to);
  sub->add_flag("--force", image.force, "overwrite an existing file")->needs(to);
  sub->callback([&] { result = image_command(image); });

  SegmentCommand segment;
  sub = app.add_subcommand("segment", "find the nuclei of images; under mpirun, on all its ranks");
  sub->add_option("IMAGE", segment.images, "ND2 or TIFF files; all their frames")->required();
  sub->add_option("--to", segment.folder, "folder for tables, labels and overlays")->required();
  sub->add_option("--channel", segment.channel, "name or number")->capture_default_str();
  sub->add_option("--diameter", segment.diameter_px,
                  "of a typical nucleus, px; estimated for each frame where not given");
  CLI::Option* segment_force = sub->add_flag("--force", segment.force, "overwrite existing files");
  sub->add_flag("--resume", segment.resume, "keep outputs made of the same pixels and diameter")
      ->excludes(segment_force);
  sub->callback([&] { result = segment_command(segment); });

  MatchCommand match;
  sub = app.add_subcommand("match",
                           "which nucleus at 10x is which at 40x, whatever turn and mirroring");
  sub->add_option("TEN", match.ten.file,
                  "image, label TIFF, or table (.csv, .npy) of nuclei at 10x")
      ->required();
  sub->add_option("FORTY", match.forty.file, "the same at 40x")->required();
  sub->add_flag("--json", match.json, "as JSON");
  CLI::Option* pairs =
      sub->add_option("--pairs", match.pairs, "CSV file for the pairs: x10,y10,x40,y40");
  sub->add_flag("--force", match.force, "overwrite an existing file")->needs(pairs);
  sub->add_option("--magnification", match.magnification, "lowest and highest, 40x px per 10x px")
      ->expected(2)
      ->capture_default_str();
  sub->add_option("--model", match.model, "trs or affine")->capture_default_str();
  sub->add_option("--significance", match.significance,
                  "chance may give a map as good this often, over all tried")
      ->capture_default_str();
  CLI::Option* near = sub->add_option(
      "--near", match.near,
      "X,Y,UNCERTAINTY: where the middle of the 40x nuclei is at 10x, roughly, px; not believed");
  near->expected(3)->delimiter(',')->check(finite());
  sub->add_option("--stage-error", match.stage_error_um,
                  "how far stage positions of images may be off, um; default 500, 0: not used")
      ->check(CLI::Range(0.0, 1e9))
      ->check(finite())
      ->excludes(near);
  sub->add_option("--channel", match.channel, "of images, name or number; default 0");
  sub->add_option("--frame", match.frame, "of images; default 0")->check(whole_number());
  for (const auto& [name, side] : {std::pair{"10x", &match.ten}, {"40x", &match.forty}}) {
    const std::string end = std::string("-") + name;
    sub->add_option("--channel" + end, side->channel, "of that image alone");
    sub->add_option("--frame" + end, side->frame, "of that image alone")->check(whole_number());
    sub->add_option("--diameter" + end, side->diameter_px,
                    "of a typical nucleus in that image, px; estimated where not given");
  }
  sub->footer("No match is an answer: exit status 0; --pairs then writes nothing.");
  sub->callback([&] { result = match_command(match); });

  SynthCommand synth;
  add_synth(app, synth)->callback([&] { result = synth_command(synth); });

  app.add_subcommand("solvers", "the solvers that a job can name")->callback([&] {
    result = solvers_command();
  });
  app.add_subcommand("models", "the maps that a job can name")->callback([&] {
    result = models_command();
  });
  app.add_subcommand("keys", "every key of a job file with default, unit and range")->callback([&] {
    result = job_keys_command();
  });

  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    command->set_version_flag("--version", version_text());

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0 && app.get_subcommands().empty()) throw no_command(app);
    if (e.get_exit_code() != 0) throw wrong_options(*app.get_subcommands().front(), e);
    return app.exit(e);
  }
  print_result("");  // what was printed before it is buffered
  return status(result);
}

// A worker that hangs cannot be joined, and exit() would take what it uses from under it.
int leave(int code) {
  if (!has_hanging_worker()) return code;
  flush_log();
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace

int main(int argc, char** argv) {
  one_thread_per_rank();
  use_one_image_thread();
  try {
    return leave(parse_and_run(argc, argv));
  } catch (const Error& e) {
    fmt::print(stderr, "nucreg: {}\n", e.what());
    return leave(status(e.status()));
  } catch (const std::system_error& e) {  // of fmt::print, to standard output
    fmt::print(stderr, "nucreg: standard output: {}\n", e.what());
    return leave(status(ExitStatus::output));
  } catch (const std::exception& e) {
    fmt::print(stderr, "nucreg: bug: {}\n", e.what());
    return leave(status(ExitStatus::bug));
  }
}
