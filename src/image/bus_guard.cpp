#include "bus_guard.hpp"

#include <mutex>

namespace nucreg {

thread_local BusGuard* volatile current_bus_guard = nullptr;

namespace {

struct sigaction previous;

void on_bus_error(int signal, siginfo_t* info, void* context) {
  BusGuard* guard = current_bus_guard;
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  if (guard != nullptr && address >= guard->range.begin && address < guard->range.end)
    siglongjmp(guard->back, 1);
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // A fault comes back when the handler returns, a signal that was sent is sent again.
    sigaction(signal, &previous, nullptr);
    if (info->si_code <= 0) raise(signal);
  }
}

}  // namespace

void install_bus_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous);
  });
}

}  // namespace nucreg
