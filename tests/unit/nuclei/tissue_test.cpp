// Segmentation on tissue that none of its constants were chosen on: rendered, with its truth.
#include <doctest/doctest.h>

#include <map>

#include <algorithm>
#include <array>
#include <cstdint>

#include "nucreg/fit/poisson_disk.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/nuclei/tissue.hpp"
#include "support/spots.hpp"

using namespace nucreg;

namespace {

constexpr double diameter_10x_px = 11.0;

struct Scene {
  std::size_t nuclei = 0;    // in a 10x field of 360 px
  double blur_px = 1.0;      // 10x px
  double electrons = 400.0;  // of a nucleus of brightness 1, at 10x
};

PlaneView plane_of(const RenderedImage& image) {
  return {.data = reinterpret_cast<const std::byte*>(image.values.data()),
          .width_px = image.width_px,
          .height_px = image.height_px,
          .row_bytes = image.width_px * 2,
          .pixel_bytes = 2,
          .type = PixelType::u16};
}

// Centroids within a quarter of a diameter; nuclei whose middle is near the edge are not asked.
double f1(const SynthTile& tile, const Scene& scene, std::uint64_t seed) {
  const double scale = tile.is_ten ? 1.0 : 4.0;
  RandomStream noise(seed, 77, tile.is_ten ? 0 : 1, Purpose::noise);
  const RenderedImage image =
      render(tile.nuclei, tile.tissue_to_tile, tile.size_px, tile.size_px,
             {.blur_px = scale * scene.blur_px, .electrons = scene.electrons / scale}, noise);
  const Segmentation found = segment(plane_of(image));
  const double margin = 0.6 * scale * diameter_10x_px, radius = 0.25 * scale * diameter_10x_px;
  const auto end = static_cast<double>(tile.size_px) - 1.0 - margin;
  Spots truth, answer;
  const auto keep = [&](Spots& spots, const Point& p) {
    const auto [x, y] = p;
    if (std::min(x, y) < margin || std::max(x, y) > end) return;
    spots.x.push_back(x);
    spots.y.push_back(y);
  };
  for (const TissueNucleus& n : tile.nuclei)
    keep(truth, apply(tile.tissue_to_tile, {n.x_px, n.y_px}));
  for (std::size_t i = 0; i < found.nuclei.size(); ++i)
    keep(answer, {found.nuclei.x_px[i], found.nuclei.y_px[i]});
  REQUIRE(truth.x.size() > 10);
  return f1_by_distance(answer, truth, radius);
}

std::vector<SynthTile> tiles_of(const SynthOptions& options) {
  const TissueField field = tissue_field(options);
  const Points nuclei =
      scatter_points({field.size_px, 0.0, field.min_distance_px}, field.nuclei,
                     [&](std::uint32_t attempt) { return position_stream(options, attempt); });
  return make_tiles(options, nuclei.x, nuclei.y);
}

}  // namespace

TEST_CASE("nuclei of rendered tissue, sparse to confluent, sharp and blurred, bright and dim") {
  // Nuclei that overlap may be one to any eye: a tile may have some, the 18 of a density few.
  const std::map<std::size_t, double> bars{{80, 0.99}, {250, 0.98}, {450, 0.96}};
  for (const auto& entry : bars) {
    const std::size_t nuclei = entry.first;
    CAPTURE(nuclei);
    double sum = 0.0;
    std::size_t tiles = 0;
    for (const double blur_px : {0.6, 1.2, 2.0})
      for (const double electrons : {60.0, 400.0, 4000.0}) {
        const Scene scene{nuclei, blur_px, electrons};
        const auto seed = static_cast<std::uint64_t>(1000 + nuclei);
        for (const SynthTile& tile : tiles_of({.seed = seed,
                                     .forty = 1,
                                     .field_px = 360,
                                     .tile_px = 800,
                                     .nuclei = nuclei,
                                     .diameter_px = diameter_10x_px,
                                     .missing = 0.0})) {
          CAPTURE(blur_px);
          CAPTURE(electrons);
          CAPTURE(tile.name);
          const double score = f1(tile, scene, seed);
          CHECK(score >= 0.75);
          sum += score;
          ++tiles;
        }
      }
    CHECK(tiles == 18);
    CHECK(sum / 18.0 >= entry.second);
  }
}
