// Other ranks of this host as processes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nucreg {

/// Whether that process lives here and runs the program that this one runs: its number may have
/// gone to another, or be that of another host or container.
[[nodiscard]] bool runs_here(std::int64_t pid);

/// Whether all ranks are on this host, as Open MPI's launcher says; false without it.
[[nodiscard]] bool all_ranks_here();

/// The living ranks that the launcher of this one started on this host, and their processes. Empty
/// without Open MPI's launcher.
[[nodiscard]] std::map<int, std::int64_t> ranks_here();

/// What a file below /proc holds; what could be read of it where its process ends meanwhile.
[[nodiscard]] std::string text_of(const std::filesystem::path& file);

/// Ranks that were given up may live on, and the launcher would wait for them. Gives processes of
/// this host a second to leave by themselves, then kills those that run the same program as this
/// one. Others and this process are left alone.
void end_processes(std::vector<std::int64_t> pids);

}  // namespace nucreg
