// Whether times that are measured on these ranks mean what they seem to mean.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nucreg/run/dispatch.hpp"

namespace nucreg {

/// A sentence for each thing that spoils timings: more ranks (times their threads) than processors,
/// ranks of one host that may run on the same processors, a clock that is coarse or not one of
/// those known to be steady and cheap to read. Empty: nothing. Ranks that have several processors
/// each, and none in common, are not warned of: no other rank can disturb them there.
[[nodiscard]] std::vector<std::string> machine_warnings(const std::vector<RankFacts>& facts,
                                                        std::size_t threads_per_rank = 1);

/// Processors that ranks on the host of rank 0 may run on.
[[nodiscard]] std::vector<int> root_host_cpus(const std::vector<RankFacts>& facts);

/// While it lives, the thread that made it and those that this thread starts may run on these
/// processors too: launchers give each rank its own. What the system does not allow stays as it is.
class OnProcessors {
 public:
  explicit OnProcessors(std::span<const int> cpus);
  ~OnProcessors();
  OnProcessors(const OnProcessors&) = delete;
  OnProcessors& operator=(const OnProcessors&) = delete;

 private:
  struct Sets;
  std::unique_ptr<Sets> before_;
};

}  // namespace nucreg
