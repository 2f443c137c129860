#include "nucreg/app/synth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nucreg/core/random.hpp"
#include "nucreg/fit/poisson_disk.hpp"

namespace nucreg {
namespace {

constexpr double magnification = 4.0;
constexpr double ten_um_per_px = 0.65, forty_um_per_px = ten_um_per_px / magnification;
constexpr double overlap = 0.1;
// In diameters: neighbours may touch, and ellipses then overlap a little.
constexpr double least_distance = 0.95;
constexpr double most_nuclei = 5e6;  // some 200 B each, with their truth
constexpr double most_turn_deg = 2.0, scale_error = 0.002;

// What is drawn, each from streams of its own.
enum class Draw : std::uint32_t { positions, shapes, seen, map, stage, noise };

RandomStream stream(std::uint64_t seed, Draw draw, std::size_t number = 0,
                    Purpose purpose = Purpose::draws, std::uint32_t attempt = 0) {
  return {seed, static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(number), purpose,
          attempt};
}

SynthMap product(const SynthMap& after, const SynthMap& before) {
  const auto& [a, b, tx, c, d, ty] = after;
  const auto& [e, f, ux, g, h, uy] = before;
  return {a * e + b * g, a * f + b * h, a * ux + b * uy + tx,
          c * e + d * g, c * f + d * h, c * ux + d * uy + ty};
}

SynthMap inverse(const SynthMap& map) {
  const auto& [a, b, tx, c, d, ty] = map;
  const double determinant = a * d - b * c;
  const SynthMap linear{d / determinant,  -b / determinant, 0.0,
                        -c / determinant, a / determinant,  0.0};
  return product(linear, {1.0, 0.0, -tx, 0.0, 1.0, -ty});
}

std::array<double, 2> at(const SynthMap& map, double x, double y) {
  return {map[0] * x + map[1] * y + map[2], map[3] * x + map[4] * y + map[5]};
}

TissueNucleus draw_nucleus(double x, double y, double diameter_px, RandomStream& random) {
  // Sizes and brightnesses as in real fields: most alike, some half or twice as bright.
  const double size = std::clamp(1.0 + 0.13 * random.normal(), 0.65, 1.5);
  const double elongation = std::exp(random.uniform(0.0, 0.35));
  const double radius = 0.5 * diameter_px * size;
  return {.x_px = x,
          .y_px = y,
          .long_radius_px = radius * std::sqrt(elongation),
          .short_radius_px = radius / std::sqrt(elongation),
          .angle_rad = random.uniform(0.0, std::numbers::pi),
          .dent = random.uniform(0.0, 0.06),
          .brightness = std::clamp(std::exp(0.3 * random.normal()), 0.4, 3.0)};
}

// Of both magnifications: a turn of the camera, and one of the eight ways to lay down a square.
SynthMap draw_linear(const SynthOptions& options) {
  RandomStream random = stream(options.seed, Draw::map);
  const double angle = random.uniform(-most_turn_deg, most_turn_deg) * std::numbers::pi / 180.0;
  const double sx = magnification * (1.0 + random.uniform(-scale_error, scale_error));
  const double sy = magnification * (1.0 + random.uniform(-scale_error, scale_error));
  const SynthMap small{sx * std::cos(angle), -sx * std::sin(angle), 0.0,
                       sy * std::sin(angle), sy * std::cos(angle),  0.0};
  if (!options.turned) return small;
  const std::uint64_t way = 1 + random.below(7);  // 0 would be none
  const double flip_x = (way & 1U) != 0 ? -1.0 : 1.0, flip_y = (way & 2U) != 0 ? -1.0 : 1.0;
  const SynthMap lay = (way & 4U) != 0 ? SynthMap{0.0, flip_x, 0.0, flip_y, 0.0, 0.0}
                                       : SynthMap{flip_x, 0.0, 0.0, 0.0, flip_y, 0.0};
  return product(small, lay);
}

double centre_of(std::size_t size_px) {
  return (static_cast<double>(size_px) - 1.0) / 2.0;
}

bool shows(const SynthTile& tile, double x, double y, double margin_px) {
  const double last = static_cast<double>(tile.size_px) - 1.0 + margin_px;
  return x >= -margin_px && y >= -margin_px && x <= last && y <= last;
}

bool overlapping(const SynthTile& ten, const SynthTile& forty) {
  const SynthMap map = map_between(forty, ten);
  const double last = static_cast<double>(forty.size_px) - 1.0;
  double left = 1e300, right = -1e300, top = 1e300, bottom = -1e300;
  for (const double x : {0.0, last})
    for (const double y : {0.0, last}) {
      const auto [u, v] = at(map, x, y);
      left = std::min(left, u);
      right = std::max(right, u);
      top = std::min(top, v);
      bottom = std::max(bottom, v);
    }
  const double end = static_cast<double>(ten.size_px) - 1.0;
  return right > 0.0 && left < end && bottom > 0.0 && top < end;
}

// Before memory is taken: of the tissue, and of all tiles that show them.
void check_size(const SynthOptions& options, double density, const std::array<double, 2>& tissue,
                double margin_px) {
  const auto shown = [&](std::size_t tiles, double side_px) {
    const double reach = side_px + 2.0 * margin_px;
    return static_cast<double>(tiles) * density * std::min(reach, tissue[0]) *
           std::min(reach, tissue[1]);
  };
  const double nuclei = density * tissue[0] * tissue[1] +
                        shown(options.ten, static_cast<double>(options.field_px)) +
                        shown(options.forty, static_cast<double>(options.tile_px) / magnification);
  if (nuclei > most_nuclei)
    throw JobError(
        fmt::format("{:.3g} nuclei in the tissue and in all tiles together", nuclei),
        {.key = "--ten, --forty, --nuclei", .allowed = fmt::format("at most {:.0f}", most_nuclei)});
}

}  // namespace

std::vector<SynthTile> make_tiles(const SynthOptions& options) {
  const auto field = static_cast<double>(options.field_px);
  const double step = (1.0 - overlap) * field;
  const auto columns =
      static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(options.ten))));
  const std::size_t rows = (options.ten + columns - 1) / columns;
  const double margin = 2.0 * options.diameter_px;  // nuclei beyond the edge shine into it
  const std::array<double, 2> tissue{2.0 * margin + field + step * static_cast<double>(columns - 1),
                                     2.0 * margin + field + step * static_cast<double>(rows - 1)};

  const double density = static_cast<double>(options.nuclei) / (field * field);
  check_size(options, density, tissue, margin);
  const auto count = static_cast<std::uint64_t>(std::llround(density * tissue[0] * tissue[1]));
  const DiskField disks{
      .size_px = tissue, .border_px = 0.0, .min_distance_px = least_distance * options.diameter_px};
  check_density(disks, count, {.key = "--nuclei"});
  const Points points = scatter_points(disks, count, [&](std::uint32_t attempt) {
    return stream(options.seed, Draw::positions, 0, Purpose::positions, attempt);
  });
  std::vector<TissueNucleus> nuclei;
  RandomStream shapes = stream(options.seed, Draw::shapes);
  for (std::size_t i = 0; i < points.size(); ++i)
    nuclei.push_back(draw_nucleus(points.x[i], points.y[i], options.diameter_px, shapes));
  std::array<std::vector<bool>, 2> seen;
  for (std::size_t side = 0; side < 2; ++side) {
    RandomStream random = stream(options.seed, Draw::seen, side, Purpose::missing);
    for (std::size_t i = 0; i < nuclei.size(); ++i)
      seen[side].push_back(random.uniform() >= options.missing);
  }

  const SynthMap linear = draw_linear(options);
  std::vector<SynthTile> tiles;
  for (std::size_t number = 0; number < options.ten + options.forty; ++number) {
    SynthTile tile{.is_ten = number < options.ten};
    RandomStream random = stream(options.seed, Draw::stage, number);
    std::array<double, 2> centre{};
    if (tile.is_ten) {
      tile.name = fmt::format("10x_{}", number);
      tile.size_px = options.field_px;
      tile.pixel_size_um = ten_um_per_px;
      const std::size_t column = number % columns, row = number / columns;
      const double x = margin + step * static_cast<double>(column);
      const double y = margin + step * static_cast<double>(row);
      tile.tissue_to_tile = {1.0, 0.0, -x, 0.0, 1.0, -y};
      centre = {x + centre_of(tile.size_px), y + centre_of(tile.size_px)};
    } else {
      tile.name = fmt::format("40x_{}", number - options.ten);
      tile.size_px = options.tile_px;
      tile.pixel_size_um = forty_um_per_px;
      const double half = margin + 0.5 * static_cast<double>(tile.size_px) / magnification;
      for (std::size_t axis = 0; axis < 2; ++axis)
        centre[axis] = random.uniform(std::min(half, 0.5 * tissue[axis]),
                                      std::max(tissue[axis] - half, 0.5 * tissue[axis]));
      const auto [x, y] = at(linear, centre[0], centre[1]);
      tile.tissue_to_tile = product(
          {1.0, 0.0, centre_of(tile.size_px) - x, 0.0, 1.0, centre_of(tile.size_px) - y}, linear);
    }
    for (std::size_t axis = 0; axis < 2; ++axis)
      tile.stage_um[axis] = ten_um_per_px * centre[axis] + options.stage_error_um * random.normal();
    const double reach_px = margin * (tile.is_ten ? 1.0 : magnification);
    for (std::size_t i = 0; i < nuclei.size(); ++i) {
      const auto [x, y] = at(tile.tissue_to_tile, nuclei[i].x_px, nuclei[i].y_px);
      if (!seen[tile.is_ten ? 0 : 1][i] || !shows(tile, x, y, reach_px)) continue;
      tile.nuclei.push_back(nuclei[i]);
      tile.identities.push_back(static_cast<std::uint32_t>(i));
    }
    tiles.push_back(std::move(tile));
  }
  return tiles;
}

RenderedImage render_tile(const SynthTile& tile, std::size_t number, std::uint64_t seed) {
  const Optics optics =
      tile.is_ten ? Optics{}
                  : Optics{.blur_px = 1.5, .electrons = 600.0, .offset = 110.0, .vignetting = 0.15};
  RandomStream noise = stream(seed, Draw::noise, number, Purpose::noise);
  return render(tile.nuclei, tile.tissue_to_tile, tile.size_px, tile.size_px, optics, noise);
}

SynthMap map_between(const SynthTile& from, const SynthTile& to) {
  return product(to.tissue_to_tile, inverse(from.tissue_to_tile));
}

std::string truth_json(const SynthOptions& options, const std::vector<SynthTile>& tiles) {
  const auto list = [](const std::vector<std::string>& entries) {
    return fmt::format("[\n  {}\n ]", fmt::join(entries, ",\n  "));
  };
  std::vector<std::string> pairs, shown;
  for (const SynthTile& ten : tiles)
    for (const SynthTile& forty : tiles) {
      if (!ten.is_ten || forty.is_ten || !overlapping(ten, forty)) continue;
      const SynthMap m = map_between(ten, forty);
      pairs.push_back(fmt::format(R"({{"ten": "{}.tif", "forty": "{}.tif", "affine_10x_to_40x": )"
                                  R"([[{}, {}, {}], [{}, {}, {}]], "mirrored": {}}})",
                                  ten.name, forty.name, m[0], m[1], m[2], m[3], m[4], m[5],
                                  m[0] * m[4] - m[1] * m[3] < 0.0));
    }
  for (const SynthTile& tile : tiles) {
    std::vector<std::string> nuclei;
    for (std::size_t i = 0; i < tile.nuclei.size(); ++i) {
      const auto [x, y] = at(tile.tissue_to_tile, tile.nuclei[i].x_px, tile.nuclei[i].y_px);
      if (shows(tile, x, y, 0.0))
        nuclei.push_back(fmt::format("[{}, {}, {}]", tile.identities[i], x, y));
    }
    shown.push_back(fmt::format(
        R"({{"file": "{}.tif", "pixel_size_um": {}, "stage_um": [{}, {}], "nuclei_id_x_y": [{}]}})",
        tile.name, tile.pixel_size_um, tile.stage_um[0], tile.stage_um[1],
        fmt::join(nuclei, ", ")));
  }
  return fmt::format(
      "{{\n \"seed\": {},\n \"field_px\": [{}, {}],\n \"pairs\": {},\n \"tiles\": {}\n}}\n",
      options.seed, options.field_px, options.field_px, list(pairs), list(shown));
}

}  // namespace nucreg
