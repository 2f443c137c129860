// What a run reports of itself in a small file beside its output, for `nucreg watch`.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nucreg/run/dispatch.hpp"

namespace nucreg {

struct RankStatus {
  std::string host;
  std::int64_t pid = 0;
  RankNow now;
};

struct RunStatus {
  std::string job;
  std::string part = "1/1";
  std::string resume;              ///< the command that continues this run
  std::string doing;               ///< StageName::doing, "stopping", "writing the result file"
  std::string counting = "trial";  ///< StageName::task
  double written_s = 0.0;          ///< seconds since 1970, when the file was written
  double elapsed_s = 0.0;          ///< of the stage
  std::uint64_t trials_per_configuration = 1, solves_per_trial = 1;
  std::uint64_t done = 0, total = 0;  ///< tasks of the stage, those of earlier runs included
  std::uint64_t earlier = 0;          ///< of these: done by earlier runs
  std::uint64_t failed = 0;           ///< solves of this run
  std::vector<RankStatus> ranks;

  [[nodiscard]] bool counts_trials() const { return counting == "trial"; }
  [[nodiscard]] std::string text() const;
  /// Throws InputError if it is not what text() gives, such as a part of it.
  [[nodiscard]] static RunStatus parse(const std::string& text);
  /// Nothing if there is no such file. Throws InputError.
  [[nodiscard]] static std::optional<RunStatus> read(const std::filesystem::path& file);
};

/// For ranks that have not said anything yet.
[[nodiscard]] std::vector<RankStatus> rank_statuses(const std::vector<RankFacts>& facts);

/// Writes the file once a second, whole by rename, from a thread of its own: a slow disk must hold
/// up nobody. If it cannot be written the run continues unwatched, which is logged once.
class StatusFile {
 public:
  /// Without a name it only holds the status.
  StatusFile(std::filesystem::path file, RunStatus status);
  /// Removes the file.
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  template <class Change>
  void change(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(status_);
  }

 private:
  void run();
  void write(const std::string& text);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, complained_ = false;
  RunStatus status_;
  std::thread thread_;
};

}  // namespace nucreg
