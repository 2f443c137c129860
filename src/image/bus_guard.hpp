// Reading mapped memory whose file may be cut off: the kernel answers with SIGBUS, which would end
// the program.
#pragma once

#include <csetjmp>
#include <csignal>
#include <cstddef>

namespace nucreg {

struct MemoryRange {
  const std::byte *begin, *end;
};

/// What the handler needs to know of the read that this thread is in.
struct BusGuard {
  MemoryRange range;
  sigjmp_buf back;
};
extern thread_local BusGuard* volatile current_bus_guard;

/// Puts the handler in place, once per process. It takes only faults inside the range of a guard
/// of its own thread; all others go to whoever was there before.
void install_bus_handler();

/// Runs `read`; false where it touched a page of `range` that its file no longer has. It is then
/// left by a jump, so nothing in it may need a destructor.
template <class Read>
[[nodiscard]] bool bus_guard(MemoryRange range, const Read& read) {
  install_bus_handler();
  BusGuard guard{.range = range, .back = {}};
  if (sigsetjmp(guard.back, 1) != 0) {
    current_bus_guard = nullptr;
    return false;
  }
  current_bus_guard = &guard;
  read();
  current_bus_guard = nullptr;
  return true;
}

}  // namespace nucreg
