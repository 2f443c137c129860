#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "nucreg/run/communicator.hpp"

namespace nucreg {
namespace {

/// Mailboxes of all ranks of one run_local.
class World {
 public:
  explicit World(int size) : mailboxes_(static_cast<std::size_t>(size)) {}

  [[nodiscard]] int size() const { return static_cast<int>(mailboxes_.size()); }

  void post(int destination, Message message) {
    auto& mailbox = mailboxes_.at(static_cast<std::size_t>(destination));
    const std::lock_guard lock(mutex_);
    mailbox.push_back(std::move(message));
  }

  [[nodiscard]] std::optional<Message> take(int rank) {
    const std::lock_guard lock(mutex_);
    if (first_failure_) throw std::runtime_error("another rank of this process failed");
    auto& mailbox = mailboxes_[static_cast<std::size_t>(rank)];
    if (mailbox.empty()) return std::nullopt;
    Message message = std::move(mailbox.front());
    mailbox.pop_front();
    return message;
  }

  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!first_failure_) first_failure_ = std::move(failure);
  }

  void rethrow_failure() const {
    if (first_failure_) std::rethrow_exception(first_failure_);
  }

 private:
  std::mutex mutex_;
  std::vector<std::deque<Message>> mailboxes_;
  std::exception_ptr first_failure_;
};

class LocalCommunicator final : public Communicator {
 public:
  LocalCommunicator(World& world, int rank)
      : world_(world), rank_(rank), given_up_(static_cast<std::size_t>(world.size()), false) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return world_.size(); }
  [[nodiscard]] std::string library() const override { return "none"; }
  void send_shared(int destination, int tag, std::shared_ptr<const Bytes> payload) override {
    world_.post(destination, {rank_, tag, *payload});
  }
  [[nodiscard]] std::optional<Message> receive() override { return world_.take(rank_); }
  [[nodiscard]] std::size_t unsent() override { return 0; }
  void give_up(int rank, bool gone) override {
    given_up_.at(static_cast<std::size_t>(rank)) = gone;
  }
  [[nodiscard]] bool gave_up(int rank) const override {
    return given_up_.at(static_cast<std::size_t>(rank));
  }

 private:
  World& world_;
  int rank_;
  std::vector<bool> given_up_;
};

}  // namespace

void run_local(int size, const std::function<void(Communicator&)>& body) {
  World world(size);
  const auto run = [&](int rank) {
    try {
      LocalCommunicator communicator(world, rank);
      body(communicator);
    } catch (...) {
      world.fail(std::current_exception());
    }
  };
  {
    std::vector<std::jthread> others;
    for (int rank = 1; rank < size; ++rank) others.emplace_back(run, rank);
    run(0);
  }
  world.rethrow_failure();
}

}  // namespace nucreg
