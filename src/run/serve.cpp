#include "monitor.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/dispatch.hpp"
#include "patience.hpp"
#include "wire.hpp"
#include "worker.hpp"

namespace nucreg {
namespace {

// Two messages on their way keep the line busy; more would only take memory.
constexpr std::size_t most_results_unsent = 2;

Batch decode_batch(const Message& message) {
  Batch batch;
  for (WireReader reader(message.payload); !reader.empty();) {
    const auto first = reader.get<std::uint64_t>();
    batch.push_back({first, reader.get<std::uint64_t>()});
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
  Bytes bytes;
  put(bytes, status);
  put_text(bytes, text);
  return bytes;
}

void send_samples(Communicator& communicator, Monitor& monitor) {
  for (const Sample& sample : monitor.take_samples()) {
    Bytes bytes;
    put(bytes, sample);
    communicator.send(0, tag::sample, std::move(bytes));
  }
}

/// Feeds the worker and carries its results to the root until the root says finish.
void work_until_finish(Communicator& communicator, Worker& worker, Monitor& monitor) {
  bool failure_told = false;
  for (Patience patience;; worker.wait(patience.next(worker.busy()))) {
    while (const auto message = communicator.receive()) {
      patience.reset();
      if (message->tag == tag::finish) return;
      if (message->tag != tag::batch)
        throw std::logic_error("message " + std::to_string(message->tag) + " to a working rank");
      worker.give(decode_batch(*message));
    }
    if (communicator.unsent() < most_results_unsent) {
      if (Bytes results = worker.take_results(); !results.empty()) {
        communicator.send(0, tag::results, std::move(results));
        patience.reset();
      }
    }
    if (const auto failure = worker.failure(); failure && !failure_told) {
      communicator.send(0, tag::failure, encode_failure(failure));
      failure_told = true;
    }
    send_samples(communicator, monitor);
  }
}

}  // namespace

void serve(Communicator& communicator, const Work& work, const DispatchOptions& options) {
  Worker worker(work);
  Monitor monitor(options, [&worker] { return worker.tasks_done(); });
  work_until_finish(communicator, worker, monitor);
  worker.stop();
  monitor.stop();
  send_samples(communicator, monitor);
  Bytes totals;
  put(totals, monitor.totals(worker.waited_seconds()));
  communicator.send(0, tag::totals, std::move(totals));

  // A rank that left at once could already talk of the next thing while the root still listens to
  // the others about this one.
  bool released = false;
  for (Patience patience; communicator.unsent() > 0 || !released; worker.wait(patience.next()))
    if (const auto message = communicator.receive())
      released = released || message->tag == tag::release;
}

}  // namespace nucreg
