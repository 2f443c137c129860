// The command that finds nuclei: frames of images as tasks over ranks.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "failures.hpp"
#include "nucreg/app/commands.hpp"
#include "nucreg/app/run_files.hpp"
#include "nucreg/app/segment_image.hpp"
#include "nucreg/app/stop_signal.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "on_ranks.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// Reading a large frame over a slow network included.
constexpr double lease_seconds = 600.0;
constexpr double line_seconds = 30.0;  // between lines of progress in a log

constexpr const char *kept = "kept", *replaced = "replaced", *one_value = "one value";

// Texts travel between ranks one behind the other, each with a zero at its end: no path has one.
Bytes to_bytes(const std::vector<std::string>& texts) {
  Bytes bytes;
  for (const std::string& text : texts) {
    const auto* const first = reinterpret_cast<const std::byte*>(text.c_str());
    bytes.insert(bytes.end(), first, first + text.size() + 1);
  }
  return bytes;
}

std::vector<std::string> to_texts(std::span<const std::byte> bytes) {
  std::vector<std::string> texts;
  for (std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
       !rest.empty(); rest.remove_prefix(texts.back().size() + 1))
    texts.emplace_back(rest.substr(0, rest.find('\0')));
  return texts;
}

// What all ranks share.
struct Tasks {
  std::vector<SegmentTask> list;
  Existing existing = Existing::refused;

  [[nodiscard]] Bytes bytes() const {
    std::vector<std::string> texts{std::to_string(static_cast<int>(existing))};
    for (const SegmentTask& task : list)
      texts.insert(
          texts.end(),
          {task.image.string(), std::to_string(task.frame), std::to_string(task.channel),
           task.diameter_px ? fmt::format("{}", *task.diameter_px) : "", task.outputs.string()});
    return to_bytes(texts);
  }
  /// Names of all files.
  [[nodiscard]] std::set<std::string> outputs() const {
    std::set<std::string> names;
    for (const SegmentTask& task : list) {
      const SegmentFiles files(task.outputs);
      for (const fs::path& file : {files.table, files.labels, files.overlay})
        names.insert(file.filename().string());
    }
    return names;
  }
  [[nodiscard]] static Tasks from_bytes(const Bytes& bytes) {
    const std::vector<std::string> texts = to_texts(bytes);
    Tasks tasks{.list = {}, .existing = static_cast<Existing>(std::stoi(texts.at(0)))};
    for (std::size_t i = 1; i + 5 <= texts.size(); i += 5) {
      SegmentTask task{.image = texts[i],
                       .frame = std::stoull(texts[i + 1]),
                       .channel = std::stoull(texts[i + 2]),
                       .diameter_px = {},
                       .outputs = texts[i + 4]};
      if (!texts[i + 3].empty()) task.diameter_px = std::stod(texts[i + 3]);
      tasks.list.push_back(std::move(task));
    }
    return tasks;
  }
};

// The outcome of a task: exit status, message, number of nuclei, diameter, what else is so.
Bytes outcome(ExitStatus status, const SegmentSummary& summary, const std::string& message) {
  return to_bytes({std::to_string(static_cast<int>(status)), message,
                   std::to_string(summary.nuclei), fmt::format("{}", summary.diameter_px),
                   fmt::format("{}{}{}", summary.kept ? kept : "", summary.replaced ? replaced : "",
                               summary.one_value ? one_value : "")});
}

SegmentSummary summary_of(const std::vector<std::string>& outcome) {
  const auto is = [&](const char* what) { return outcome.at(4).find(what) != std::string::npos; };
  return {.nuclei = std::stoull(outcome.at(2)),
          .diameter_px = std::stod(outcome.at(3)),
          .one_value = is(one_value),
          .kept = is(kept),
          .replaced = is(replaced)};
}

Work work_of(std::shared_ptr<const Tasks> tasks) {
  return [tasks = std::move(tasks)](std::uint64_t number, Bytes& payload) {
    try {
      payload =
          outcome(ExitStatus::done, segment_image(tasks->list.at(number), tasks->existing), "");
    } catch (const Error& e) {
      payload = outcome(e.status(), {}, e.what());
    } catch (const std::exception& e) {
      payload = outcome(ExitStatus::bug, {}, fmt::format("bug: {}", e.what()));
    }
  };
}

DispatchOptions dispatch_options(const std::shared_ptr<const Tasks>& tasks) {
  DispatchOptions options;
  options.monitor_seconds = 0.0;
  options.lease_seconds = lease_seconds;
  options.abandoned = [tasks](std::uint64_t number, Bytes& payload) {
    payload = outcome(ExitStatus::bug, {},
                      fmt::format("{}: given up, ranks were lost with it",
                                  tasks->list.at(number).image.string()));
  };
  return options;
}

// Opens every image, without its pixels. One that cannot be read is a failure among others.
Tasks tasks_of(const SegmentCommand& command, Failures& failures) {
  static_cast<void>(segment({}, {.diameter_px = command.diameter_px}));  // checks the number
  Tasks tasks{.list = {},
              .existing = command.force    ? Existing::replaced
                          : command.resume ? Existing::kept_if_same
                                           : Existing::refused};
  std::set<fs::path> targets;
  std::map<fs::path, fs::path> names;  // that the files were given by
  for (const fs::path& image : command.images) try {
      std::error_code ignored;  // what is not there fails when it is opened
      const auto [known, is_new] = names.emplace(fs::weakly_canonical(image, ignored), image);
      if (!is_new)
        throw JobError(fmt::format("is the same file as {}", known->second.string()),
                       {.file = image.string(), .allowed = "each image once"});
      const std::unique_ptr<ImageReader> reader = open_image(image);
      const ImageInfo& info = reader->info();
      const std::size_t channel = find_channel(info, command.channel, image.string());
      for (std::size_t frame = 0; frame < info.frames.size(); ++frame) {
        if (info.frames[frame].missing) continue;
        std::string name = image.stem().string();
        if (info.frames.size() > 1) name += fmt::format("_f{:04}", frame);
        if (!targets.insert(name).second)
          throw JobError(
              "two images would have outputs of one name",
              {.file = image.string(), .allowed = "names that differ before the ending"});
        const SegmentFiles files(command.folder / name);
        for (const fs::path& file : {files.table, files.labels, files.overlay})
          if (tasks.existing == Existing::refused && is_there(file))
            throw OutputError("exists",
                              {.file = file.string(), .allowed = "--force overwrites it"});
        tasks.list.push_back({.image = fs::absolute(image),
                              .frame = frame,
                              .channel = channel,
                              .diameter_px = command.diameter_px,
                              .outputs = fs::absolute(command.folder / name)});
      }
    } catch (const InputError& e) {
      failures.add(e.status(), e.what());
    }
  std::error_code ignored;
  for (const SegmentTask& task : tasks.list) {
    const SegmentFiles files(task.outputs);
    for (const fs::path& file : {files.table, files.labels, files.overlay})
      if (names.contains(fs::weakly_canonical(file, ignored)))
        throw OutputError("is one of the images",
                          {.file = file.string(), .allowed = "another folder"});
  }
  return tasks;
}

// Of all frames of an image: some may show nothing, such as planes out of focus, but not all.
struct FoundInFile {
  std::size_t frames = 0, done = 0, nuclei = 0;
  bool one_value = true;

  void add(const SegmentSummary& summary) {
    ++done;
    nuclei += summary.nuclei;
    one_value = one_value && summary.one_value;
  }
  [[nodiscard]] bool nothing() const { return done == frames && nuclei == 0; }
};

ExitStatus segment_root(Communicator& communicator, const SegmentCommand& command) {
  auto tasks = std::make_shared<Tasks>();
  Failures failures;
  std::vector<RankFacts> facts;
  try {
    facts = share_setup(communicator, [&](const std::vector<RankFacts>&) {
      *tasks = tasks_of(command, failures);
      if (!tasks->list.empty()) make_folder(command.folder);
      if (command.resume) remove_temporaries(command.folder, tasks->outputs());
      // What --force replaces must not be taken for done where it did not come to that.
      if (command.force)
        for (const SegmentTask& task : tasks->list) remove_file(SegmentFiles(task.outputs).table);
      return tasks->bytes();
    });
  } catch (const Error& e) {
    refuse_setup(communicator, static_cast<int>(e.status()));
    fmt::print(stderr, "nucreg: {}\n", e.what());
    return e.status();
  }
  std::vector<std::string> lines(tasks->list.size());
  std::size_t kept_before = 0, made_otherwise = 0;
  std::map<fs::path, FoundInFile> found;
  for (const SegmentTask& task : tasks->list) ++found[task.image].frames;
  DispatchOptions options = dispatch_options(tasks);
  StageDisplay display(error_is_terminal(), line_seconds, "finding nuclei", "image");
  if (!tasks->list.empty()) options.progress = [&](const Progress& now) { display.show(now); };
  options.stop_requested = [&] { return stop_told("images", options); };
  const DispatchReport report = dispatch(
      communicator, {.blocks = {{0, tasks->list.size(), 1.0}}}, work_of(tasks),
      [&](std::uint64_t number, int, std::span<const std::byte> payload) {
        const std::vector<std::string> texts = to_texts(payload);
        const auto status = static_cast<ExitStatus>(std::stoi(texts.at(0)));
        const SegmentTask& task = tasks->list.at(number);
        if (status != ExitStatus::done) {
          failures.add(status, texts.at(1));
          return;
        }
        const SegmentSummary summary = summary_of(texts);
        found[task.image].add(summary);
        kept_before += summary.kept ? 1 : 0;
        made_otherwise += summary.replaced ? 1 : 0;
        if (!summary.kept)
          lines[number] = fmt::format("{:>8} {:>11.1f}  {}\n", summary.nuclei, summary.diameter_px,
                                      SegmentFiles(task.outputs).table.string());
      },
      facts, options);
  fmt::print(stderr, "{}", over_bar());
  for (const LostRank& rank : report.lost)
    fmt::print(stderr, "nucreg: rank {} on {} {}; its images went to others\n", rank.rank,
               rank.host, rank.reason);
  std::string text;
  for (const std::string& line : lines) text += line;
  if (!text.empty()) print_result("  nuclei diameter_px  table\n" + text);
  for (const auto& [file, in_it] : found)
    if (in_it.nothing())
      failures.add(ExitStatus::input, fmt::format("{}: no nuclei{}", file.string(),
                                                  in_it.one_value ? ": every pixel has one and "
                                                                    "the same value"
                                                                  : ""));
  if (!failures.text().empty()) fmt::print(stderr, "nucreg: {}\n", failures.text());
  if (kept_before > 0)
    fmt::print(stderr, "nucreg: {} {} done before\n", counted(kept_before, "image"),
               kept_before == 1 ? "was" : "were");
  if (made_otherwise > 0)
    fmt::print(stderr,
               "nucreg: {} had been made of other pixels, with another --diameter or by another "
               "version: made anew\n",
               counted(made_otherwise, "image"));
  if (!report.stopped) return failures.status();
  fmt::print(stderr, "nucreg: {} of {} are done\n", count_text(report.tasks_done),
             counted(tasks->list.size(), "image"));
  return ExitStatus::stopped;
}

ExitStatus segment_other_rank(Communicator& communicator) {
  try {
    const auto tasks =
        std::make_shared<const Tasks>(Tasks::from_bytes(receive_setup(communicator)));
    serve(communicator, work_of(tasks), dispatch_options(tasks));
    return ExitStatus::done;
  } catch (const SetupRefused& refused) {
    return static_cast<ExitStatus>(refused.exit_status);
  }
}

}  // namespace

ExitStatus segment_command(const SegmentCommand& command) {
  return on_ranks([&](Communicator& communicator) {
    return communicator.rank() == 0 ? segment_root(communicator, command)
                                    : segment_other_rank(communicator);
  });
}

}  // namespace nucreg
