// The command that finds nuclei: frames of images as tasks over ranks.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/on_ranks.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/tiles/inputs.hpp"
#include "nucreg/tiles/stages.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

constexpr double line_seconds = 30.0;  // between lines of progress in a log

/// All frames of an image: some may show nothing, such as planes out of focus, but not all.
struct FoundInFile {
  std::size_t frames = 0, done = 0, nuclei = 0, labels = 0;
  bool one_value = true;

  void add(const SegmentSummary& summary) {
    ++done;
    nuclei += summary.nuclei;
    labels += summary.labels;
    one_value = one_value && summary.one_value;
  }
  [[nodiscard]] bool nothing() const { return done == frames && nuclei == 0; }
};

/// The root's side of `nucreg segment`.
class SegmentRoot {
 public:
  SegmentRoot(Stages& stages, const SegmentCommand& command)
      : stages_(stages), command_(command), display_(error_is_terminal(), line_seconds) {}
  [[nodiscard]] ExitStatus run();

 private:
  void list_frames(const fs::path& image);
  void refuse_overwriting_images() const;
  void clear_outputs() const;
  void add(std::uint64_t number, const TaskOutcome& outcome);
  void print_tables() const;
  void print_counts(const StageReport& report) const;
  [[nodiscard]] Existing existing() const {
    return command_.force    ? Existing::replaced
           : command_.resume ? Existing::kept_if_same
                             : Existing::refused;
  }

  Stages& stages_;
  const SegmentCommand& command_;
  ProgressDisplay display_;
  std::vector<SegmentTask> tasks_;
  std::set<std::string> names_;            // of outputs, without their endings
  std::map<fs::path, fs::path> given_as_;  // images by what the file is
  Failures failures_;
  std::vector<std::string> lines_;  // of the result, by task
  std::map<fs::path, FoundInFile> found_;
  std::size_t kept_ = 0, replaced_ = 0;
};

/// Opens every image, without its pixels. One that cannot be read is a failure among others.
void SegmentRoot::list_frames(const fs::path& image) {
  std::error_code ignored;  // what does not exist fails when it is opened
  const auto [known, is_new] = given_as_.emplace(fs::weakly_canonical(image, ignored), image);
  if (!is_new)
    throw JobError(fmt::format("is the same file as {}", known->second.string()),
                   {.file = image.string(), .allowed = "each image once"});
  if (fs::is_directory(image, ignored))
    throw InputError(fmt::format("is a folder; give its images: nucreg segment {}/*.tif --to DIR",
                                 image.string()),
                     {.file = image.string()});
  const std::unique_ptr<ImageReader> reader = open_image(image);
  const ImageInfo& info = reader->info();
  // Before the work: its overlay could not be written.
  if (!command_.no_overlay && !fits_png(info.width_px, info.height_px))
    throw InputError(fmt::format("has {} x {} pixels", info.width_px, info.height_px),
                     {.file = image.string(),
                      .allowed = "planes of up to 715,000,000 pixels, such as 26,700 x 26,700; "
                                 "larger ones in tiles or with --no-overlay"});
  const std::size_t channel = find_channel(info, command_.channel, image.string());
  std::vector<std::size_t> frames;
  for (std::size_t frame = 0; frame < info.frames.size(); ++frame)
    if (reader->holds(frame, channel)) frames.push_back(frame);
  if (frames.empty())
    throw InputError("holds no frame that was taken",
                     {.file = image.string(),
                      .allowed = "images whose pixels are in this file; nucreg image tells more"});
  for (const std::size_t frame : frames) {
    std::string name = image.stem().string();
    if (info.frames.size() > 1) name += fmt::format("_f{:04}", frame);
    if (!names_.insert(name).second)
      throw JobError("two images would have outputs of one name",
                     {.file = image.string(), .allowed = "names that differ before the ending"});
    for (const fs::path& file : SegmentFiles(command_.folder / name).all())
      check_output(file, existing() != Existing::refused, "--force to overwrite it");
    tasks_.push_back({.image = fs::absolute(image),
                      .frame = frame,
                      .channel = channel,
                      .diameter_px = command_.diameter_px,
                      .outputs = fs::absolute(command_.folder / name),
                      .with_overlay = !command_.no_overlay});
  }
}

void SegmentRoot::refuse_overwriting_images() const {
  std::error_code ignored;
  for (const SegmentTask& task : tasks_)
    for (const fs::path& file : SegmentFiles(task.outputs).all())
      if (given_as_.contains(fs::weakly_canonical(file, ignored)))
        throw OutputError("is one of the images",
                          {.file = file.string(), .allowed = "another folder"});
}

void SegmentRoot::clear_outputs() const {
  if (!tasks_.empty()) make_folder(command_.folder);
  std::set<std::string> files;
  for (const SegmentTask& task : tasks_) {
    const SegmentFiles of_task(task.outputs);
    // What --force replaces must not be taken for done if it does not come to that.
    if (command_.force) remove_file(of_task.table);
    for (const fs::path& file : of_task.all()) files.insert(file.filename().string());
  }
  if (command_.resume) remove_temporaries(command_.folder, files);
}

void SegmentRoot::add(std::uint64_t number, const TaskOutcome& outcome) {
  if (outcome.status != ExitStatus::done) return failures_.add(outcome.status, outcome.message);
  const SegmentTask& task = tasks_.at(number);
  const auto summary = segment_summary_from(outcome.result);
  found_[task.image].add(summary);
  kept_ += summary.kept ? 1 : 0;
  replaced_ += summary.replaced ? 1 : 0;
  if (!summary.kept)
    lines_.at(number) = fmt::format("{:>8} {:>11.1f}  {}\n", summary.nuclei, summary.diameter_px,
                                    SegmentFiles(task.outputs).table.string());
}

void SegmentRoot::print_tables() const {
  std::string text;
  for (const std::string& line : lines_) text += line;
  if (!text.empty()) print_result("  nuclei diameter_px  table\n" + text);
}

void SegmentRoot::print_counts(const StageReport& report) const {
  for (const auto& [file, in_it] : found_)
    if (in_it.labels > 0)
      print_error(
          "nucreg: warning: {}: looks like labels of {} nuclei, which were segmented as "
          "brightness; nucreg match and nucreg map take labels as they are\n",
          file.string(), count_text(in_it.labels));
  if (!failures_.text().empty()) print_error("nucreg: {}\n", failures_.text());
  if (kept_ > 0)
    print_error("nucreg: {} {} done before\n", counted(kept_, "image"),
                kept_ == 1 ? "was" : "were");
  if (replaced_ > 0)
    print_error(
        "nucreg: {} had been made of other pixels, with another --diameter or by another "
        "build: made again\n",
        counted(replaced_, "image"));
  if (report.dispatch.stopped)
    print_error("nucreg: {} of {} are done\n", count_text(report.dispatch.tasks_done),
                counted(tasks_.size(), "image"));
}

ExitStatus SegmentRoot::run() {
  stages_.view().show = [this](const RunStatus& status) { display_.show(status); };
  std::vector<std::string> files;
  for (const fs::path& image : command_.images) try {
      list_frames(image);
      files.push_back(fs::absolute(image).string());
    } catch (const InputError& e) {
      failures_.add(e.status(), e.what());
    }
  refuse_overwriting_images();
  compare_inputs(stages_, std::move(files), fs::absolute(command_.folder));
  clear_outputs();
  lines_.resize(tasks_.size());
  for (const SegmentTask& task : tasks_) ++found_[task.image].frames;
  const StageReport report =
      stages_.run(std::make_shared<const SegmentStage>(tasks_, existing()),
                  [&](std::uint64_t number, int, std::span<const std::byte> result) {
                    add(number, from_bytes<TaskOutcome>(result));
                  },
                  {.last = true});
  print_error("");
  print_tables();
  for (const auto& [file, in_it] : found_)
    if (in_it.nothing())
      failures_.add(ExitStatus::input,
                    fmt::format("{}: no nuclei{}", file.string(),
                                in_it.one_value ? ": every pixel has one and the same value" : ""));
  print_counts(report);
  if (!report.dispatch.stopped && failures_.text().empty())
    print_error(
        "nucreg: next: tables of 10x and of 40x are what nucreg match and nucreg map take\n");
  return report.dispatch.stopped ? ExitStatus::stopped : failures_.status();
}

}  // namespace

ExitStatus segment_command(const SegmentCommand& command, const SolverRegistry& registry) {
  return on_ranks(registry, [&](Stages& stages) { return SegmentRoot(stages, command).run(); });
}

}  // namespace nucreg
