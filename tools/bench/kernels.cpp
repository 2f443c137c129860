// What a pass over the points costs: against the memory, against the arithmetic units and against
// the same pass written with Eigen, xsimd and Highway. Ratios of one process; Markdown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "kernel_variants.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/fit/kernels.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/fit/poisson_disk.hpp"

namespace {

using namespace nucreg;

constexpr double map_px[6] = {3.9, -0.3, 120.0, 0.25, 4.1, -160.0};
// A pair needs at least: 13 multiplications and 18 additions (the count of points is known).
constexpr double operations_per_pair = 31.0;
constexpr double bytes_per_pair = 32.0;
constexpr PassLevel levels[] = {PassLevel::value, PassLevel::gradient, PassLevel::normal};

volatile double sink_all = 0.0;  // keeps what is timed from being left out

PointPairs random_pairs(std::size_t n) {
  RandomStream random(1, 0, 0, Purpose::noise);
  PointPairs pairs;
  pairs.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = pairs.x10[i] = random.uniform(0.0, 1000.0);
    const double y = pairs.y10[i] = random.uniform(0.0, 1000.0);
    pairs.x40[i] = map_px[0] * x + map_px[1] * y + map_px[2] + 3.0 * random.normal();
    pairs.y40[i] = map_px[3] * x + map_px[4] * y + map_px[5] + 3.0 * random.normal();
  }
  return pairs;
}

// Seconds per call of each, the best of many rounds in which every one has its turn.
std::vector<double> race(const std::vector<std::function<double()>>& runners, double seconds) {
  std::vector<double> best(runners.size(), 1e300);
  std::vector<long> calls(runners.size(), 1);
  for (std::size_t i = 0; i < runners.size(); ++i) {
    double took = 0.0;
    while (true) {
      const double begin = wall_seconds();
      for (long c = 0; c < calls[i]; ++c) sink_all = sink_all + runners[i]();
      took = wall_seconds() - begin;
      if (took > 500e-6) break;
      calls[i] *= 4;
    }
  }
  const double end = wall_seconds() + seconds;
  do {
    for (std::size_t i = 0; i < runners.size(); ++i) {
      const double begin = wall_seconds();
      for (long c = 0; c < calls[i]; ++c) sink_all = sink_all + runners[i]();
      best[i] = std::min(best[i], (wall_seconds() - begin) / static_cast<double>(calls[i]));
    }
  } while (wall_seconds() < end);
  return best;
}

std::function<double()> ours(const PairsView& pairs, Loss loss, PassLevel level) {
  return [=] { return pass_over_points(pairs, map_px, false, loss, 3.0, level).value; };
}

void say(const std::string& figure, const std::string& measured, const std::string& asked) {
  std::puts(fmt::format("| {} | {} | {} |", figure, measured, asked).c_str());
}

void against_the_machine(double seconds) {
  const PointPairs many = random_pairs(1000000), few = random_pairs(10000);
  const auto memory =
      race({[&] { return bench::plain_sum(many); }, ours(many, Loss::squared, PassLevel::normal)},
           seconds);
  say("normal equations, 1e6 points, bandwidth against a plain sum",
      fmt::format("{:.0f} % ({:.1f} of {:.1f} GB/s)", 100.0 * memory[0] / memory[1],
                  1e6 * bytes_per_pair / memory[1] * 1e-9, 1e6 * bytes_per_pair / memory[0] * 1e-9),
      ">= 60 %");
  double sink = 0.0, operations = 0.0;
  const auto cache = race({[&] {
                             operations = bench::arithmetic(2000, &sink);
                             return sink;
                           },
                           ours(few, Loss::squared, PassLevel::normal)},
                          seconds);
  const double peak = operations / cache[0], reached = operations_per_pair * 1e4 / cache[1];
  say("normal equations, 1e4 points, arithmetic against the peak",
      fmt::format("{:.0f} % ({:.1f} of {:.1f} GFLOP/s)", 100.0 * reached / peak, reached * 1e-9,
                  peak * 1e-9),
      ">= 50 %");
}

void against_libraries(double seconds) {
  for (const std::size_t n : {1000, 10000, 1000000}) {
    const PointPairs pairs = random_pairs(n);
    const auto variant = [&](auto* pass) {
      return [&pairs, pass] { return pass(pairs, map_px)[0]; };
    };
    const auto times =
        race({ours(pairs, Loss::squared, PassLevel::normal), variant(bench::highway_pass),
              variant(bench::xsimd_pass), variant(bench::eigen_pass)},
             seconds);
    const char* const names[] = {"Highway", "xsimd", "Eigen arrays"};
    for (std::size_t i = 0; i < 3; ++i)
      say(fmt::format("the same pass by {}, {} points, time against ours", names[i], n),
          fmt::format("{:.2f}", times[i + 1] / times[0]), i == 0 ? ">= 0.9" : "");
  }
}

void losses(double seconds) {
  for (const std::size_t n : {10000, 1000000}) {
    const PointPairs pairs = random_pairs(n);
    std::vector<std::function<double()>> runners;
    for (const Loss loss : {Loss::squared, Loss::huber, Loss::cauchy, Loss::tukey})
      for (const PassLevel level : levels) runners.push_back(ours(pairs, loss, level));
    const auto times = race(runners, seconds);
    for (std::size_t i = 3; i < times.size(); ++i)
      say(fmt::format("{}, {}, {} points, time against squared loss",
                      name_of(static_cast<Loss>(i / 3)),
                      i % 3 == 0   ? "value"
                      : i % 3 == 1 ? "gradient"
                                   : "normal equations",
                      n),
          fmt::format("{:.2f}", times[i] / times[i % 3]), "<= 3");
  }
}

// Bytes of the data caches of the first processor, smallest first; empty where Linux does not tell.
std::vector<double> cache_bytes() {
  std::vector<double> bytes;
  for (int i = 0;; ++i) {
    const auto read = [i](const char* what) {
      std::string word;
      std::ifstream(fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/{}", i, what)) >> word;
      return word;
    };
    const std::string size = read("size");  // such as 48K
    if (size.empty()) return bytes;
    if (read("type") != "Instruction") bytes.push_back(std::stod(size) * 1024.0);
  }
}

// Numbers of points, two for each level of the memory, far enough from its ends.
std::vector<std::array<std::size_t, 2>> within_levels(std::size_t most) {
  std::vector<std::array<std::size_t, 2>> found;
  std::vector<double> caches = cache_bytes();
  if (caches.empty()) return found;
  caches.push_back(2.0 * static_cast<double>(most) * bytes_per_pair);
  for (std::size_t level = 1; level < caches.size(); ++level) {
    const auto least = static_cast<std::size_t>(3.0 * caches[level - 1] / bytes_per_pair);
    const auto greatest = static_cast<std::size_t>(0.5 * caches[level] / bytes_per_pair);
    if (greatest > 2 * least) found.push_back({least, greatest});
  }
  return found;
}

// What a pair costs, and the slope of log time over log count within one level of the memory;
// beside it that of a plain sum, which is the machine's own.
void linearity(double seconds) {
  std::vector<std::size_t> counts{1000, 10000, 100000, 1000000, 10000000};
  const std::size_t shown = counts.size();
  const auto levels_of_memory = within_levels(counts.back());
  for (const auto& [least, greatest] : levels_of_memory)
    counts.insert(counts.end(), {least, greatest});
  const PointPairs most = random_pairs(10000000);
  std::vector<std::function<double()>> runners;
  const auto first = [&](std::size_t n) {
    PairsView view(most);
    view.size = n;
    return view;
  };
  for (const std::size_t n : counts)
    runners.push_back(ours(first(n), Loss::squared, PassLevel::normal));
  for (std::size_t i = shown; i < counts.size(); ++i)
    runners.push_back([view = first(counts[i])] { return bench::plain_sum(view); });
  const auto times = race(runners, 3.0 * seconds);
  const std::size_t sums = counts.size() - shown;  // from a pass to the sum over the same points
  const auto exponent = [&](std::size_t time, std::size_t i) {
    return std::log(times[time + 1] / times[time]) /
           std::log(static_cast<double>(counts[i + 1]) / static_cast<double>(counts[i]));
  };
  for (std::size_t i = 0; i < shown; ++i)
    say(fmt::format("normal equations, {} points, per pair", counts[i]),
        fmt::format("{:.3f} ns", 1e9 * times[i] / static_cast<double>(counts[i])), "");
  for (std::size_t i = shown; i < counts.size(); i += 2)
    say(fmt::format("exponent of the cost from {} to {} points, one level of the memory", counts[i],
                    counts[i + 1]),
        fmt::format("{:.3f} (a plain sum: {:.3f})", exponent(i, i), exponent(i + sums, i)),
        "1.00 +- 0.05");
}

void scattering(double seconds) {
  constexpr std::uint64_t count = 1000000;
  // The density of the shipped jobs: 2,000 points 10 px apart in 1024 x 1024.
  const double side = 1024.0 * std::sqrt(static_cast<double>(count) / 2000.0);
  const auto times =
      race({[&] {
             return scatter_points({{side, side}, 0.0, 10.0}, count,
                                   [](std::uint32_t attempt) {
                                     return RandomStream(1, 0, 0, Purpose::positions, attempt);
                                   })
                 .x[0];
           }},
           seconds);
  say("a million points at a distance", fmt::format("{:.3f} s", times[0]), "< 0.5 s");
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  if (argc > 2 || (argc == 2 && !quick)) {
    std::fputs("usage: bench_kernels [--quick]\n", stderr);
    return 2;
  }
  const double seconds = quick ? 0.2 : 2.0;
  std::puts(fmt::format("Instruction set of the passes: {}\n", kernel_instruction_set()).c_str());
  std::puts("| figure | measured | asked |\n|---|---|---|");
  against_the_machine(seconds);
  against_libraries(seconds);
  losses(seconds);
  linearity(seconds);
  scattering(seconds);
}
