// Finding nuclei, alone: images are read first, nothing is written. One thread; a line per image:
// Mpx/s of CPU time (median of the rounds), nuclei, and a hash of the labels.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "nucreg/core/allocation.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/nuclei/segment.hpp"

namespace {

using namespace nucreg;

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv
std::uint64_t hash(const std::vector<std::uint32_t>& values) {
  std::uint64_t h = 14695981039346656037U;
  for (const std::uint32_t value : values) h = (h ^ value) * 1099511628211U;
  return h;
}

void measure(const std::string& file, int rounds) {
  const Plane plane = open_image(file)->read(0, 0);
  std::vector<double> seconds;
  Segmentation found;
  for (int round = 0; round < rounds; ++round) {
    const double begin = thread_cpu_seconds();
    found = segment(plane.view());
    seconds.push_back(thread_cpu_seconds() - begin);
  }
  std::sort(seconds.begin(), seconds.end());
  const double megapixels = 1e-6 * static_cast<double>(found.labels.labels.size());
  fmt::print("{} {:.2f} {} {:.1f} {:016x}\n", file, megapixels / seconds[seconds.size() / 2],
             found.nuclei.size(), found.diameter_px, hash(found.labels.labels));
}

}  // namespace

int main(int argc, char** argv) {
  use_one_image_thread();
  const int rounds = argc > 2 ? std::atoi(argv[1]) : 0;
  if (rounds < 1) {
    std::fputs("usage: bench_segment ROUNDS IMAGE...\n", stderr);
    return 2;
  }
  keep_freed_memory();  // as `nucreg segment` does
  try {
    for (int i = 2; i < argc; ++i) measure(argv[i], rounds);
  } catch (const nucreg::Error& e) {
    fmt::print(stderr, "bench_segment: {}\n", e.what());
    return static_cast<int>(e.status());
  }
}
