// Ranks that were given up but live on: the launcher would wait for them.
#pragma once

#include <cstdint>
#include <vector>

namespace nucreg {

/// Gives processes of this host a second to leave by themselves, then kills those that run the
/// same program as this one. Others and this process are left alone.
void end_processes(std::vector<std::int64_t> pids);

}  // namespace nucreg
