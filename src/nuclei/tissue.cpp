#include "nucreg/nuclei/tissue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr double magnification = 4.0;
constexpr double ten_um_per_px = 0.65, forty_um_per_px = ten_um_per_px / magnification;
constexpr double overlap = 0.1;
// In diameters: neighbours may touch, and ellipses then overlap a little.
constexpr double min_distance = 0.95;
constexpr double max_nuclei = 5e6;  // some 200 B each, with their truth
constexpr double max_turn_deg = 2.0, scale_error = 0.002;

// What is drawn, each from streams of its own.
enum class Draw : std::uint32_t { positions, shapes, seen, map, stage, noise, faults };

// From 0 at -1 to 1 at 1 without a kink.
double soft_step(double t) {
  const double u = std::clamp(0.5 * t + 0.5, 0.0, 1.0);
  return u * u * (3.0 - 2.0 * u);
}

RandomStream stream(std::uint64_t seed, Draw draw, std::size_t number = 0,
                    Purpose purpose = Purpose::draws, std::uint32_t attempt = 0) {
  return {seed, static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(number), purpose,
          attempt};
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

// At both magnifications: a turn of the camera, and one of the eight ways to lay down a square.
AffineMap draw_linear(const SynthOptions& options) {
  RandomStream random = stream(options.seed, Draw::map);
  const double angle = random.uniform(-max_turn_deg, max_turn_deg) * std::numbers::pi / 180.0;
  const double sx = magnification * (1.0 + random.uniform(-scale_error, scale_error));
  const double sy = magnification * (1.0 + random.uniform(-scale_error, scale_error));
  const AffineMap small{sx * std::cos(angle), -sx * std::sin(angle), 0.0,
                        sy * std::sin(angle), sy * std::cos(angle),  0.0};
  if (!options.turned) return small;
  const std::uint64_t way = 1 + random.below(7);  // 0 would be none
  const double flip_x = (way & 1U) != 0 ? -1.0 : 1.0, flip_y = (way & 2U) != 0 ? -1.0 : 1.0;
  const AffineMap lay = (way & 4U) != 0 ? AffineMap{0.0, flip_x, 0.0, flip_y, 0.0, 0.0}
                                        : AffineMap{flip_x, 0.0, 0.0, 0.0, flip_y, 0.0};
  return compose(small, lay);
}

double centre_of(std::size_t size_px) {
  return (static_cast<double>(size_px) - 1.0) / 2.0;
}

Point place_in(const SynthTile& tile, const TissueNucleus& nucleus) {
  return apply(tile.tissue_to_tile, {nucleus.x_px, nucleus.y_px});
}

bool shows(const SynthTile& tile, const Point& p, double margin_px) {
  const double last = static_cast<double>(tile.size_px) - 1.0 + margin_px;
  return p[0] >= -margin_px && p[1] >= -margin_px && p[0] <= last && p[1] <= last;
}

bool overlapping(const SynthTile& ten, const SynthTile& forty) {
  const AffineMap map = map_between(forty, ten);
  const double last = static_cast<double>(forty.size_px) - 1.0;
  double left = 1e300, right = -1e300, top = 1e300, bottom = -1e300;
  for (const double x : {0.0, last})
    for (const double y : {0.0, last}) {
      const auto [u, v] = apply(map, {x, y});
      left = std::min(left, u);
      right = std::max(right, u);
      top = std::min(top, v);
      bottom = std::max(bottom, v);
    }
  const double end = static_cast<double>(ten.size_px) - 1.0;
  return right > 0.0 && left < end && bottom > 0.0 && top < end;
}

// How the 10x tiles lie, and the tissue around them. Nuclei beyond the edge shine into it.
struct Grid {
  double step_px = 0.0, margin_px = 0.0;
  std::size_t columns = 0, rows = 0;
  std::array<double, 2> tissue_px{};
};

Grid grid_of(const SynthOptions& options) {
  const auto field = static_cast<double>(options.field_px);
  const auto columns =
      static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(options.ten))));
  Grid grid{.step_px = (1.0 - overlap) * field,
            .margin_px = 2.0 * options.diameter_px,
            .columns = columns,
            .rows = (options.ten + columns - 1) / columns};
  const auto size = [&](std::size_t tiles) {
    return 2.0 * grid.margin_px + field + grid.step_px * static_cast<double>(tiles - 1);
  };
  grid.tissue_px = {size(grid.columns), size(grid.rows)};
  return grid;
}

Point centre_of_ten(const SynthOptions& options, const Grid& grid, std::size_t number) {
  const auto at = [&](std::size_t tiles) {
    return grid.margin_px + grid.step_px * static_cast<double>(tiles) + centre_of(options.field_px);
  };
  return {at(number % grid.columns), at(number / grid.columns)};
}

// Anywhere, if possible so that the whole tile is in the tissue.
Point centre_of_forty(const SynthOptions& options, const Grid& grid, RandomStream& random) {
  const double half = grid.margin_px + 0.5 * static_cast<double>(options.tile_px) / magnification;
  Point centre{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const double size = grid.tissue_px[axis];
    centre[axis] = random.uniform(std::min(half, 0.5 * size), std::max(size - half, 0.5 * size));
  }
  return centre;
}

// Tiles at 40x in rows that cover the 10x tiles of a well.
struct Cover {
  std::size_t columns = 0, rows = 0;
  Point first{}, step{};  // centres, px of the tissue

  [[nodiscard]] std::size_t tiles() const { return columns * rows; }
  [[nodiscard]] Point centre(std::size_t number) const {
    const std::size_t column = number % columns, row = number / columns;
    return {first[0] + step[0] * static_cast<double>(column),
            first[1] + step[1] * static_cast<double>(row)};
  }
};

Cover cover_of(const SynthOptions& options, const Grid& grid) {
  const double width = static_cast<double>(options.tile_px) / magnification;
  Cover cover;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const double rest = std::max(0.0, grid.tissue_px[axis] - 2.0 * grid.margin_px - width);
    const double further = std::ceil(rest / ((1.0 - overlap) * width));
    (axis == 0 ? cover.columns : cover.rows) = 1 + static_cast<std::size_t>(further);
    cover.first[axis] = 0.5 * (grid.tissue_px[axis] - rest);
    cover.step[axis] = further > 0.0 ? rest / further : 0.0;
  }
  return cover;
}

std::size_t forty_of(const SynthOptions& options) {
  return options.well ? cover_of(options, grid_of(options)).tiles() : options.forty;
}

// Where the stage of the second visit to a well is, um, if that of the first is at `um`: the plate
// was put in again a little off.
Point second_visit(const Point& um) {
  constexpr double turn = 0.9 * std::numbers::pi / 180.0, shift_x = 130.0, shift_y = -70.0;
  return {std::cos(turn) * um[0] - std::sin(turn) * um[1] + shift_x,
          std::sin(turn) * um[0] + std::cos(turn) * um[1] + shift_y};
}

// What goes wrong with the 40x tiles of a well; `first` is their first one.
void add_faults(std::vector<SynthTile>& tiles, std::size_t first, std::uint64_t seed) {
  constexpr std::size_t min_tiles = 9;
  const std::size_t count = tiles.size() - first;
  if (count < min_tiles) return;
  RandomStream random = stream(seed, Draw::faults);
  const std::size_t one = random.below(count), step = 1 + random.below((count - 1) / 2);
  SynthTile& wrong = tiles[first + one];
  wrong.fault = "position_wrong";
  const double far = static_cast<double>(wrong.size_px) * wrong.pixel_size_um;
  for (double& um : wrong.stage_um) um += far * random.uniform(1.5, 2.5);
  SynthTile& empty = tiles[first + (one + step) % count];
  empty.fault = "empty";
  empty.nuclei.clear();
  empty.identities.clear();
  SynthTile again = tiles[first + (one + 2 * step) % count];
  again.name = fmt::format("40x_{}", count);
  again.fault = "duplicate";
  tiles.push_back(std::move(again));
}

// A tile in whose middle `centre` lies.
SynthTile tile_at(const Point& centre, std::size_t size_px, const AffineMap& linear) {
  const Point there = apply(linear, centre);
  const double middle = centre_of(size_px);
  SynthTile tile;
  tile.size_px = size_px;
  tile.tissue_to_tile = compose({1.0, 0.0, middle - there[0], 0.0, 1.0, middle - there[1]}, linear);
  return tile;
}

// Before memory is taken: of the tissue, and of all tiles that show them.
void check_size(const SynthOptions& options, double density, const std::array<double, 2>& tissue,
                double margin_px) {
  const auto shown = [&](std::size_t tiles, double side_px) {
    const double reach = side_px + 2.0 * margin_px;
    return static_cast<double>(tiles) * density * std::min(reach, tissue[0]) *
           std::min(reach, tissue[1]);
  };
  const double nuclei =
      density * tissue[0] * tissue[1] + shown(options.ten, static_cast<double>(options.field_px)) +
      shown(forty_of(options), static_cast<double>(options.tile_px) / magnification);
  if (nuclei > max_nuclei)
    throw JobError(
        fmt::format("{:.3g} nuclei in the tissue and in all tiles together", nuclei),
        {.key = "--ten, --forty, --nuclei", .allowed = fmt::format("at most {:.0f}", max_nuclei)});
}

}  // namespace

RenderedImage render(std::span<const TissueNucleus> nuclei, const AffineMap& tissue_to_image,
                     std::size_t width_px, std::size_t height_px, const Optics& optics,
                     RandomStream& noise) {
  const double area = std::abs(determinant(tissue_to_image));
  if (!std::isfinite(area) || area == 0.0)
    throw std::invalid_argument("a map that cannot be inverted");
  const AffineMap to_tissue = invert(tissue_to_image);
  const double scale = std::sqrt(area);
  const auto width = static_cast<double>(width_px), height = static_cast<double>(height_px);
  std::vector<double> electrons(width_px * height_px, 0.0);
  for (const TissueNucleus& nucleus : nuclei) {
    const auto [x0, y0] = apply(tissue_to_image, {nucleus.x_px, nucleus.y_px});
    const double reach =
        1.2 * scale * nucleus.long_radius_px * (1.0 + nucleus.dent) + 2.0 * optics.blur_px + 1.0;
    const double cosine = std::cos(nucleus.angle_rad), sine = std::sin(nucleus.angle_rad);
    const double mean_radius_px =
        scale * std::sqrt(nucleus.long_radius_px * nucleus.short_radius_px);
    for (double y = std::max(0.0, std::ceil(y0 - reach)); y < std::min(height, y0 + reach); ++y)
      for (double x = std::max(0.0, std::ceil(x0 - reach)); x < std::min(width, x0 + reach); ++x) {
        const auto [tx, ty] = apply(to_tissue, {x, y});
        const double dx = tx - nucleus.x_px, dy = ty - nucleus.y_px;
        const double u = (cosine * dx + sine * dy) / nucleus.long_radius_px;
        const double v = (cosine * dy - sine * dx) / nucleus.short_radius_px;
        const double r = std::sqrt(u * u + v * v);
        // cos(3 t) = 4 cos^3 t - 3 cos t
        const double c = r > 0.0 ? u / r : 0.0;
        const double rim = 1.0 + nucleus.dent * c * (4.0 * c * c - 3.0);
        const double inside = soft_step((rim - r) * mean_radius_px / (2.0 * optics.blur_px));
        electrons[static_cast<std::size_t>(y) * width_px + static_cast<std::size_t>(x)] +=
            optics.electrons * nucleus.brightness * inside;
      }
  }
  RenderedImage image{.width_px = width_px, .height_px = height_px, .values = {}};
  image.values.reserve(electrons.size());
  const double corner = width * width + height * height;
  auto at = electrons.begin();
  for (double y = 0.0; y < height; ++y)
    for (double x = 0.0; x < width; ++x) {
      const double u = 2.0 * x - width + 1.0, v = 2.0 * y - height + 1.0;
      const double light = 1.0 - optics.vignetting * (u * u + v * v) / corner;
      const double mean = light * (*at++ + optics.background_electrons);
      const double spread =
          std::sqrt(mean + optics.read_noise_electrons * optics.read_noise_electrons);
      const double value =
          optics.offset + optics.levels_per_electron * (mean + spread * noise.normal());
      image.values.push_back(
          static_cast<std::uint16_t>(std::clamp(std::floor(value + 0.5), 0.0, 65535.0)));
    }
  return image;
}

TissueField tissue_field(const SynthOptions& options) {
  const Grid grid = grid_of(options);
  const auto field = static_cast<double>(options.field_px);
  const double density = static_cast<double>(options.nuclei) / (field * field);
  check_size(options, density, grid.tissue_px, grid.margin_px);
  const double nuclei = density * grid.tissue_px[0] * grid.tissue_px[1];
  return {.size_px = grid.tissue_px,
          .min_distance_px = min_distance * options.diameter_px,
          .nuclei = static_cast<std::uint64_t>(std::llround(nuclei))};
}

RandomStream position_stream(const SynthOptions& options, std::uint32_t attempt) {
  return stream(options.seed, Draw::positions, 0, Purpose::positions, attempt);
}

std::vector<SynthTile> make_tiles(const SynthOptions& options, std::span<const double> x,
                                  std::span<const double> y) {
  const Grid grid = grid_of(options);
  std::vector<TissueNucleus> nuclei;
  RandomStream shapes = stream(options.seed, Draw::shapes);
  for (std::size_t i = 0; i < x.size(); ++i)
    nuclei.push_back(draw_nucleus(x[i], y[i], options.diameter_px, shapes));
  std::array<std::vector<bool>, 2> seen;
  for (std::size_t side = 0; side < 2; ++side) {
    RandomStream random = stream(options.seed, Draw::seen, side, Purpose::missing);
    for (std::size_t i = 0; i < nuclei.size(); ++i)
      seen[side].push_back(random.uniform() >= options.missing);
  }

  const AffineMap linear = draw_linear(options);
  const Cover cover = cover_of(options, grid);
  std::vector<SynthTile> tiles;
  for (std::size_t number = 0; number < options.ten + forty_of(options); ++number) {
    RandomStream random = stream(options.seed, Draw::stage, number);
    const bool is_ten = number < options.ten;
    const Point centre = is_ten         ? centre_of_ten(options, grid, number)
                         : options.well ? cover.centre(number - options.ten)
                                        : centre_of_forty(options, grid, random);
    SynthTile tile = is_ten ? tile_at(centre, options.field_px, identity_map)
                            : tile_at(centre, options.tile_px, linear);
    tile.is_ten = is_ten;
    tile.name =
        is_ten ? fmt::format("10x_{}", number) : fmt::format("40x_{}", number - options.ten);
    tile.pixel_size_um = is_ten ? ten_um_per_px : forty_um_per_px;
    const Point um{ten_um_per_px * centre[0], ten_um_per_px * centre[1]};
    tile.stage_um = options.well && !is_ten ? second_visit(um) : um;
    for (double& place : tile.stage_um) place += options.stage_error_um * random.normal();
    const double reach_px = grid.margin_px * (is_ten ? 1.0 : magnification);
    for (std::size_t i = 0; i < nuclei.size(); ++i) {
      if (!seen[is_ten ? 0 : 1][i] || !shows(tile, place_in(tile, nuclei[i]), reach_px)) continue;
      tile.nuclei.push_back(nuclei[i]);
      tile.identities.push_back(static_cast<std::uint32_t>(i));
    }
    tiles.push_back(std::move(tile));
  }
  if (options.well) add_faults(tiles, options.ten, options.seed);
  return tiles;
}

RenderedImage render_tile(const SynthTile& tile, std::size_t number, std::uint64_t seed) {
  const Optics optics =
      tile.is_ten ? Optics{}
                  : Optics{.blur_px = 1.5, .electrons = 600.0, .offset = 110.0, .vignetting = 0.15};
  RandomStream noise = stream(seed, Draw::noise, number, Purpose::noise);
  return render(tile.nuclei, tile.tissue_to_tile, tile.size_px, tile.size_px, optics, noise);
}

AffineMap map_between(const SynthTile& from, const SynthTile& to) {
  return compose(to.tissue_to_tile, invert(from.tissue_to_tile));
}

std::string truth_json(const SynthOptions& options, const std::vector<SynthTile>& tiles) {
  const auto list = [](const std::vector<std::string>& entries) {
    return fmt::format("[\n  {}\n ]", fmt::join(entries, ",\n  "));
  };
  std::vector<std::string> pairs, shown;
  for (const SynthTile& ten : tiles)
    for (const SynthTile& forty : tiles) {
      if (!ten.is_ten || forty.is_ten || !overlapping(ten, forty)) continue;
      const AffineMap m = map_between(ten, forty);
      pairs.push_back(fmt::format(R"({{"ten": "{}.tif", "forty": "{}.tif", "affine_10x_to_40x": )"
                                  R"([[{}, {}, {}], [{}, {}, {}]], "mirrored": {}}})",
                                  ten.name, forty.name, m[0], m[1], m[2], m[3], m[4], m[5],
                                  determinant(m) < 0.0));
    }
  for (const SynthTile& tile : tiles) {
    std::vector<std::string> nuclei;
    for (std::size_t i = 0; i < tile.nuclei.size(); ++i) {
      const Point p = place_in(tile, tile.nuclei[i]);
      if (shows(tile, p, 0.0))
        nuclei.push_back(fmt::format("[{}, {}, {}]", tile.identities[i], p[0], p[1]));
    }
    shown.push_back(
        fmt::format(R"({{"file": "{}.tif", "pixel_size_um": {}, "stage_um": [{}, {}], {})"
                    R"("nuclei_id_x_y": [{}]}})",
                    tile.name, tile.pixel_size_um, tile.stage_um[0], tile.stage_um[1],
                    tile.fault.empty() ? "" : fmt::format(R"("fault": "{}", )", tile.fault),
                    fmt::join(nuclei, ", ")));
  }
  return fmt::format(
      "{{\n \"seed\": {},\n \"field_px\": [{}, {}],\n \"pairs\": {},\n \"tiles\": {}\n}}\n",
      options.seed, options.field_px, options.field_px, list(pairs), list(shown));
}

}  // namespace nucreg
