// Leaves when rank 0, or while MPI starts any rank, has died on this host, whatever this rank does
// meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace nucreg {

/// While MPI starts, and until the root has spoken, no message can tell that it is dead; and MPI
/// may wait for it within a call. So a thread looks at its process: where that was seen, or must be
/// here since all ranks are, and has been gone for 6 s, this process leaves with status 4. In order
/// it needs less to end. The root does so where one of the others is gone before MPI has started,
/// which would wait for it; the others then follow. Does nothing without Open MPI's launcher.
class RootWatch {
 public:
  RootWatch();
  ~RootWatch();
  RootWatch(const RootWatch&) = delete;
  RootWatch& operator=(const RootWatch&) = delete;
  /// MPI has started: the root need not look any more.
  void started();

 private:
  void watch_root(bool must_be_here);
  void watch_start();
  void stop();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace nucreg
