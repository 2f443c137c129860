// Stages: numbered tasks over all ranks. A run is one stage or several, one after the other.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nucreg/core/bytes.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/run/status.hpp"

namespace nucreg {

struct StageName {
  std::string kind;   ///< "nuclei": one word, by which other ranks know what to make
  std::string doing;  ///< "finding nuclei"
  std::string task;   ///< "tile": what is counted
};

struct StageLimits {
  double lease_seconds = 600.0;       ///< a task that takes longer hangs (DispatchOptions)
  double monitor_seconds = 0.0;       ///< between two samples; 0 = only start and end
  std::uint64_t solves_per_task = 1;  ///< for the `solves` columns
};

/// What a stage is, the same on every rank: the root makes it, writes what others need, and those
/// make it again (StageKinds). Results must depend on the stage and the number of the task alone,
/// never on the rank, so that they are the same bits at any number of ranks.
class Stage {
 public:
  virtual ~Stage() = default;
  [[nodiscard]] virtual StageName name() const = 0;
  /// On the root: all tasks, with costs. Numbers count from 0.
  [[nodiscard]] virtual TaskList tasks() const = 0;
  [[nodiscard]] virtual StageLimits limits() const { return {}; }
  /// What another rank needs to make the same stage. Small, or names of files that it reads: each
  /// rank is sent all of it.
  virtual void write(ByteWriter& writer) const = 0;
  /// Appends the result of one task, on the worker thread of a rank; one at a time, but see Work
  /// about those that hang.
  /// What is wrong with a task is its result; what is thrown ends the run.
  virtual void run(std::uint64_t task, Bytes& result) const = 0;
  /// On the root: the result of a task that ended or held up every rank that had it.
  virtual void give_up(std::uint64_t task, Bytes& result) const = 0;
  /// Tasks in words, for warnings; here "tile 4-9, 12".
  [[nodiscard]] virtual std::string describe(const std::vector<TaskList::Block>& tasks) const;
  /// Text that must be equal for the results of an earlier run to count: names and checksums of
  /// what the tasks read, options. Empty: results are not kept in the journal.
  [[nodiscard]] virtual std::string identity() const { return {}; }
};

/// How ranks other than the root make each kind of stage: from what its write() wrote, and the
/// number of the rank.
using StageKinds =
    std::map<std::string, std::function<std::shared_ptr<const Stage>(ByteReader&, int rank)>>;

/// Other ranks: serves one stage after the other until the root ends that. Returns the status with
/// which to leave. Throws RootLost with what the user can do.
[[nodiscard]] ExitStatus serve_stages(Communicator& communicator, const StageKinds& kinds);

/// What the stages of one run share, on the root.
struct RunView {
  StatusFile* status = nullptr;      ///< for `nucreg watch`; null: nobody watches
  JournalWriter* journal = nullptr;  ///< null: no results are kept
  std::filesystem::path output;      ///< what `nucreg watch` takes; empty: nothing
  /// At most ten times a second and at the end, without its ranks; may be empty; must not throw.
  std::function<void(const RunStatus&)> show = {};
  std::function<void(const std::string&)> warn = {};  ///< of ranks that were lost; may be empty
  /// Asked every few milliseconds; may be empty. Once it gives seconds, nothing more is handed out
  /// and tasks in progress have so long to end. `tasks`, such as "tiles", is for its message.
  std::function<std::optional<double>(const std::string& tasks)> stop = {};
};

/// Makes a stage, on another thread of the root while the other ranks hear that it lives.
using StageSource = std::function<std::shared_ptr<const Stage>(const std::vector<RankFacts>&)>;

struct StageOptions {
  bool last = false;       ///< the other ranks leave after it
  std::vector<bool> done;  ///< tasks that are not run; empty: those that the journal has
  std::function<void(const std::vector<RankFacts>&)> begin = {};  ///< before the first task
};

struct StageReport {
  DispatchReport dispatch;
  std::shared_ptr<const Stage> stage;
  std::vector<RankFacts> facts;
  std::uint64_t earlier = 0, total = 0;  ///< tasks: done by earlier runs, all
};

/// The root's side of a run of stages. Whoever has one must call end(), also when a stage has
/// thrown: the other ranks wait for it.
class Stages {
 public:
  explicit Stages(Communicator& communicator) : communicator_(communicator) {}

  /// Calls `act`, which runs stages, one after the other, and whatever lies between them; however
  /// long that takes, the other ranks hear that the root lives. Where there are other ranks `act`
  /// is called on another thread, while this one, which alone may talk to them, runs its stages.
  /// Throws what `act` throws.
  void alive_during(const std::function<void()>& act);
  /// Runs a stage on all ranks. `sink` gets the result of each task once, in any order: first those
  /// that the journal has, if the stage has an identity and options.done is empty, then those that
  /// are run, which go to the journal before. A stop asked for by the user is reported, not thrown
  /// (StageReport::dispatch.stopped). Throws what `make`, `sink` and the journal throw.
  [[nodiscard]] StageReport run(const StageSource& make, const Sink& sink,
                                const StageOptions& options = {});
  [[nodiscard]] StageReport run(std::shared_ptr<const Stage> stage, const Sink& sink,
                                const StageOptions& options = {});
  /// The other ranks leave with that status, unless they have left after the last stage.
  void end(ExitStatus status);

  [[nodiscard]] Communicator& communicator() { return communicator_; }
  /// To be filled before the first stage.
  [[nodiscard]] RunView& view() { return view_; }

 private:
  [[nodiscard]] StageReport run_here(const StageSource& make, const Sink& sink,
                                     const StageOptions& options);
  Communicator& communicator_;
  const std::thread::id home_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::function<void()> asked_;  ///< a stage that another thread waits for
  RunView view_;
  StatusFile unwatched_{{}, RunStatus{}};
  bool ended_ = false;
};

/// The tasks that are not done; `done` is by number, empty: none is.
[[nodiscard]] TaskList without_done(const TaskList& tasks, const std::vector<bool>& done);

}  // namespace nucreg
