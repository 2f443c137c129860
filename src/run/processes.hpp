// Other ranks of this host as processes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nucreg {

/// Whether that process lives here and runs the program that this one runs: its number may have
/// gone to another, or be that of another host or container.
[[nodiscard]] bool runs_here(std::int64_t pid);

/// Whether all ranks are on this host, as Open MPI's launcher says, and their processes can be
/// seen; false without it.
[[nodiscard]] bool all_ranks_here();

/// The living ranks of this one's launch on this host, and their processes: children of the
/// launcher or of a script, perf or the like that each was started by. Empty without Open MPI's
/// launcher.
[[nodiscard]] std::map<int, std::int64_t> ranks_here();

/// What a file below /proc holds; what could be read of it where its process ends meanwhile.
[[nodiscard]] std::string text_of(const std::filesystem::path& file);

/// Ranks that were given up may live on, and the launcher would wait for them. Gives processes of
/// this host a second to leave by themselves, then kills those that run the same program as this
/// one. Others and this process are left alone.
void end_processes(std::vector<std::int64_t> pids);

/// A rank that is stopped (SIGSTOP) after its last word is missed by nobody but the launcher, which
/// waits for it. At its end, the first rank of each host waits until the others there have left, 10
/// s at most, and kills those that stay stopped for 3 s.
void end_stopped_ranks();

/// Leaves when rank 0, or while MPI starts any rank, has died on this host, whatever this rank does
/// meanwhile.
///
/// While MPI starts, and until the root has spoken, no message can show that it is dead; and MPI
/// may wait for it within a call. So a thread looks at its process: where that was seen, or must be
/// here since all ranks are, and has been gone for 6 s, this process leaves with status 4. In order
/// it needs less to end. The root does so where one of the others is gone before MPI has started,
/// which would wait for it, or none comes for 20 s; the others then follow. Does nothing without
/// Open MPI's launcher.
class RootWatch {
 public:
  RootWatch();
  ~RootWatch();
  RootWatch(const RootWatch&) = delete;
  RootWatch& operator=(const RootWatch&) = delete;
  /// MPI has started: the root need not look any more, nor those that have no root here.
  void started();

 private:
  void watch_root(bool must_be_here);
  void watch_start(std::size_t ranks);
  void stop();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false, is_root_ = false, started_ = false;
  std::thread thread_;
};

}  // namespace nucreg
