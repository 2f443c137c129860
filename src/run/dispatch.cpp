#include "nucreg/run/dispatch.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <map>
#include <thread>
#include <utility>

#include "monitor.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/schedule.hpp"
#include "processes.hpp"
#include "protocol.hpp"
#include "worker.hpp"

namespace nucreg {
namespace {

// So that results of other ranks do not keep the root's own worker waiting for ever.
constexpr int max_messages_at_once = 64;
constexpr double progress_seconds = 0.1;
constexpr std::chrono::milliseconds while_behind{1};
// Between two looks at the processes of this host.
constexpr double look_seconds = 0.2;
// The last words to ranks that may just have died.
constexpr double farewell_seconds = 1.0;
// A rank that falls silent may have died of a task whose results before it were still on the way.
constexpr std::uint64_t suspect_tasks = 63;
// A task that hangs is known to be guilty; one that was in progress when a rank died only half.
constexpr int guilt_of_hanging = 2, guilt_of_presence = 1;

/// What the root knows of one rank.
struct Peer {
  double heard = 0.0;    ///< last word
  double in_hand = 0.0;  ///< since when at most it has had the task that it owes next
  bool spoke = false;    ///< in this dispatch
  bool visible = false;  ///< as a process of this host: its death is seen at once
  bool lost = false;
  bool behind = false;  ///< until its facts arrive, its messages are of an earlier stage
  bool said_goodbye = false;
};

/// The root's side of one dispatch.
class Root {
 public:
  Root(Communicator& communicator, const TaskList& tasks, const Work& work, const Sink& sink,
       const std::vector<RankFacts>& facts, const DispatchOptions& options)
      : communicator_(communicator),
        sink_(sink),
        facts_(facts),
        options_(options),
        schedule_(tasks, communicator.size()),
        peers_(static_cast<std::size_t>(communicator.size())),
        news_(communicator.size()),
        syncer_(options.sync),
        worker_(work),
        monitor_(options, [this] { return worker_.tasks_done(); }) {}

  /// Returns when all tasks are done, a stop was asked for or something failed.
  void hand_out();
  /// Ends all ranks and gathers what they say of themselves.
  void close();
  [[nodiscard]] std::exception_ptr failure() const { return failure_; }
  [[nodiscard]] DispatchReport report() const;

 private:
  bool grant(int rank);
  void send(int rank, int tag, Bytes payload = {});
  bool listen();
  void accept(const Message& message);
  void accept_results(int rank, std::span<const std::byte> results);
  void watch_ranks(bool may_hang);
  void lose(int rank, const std::string& reason, int guilt);
  void replace_own_worker();
  void blame(std::uint64_t task, int rank, int guilt);
  void heartbeat();
  void tell_progress(bool last);
  void release_all();
  [[nodiscard]] bool all_said_goodbye() const;
  void fail(std::exception_ptr failure) {
    if (failure && !failure_) failure_ = std::move(failure);
  }
  [[nodiscard]] Peer& peer(int rank) { return peers_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] bool others_left() const { return schedule_.active() > 1; }

  Communicator& communicator_;
  const Sink& sink_;
  const std::vector<RankFacts>& facts_;
  const DispatchOptions& options_;
  Schedule schedule_;
  std::vector<Peer> peers_;
  std::vector<LostRank> lost_;
  std::map<std::uint64_t, int> guilt_;  // of tasks that ranks were lost with
  RankNews news_;
  std::exception_ptr failure_;  // the first one; results are dropped from then on
  bool closing_ = false;        // nothing more is handed out
  OwnTime clock_;
  double now_ = 0.0, last_heartbeat_ = 0.0, last_look_ = 0.0;
  double start_seconds_ = wall_seconds();
  double last_progress_seconds_ = start_seconds_;
  double seconds_ = 0.0;
  Syncer syncer_;
  Worker worker_;
  Monitor monitor_;
  VitalSigns vital_signs_;
};

void Root::hand_out() {
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    const RankFacts& facts = facts_[static_cast<std::size_t>(rank)];
    peer(rank).visible = facts.host == facts_[0].host && runs_here(facts.pid);
    if (communicator_.gave_up(rank)) {
      peer(rank).behind = true;
      lose(rank, "was lost before the first task", 0);
    }
  }
  for (int depth = 0; depth < 2; ++depth)
    for (int rank = 0; rank < communicator_.size(); ++rank) grant(rank);

  for (Patience patience;; worker_.wait(patience.next(worker_.busy()))) {
    if (listen())
      patience.reset();
    else
      watch_ranks(true);
    if (failure_ || schedule_.finished()) break;
    if (options_.stop_requested && options_.stop_requested()) break;
    tell_progress(false);
  }
  seconds_ = wall_seconds() - start_seconds_;
}

/// One round of everything that may have news; true = there was some.
bool Root::listen() {
  now_ = clock_.now();
  bool news = syncer_.behind();  // nobody is silent who is not listened to
  if (news) std::this_thread::sleep_for(while_behind);
  for (int i = 0; i < max_messages_at_once && !syncer_.behind(); ++i) {
    const auto message = communicator_.receive();
    if (!message) break;
    accept(*message);
    news = true;
  }
  if (!syncer_.behind()) {
    if (const Bytes results = worker_.take_results(); !results.empty()) {
      accept_results(0, results);
      news = true;
    }
  }
  fail(worker_.failure());
  fail(syncer_.failure());
  for (const Sample& sample : monitor_.take_samples()) news_.note(0, sample);
  heartbeat();
  (void)communicator_.unsent();
  return news;
}

/// Tasks in progress may end and their results still count, for a while.
void Root::close() {
  closing_ = true;
  const double until = clock_.now() + options_.grace_seconds;
  for (int rank = 1; rank < communicator_.size(); ++rank)
    if (!peer(rank).lost) send(rank, tag::finish);
  worker_.drop_queue();
  for (Patience patience; now_ < until; worker_.wait(patience.next())) {
    const bool idle = !worker_.busy();
    if (listen()) continue;
    watch_ranks(false);
    if (idle && all_said_goodbye()) break;
  }
  say_alive_during(
      communicator_, [&] { syncer_.stop(); }, options_.heartbeat_seconds);
  fail(syncer_.failure());
  monitor_.stop();
  for (const Sample& sample : monitor_.take_samples()) news_.note(0, sample);
  news_.note(0, monitor_.totals(worker_.waited_seconds()));
  release_all();
  if (!failure_) tell_progress(true);
}

bool Root::all_said_goodbye() const {
  for (std::size_t rank = 1; rank < peers_.size(); ++rank)
    if (!peers_[rank].lost && !peers_[rank].said_goodbye) return false;
  return true;
}

/// Each rank hears who is gone and ends those of them that live on its host: the launcher waits for
/// all processes.
void Root::release_all() {
  struct Gone {
    int rank;
    const RankFacts& facts;
  };
  std::vector<Gone> gone;
  for (int rank = 1; rank < communicator_.size(); ++rank)
    if (communicator_.gave_up(rank)) gone.push_back({rank, facts_[static_cast<std::size_t>(rank)]});
  const std::string& here = facts_[0].host;
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    const std::string& host = facts_[static_cast<std::size_t>(rank)].host;
    Bytes bytes;
    for (const Gone& one : gone) {
      ByteWriter{bytes}(one.rank, host != here && one.facts.host == host ? one.facts.pid : 0);
    }
    send(rank, tag::release, std::move(bytes));
  }
  const double until = clock_.now() + farewell_seconds;
  for (Patience patience; communicator_.unsent() > 0 && clock_.now() < until;)
    worker_.wait(patience.next());
  std::vector<std::int64_t> pids;
  for (const Gone& one : gone)
    if (one.facts.host == here) pids.push_back(one.facts.pid);
  end_processes(std::move(pids));
}

DispatchReport Root::report() const {
  return {.ranks = news_.rank_table(facts_),
          .samples = news_.sample_table(),
          .tasks_done = schedule_.done(),
          .seconds = seconds_,
          .stopped = !schedule_.finished(),
          .lost = lost_};
}

/// Gives a rank its next batch; false = it holds enough, or all is over.
bool Root::grant(int rank) {
  if (closing_) return false;
  const bool idle = !schedule_.owed_next(rank);
  const Batch batch = schedule_.grant(rank);
  if (batch.empty()) return false;
  if (idle) peer(rank).in_hand = now_;
  if (rank == 0) {
    worker_.give(batch);
    return true;
  }
  Bytes bytes;
  for (const TaskList::Block& block : batch) ByteWriter{bytes}(block.first, block.count);
  send(rank, tag::batch, std::move(bytes));
  return true;
}

void Root::send(int rank, int tag, Bytes payload) {
  communicator_.send(rank, tag, std::move(payload));
}

void Root::accept(const Message& message) {
  ByteReader reader(message.payload);
  const auto rank = static_cast<std::size_t>(message.source);
  peers_[rank].heard = now_;
  communicator_.give_up(message.source, false);
  if (!std::exchange(peers_[rank].spoke, true)) peers_[rank].in_hand = now_;
  if (peers_[rank].behind) {
    peers_[rank].behind = message.tag != tag::facts;
    return;
  }
  switch (message.tag) {
    case tag::alive:
      if (!reader.empty()) news_.note(message.source, reader.read<Vitals>(), now_);
      return;
    case tag::results:
      return accept_results(message.source, message.payload);
    case tag::sample:
      return news_.note(message.source, reader.read<Sample>());
    case tag::totals:
      news_.note(message.source, reader.read<RankTotals>());
      peers_[rank].said_goodbye = true;
      return;
    case tag::failure: {
      const auto status = reader.read<ExitStatus>();
      const Error error(status, "rank " + std::to_string(rank) + ": " + reader.read<std::string>());
      return fail(std::make_exception_ptr(error));
    }
    default:
      throw std::logic_error("message " + std::to_string(message.tag) + " of rank " +
                             std::to_string(rank) + " during dispatch");
  }
}

void Root::accept_results(int rank, std::span<const std::byte> results) {
  peer(rank).in_hand = now_;
  try {
    for (ByteReader reader(results); !reader.empty() && !failure_;) {
      const auto task = reader.read<std::uint64_t>();
      const auto payload = reader.take(reader.read<std::uint64_t>());
      switch (schedule_.returned(rank, task)) {
        case Answer::taken:
          sink_(task, rank, payload);
          break;
        case Answer::duplicate:
          break;
        case Answer::unordered:
          throw std::logic_error("rank " + std::to_string(rank) + " did task " +
                                 std::to_string(task) + ", which it was not given");
      }
    }
    syncer_.done(schedule_.done(), results.size());
  } catch (...) {
    fail(std::current_exception());
  }
  while (!failure_ && grant(rank)) {
  }
}

/// Finds ranks that are silent or, where tasks `may_hang`, do not bring back what they hold. Only
/// when nothing is left to hear: what waits to be heard is no silence.
void Root::watch_ranks(bool may_hang) {
  const bool look = now_ - last_look_ >= look_seconds;
  if (look) last_look_ = now_;
  for (int rank = 1; rank < communicator_.size(); ++rank) {
    const Peer& other = peer(rank);
    if (other.lost || other.said_goodbye) continue;
    const double limit = other.spoke ? options_.lost_seconds
                                     : std::max(options_.lost_seconds, options_.start_seconds);
    if (look && other.visible && !runs_here(facts_[static_cast<std::size_t>(rank)].pid))
      lose(rank, "died", guilt_of_presence);
    else if (now_ - other.heard > limit)
      lose(rank, "was not heard for " + std::to_string(std::lround(limit)) + " s",
           guilt_of_presence);
    else if (const auto task = schedule_.owed_next(rank);
             may_hang && task && other.spoke && now_ - other.in_hand > options_.lease_seconds)
      lose(rank, "hangs in task " + std::to_string(*task), guilt_of_hanging);
  }
  if (may_hang && schedule_.owed_next(0) && now_ - peer(0).in_hand > options_.lease_seconds)
    replace_own_worker();
}

/// Its tasks go to others. Should it live, it brings what it has and does no more.
void Root::lose(int rank, const std::string& reason, int guilt) {
  peer(rank).lost = true;
  news_.lose(rank);
  // Where only the worker hangs the rank still hears, and leaves in order when it is over.
  if (guilt != guilt_of_hanging) communicator_.give_up(rank);
  const auto task = schedule_.owed_next(rank);
  const auto& host = facts_[static_cast<std::size_t>(rank)].host;
  lost_.push_back({rank, host, reason,
                   schedule_.revoke(rank, true, guilt == guilt_of_presence ? suspect_tasks : 0)});
  send(rank, tag::finish);
  if (task) blame(*task, rank, guilt);
  for (int other = 0; other < communicator_.size() && !failure_; ++other)
    while (grant(other)) {
    }
}

/// The root cannot be lost, only the thread that hangs.
void Root::replace_own_worker() {
  const std::uint64_t task = *schedule_.owed_next(0);
  lost_.push_back({0, facts_[0].host, "hung in task " + std::to_string(task) + ", goes on without",
                   schedule_.revoke(0, false)});
  worker_.replace();
  // Whoever gets it next would hang too: with no other rank there is no second opinion.
  blame(task, 0, others_left() ? guilt_of_hanging : guilt_of_hanging * options_.max_tries);
  for (int rank = 0; rank < communicator_.size() && !failure_; ++rank)
    while (grant(rank)) {
    }
}

/// Where a task has cost too many ranks its result is made by other means.
void Root::blame(std::uint64_t task, int rank, int guilt) {
  int& sum = guilt_[task];
  sum += guilt;
  if (sum < guilt_of_hanging * options_.max_tries) return;
  try {
    if (!options_.abandoned)
      throw Error(ExitStatus::bug, "task " + std::to_string(task) + " hangs or ends every rank");
    Bytes payload;
    say_alive_during(
        communicator_, [&] { options_.abandoned(task, payload); }, options_.heartbeat_seconds);
    if (!schedule_.settle(task)) return;
    sink_(task, rank, payload);
    syncer_.done(schedule_.done(), payload.size());
  } catch (...) {
    fail(std::current_exception());
  }
}

void Root::heartbeat() {
  if (now_ - last_heartbeat_ < options_.heartbeat_seconds) return;
  last_heartbeat_ = now_;
  for (int rank = 1; rank < communicator_.size(); ++rank)
    if (!communicator_.gave_up(rank)) send(rank, tag::alive);
  news_.note(0, vital_signs_.take(worker_), now_);
  if (options_.watch) options_.watch(news_.all(now_));
}

void Root::tell_progress(bool last) {
  const double now = wall_seconds();
  if (!options_.progress || (!last && now - last_progress_seconds_ < progress_seconds)) return;
  last_progress_seconds_ = now;
  options_.progress({.done = syncer_.durable(),
                     .total = schedule_.total(),
                     .elapsed_seconds = now - start_seconds_});
}

}  // namespace

DispatchReport dispatch(Communicator& communicator, const TaskList& tasks, const Work& work,
                        const Sink& sink, const std::vector<RankFacts>& facts,
                        const DispatchOptions& options) {
  Root root(communicator, tasks, work, sink, facts, options);
  root.hand_out();
  root.close();
  if (root.failure()) std::rethrow_exception(root.failure());
  return root.report();
}

}  // namespace nucreg
