#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/run/dispatch.hpp"
#include "processes.hpp"
#include "protocol.hpp"

namespace nucreg {
namespace {

// MPI_Init ends on all ranks at about the same time, but the root may read large files before it
// speaks.
constexpr double facts_seconds = 60.0;
// MPI has started on all ranks: one whose process is gone has died since.
constexpr double death_look_seconds = 1.0;
constexpr double first_word_seconds = 600.0;

/// The next message that is no heartbeat; nothing after so many seconds without even one.
std::optional<Message> wait_for_message(Communicator& communicator, double limit_seconds) {
  OwnTime clock;
  double heard = 0.0;
  for (Patience patience; clock.now() - heard < limit_seconds;
       std::this_thread::sleep_for(patience.next())) {
    (void)communicator.unsent();
    auto message = communicator.receive();
    if (!message) continue;
    if (message->tag != tag::alive) return message;
    heard = clock.now();
    limit_seconds = std::min(limit_seconds, standard_lost_seconds);
  }
  return std::nullopt;
}

/// What cannot be sent any more is for a rank that dispatch will find to be lost.
void wait_until_sent(Communicator& communicator) {
  OwnTime clock;
  for (Patience patience; communicator.unsent() > 0 && clock.now() < standard_lost_seconds;)
    std::this_thread::sleep_for(patience.next());
}

// The build comes first: what another one sends behind it need not be understood.
Bytes facts_message(int rank) {
  return to_bytes(build_identity(), this_rank_facts(rank));
}

RankFacts facts_in(const Message& message) {
  std::string build;
  try {
    ByteReader reader(message.payload);
    build = reader.read<std::string>();
    if (build == build_identity()) {
      auto facts = reader.read<RankFacts>();
      facts.rank = message.source;
      return facts;
    }
  } catch (const BadBytes&) {
    build = "one that sends something else";
  }
  throw JobError(fmt::format("rank {} runs another build than rank 0: {} and {}", message.source,
                             build, build_identity()),
                 {.allowed = "one build on all hosts"});
}

/// Whether each rank that must speak and has not has died, as far as this can be seen from here.
bool all_missing_died(const Communicator& communicator, const std::vector<bool>& known) {
  if (!all_ranks_here()) return false;
  const auto alive = ranks_here();
  for (std::size_t rank = 1; rank < known.size(); ++rank)
    if (const int number = static_cast<int>(rank);
        !known[rank] && !communicator.gave_up(number) && alive.contains(number))
      return false;
  return true;
}

/// Whether a working rank sends it to the root.
bool of_dispatch(const Message& message) {
  return message.tag >= tag::batch && message.tag <= tag::alive;
}

[[noreturn]] void unexpected(const Message& message) {
  throw std::logic_error("message " + std::to_string(message.tag) + " of rank " +
                         std::to_string(message.source) + " during set-up");
}

}  // namespace

void say_alive_during(Communicator& communicator, const std::function<void()>& act,
                      double heartbeat_seconds) {
  if (communicator.size() == 1) return act();
  Heartbeat heart(communicator, heartbeat_seconds);
  auto done = std::async(std::launch::async, act);
  for (Patience patience; done.wait_for(patience.next()) != std::future_status::ready;)
    heart.beat();
  done.get();
}

std::vector<RankFacts> share_setup(
    Communicator& communicator, const std::function<Bytes(const std::vector<RankFacts>&)>& setup) {
  const int size = communicator.size();
  OwnTime clock;
  Heartbeat heart(communicator);
  std::vector<RankFacts> facts(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) facts[static_cast<std::size_t>(rank)].rank = rank;
  facts[0] = this_rank_facts(0);
  std::vector<bool> known(facts.size(), false);
  // Who was lost in a stage before need not come; may it be back, it is welcome.
  int missing = 0;
  for (int rank = 1; rank < size; ++rank) missing += communicator.gave_up(rank) ? 0 : 1;
  double last_look = 0.0;
  int looks_of_death = 0;
  for (Patience patience; missing > 0 && clock.now() < facts_seconds;) {
    heart.beat();
    if (clock.now() - last_look >= death_look_seconds) {
      last_look = clock.now();
      // Its last words may come after it.
      if (looks_of_death = all_missing_died(communicator, known) ? looks_of_death + 1 : 0;
          looks_of_death > 2)
        break;
    }
    const auto message = communicator.receive();
    if (!message) {
      std::this_thread::sleep_for(patience.next());
      continue;
    }
    // Messages of one rank arrive in order: before its facts come its last ones of the stage
    // before.
    if (of_dispatch(*message) && !known[static_cast<std::size_t>(message->source)]) continue;
    if (message->tag != tag::facts) unexpected(*message);
    facts[static_cast<std::size_t>(message->source)] = facts_in(*message);
    known[static_cast<std::size_t>(message->source)] = true;
    if (!communicator.gave_up(message->source)) --missing;
    communicator.give_up(message->source, false);
  }
  // One that is stopped is ended with the run, and for that must be known.
  const auto here = all_ranks_here() ? ranks_here() : std::map<int, std::int64_t>{};
  for (int rank = 1; rank < size; ++rank) {
    if (known[static_cast<std::size_t>(rank)]) continue;
    communicator.give_up(rank);
    if (const auto found = here.find(rank); found != here.end()) {
      facts[static_cast<std::size_t>(rank)].pid = found->second;
      facts[static_cast<std::size_t>(rank)].host = facts[0].host;
    }
  }

  // It may read large files; the others must not take the root for dead meanwhile.
  std::shared_ptr<const Bytes> made;
  say_alive_during(communicator, [&] { made = std::make_shared<const Bytes>(setup(facts)); });
  for (int rank = 1; rank < size; ++rank) communicator.send_shared(rank, tag::setup, made);
  wait_until_sent(communicator);
  return facts;
}

void refuse_setup(Communicator& communicator, int exit_status) {
  const Bytes status = to_bytes(exit_status);
  for (int rank = 1; rank < communicator.size(); ++rank)
    communicator.send(rank, tag::refusal, status);
  for (int missing = communicator.size() - 1; missing > 0;) {
    const auto message = wait_for_message(communicator, standard_lost_seconds);
    if (!message) break;  // dead ranks need not hear it
    if (message->tag == tag::refusal_heard)
      --missing;
    else if (message->tag != tag::facts && !of_dispatch(*message))  // both cross it on their way
      unexpected(*message);
  }
  // Only now may anyone send facts again, else they would have been taken for the old ones.
  for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, tag::release, {});
  wait_until_sent(communicator);
}

Bytes receive_setup(Communicator& communicator) {
  communicator.send(0, tag::facts, facts_message(communicator.rank()));
  auto message = wait_for_message(communicator, first_word_seconds);
  if (!message) {
    communicator.give_up(0);
    throw RootLost();
  }
  if (message->tag == tag::setup) return std::move(message->payload);
  if (message->tag != tag::refusal) unexpected(*message);
  communicator.send(0, tag::refusal_heard, {});
  if (const auto last = wait_for_message(communicator, standard_lost_seconds);
      last && last->tag != tag::release)
    unexpected(*last);
  throw SetupRefused(from_bytes<int>(message->payload));
}

}  // namespace nucreg
