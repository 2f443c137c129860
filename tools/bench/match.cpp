// Matching across magnifications: how often it is right, how often chance is taken for a match, and
// what it costs. Scenes with known pairs; one thread; Markdown.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "nucreg/core/clock.hpp"
#include "nucreg/match/match.hpp"
#include "support/two_magnifications.hpp"

namespace {

using namespace nucreg;

struct Case {
  std::string name;
  SceneOptions scene;
  std::uint32_t seeds = 100;
  double stage_px = 0.0;  // uncertainty at 10x of a prior that is off by two thirds of it; 0: none
  std::string asked;
};

// Right: the mirroring, and nine pairs in ten are of one nucleus.
bool right(const Scene& scene, const MatchResult& result) {
  const PairCount pairs = count_pairs(scene, result);
  return result.mirrored == scene.mirrored && pairs.right >= 9 * pairs.wrong;
}

void measure(const Case& c) {
  std::uint32_t found = 0, wrong = 0;
  double longest = 0.0, worst_px = 0.0;
  std::vector<double> times;
  std::size_t ten = 0, forty = 0;
  for (std::uint32_t seed = 1; seed <= c.seeds; ++seed) {
    SceneOptions scene_options = c.scene;
    scene_options.seed = seed;
    const Scene scene = make_scene(scene_options);
    ten = scene.ten.size();
    forty = scene.forty.size();
    MatchOptions options;
    if (c.stage_px > 0.0) {
      const double half_px = 0.5 * tile_side_px(scene, scene_options);
      const auto [x, y] = middle_of_tile_at_10x(scene, scene_options);
      options.stage = StagePrior{
          {half_px, half_px}, {{x + 0.5 * c.stage_px, y - 0.4 * c.stage_px}}, c.stage_px};
    }
    const double begin = thread_cpu_seconds();
    const MatchResult result = match_nuclei(scene.ten, scene.forty, options);
    times.push_back(thread_cpu_seconds() - begin);
    longest = std::max(longest, times.back());
    if (!result.matched()) continue;
    if (c.scene.elsewhere || !right(scene, result)) {
      ++wrong;
      continue;
    }
    ++found;
    worst_px = std::max(worst_px, worst_error_px(scene, scene_options, result.affine));
  }
  std::sort(times.begin(), times.end());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("| {} | {} | {} | {} | {} | {} | {:.2f} | {:.4f} | {:.4f} | {} | {} |\n", c.name, ten,
             forty, found, wrong, c.seeds - found - wrong, worst_px, times[times.size() / 2],
             longest, usage.ru_maxrss / 1024, c.asked);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  if (argc > 2 || (argc == 2 && !quick)) {
    std::fputs("usage: bench_match [--quick]\n", stderr);
    return 2;
  }
  const std::uint32_t seeds = quick ? 10 : 100;
  std::puts(
      "| scene | at 10x | at 40x | right | wrong | no match | worst of corners, px | median s | "
      "longest s | MiB so far | asked |\n|---|---|---|---|---|---|---|---|---|---|---|");
  measure({"a quarter of a tile", {.tile_side = 0.515}, seeds, 0.0, "all right, < 0.2 s"});
  measure({"another place", {.tile_side = 0.515, .elsewhere = true}, seeds, 0.0, "99 % no match"});
  measure({"40 % missing", {.missing = 0.4}, seeds, 0.0, ""});
  measure({"6 px noise", {.noise_px = 6.0}, seeds, 0.0, ""});
  measure({"300 nuclei", {.nuclei = 300}, seeds, 0.0, ""});
  measure({"100 nuclei", {.nuclei = 100}, seeds, 0.0, ""});
  measure({"60 nuclei", {.nuclei = 60}, seeds, 0.0, ""});
  measure({"60 nuclei, another place",
           {.nuclei = 60, .elsewhere = true},
           10 * seeds,
           0.0,
           "99 % no match"});
  const std::size_t many = quick ? 118000 : 1180000;
  measure({"a well, stage within 50 px",
           {.nuclei = many, .tile_side = 1.0},
           1,
           50.0,
           "< 60 s, < 2 GB"});
  measure({"a well, no stage", {.nuclei = many, .tile_side = 1.0}, 1, 0.0, ""});
}
