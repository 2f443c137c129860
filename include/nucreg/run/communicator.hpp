// Messages between ranks: one interface, one body over MPI and one inside a process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nucreg {

using Bytes = std::vector<std::byte>;

struct Message {
  int source = 0;
  int tag = 0;
  Bytes payload;
};

/// Point-to-point messages only, so that the death of one rank never blocks the others.
/// Not thread-safe: all calls from the thread that made the object.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// Name and version of the library behind it.
  [[nodiscard]] virtual std::string library() const = 0;
  /// Takes the message and returns at once. Messages of one sender arrive in order.
  virtual void send(int destination, int tag, Bytes payload) = 0;
  /// The next message of any sender, if one is there.
  [[nodiscard]] virtual std::optional<Message> receive() = 0;
  /// Number of messages that were sent and are not yet with the system; also moves them on.
  [[nodiscard]] virtual std::size_t unsent() = 0;
};

/// Runs `body` as `size` ranks, each a thread of this process; rethrows the first exception.
/// For tests, and with size 1 for runs without mpirun. When one rank throws, receive() throws on
/// the others, so that none waits for it.
void run_local(int size, const std::function<void(Communicator&)>& body);

/// Whether this process was started by mpirun, srun or another launcher that speaks PMIx or PMI.
/// Does not touch MPI. Throws JobError under an srun that starts several tasks and speaks neither:
/// each would take itself for the whole run and they would overwrite each other.
[[nodiscard]] bool started_by_launcher();

/// Sets OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS to 1 where the user has not set
/// them, since the ranks share the processors already. First thing in main: no other thread yet.
void one_thread_per_rank();

/// MPI from construction to destruction; communicator() uses MPI_COMM_WORLD with errors returned.
/// At most one per process; all calls from the thread that made it.
///
/// MPI_Finalize waits for the other ranks, which may wait for this one. So a session that is
/// destroyed by an exception does not finalise: the process goes on to report the error and leaves
/// with its own status, upon which the launcher ends the other ranks. (MPI_Abort would do so too,
/// but before the error is reported.) Where all ranks end in order, catch inside the session.
class MpiSession {
 public:
  /// Throws JobError where the launcher started more ranks than MPI sees.
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  [[nodiscard]] Communicator& communicator();

 private:
  std::unique_ptr<Communicator> communicator_;
  int exceptions_at_start_;
};

}  // namespace nucreg
