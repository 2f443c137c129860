#include "nucreg/run/dispatch.hpp"

#include "monitor.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/schedule.hpp"
#include "patience.hpp"
#include "rank_tables.hpp"
#include "wire.hpp"
#include "worker.hpp"

namespace nucreg {
namespace {

// So that results of other ranks do not keep the root's own worker waiting for ever.
constexpr int most_messages_at_once = 64;
constexpr double progress_seconds = 0.1;

/// The root's side of one dispatch.
class Root {
 public:
  Root(Communicator& communicator, const TaskList& tasks, const Work& work, const Sink& sink,
       const DispatchOptions& options)
      : communicator_(communicator),
        sink_(sink),
        options_(options),
        schedule_(tasks, communicator.size()),
        samples_(static_cast<std::size_t>(communicator.size())),
        totals_(static_cast<std::size_t>(communicator.size())),
        worker_(work),
        monitor_(options, [this] { return worker_.tasks_done(); }) {}

  /// Returns when all tasks are done or something failed.
  void hand_out();
  /// Stops all ranks and gathers what they say of themselves.
  void close();
  [[nodiscard]] std::exception_ptr failure() const { return failure_; }
  [[nodiscard]] DispatchReport report(const std::vector<RankFacts>& facts) const;

 private:
  bool grant(int rank);
  void accept(const Message& message);
  void accept_results(int rank, std::span<const std::byte> results);
  void accept_own_samples();
  void tell_progress(bool last);

  Communicator& communicator_;
  const Sink& sink_;
  const DispatchOptions& options_;
  Schedule schedule_;
  std::vector<std::vector<Sample>> samples_;
  std::vector<RankTotals> totals_;
  std::size_t totals_received_ = 0;
  std::exception_ptr failure_;  // the first one; results are dropped from then on
  double start_seconds_ = wall_seconds();
  double last_progress_seconds_ = start_seconds_;
  double seconds_ = 0.0;
  Worker worker_;
  Monitor monitor_;
};

void Root::hand_out() {
  for (int depth = 0; depth < 2; ++depth)
    for (int rank = 0; rank < communicator_.size(); ++rank) grant(rank);

  for (Patience patience;; worker_.wait(patience.next(worker_.busy()))) {
    for (int i = 0; i < most_messages_at_once; ++i) {
      const auto message = communicator_.receive();
      if (!message) break;
      accept(*message);
      patience.reset();
    }
    if (const Bytes results = worker_.take_results(); !results.empty()) {
      accept_results(0, results);
      patience.reset();
    }
    if (const auto failure = worker_.failure(); failure && !failure_) failure_ = failure;
    accept_own_samples();
    (void)communicator_.unsent();
    if (failure_ || schedule_.finished()) break;
    tell_progress(false);
  }
  seconds_ = wall_seconds() - start_seconds_;
}

void Root::close() {
  for (int rank = 1; rank < communicator_.size(); ++rank) communicator_.send(rank, tag::finish, {});
  worker_.stop();
  monitor_.stop();
  accept_own_samples();
  totals_[0] = monitor_.totals(worker_.waited_seconds());
  const std::size_t others = totals_.size() - 1;
  for (Patience patience; totals_received_ < others || communicator_.unsent() > 0;) {
    if (const auto message = communicator_.receive())
      accept(*message);
    else
      worker_.wait(patience.next());
  }
  for (int rank = 1; rank < communicator_.size(); ++rank)
    communicator_.send(rank, tag::release, {});
  for (Patience patience; communicator_.unsent() > 0;) worker_.wait(patience.next());
  if (!failure_) tell_progress(true);
}

DispatchReport Root::report(const std::vector<RankFacts>& facts) const {
  return {.ranks = rank_table(facts, totals_),
          .samples = sample_table(samples_),
          .tasks_done = schedule_.done(),
          .seconds = seconds_};
}

/// Gives a rank its next batch; false = it holds enough.
bool Root::grant(int rank) {
  const Batch batch = schedule_.grant(rank);
  if (batch.empty()) return false;
  if (rank == 0) {
    worker_.give(batch);
    return true;
  }
  Bytes bytes;
  for (const TaskList::Block& block : batch) {
    put(bytes, block.first);
    put(bytes, block.count);
  }
  communicator_.send(rank, tag::batch, std::move(bytes));
  return true;
}

void Root::accept(const Message& message) {
  WireReader reader(message.payload);
  const auto rank = static_cast<std::size_t>(message.source);
  switch (message.tag) {
    case tag::results:
      return accept_results(message.source, message.payload);
    case tag::sample:
      samples_[rank].push_back(reader.get<Sample>());
      return;
    case tag::totals:
      totals_[rank] = reader.get<RankTotals>();
      ++totals_received_;
      return;
    case tag::failure: {
      const auto status = reader.get<ExitStatus>();
      const Error error(status, "rank " + std::to_string(rank) + ": " + reader.get_text());
      if (!failure_) failure_ = std::make_exception_ptr(error);
      return;
    }
    default:
      throw std::logic_error("message " + std::to_string(message.tag) + " of rank " +
                             std::to_string(rank) + " during dispatch");
  }
}

void Root::accept_results(int rank, std::span<const std::byte> results) {
  try {
    for (WireReader reader(results); !reader.empty() && !failure_;) {
      const auto task = reader.get<std::uint64_t>();
      const auto payload = reader.take(reader.get<std::uint64_t>());
      if (!schedule_.returned(rank, task))
        throw std::logic_error("rank " + std::to_string(rank) + " did task " +
                               std::to_string(task) + ", which it was not given");
      sink_(task, rank, payload);
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
  while (!failure_ && grant(rank)) {
  }
}

void Root::accept_own_samples() {
  for (const Sample& sample : monitor_.take_samples()) samples_[0].push_back(sample);
}

void Root::tell_progress(bool last) {
  const double now = wall_seconds();
  if (!options_.progress || (!last && now - last_progress_seconds_ < progress_seconds)) return;
  last_progress_seconds_ = now;
  options_.progress({.done = schedule_.done(),
                     .total = schedule_.total(),
                     .elapsed_seconds = now - start_seconds_});
}

}  // namespace

DispatchReport dispatch(Communicator& communicator, const TaskList& tasks, const Work& work,
                        const Sink& sink, const std::vector<RankFacts>& facts,
                        const DispatchOptions& options) {
  Root root(communicator, tasks, work, sink, options);
  root.hand_out();
  root.close();
  if (root.failure()) std::rethrow_exception(root.failure());
  return root.report(facts);
}

}  // namespace nucreg
