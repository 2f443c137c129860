#include "nucreg/run/machine.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/run/dispatch.hpp"

namespace nucreg {
namespace {

using CpuSets = std::array<cpu_set_t, 8>;  // 8192 processors

// One system with one set of mounts, one root and one working directory. Containers on one host
// have mounts of their own, and hosts in a cloud may share a name.
std::string file_view() {
  std::string view;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> view;
  if (view.empty()) view = host_name();
  std::error_code unknown;
  view += " " + std::filesystem::read_symlink("/proc/self/ns/mnt", unknown).string();
  for (const char* folder : {"/", "."}) {
    struct stat facts {};
    if (stat(folder, &facts) == 0) view += fmt::format(" {}:{}", facts.st_dev, facts.st_ino);
  }
  return view;
}

}  // namespace

RankFacts this_rank_facts(int rank) {
  RankFacts facts{.rank = rank,
                  .host = host_name(),
                  .pid = getpid(),
                  .cpus = {},
                  .clock_source = clock_source(),
                  .clock_step_seconds = wall_clock_step_seconds(),
                  .file_view = file_view()};
  CpuSets sets{};
  if (sched_getaffinity(0, sizeof(sets), sets.data()) == 0)
    for (int cpu = 0; cpu < static_cast<int>(sets.size()) * CPU_SETSIZE; ++cpu)
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), sizeof(sets), sets.data()))
        facts.cpus.push_back(cpu);
  return facts;
}

std::string cpu_list(std::span<const int> cpus) {
  std::string text;
  for (std::size_t first = 0, last = 0; first < cpus.size(); first = ++last) {
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += std::to_string(cpus[first]);
    if (last > first) text += "-" + std::to_string(cpus[last]);
  }
  return text;
}

std::vector<bool> oversubscribed(const std::vector<RankFacts>& ranks,
                                 std::size_t threads_per_rank) {
  struct Host {
    std::size_t ranks = 0;
    std::set<int> cpus;
  };
  std::unordered_map<std::string, Host> hosts;
  for (const RankFacts& rank : ranks) {
    Host& host = hosts[rank.host];
    ++host.ranks;
    host.cpus.insert(rank.cpus.begin(), rank.cpus.end());
  }
  std::vector<bool> crowded;
  for (const RankFacts& rank : ranks) {
    const Host& host = hosts[rank.host];
    crowded.push_back(host.ranks * threads_per_rank > host.cpus.size() ||
                      (threads_per_rank > 1 && threads_per_rank > rank.cpus.size()));
  }
  return crowded;
}

namespace {

// A solve of the shortest timed length, 200 us, is to have a hundred steps.
constexpr double coarse_seconds = 2e-6;
constexpr std::array<std::string_view, 9> steady_clocks{"tsc",
                                                        "hpet",
                                                        "kvm-clock",
                                                        "xen",
                                                        "hyperv_clocksource_tsc_page",
                                                        "hyperv_clocksource_msr",
                                                        "arch_sys_counter",
                                                        "timebase",
                                                        "riscv_clocksource"};

// The first two ranks of a host that share a processor, and it.
std::string shared_processor(const std::vector<RankFacts>& facts) {
  std::map<std::pair<std::string, int>, int> owner;
  for (const RankFacts& rank : facts)
    for (const int cpu : rank.cpus)
      if (const auto [at, added] = owner.try_emplace({rank.host, cpu}, rank.rank); !added)
        return fmt::format("ranks {} and {} on {} may both run on processor {}", at->second,
                           rank.rank, rank.host, cpu);
  return {};
}

}  // namespace

std::vector<std::string> machine_warnings(const std::vector<RankFacts>& facts,
                                          std::size_t threads_per_rank) {
  std::vector<std::string> warnings;
  const std::vector<bool> of_ranks = oversubscribed(facts, threads_per_rank);
  const bool crowded = std::ranges::find(of_ranks, true) != of_ranks.end();
  if (crowded)
    warnings.push_back(fmt::format(
        "more {} than processors{}: no timing of this run is valid (timing_valid = false)",
        threads_per_rank > 1 ? "threads" : "ranks",
        threads_per_rank > 1 ? " (mpirun --bind-to none lets a rank use several)" : ""));
  else if (const std::string pair = shared_processor(facts); threads_per_rank == 1 && !pair.empty())
    warnings.push_back(
        fmt::format("ranks are not pinned: {}; they move and disturb each other's "
                    "timings: mpirun --bind-to core",
                    pair));
  std::set<std::string> hosts;
  for (const RankFacts& rank : facts) {
    if (rank.clock_source.empty() || !hosts.insert(rank.host).second) continue;
    const bool steady = std::ranges::find(steady_clocks, rank.clock_source) != steady_clocks.end();
    if (!steady || rank.clock_step_seconds > coarse_seconds)
      warnings.push_back(fmt::format(
          "the clock of {} is not to be trusted for short times: source {}, step {:.3g} us; "
          "administrators choose it in /sys/devices/system/clocksource",
          rank.host, rank.clock_source, 1e6 * rank.clock_step_seconds));
  }
  return warnings;
}

std::vector<int> root_host_cpus(const std::vector<RankFacts>& facts) {
  std::set<int> cpus;
  for (const RankFacts& rank : facts)
    if (rank.host == facts.front().host) cpus.insert(rank.cpus.begin(), rank.cpus.end());
  return {cpus.begin(), cpus.end()};
}

struct OnProcessors::Sets {
  CpuSets sets;
};

OnProcessors::OnProcessors(std::span<const int> cpus) {
  CpuSets sets{};
  if (sched_getaffinity(0, sizeof(sets), sets.data()) != 0) return;
  before_ = std::make_unique<Sets>(Sets{sets});
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), sizeof(sets), sets.data());
  sched_setaffinity(0, sizeof(sets), sets.data());
}

OnProcessors::~OnProcessors() {
  if (before_) sched_setaffinity(0, sizeof(before_->sets), before_->sets.data());
}

}  // namespace nucreg
