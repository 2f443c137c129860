#include "on_ranks.hpp"

#include "nucreg/app/stop_signal.hpp"
#include "nucreg/core/allocation.hpp"

namespace nucreg {

ExitStatus on_ranks(const std::function<ExitStatus(Communicator&)>& on_rank) {
  keep_freed_memory();
  const StopSignals caught;
  ExitStatus status = ExitStatus::bug;
  if (started_by_launcher()) {
    MpiSession session;
    status = on_rank(session.communicator());
    session.leave_with(static_cast<int>(status));
  } else {
    run_local(1, [&](Communicator& communicator) { status = on_rank(communicator); });
  }
  return status;
}

}  // namespace nucreg
