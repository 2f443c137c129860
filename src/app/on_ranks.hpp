// A command that runs on all ranks.
#pragma once

#include <functional>

#include "nucreg/core/error.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

/// `on_rank` on the rank that a launcher made of this process, or on the one there is. Signals to
/// stop are noted meanwhile (stop_signal), and memory that is freed is kept for what comes next.
[[nodiscard]] ExitStatus on_ranks(const std::function<ExitStatus(Communicator&)>& on_rank);

}  // namespace nucreg
