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
/// For tests, and with size 1 for runs without mpirun.
void run_local(int size, const std::function<void(Communicator&)>& body);

/// Whether this process was started by mpirun, srun or another launcher that speaks PMIx or PMI.
/// Does not touch MPI.
[[nodiscard]] bool started_by_launcher();

/// MPI from construction to destruction; communicator() uses MPI_COMM_WORLD with errors returned.
/// At most one per process.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  [[nodiscard]] Communicator& communicator();

 private:
  std::unique_ptr<Communicator> communicator_;
};

}  // namespace nucreg
