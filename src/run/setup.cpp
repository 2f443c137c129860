#include <thread>

#include "nucreg/run/dispatch.hpp"
#include "patience.hpp"
#include "wire.hpp"

namespace nucreg {
namespace {

Message wait_for_message(Communicator& communicator) {
  for (Patience patience;; std::this_thread::sleep_for(patience.next())) {
    (void)communicator.unsent();
    if (auto message = communicator.receive()) return std::move(*message);
  }
}

void wait_until_sent(Communicator& communicator) {
  for (Patience patience; communicator.unsent() > 0;) std::this_thread::sleep_for(patience.next());
}

Bytes encode(const RankFacts& facts) {
  Bytes bytes;
  put(bytes, facts.pid);
  put_text(bytes, facts.host);
  for (const int cpu : facts.cpus) put(bytes, cpu);
  return bytes;
}

RankFacts decode_facts(const Message& message) {
  WireReader reader(message.payload);
  RankFacts facts{
      .rank = message.source, .host = {}, .pid = reader.get<std::int64_t>(), .cpus = {}};
  facts.host = reader.get_text();
  while (!reader.empty()) facts.cpus.push_back(reader.get<int>());
  return facts;
}

[[noreturn]] void unexpected(const Message& message) {
  throw std::logic_error("message " + std::to_string(message.tag) + " of rank " +
                         std::to_string(message.source) + " during set-up");
}

}  // namespace

std::vector<RankFacts> share_setup(
    Communicator& communicator, const std::function<Bytes(const std::vector<RankFacts>&)>& setup) {
  std::vector<RankFacts> facts(static_cast<std::size_t>(communicator.size()));
  facts[0] = this_rank_facts(0);
  for (int missing = communicator.size() - 1; missing > 0; --missing) {
    const Message message = wait_for_message(communicator);
    if (message.tag != tag::facts) unexpected(message);
    facts[static_cast<std::size_t>(message.source)] = decode_facts(message);
  }
  const Bytes bytes = setup(facts);
  for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, tag::setup, bytes);
  wait_until_sent(communicator);
  return facts;
}

void refuse_setup(Communicator& communicator, int exit_status) {
  Bytes status;
  put(status, exit_status);
  for (int rank = 1; rank < communicator.size(); ++rank)
    communicator.send(rank, tag::refusal, status);
  for (int missing = communicator.size() - 1; missing > 0;) {
    const Message message = wait_for_message(communicator);
    if (message.tag == tag::refusal_heard)
      --missing;
    else if (message.tag != tag::facts)  // facts cross the refusal on their way
      unexpected(message);
  }
  // Only now may anyone send facts again, else they would have been taken for the old ones.
  for (int rank = 1; rank < communicator.size(); ++rank) communicator.send(rank, tag::release, {});
  wait_until_sent(communicator);
}

Bytes receive_setup(Communicator& communicator) {
  communicator.send(0, tag::facts, encode(this_rank_facts(communicator.rank())));
  Message message = wait_for_message(communicator);
  if (message.tag == tag::setup) return std::move(message.payload);
  if (message.tag != tag::refusal) unexpected(message);
  communicator.send(0, tag::refusal_heard, {});
  if (const Message last = wait_for_message(communicator); last.tag != tag::release)
    unexpected(last);
  throw SetupRefused(WireReader(message.payload).get<int>());
}

}  // namespace nucreg
