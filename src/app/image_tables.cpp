#include "image_tables.hpp"

#include <limits>
#include <span>

namespace nucreg {
namespace {

// One column of value(row) for all rows.
template <class T, class Rows, class Value>
Column column(const char* name, const char* units, const Rows& rows, Value&& value) {
  std::vector<T> values;
  for (const auto& row : rows) values.push_back(T(value(row)));
  return {name, units, std::move(values)};
}

// The values of all rows, one behind the other.
template <class T, class Rows, class Values>
Column ragged(const char* name, const char* units, const Rows& rows, Values&& values) {
  std::vector<T> all;
  for (const auto& row : rows) {
    const auto more = values(row);
    all.insert(all.end(), more.begin(), more.end());
  }
  return {name, units, std::move(all)};
}

template <class Rows, class Count>
Column offsets(const Rows& rows, Count&& count) {
  std::vector<std::int64_t> all{0};
  for (const auto& row : rows) all.push_back(all.back() + static_cast<std::int64_t>(count(row)));
  return {"offsets", "1", std::move(all)};
}

using I = std::int64_t;
using D = double;
using S = std::string;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Table images_table(const std::vector<Tile>& tiles, const std::vector<TileNuclei>& nuclei) {
  Table table{.name = "images"};
  auto& c = table.columns;
  c.push_back(column<S>("file", "", tiles, [](const Tile& t) { return t.file; }));
  c.push_back(column<S>("magnification", "", tiles,
                        [](const Tile& t) { return t.is_ten ? "10x" : "40x"; }));
  c.push_back(column<I>("frame", "1", tiles, [](const Tile& t) { return t.frame; }));
  c.push_back(column<I>("channel", "1", tiles, [](const Tile& t) { return t.channel; }));
  c.push_back(column<I>("width_px", "px", tiles, [](const Tile& t) { return t.place.width_px; }));
  c.push_back(column<I>("height_px", "px", tiles, [](const Tile& t) { return t.place.height_px; }));
  c.push_back(column<D>("pixel_size_um", "um", tiles,
                        [](const Tile& t) { return t.place.pixel_size_um.value_or(nan); }));
  c.push_back(column<D>("stage_x_um", "um", tiles,
                        [](const Tile& t) { return t.place.stage_x_um.value_or(nan); }));
  c.push_back(column<D>("stage_y_um", "um", tiles,
                        [](const Tile& t) { return t.place.stage_y_um.value_or(nan); }));
  c.push_back(column<I>("well", "1", tiles, [](const Tile& t) { return t.well; }));
  c.push_back(column<S>("sha256", "", nuclei, [](const TileNuclei& n) { return n.sha256; }));
  c.push_back(
      column<D>("diameter_px", "px", nuclei, [](const TileNuclei& n) { return n.diameter_px; }));
  c.push_back(
      column<I>("nuclei", "1", nuclei, [](const TileNuclei& n) { return n.nuclei.size(); }));
  return table;
}

Table nuclei_table(const std::vector<TileNuclei>& nuclei) {
  using N = TileNuclei;
  return {
      "nuclei",
      {ragged<D>("x_px", "px", nuclei, [](const N& n) { return n.nuclei.x_px; }),
       ragged<D>("y_px", "px", nuclei, [](const N& n) { return n.nuclei.y_px; }),
       ragged<D>("area_px", "px^2", nuclei, [](const N& n) { return n.nuclei.area_px; }),
       ragged<D>("mean_intensity", "1", nuclei, [](const N& n) { return n.nuclei.mean_intensity; }),
       ragged<bool>("touches_border", "1", nuclei,
                    [](const N& n) { return n.nuclei.touches_border; }),
       offsets(nuclei, [](const N& n) { return n.nuclei.size(); })}};
}

void add_numbers(Table& table, const std::vector<TileMatch>& matches) {
  const auto add = [&](const char* name, const char* units, auto&& value) {
    table.columns.push_back(
        column<D>(name, units, matches, [&](const TileMatch& m) { return value(m.result); }));
  };
  constexpr std::array<const char*, 6> affine{"a", "b", "tx", "c", "d", "ty"};
  for (std::size_t i = 0; i < affine.size(); ++i)
    add((S("affine_") + affine[i]).c_str(), i % 3 == 2 ? "px" : "1",
        [i](const MatchResult& m) { return m.affine[i]; });
  struct Term {
    const char *name, *units;
  };
  constexpr std::array<Term, 5> trs{{{"trs_dx_px", "px"},
                                     {"trs_dy_px", "px"},
                                     {"trs_angle_deg", "deg"},
                                     {"trs_scale_x", "1"},
                                     {"trs_scale_y", "1"}}};
  for (std::size_t i = 0; i < trs.size(); ++i)
    add(trs[i].name, trs[i].units, [i](const MatchResult& m) { return m.trs[i]; });
  add("match_rate", "1", [](const MatchResult& m) { return m.match_rate; });
  add("chance_rate", "1", [](const MatchResult& m) { return m.chance_rate; });
  add("log10_significance", "1", [](const MatchResult& m) { return m.log10_significance; });
  add("match_radius_px", "px", [](const MatchResult& m) { return m.match_radius_px; });
  add("noise_px", "px", [](const MatchResult& m) { return m.noise_px; });
  add("heldout_rmsd_px", "px", [](const MatchResult& m) { return m.heldout_rmsd_px; });
}

Table matches_table(const std::vector<Tile>& tiles, const std::vector<TileMatch>& matches) {
  using M = TileMatch;
  Table table{"matches",
              {column<I>("ten", "1", matches, [](const M& m) { return m.tiles.ten; }),
               column<I>("forty", "1", matches, [](const M& m) { return m.tiles.forty; }),
               column<bool>("matched", "1", matches, [](const M& m) { return m.result.matched(); }),
               column<S>("reason", "", matches, [](const M& m) { return m.result.reason; }),
               column<bool>("mirrored", "1", matches, [](const M& m) { return m.result.mirrored; }),
               column<I>("pairs", "1", matches, [](const M& m) { return m.result.ten.size(); })}};
  add_numbers(table, matches);
  table.columns.push_back(
      column<I>("hypotheses", "1", matches, [](const M& m) { return m.result.hypotheses; }));
  table.columns.push_back(column<D>("stage_error_um", "um", matches, [&](const M& m) {
    return m.result.stage_error_px * tiles[m.tiles.ten].place.pixel_size_um.value_or(nan);
  }));
  return table;
}

Table pairs_table(const std::vector<TileMatch>& matches) {
  using M = TileMatch;
  return {"pairs",
          {ragged<I>("ten", "1", matches, [](const M& m) { return m.result.ten; }),
           ragged<I>("forty", "1", matches, [](const M& m) { return m.result.forty; }),
           ragged<D>("residual_px", "px", matches, [](const M& m) { return m.result.residual_px; }),
           ragged<D>("heldout_residual_px", "px", matches,
                     [](const M& m) { return m.result.heldout_residual_px; }),
           offsets(matches, [](const M& m) { return m.result.ten.size(); })}};
}

}  // namespace

std::vector<Table> image_tables(const Tiles& tiles, const std::vector<TileNuclei>& nuclei,
                                const std::vector<TileMatch>& matches) {
  return {images_table(tiles.list, nuclei), nuclei_table(nuclei),
          matches_table(tiles.list, matches), pairs_table(matches)};
}

}  // namespace nucreg
