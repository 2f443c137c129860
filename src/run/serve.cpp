#include <algorithm>

#include "monitor.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/dispatch.hpp"
#include "processes.hpp"
#include "protocol.hpp"
#include "worker.hpp"

namespace nucreg {
namespace {

// Two messages on their way keep the line busy; more would only take memory.
constexpr std::size_t max_results_unsent = 2;

Batch decode_batch(const Message& message) {
  Batch batch;
  for (ByteReader reader(message.payload); !reader.empty();) {
    const auto first = reader.read<std::uint64_t>();
    batch.push_back({first, reader.read<std::uint64_t>()});
  }
  return batch;
}

Bytes encode_failure(const std::exception_ptr& failure) {
  ExitStatus status = ExitStatus::bug;
  std::string text = "unknown exception";
  try {
    std::rethrow_exception(failure);
  } catch (const Error& e) {
    status = e.status();
    text = e.what();
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
  }
  return to_bytes(status, text);
}

/// The side of one rank in one dispatch: feeds its worker and carries its results to the root.
class Rank {
 public:
  Rank(Communicator& communicator, const Work& work, const DispatchOptions& options)
      : communicator_(communicator),
        options_(options),
        worker_(work),
        monitor_(options, [this] { return worker_.tasks_done(); }) {}

  /// Until the root releases this rank. Throws RootLost.
  void serve();

 private:
  void accept(const Message& message);
  void send(int tag, Bytes payload = {});
  void send_news();
  void send_samples();
  void send_vitals();
  void say_goodbye();

  Communicator& communicator_;
  const DispatchOptions& options_;
  OwnTime clock_;
  double root_heard_ = 0.0, last_vitals_ = 0.0;
  bool root_spoke_ = false;
  bool failure_reported_ = false, finishing_ = false, goodbye_said_ = false, released_ = false;
  Patience patience_;
  Worker worker_;
  Monitor monitor_;
  VitalSigns vital_signs_;
};

void Rank::serve() {
  send(tag::alive);  // the sooner the root knows that this rank has loaded what it needs
  while (true) {
    while (const auto message = communicator_.receive()) {
      accept(*message);
      if (released_) return;
    }
    const double now = clock_.now();
    const double limit = root_spoke_ ? options_.lost_seconds
                                     : std::max(options_.lost_seconds, options_.start_seconds);
    if (now - root_heard_ > limit) {
      communicator_.give_up(0);
      throw RootLost();
    }
    send_news();
    if (now - last_vitals_ >= options_.heartbeat_seconds) send_vitals();
    worker_.wait(patience_.next(worker_.busy()));
  }
}

void Rank::accept(const Message& message) {
  patience_.reset();
  root_heard_ = clock_.now();
  root_spoke_ = true;
  switch (message.tag) {
    case tag::alive:
      return;
    case tag::batch:
      if (!finishing_) worker_.give(decode_batch(message));
      return;
    case tag::finish:
      finishing_ = true;
      worker_.drop_queue();
      return;
    case tag::release: {
      released_ = true;
      std::vector<std::int64_t> pids;
      for (ByteReader reader(message.payload); !reader.empty();) {
        if (const int gone = reader.read<int>(); gone != communicator_.rank())
          communicator_.give_up(gone);
        pids.push_back(reader.read<std::int64_t>());
      }
      return end_processes(std::move(pids));
    }
    default:
      throw std::logic_error("message " + std::to_string(message.tag) + " to a working rank");
  }
}

void Rank::send(int tag, Bytes payload) {
  communicator_.send(0, tag, std::move(payload));
}

void Rank::send_vitals() {
  last_vitals_ = clock_.now();
  send(tag::alive, to_bytes(vital_signs_.take(worker_)));
}

void Rank::send_news() {
  if (goodbye_said_) return (void)communicator_.unsent();
  const bool idle = finishing_ && !worker_.busy();  // before its last results are taken
  bool all_said = false;
  if (communicator_.unsent() < max_results_unsent) {
    if (Bytes results = worker_.take_results(); !results.empty()) {
      send(tag::results, std::move(results));
      patience_.reset();
    } else {
      all_said = idle;
    }
  }
  if (const auto failure = worker_.failure(); failure && !failure_reported_) {
    send(tag::failure, encode_failure(failure));
    failure_reported_ = true;
  }
  if (all_said) return say_goodbye();
  send_samples();
}

void Rank::send_samples() {
  for (const Sample& sample : monitor_.take_samples()) send(tag::sample, to_bytes(sample));
}

/// A rank that left now could already talk of the next thing while the root still listens to the
/// others about this one: it stays until it is released.
void Rank::say_goodbye() {
  monitor_.stop();
  send_samples();
  send(tag::totals, to_bytes(monitor_.totals(worker_.waited_seconds())));
  goodbye_said_ = true;
}

}  // namespace

void serve(Communicator& communicator, const Work& work, const DispatchOptions& options) {
  Rank(communicator, work, options).serve();
}

}  // namespace nucreg
