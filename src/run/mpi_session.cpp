#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <limits>

#include "nucreg/core/error.hpp"
#include "nucreg/run/communicator.hpp"

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

  void send(int destination, int tag, Bytes payload) override {
    if (payload.size() > std::size_t{std::numeric_limits<int>::max()})
      throw Error(ExitStatus::bug, "a message between ranks exceeds 2 GiB");
    Transfer& transfer = sending_.emplace_back();
    transfer.payload = std::move(payload);
    check(MPI_Isend(transfer.payload.data(), static_cast<int>(transfer.payload.size()), MPI_BYTE,
                    destination, tag, world_, &transfer.request),
          "MPI_Isend");
  }

  [[nodiscard]] std::optional<Message> receive() override {
    accept_arrivals();
    for (auto transfer = receiving_.begin(); transfer != receiving_.end(); ++transfer) {
      if (earlier_of_same_source(transfer) || !transfer->complete()) continue;
      Message message{transfer->source, transfer->tag, std::move(transfer->payload)};
      receiving_.erase(transfer);
      return message;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t unsent() override {
    std::erase_if(sending_, [](Transfer& transfer) { return transfer.complete(); });
    return sending_.size();
  }

 private:
  struct Transfer {
    int source = 0;
    int tag = 0;
    Bytes payload;
    MPI_Request request = MPI_REQUEST_NULL;

    [[nodiscard]] bool complete() {
      int flag = 0;
      check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "MPI_Test");
      return flag != 0;
    }
  };

  // Long messages arrive in pieces while others go on; a few at a time bound the memory.
  static constexpr std::size_t most_arriving = 16;

  void accept_arrivals() {
    while (receiving_.size() < most_arriving) {
      int flag = 0;
      MPI_Message handle = MPI_MESSAGE_NULL;
      MPI_Status status;
      check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, world_, &flag, &handle, &status),
            "MPI_Improbe");
      if (!flag) return;
      int length = 0;
      check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
      Transfer& transfer = receiving_.emplace_back();
      transfer.source = status.MPI_SOURCE;
      transfer.tag = status.MPI_TAG;
      transfer.payload.resize(static_cast<std::size_t>(length));
      check(MPI_Imrecv(transfer.payload.data(), length, MPI_BYTE, &handle, &transfer.request),
            "MPI_Imrecv");
    }
  }

  [[nodiscard]] bool earlier_of_same_source(const std::deque<Transfer>::iterator& transfer) {
    for (auto earlier = receiving_.begin(); earlier != transfer; ++earlier)
      if (earlier->source == transfer->source) return true;
    return false;
  }

  MPI_Comm world_ = MPI_COMM_WORLD;
  int rank_ = 0;
  int size_ = 1;
  std::deque<Transfer> sending_, receiving_;
};

/// How many ranks the launcher says it started; 0 = it does not say.
int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* text = std::getenv(name)) return std::atoi(text);
  const char* slurm = std::getenv("SLURM_STEP_NUM_TASKS");
  return slurm && std::getenv("PMIX_RANK") ? std::atoi(slurm) : 0;
}

}  // namespace

MpiSession::MpiSession() : exceptions_at_start_(std::uncaught_exceptions()) {
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
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
  MPI_Finalize();
}

Communicator& MpiSession::communicator() {
  return *communicator_;
}

}  // namespace nucreg
