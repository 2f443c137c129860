#include <sched.h>
#include <unistd.h>

#include <array>
#include <set>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/run/dispatch.hpp"

namespace nucreg {

RankFacts this_rank_facts(int rank) {
  RankFacts facts{.rank = rank,
                  .host = host_name(),
                  .pid = getpid(),
                  .cpus = {},
                  .clock_source = clock_source(),
                  .clock_step_seconds = wall_clock_step_seconds()};
  std::array<cpu_set_t, 8> sets{};  // 8192 processors
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

bool oversubscribed(const RankFacts& rank, const std::vector<RankFacts>& all,
                    std::size_t threads_per_rank) {
  std::size_t ranks = 0;
  std::set<int> cpus;
  for (const RankFacts& other : all) {
    if (other.host != rank.host) continue;
    ++ranks;
    cpus.insert(other.cpus.begin(), other.cpus.end());
  }
  return ranks * threads_per_rank > cpus.size() ||
         (threads_per_rank > 1 && threads_per_rank > rank.cpus.size());
}

}  // namespace nucreg
