#include "run_start.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "nucreg/app/identity.hpp"
#include "nucreg/app/image_journal.hpp"
#include "nucreg/app/image_stages.hpp"
#include "nucreg/app/inputs.hpp"
#include "nucreg/app/launch_line.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/job/parse.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// Parts of one job that are run side by side have outputs of their own.
fs::path default_output(const Job& job, const Part& part) {
  const std::string which =
      part.whole() ? "" : fmt::format(".part-{}-of-{}", part.number, part.count);
  return fs::path("results") / (job.job.name + which + ".h5");
}

fs::path image_cache_of(const RunFiles& files) {
  return fs::absolute(files.output).parent_path() / "image-cache";
}

// What is found in images, and what stands for the run until it has a journal.
struct TakenImages {
  std::unique_ptr<ImageJournal> journal;
  std::unique_ptr<StatusFile> status;
  FoundImages found;
};

// Pairs of tiles are an axis that only the images tell. What can be refused is, before these are
// looked into: that may take long.
TakenImages take_images(Communicator& communicator, Job& job, const Part& part,
                        const RunCommand& command, const RunFiles& files) {
  static_cast<void>(make_plan(with_pairs(job, {"any"})));
  if (command.resume)
    check_resume(files);
  else
    check_begin(files, command.force);
  const Tiles tiles = list_tiles(job);
  if (tiles.likely.empty() && tiles.others.empty()) throw no_tiles_overlap(job);
  make_folder(files.output.parent_path());
  TakenImages taken{.journal = std::make_unique<ImageJournal>(files, command.resume)};
  taken.status = std::make_unique<StatusFile>(
      files.status, RunStatus{.job = job.job.name,
                              .part = part.text(),
                              .resume = resume_command(),
                              .doing = "finding nuclei",
                              .counting = "tile",
                              .total = tiles.list.size(),
                              .ranks = rank_statuses({this_rank_facts(communicator.rank())})});
  const auto warn = [&](const std::string& warning) {
    fmt::print(stderr, "{}nucreg: {}\n", over_bar(), warning);
    taken.journal->warn(warning);
  };
  try {
    taken.found = find_images(communicator, job, tiles, image_cache_of(files),
                              {.status = *taken.status,
                               .warn = warn,
                               .terminal = error_is_terminal(),
                               .line_seconds = job.run.monitor_seconds});
  } catch (const Error& e) {
    if (e.status() == ExitStatus::stopped) taken.journal->keep(true);
    throw;
  }
  job = with_pairs(std::move(job), taken.found.pairs);
  return taken;
}

}  // namespace

RunStart start_run(Communicator& communicator, const RunCommand& command) {
  auto loaded = std::make_shared<Loaded>(Loaded{.job = parse_job(command.job, command.set)});
  Job& job = loaded->job;
  static_cast<void>(make_solvers(job));
  const Part part = command.part.empty() ? Part{} : parse_part(command.part);
  RunFiles files(command.output.empty() ? default_output(job, part) : command.output);
  TakenImages images;
  if (job.problem.source == Source::images)
    images = take_images(communicator, job, part, command, files);
  else
    refuse_while_written(files.image_journal);
  loaded->plan = make_plan(job);
  check_part(part, loaded->plan);
  RunSetup setup{.job_toml = to_toml(job), .build = build_identity()};
  setup.inputs =
      job.problem.source == Source::images ? std::move(images.found.inputs) : read_inputs(job);
  static_cast<void>(make_source(job, loaded->plan, setup.inputs));
  setup.output = fs::absolute(files.output).string();
  const std::string identity =
      run_identity(setup.build, part, describe_inputs(setup.inputs), setup.job_toml);
  OpenJournal journal = command.resume ? resume_journal(files, identity, loaded->plan)
                                       : begin_journal(files, identity, command.force);
  std::vector<std::string> warnings;
  if (images.journal) {
    warnings = images.journal->warnings();
    images.journal->keep(false);  // the journal takes its place
  }
  return {std::move(loaded),   part,
          std::move(files),    std::move(setup),
          std::move(journal),  std::move(images.found.tables),
          std::move(warnings), std::move(images.status)};
}

}  // namespace nucreg
