// How many ranks one root can feed: a run in simulated time, with the schedule of the program and
// the costs of this machine. Started as two ranks, so that the cost of a message is measured too.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "nucreg/core/clock.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/run/schedule.hpp"

namespace nucreg {
namespace {

// What src/run does: lengths of its messages and pauses (worker.cpp, protocol.hpp, dispatch.hpp).
constexpr std::size_t result_bytes = 340, message_bytes = std::size_t{64} << 10;
constexpr double max_stay_s = 0.1, min_pause_s = 50e-6, max_pause_s = 8e-3;
constexpr double heartbeat_s = 1.0;

/// Seconds of the root's main thread, but `latency_s`.
struct Costs {
  double receive_s = 0.0;  ///< a message without results
  double send_s = 0.0;
  double result_s = 0.0;  ///< one result: its bytes taken in and appended to the journal
  double look_s = 0.0;    ///< at one rank: is it silent, does it hang
  double latency_s = 0.0;
};

double seconds_of(int times, const auto& act) {
  const double begin = thread_cpu_seconds();
  for (int i = 0; i < times; ++i) act(i);
  return (thread_cpu_seconds() - begin) / times;
}

Message next(Communicator& communicator) {
  for (;;)
    if (auto message = communicator.receive()) return std::move(*message);
}

// Rank 1 answers what rank 0 asks for.
constexpr int many_small = 50, many_large = 51, echo = 52, end = 53;
constexpr int small_messages = 20000, large_messages = 2000, echoes = 2000;
constexpr std::size_t vitals_bytes = 64;

void answer(Communicator& communicator) {
  for (;;) {
    const Message asked = next(communicator);
    if (asked.tag == end) return;
    const bool large = asked.tag == many_large;
    const int count = asked.tag == echo ? 1 : large ? large_messages : small_messages;
    for (int i = 0; i < count; ++i) {
      communicator.send(0, asked.tag, Bytes(large ? message_bytes : vitals_bytes));
      while (communicator.unsent() > 64) std::this_thread::yield();
    }
    while (communicator.unsent() > 0) std::this_thread::yield();
  }
}

// Messages that are there already: what a look that finds nothing costs is nobody's.
double receive_cost(Communicator& communicator, int tag, int count) {
  communicator.send(1, tag, {});
  double spent = 0.0;
  for (int got = 0; got < count;) {
    const double begin = thread_cpu_seconds();
    const auto message = communicator.receive();
    if (!message) continue;
    spent += thread_cpu_seconds() - begin;
    ++got;
  }
  return spent / count;
}

Costs measure(Communicator& communicator) {
  Costs costs;
  const double clock_s = seconds_of(100000, [](int) { (void)thread_cpu_seconds(); });
  costs.receive_s = receive_cost(communicator, many_small, small_messages) - clock_s;
  const double large_s = receive_cost(communicator, many_large, large_messages) - clock_s;
  costs.send_s = seconds_of(echoes, [&](int) { communicator.send(1, echo, Bytes(32)); });
  for (int i = 0; i < echoes; ++i) (void)next(communicator);
  const double begin = wall_seconds();
  for (int i = 0; i < echoes; ++i) {
    communicator.send(1, echo, Bytes(32));
    (void)next(communicator);
  }
  costs.latency_s = (wall_seconds() - begin) / echoes / 2.0;

  const auto file = std::filesystem::temp_directory_path() /
                    fmt::format("nucreg-bench-scale-{}", static_cast<long>(wall_seconds() * 1e6));
  {
    JournalWriter journal(file, "bench");
    journal.begin_stage("bench", "bench");
    const Bytes result(result_bytes);
    costs.result_s = seconds_of(
        300000, [&](int i) { journal.append(static_cast<std::uint64_t>(i), 1, result); });
  }
  std::filesystem::remove(file);
  costs.result_s += std::max(0.0, large_s - costs.receive_s) * result_bytes / message_bytes;

  Schedule schedule({{{0, 200000, 1.0}}}, 2000);
  for (int rank = 0; rank < 2000; ++rank) (void)schedule.grant(rank);
  double sum = 0.0;
  costs.look_s = seconds_of(100,
                            [&](int i) {
                              for (int rank = 0; rank < 2000; ++rank)
                                if (const auto task = schedule.owed_next(rank))
                                  sum += static_cast<double>(*task) + i;
                            }) /
                 2000.0;
  if (sum < 0.0) std::puts("");  // it is looked at
  return costs;
}

struct Run {
  int ranks = 2;
  double trial_s = 1e-3;
  std::uint64_t tasks = 0;
};

struct Outcome {
  double worked_s = 0.0;   ///< in trials, of all ranks
  double took_s = 0.0;     ///< from the first trial to the last
  double root_busy = 0.0;  ///< share of the time of the root's main thread
};

/// One run. A rank works through its batches and sends what is done when a batch ends, a message is
/// full or its oldest result is 0.1 s old; the root takes messages in one after the other.
class Simulation {
 public:
  Simulation(const Run& run, const Costs& costs)
      : run_(run),
        costs_(costs),
        schedule_({{{0, run.tasks, run.trial_s}}}, run.ranks),
        ranks_(static_cast<std::size_t>(run.ranks)),
        random_(7, 0, 0, Purpose::noise) {}

  Outcome go() {
    for (int depth = 0; depth < 2; ++depth)
      for (int rank = 0; rank < run_.ranks; ++rank) grant(rank);
    for (int rank = 1; rank < run_.ranks; ++rank)
      events_.push({heartbeat_s * random_.uniform(), Kind::vitals, rank});
    events_.push({heartbeat_s, Kind::heartbeat, 0});
    while (!schedule_.finished()) {
      const Event event = events_.top();
      events_.pop();
      switch (event.kind) {
        case Kind::batch:
          begin(event.rank, event.time);
          break;
        case Kind::sent:
          sent(event);
          break;
        case Kind::results:
          take_in(event);
          break;
        case Kind::vitals:
          root(event.time, costs_.receive_s);
          events_.push({event.time + heartbeat_s, Kind::vitals, event.rank});
          break;
        case Kind::heartbeat:
          root(event.time, run_.ranks * (costs_.send_s + costs_.look_s));
          events_.push({std::max(event.time, root_free_) + heartbeat_s, Kind::heartbeat, 0});
          break;
      }
    }
    return {worked_, root_free_, root_busy_ / root_free_};
  }

 private:
  enum class Kind { batch, sent, results, vitals, heartbeat };
  struct Event {
    double time = 0.0;
    Kind kind = Kind::batch;
    int rank = 0;
    std::uint64_t count = 0;
    friend bool operator<(const Event& a, const Event& b) { return a.time > b.time; }
  };
  struct Rank {
    std::queue<std::uint64_t> batches;  // tasks of each that are not begun
    bool working = false;
  };
  Rank& at(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }

  /// The root does something that takes so long, when it comes to it.
  void root(double from, double seconds) {
    const bool idle = root_free_ < from;
    if (idle) {
      // While nothing happens it looks ever more seldom.
      const double pause = std::clamp(from - root_free_, min_pause_s, max_pause_s);
      from += pause * random_.uniform();
      seconds += run_.ranks * costs_.look_s;
    }
    root_free_ = std::max(root_free_, from) + seconds;
    root_busy_ += seconds;
  }

  void grant(int rank) {
    for (;;) {
      const double begin = thread_cpu_seconds();
      const Batch batch = schedule_.grant(rank);
      root(root_free_, thread_cpu_seconds() - begin);
      if (batch.empty()) return;
      if (rank != 0) root(root_free_, costs_.send_s);
      std::uint64_t count = 0;
      for (const TaskList::Block& block : batch) count += block.count;
      const bool waits = !at(rank).working && at(rank).batches.empty();
      at(rank).batches.push(count);
      // A rank that works has the batch before it needs it; one that waits looks every millisecond.
      if (waits)
        events_.push({root_free_ + (rank == 0 ? 0.0 : costs_.latency_s + 1e-3 * random_.uniform()),
                      Kind::batch, rank});
    }
  }

  void begin(int rank, double now) {
    Rank& r = at(rank);
    if (r.working || r.batches.empty()) return;
    r.working = true;
    const double in_time = std::max(1.0, std::ceil(max_stay_s / run_.trial_s));
    const auto most = static_cast<std::uint64_t>(
        std::min(in_time, static_cast<double>(message_bytes / result_bytes)));
    const std::uint64_t count = std::min(r.batches.front(), most);
    double took = 0.0;  // trials differ: exponential about the mean
    if (count > 64)
      took = run_.trial_s * (static_cast<double>(count) +
                             std::sqrt(static_cast<double>(count)) * random_.normal());
    else
      for (std::uint64_t i = 0; i < count; ++i)
        took -= run_.trial_s * std::log(1.0 - random_.uniform());
    worked_ += took;
    events_.push({now + took, Kind::sent, rank, count});
  }

  void sent(const Event& event) {
    Rank& r = at(event.rank);
    r.batches.front() -= event.count;
    if (r.batches.front() == 0) r.batches.pop();
    r.working = false;
    events_.push({event.time + (event.rank == 0 ? 0.0 : costs_.latency_s), Kind::results,
                  event.rank, event.count});
    begin(event.rank, event.time);
  }

  void take_in(const Event& event) {
    root(event.time, event.rank == 0 ? 0.0 : costs_.receive_s);
    const double begin_s = thread_cpu_seconds();
    for (std::uint64_t i = 0; i < event.count; ++i)
      (void)schedule_.returned(event.rank, *schedule_.owed_next(event.rank));
    const double schedule_s = thread_cpu_seconds() - begin_s;
    root(root_free_, schedule_s + static_cast<double>(event.count) * costs_.result_s);
    grant(event.rank);
  }

  Run run_;
  Costs costs_;
  Schedule schedule_;
  std::vector<Rank> ranks_;
  RandomStream random_;
  std::priority_queue<Event> events_;
  double root_free_ = 0.0, root_busy_ = 0.0, worked_ = 0.0;
};

/// As many trials as keep the ranks busy for 20 s, but at least 50 a rank and else at most 4
/// million.
std::uint64_t tasks_for(int ranks, double trial_s) {
  const double each = 20.0 / trial_s;
  return static_cast<std::uint64_t>(ranks * std::max(50.0, std::min(each, 4e6 / ranks)));
}

void print(const Costs& costs) {
  std::fputs(fmt::format("receive {:.2f} us, send {:.2f} us, result {:.2f} us, look {:.1f} ns, "
                         "latency {:.1f} us\n",
                         1e6 * costs.receive_s, 1e6 * costs.send_s, 1e6 * costs.result_s,
                         1e9 * costs.look_s, 1e6 * costs.latency_s)
                 .c_str(),
             stdout);
}

int main_of(Communicator& communicator, int argc, char** argv) {
  if (communicator.size() != 2) {
    std::fputs("usage: mpirun -n 2 bench_scale [RANKS TRIAL_S TASKS]...\n", stderr);
    return 2;
  }
  if (communicator.rank() == 1) {
    answer(communicator);
    return 0;
  }
  const Costs costs = measure(communicator);
  communicator.send(1, end, {});
  while (communicator.unsent() > 0) std::this_thread::yield();
  print(costs);
  std::vector<Run> runs;
  for (int i = 1; i + 2 < argc; i += 3)
    runs.push_back({parse_number<int>(argv[i]).value(), parse_number<double>(argv[i + 1]).value(),
                    parse_number<std::uint64_t>(argv[i + 2]).value()});
  if (runs.empty())
    for (const int ranks : {2, 8, 64, 128, 1000, 3000, 10000, 30000, 100000})
      for (const double trial_s : {0.001, 0.01, 0.05, 0.2, 1.0, 10.0})
        runs.push_back({ranks, trial_s, tasks_for(ranks, trial_s)});
  for (const Run& run : runs) {
    const Outcome outcome = Simulation(run, costs).go();
    std::fputs(fmt::format("{} {} {} {:.6f} {:.6f} {:.4f}\n", run.ranks, run.trial_s, run.tasks,
                           outcome.worked_s, outcome.took_s, outcome.root_busy)
                   .c_str(),
               stdout);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace nucreg

int main(int argc, char** argv) {
  nucreg::MpiSession session;
  return nucreg::main_of(session.communicator(), argc, argv);
}
