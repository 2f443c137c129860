// Messages between ranks: one interface, one body over MPI and one inside a process.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "nucreg/core/bytes.hpp"

namespace nucreg {

struct Message {
  int source = 0;
  int tag = 0;
  Bytes payload;
};

/// A rank or root with nothing to say says so this often; one that has said nothing for so long is
/// lost.
inline constexpr double standard_heartbeat_seconds = 1.0, standard_lost_seconds = 5.0;

/// Point-to-point messages only, so that the death of one rank never blocks the others. A peer that
/// cannot be reached is silent: nothing here throws because of it.
/// Not thread-safe: all calls from the thread that made the object.
class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// Name and version of the library behind it.
  [[nodiscard]] virtual std::string library() const = 0;
  /// Takes the message and returns at once. Messages of one sender arrive in order.
  void send(int destination, int tag, Bytes payload) {
    send_shared(destination, tag, std::make_shared<const Bytes>(std::move(payload)));
  }
  /// The same of what goes to many: it is in memory once.
  virtual void send_shared(int destination, int tag, std::shared_ptr<const Bytes> payload) = 0;
  /// The next message of any sender, if one is there.
  [[nodiscard]] virtual std::optional<Message> receive() = 0;
  /// Number of messages that were sent and are not yet with the system; also moves them on.
  /// Those to ranks that were given up do not count.
  [[nodiscard]] virtual std::size_t unsent() = 0;
  /// That rank is `gone`, perhaps dead: nobody waits for what was sent to it. What it sends still
  /// arrives, and may be a reason to take this back.
  virtual void give_up(int rank, bool gone = true) = 0;
  [[nodiscard]] virtual bool gave_up(int rank) const = 0;
};

/// Runs `body` as `size` ranks, each a thread of this process; rethrows the first exception.
/// For tests, and with size 1 for runs without mpirun. When one rank throws, receive() throws on
/// the others, so that none waits for it.
void run_local(int size, const std::function<void(Communicator&)>& body);

/// Whether a worker thread of this process hangs in a task. It cannot be ended: leave main by
/// std::_Exit, after flushing what is to be seen, as exit() would pull the ground from under it.
[[nodiscard]] bool has_hanging_worker();

class RootWatch;

/// MPI from construction to destruction; communicator() uses MPI_COMM_WORLD with errors returned.
/// At most one per process; all calls from the thread that made it.
///
/// Open MPI is asked not to wait for the other ranks in MPI_Finalize: they may be dead. Other
/// libraries do wait, also for a rank that waits for this one. So a session does not finalise when
/// it is destroyed by an exception or when a rank was given up: the process continues to report and
/// leaves with its own status. (MPI_Abort would end it before the error is reported.) Where all
/// ranks end in order, catch inside the session.
///
/// What a user types and what comes out, measured with Open MPI 4.1.4, shared memory and TCP:
///
///     mpirun                    a rank that is killed takes all with it (status 137); otherwise
///                               the status of the first rank that leaves with one that is not 0
///     mpirun --enable-recovery  the others live on when one is killed, and the status is ALWAYS 0,
///                               whatever rank 0 returned, also when rank 0 itself was killed
///
/// so a script asks the result file (`nucreg verify`) and not mpirun whether the run is done. When
/// mpirun itself is killed Open MPI ends all ranks within 2 s.
class MpiSession {
 public:
  /// Throws JobError if the launcher started more ranks than MPI sees. Where a rank dies while
  /// MPI starts, MPI waits for it for ever: then the process leaves with status 4 after a minute,
  /// or within 15 s where all ranks are on this host or rank 0 was. A rank that is stopped there
  /// is ended with the others.
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  [[nodiscard]] Communicator& communicator();
  /// Where MPI does not end within 5 s, since the launcher hangs, the process leaves with this.
  void leave_with(int exit_status) { exit_status_ = exit_status; }

 private:
  int exit_status_ = 1;
  std::unique_ptr<RootWatch> root_watch_;
  std::unique_ptr<Communicator> communicator_;
  int exceptions_at_start_;
};

}  // namespace nucreg
