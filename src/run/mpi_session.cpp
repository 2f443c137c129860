#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <filesystem>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/run/communicator.hpp"
#include "processes.hpp"

namespace nucreg {
namespace {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitStatus::bug, std::string(call) + ": " + text.data());
}

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator() {
    check(MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(world_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(world_, &size_), "MPI_Comm_size");
    given_up_.resize(static_cast<std::size_t>(size_), false);
    looked_at_.resize(given_up_.size(), 0);
  }
  ~MpiCommunicator() override {
    // MPI may still read from what it has not sent.
    for (const Sent& sent : sending_) (void)new auto(sent.payload);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  [[nodiscard]] std::string library() const override {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    const std::string all(text.data());
    return all.substr(0, all.find_first_of(",\n"));
  }

  void send_shared(int destination, int tag, std::shared_ptr<const Bytes> payload) override {
    if (payload->size() > std::size_t{std::numeric_limits<int>::max()})
      throw Error(ExitStatus::bug, "a message between ranks exceeds 2 GiB");
    Sent& sent = sending_.emplace_back();
    sent.peer = destination;
    sent.payload = std::move(payload);
    if (MPI_Isend(sent.payload->data(), static_cast<int>(sent.payload->size()), MPI_BYTE,
                  destination, tag, world_, &sent.request) != MPI_SUCCESS)
      sending_.pop_back();
  }

  [[nodiscard]] std::optional<Message> receive() override {
    accept_arrivals();
    ++look_;
    for (auto transfer = receiving_.begin(); transfer != receiving_.end(); ++transfer) {
      // Those of one source in order.
      const auto source = static_cast<std::size_t>(transfer->peer);
      if (std::exchange(looked_at_[source], look_) == look_ || !transfer->complete()) continue;
      Message message{transfer->peer, transfer->tag, std::move(transfer->payload)};
      const bool sound = transfer->sound;
      receiving_.erase(transfer);
      if (sound) return message;
      return receive();
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t unsent() override {
    std::erase_if(sending_, [](Sent& sent) { return sent.complete(); });
    return static_cast<std::size_t>(std::count_if(
        sending_.begin(), sending_.end(), [&](const Sent& sent) { return !gave_up(sent.peer); }));
  }

  void give_up(int rank, bool gone) override {
    given_up_.at(static_cast<std::size_t>(rank)) = gone;
  }
  [[nodiscard]] bool gave_up(int rank) const override {
    return given_up_.at(static_cast<std::size_t>(rank));
  }
  [[nodiscard]] bool gave_up_any() const {
    return std::find(given_up_.begin(), given_up_.end(), true) != given_up_.end();
  }

 private:
  struct Transfer {
    int peer = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    bool sound = true;

    /// Also when it failed: that peer is lost, which others find out by its silence.
    [[nodiscard]] bool complete() {
      int flag = 0;
      sound = MPI_Test(&request, &flag, MPI_STATUS_IGNORE) == MPI_SUCCESS;
      return !sound || flag != 0;
    }
  };
  struct Sent : Transfer {
    std::shared_ptr<const Bytes> payload;
  };
  struct Received : Transfer {
    int tag = 0;
    Bytes payload;
  };

  // Long messages arrive in pieces while others continue; a few at a time bound the memory. One
  // whose sender died on the way stays for ever, at most one of each rank.
  [[nodiscard]] std::size_t max_arriving() const { return 16 + static_cast<std::size_t>(size_); }

  void accept_arrivals() {
    while (receiving_.size() < max_arriving()) {
      int flag = 0;
      MPI_Message handle = MPI_MESSAGE_NULL;
      MPI_Status status;
      if (MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, world_, &flag, &handle, &status) !=
              MPI_SUCCESS ||
          !flag)
        return;
      int length = 0;
      check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
      Received& transfer = receiving_.emplace_back();
      transfer.peer = status.MPI_SOURCE;
      transfer.tag = status.MPI_TAG;
      transfer.payload.resize(static_cast<std::size_t>(length));
      if (MPI_Imrecv(transfer.payload.data(), length, MPI_BYTE, &handle, &transfer.request) !=
          MPI_SUCCESS)
        receiving_.pop_back();
    }
  }

  MPI_Comm world_ = MPI_COMM_WORLD;
  int rank_ = 0;
  int size_ = 1;
  std::deque<Sent> sending_;
  std::deque<Received> receiving_;
  std::uint64_t look_ = 0;
  std::vector<std::uint64_t> looked_at_;  ///< by source, in which look last
  std::vector<bool> given_up_;
};

/// Leaves the process with that status unless it is destroyed in time.
class Deadline {
 public:
  Deadline(std::chrono::seconds limit, int status)
      : thread_([this, limit, status] {
          std::unique_lock lock(mutex_);
          if (wake_.wait_for(lock, limit, [&] { return in_time_; })) return;
          std::fflush(nullptr);
          std::_Exit(status);
        }) {}
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      in_time_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool in_time_ = false;
  std::thread thread_;
};

// A launcher that is stopped or hangs says goodbye to nobody.
constexpr std::chrono::seconds max_end{5};

/// PMIx, by which Open MPI talks to its launcher, sends a request in pieces, and the kernel holds
/// each back until the one before is confirmed: every run would wait for 40 ms at its end.
void send_pieces_at_once() {
  std::error_code unknown;
  for (const auto& open : std::filesystem::directory_iterator("/proc/self/fd", unknown)) {
    const int yes = 1;  // refused by what is no TCP connection
    setsockopt(parse_number<int>(open.path().filename().native()).value_or(-1), IPPROTO_TCP,
               TCP_NODELAY, &yes, sizeof yes);
  }
}

/// How many ranks the launcher says it started; 0 = it does not say.
int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* text = std::getenv(name)) return parse_number<int>(text).value_or(0);
  const char* slurm = std::getenv("SLURM_STEP_NUM_TASKS");
  return slurm && std::getenv("PMIX_RANK") ? parse_number<int>(slurm).value_or(0) : 0;
}

}  // namespace

MpiSession::MpiSession()
    : root_watch_(std::make_unique<RootWatch>()), exceptions_at_start_(std::uncaught_exceptions()) {
  // A message that the receiver reads from its sender's memory ends with the sender.
  setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  // Ranks leave while the root still writes the result, and one may have died just now.
  setenv("OMPI_MCA_async_mpi_finalize", "1", 0);
  // On one node the search for fast networks takes 0.2 s and finds none that is used.
  if (all_ranks_here()) setenv("OMPI_MCA_pml", "ob1", 0);
  int provided = MPI_THREAD_SINGLE;
  {
    // Each takes processor time; the root ends them before, where it can.
    const std::chrono::seconds max_start{60 + launched_ranks()};
    const Deadline deadline(max_start, static_cast<int>(ExitStatus::stopped));
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  }
  root_watch_->started();
  send_pieces_at_once();
  if (provided < MPI_THREAD_FUNNELED)
    throw Error(ExitStatus::bug, "this MPI library cannot be used in a process with threads");
  communicator_ = std::make_unique<MpiCommunicator>();
  const int launched = launched_ranks();
  if (communicator_->size() == 1 && launched > 1)
    throw JobError("the launcher started " + std::to_string(launched) +
                       " ranks but MPI sees one, each would do the whole job",
                   {.allowed = "the launcher of " + communicator_->library()});
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() > exceptions_at_start_) return;
  if (!static_cast<const MpiCommunicator&>(*communicator_).gave_up_any()) {
    const Deadline deadline(max_end, exit_status_);
    MPI_Finalize();
  }
  end_stopped_ranks();
}

Communicator& MpiSession::communicator() {
  return *communicator_;
}

}  // namespace nucreg
