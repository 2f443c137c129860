#include "nucreg/run/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>
#include <span>
#include <utility>

#include "nucreg/core/error.hpp"
#include "protocol.hpp"

namespace nucreg {
namespace {

/// What stands before the bytes of a stage.
struct StageSetup {
  std::string kind, output;
  bool last = false;
};
void fields(auto& archive, MaybeConst<StageSetup> auto& setup) {
  archive(setup.kind, setup.output, setup.last);
}

// A worker that hangs outlives everything but what it shares.
Work work_of(std::shared_ptr<const Stage> stage) {
  return
      [stage = std::move(stage)](std::uint64_t task, Bytes& result) { stage->run(task, result); };
}

DispatchOptions options_of(const Stage& stage) {
  const StageLimits limits = stage.limits();
  DispatchOptions options;
  options.lease_seconds = limits.lease_seconds;
  options.monitor_seconds = limits.monitor_seconds;
  options.solves_per_task = limits.solves_per_task;
  return options;
}

std::uint64_t count_of(const TaskList& tasks) {
  std::uint64_t count = 0;
  for (const TaskList::Block& block : tasks.blocks) count += block.count;
  return count;
}

/// Gives `sink` the first result of each task that the journal has; returns which those are.
std::vector<bool> replay(const JournalReader& journal, std::uint32_t number, const TaskList& tasks,
                         const Sink& sink) {
  std::uint64_t end = 0;
  for (const TaskList::Block& block : tasks.blocks) end = std::max(end, block.first + block.count);
  std::vector<bool> done(end);
  journal.scan(
      [&](std::uint64_t task, int rank, std::uint64_t offset) {
        if (task >= end || done[task]) return;
        done[task] = true;
        sink(task, rank, journal.payload_at(offset));
      },
      number);
  return done;
}

/// One stage on the root: what it reports to status, user and journal.
class StageRun {
 public:
  StageRun(const RunView& view, StatusFile& status_file, const Stage& stage,
           const std::vector<RankFacts>& facts)
      : view_(view),
        status_(status_file),
        stage_(stage),
        name_(stage.name()),
        options_(options_of(stage)) {
    status_.change([&](RunStatus& status) {
      status.doing = name_.doing;
      status.counting = name_.task;
      status.elapsed_s = 0.0;
      status.ranks = rank_statuses(facts);
    });
    options_.progress = [this](const Progress& progress) { show(progress); };
    options_.watch = [this](const std::vector<RankNow>& ranks) { note(ranks); };
    options_.stop_requested = [this] { return stop_requested(); };
    options_.abandoned = [this](std::uint64_t task, Bytes& result) {
      stage_.give_up(task, result);
      warn(fmt::format("{}: given up, the ranks that ran it hung or died",
                       stage_.describe({{task, 1}})));
    };
  }

  DispatchReport dispatch(Communicator& communicator, const TaskList& tasks, std::uint64_t earlier,
                          const Work& work, const Sink& sink, const std::vector<RankFacts>& facts) {
    status_.change([&](RunStatus& status) {
      status.done = status.earlier = earlier;
      status.total = earlier + count_of(tasks);
    });
    DispatchReport report = nucreg::dispatch(communicator, tasks, work, sink, facts, options_);
    for (const LostRank& rank : report.lost)
      warn(fmt::format("rank {} on {} {}; its {}s were run elsewhere: {}", rank.rank, rank.host,
                       rank.reason, name_.task, stage_.describe(rank.tasks)));
    return report;
  }
  void keep_in(JournalWriter& journal) {
    options_.sync = [&journal] { journal.sync(); };
  }

 private:
  void show(const Progress& progress) {
    RunStatus now;
    status_.change([&](RunStatus& status) {
      status.done = status.earlier + progress.done;
      status.elapsed_s = progress.elapsed_seconds;
      std::vector<RankStatus> ranks = std::exchange(status.ranks, {});  // may be very many
      now = status;
      status.ranks = std::move(ranks);
    });
    if (view_.show && now.total > 0) view_.show(now);
  }
  void note(const std::vector<RankNow>& ranks) {
    status_.change([&](RunStatus& status) {
      for (std::size_t rank = 0; rank < ranks.size(); ++rank) status.ranks[rank].now = ranks[rank];
      if (stopping_) status.doing = "stopping";
    });
  }
  bool stop_requested() {
    if (!view_.stop) return false;
    const auto grace = view_.stop(name_.task + "s");
    if (!grace) return false;
    options_.grace_seconds = *grace;
    stopping_ = true;
    return true;
  }
  void warn(const std::string& warning) {
    if (view_.warn) view_.warn(warning);
  }

  const RunView& view_;
  StatusFile& status_;
  const Stage& stage_;
  const StageName name_;
  DispatchOptions options_;
  bool stopping_ = false;
};

}  // namespace

std::string Stage::describe(const std::vector<TaskList::Block>& tasks) const {
  constexpr std::size_t max_blocks = 8;
  std::string text;
  for (std::size_t i = 0; i < tasks.size() && i < max_blocks; ++i) {
    const std::uint64_t first = tasks[i].first, last = first + tasks[i].count - 1;
    text += (i > 0 ? ", " : name().task + " ") +
            (first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last));
  }
  if (tasks.size() > max_blocks)
    text += fmt::format(" and {} more blocks", tasks.size() - max_blocks);
  return text.empty() ? "none" : text;
}

void Stages::alive_during(const std::function<void()>& act) {
  if (communicator_.size() == 1) return act();
  bool over = false;
  auto done = std::async(std::launch::async, [&] {
    const auto end = [&] {
      const std::lock_guard lock(mutex_);
      over = true;
      wake_.notify_one();
    };
    try {
      act();
    } catch (...) {
      end();
      throw;
    }
    end();
  });
  Heartbeat heart(communicator_);
  for (Patience patience;;) {
    std::function<void()> stage;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, patience.next(true), [&] { return over || asked_; });
      if (over) break;
      stage = std::exchange(asked_, nullptr);
    }
    if (stage) stage();
    if (!ended_) heart.beat();
  }
  done.get();
}

StageReport Stages::run(const StageSource& make, const Sink& sink, const StageOptions& options) {
  if (std::this_thread::get_id() == home_) return run_here(make, sink, options);
  std::packaged_task<StageReport()> stage([&] { return run_here(make, sink, options); });
  std::future<StageReport> report = stage.get_future();
  {
    const std::lock_guard lock(mutex_);
    asked_ = [&] { stage(); };
  }
  wake_.notify_one();
  return report.get();
}

StageReport Stages::run_here(const StageSource& make, const Sink& sink,
                             const StageOptions& options) {
  StageReport report;
  report.facts = share_setup(communicator_, [&](const std::vector<RankFacts>& facts) {
    report.stage = make(facts);
    Bytes bytes = to_bytes(StageSetup{
        .kind = report.stage->name().kind, .output = view_.output.string(), .last = options.last});
    ByteWriter writer(bytes);
    report.stage->write(writer);
    return bytes;
  });
  ended_ = options.last;
  const Stage& stage = *report.stage;
  const TaskList tasks = stage.tasks();
  report.total = count_of(tasks);
  std::vector<bool> done = options.done;
  std::optional<std::uint32_t> number;   // of the stage in the journal
  say_alive_during(communicator_, [&] {  // a long journal takes long to read
    if (options.begin) options.begin(report.facts);
    if (const std::string identity = stage.identity(); view_.journal && !identity.empty()) {
      number = view_.journal->begin_stage(stage.name().kind, identity);
      if (done.empty()) done = replay(JournalReader(view_.journal->file()), *number, tasks, sink);
    }
  });
  StageRun run(view_, view_.status ? *view_.status : unwatched_, stage, report.facts);
  Sink keep = sink;
  if (number) {
    keep = [&](std::uint64_t task, int rank, std::span<const std::byte> result) {
      view_.journal->add(task, rank, result);  // a slow disk must not make the root look dead
      sink(task, rank, result);
    };
    run.keep_in(*view_.journal);
  }
  const TaskList left = without_done(tasks, done);
  report.earlier = report.total - count_of(left);
  report.dispatch =
      run.dispatch(communicator_, left, report.earlier, work_of(report.stage), keep, report.facts);
  return report;
}

StageReport Stages::run(std::shared_ptr<const Stage> stage, const Sink& sink,
                        const StageOptions& options) {
  return run([&](const std::vector<RankFacts>&) { return stage; }, sink, options);
}

void Stages::end(ExitStatus status) {
  if (!std::exchange(ended_, true)) refuse_setup(communicator_, static_cast<int>(status));
}

ExitStatus serve_stages(Communicator& communicator, const StageKinds& kinds) {
  try {
    while (true) {
      const Bytes bytes = receive_setup(communicator);
      ByteReader reader(bytes);
      const auto setup = reader.read<StageSetup>();
      const auto kind = kinds.find(setup.kind);
      if (kind == kinds.end())
        throw Error(ExitStatus::bug, "no stage is of kind \"" + setup.kind + "\"");
      const std::shared_ptr<const Stage> stage = kind->second(reader, communicator.rank());
      reader.end();
      try {
        serve(communicator, work_of(stage), options_of(*stage));
      } catch (const RootLost& lost) {
        if (setup.output.empty()) throw;
        throw Error(lost.status(), fmt::format("{}; nucreg watch {} shows how to continue",
                                               lost.problem(), setup.output));
      }
      if (setup.last) return ExitStatus::done;
    }
  } catch (const SetupRefused& refused) {
    return static_cast<ExitStatus>(refused.exit_status);
  }
}

TaskList without_done(const TaskList& tasks, const std::vector<bool>& done) {
  TaskList left;
  const auto is_done = [&](std::uint64_t task) { return task < done.size() && done[task]; };
  for (const TaskList::Block& block : tasks.blocks) {
    const std::uint64_t end = block.first + block.count;
    if (done.empty()) {
      left.blocks.push_back(block);
      continue;
    }
    for (std::uint64_t task = block.first; task < end;) {
      const std::uint64_t first = task;
      while (task < end && !is_done(task)) ++task;
      if (task > first) left.blocks.push_back({first, task - first, block.cost_seconds});
      while (task < end && is_done(task)) ++task;
    }
  }
  return left;
}

}  // namespace nucreg
