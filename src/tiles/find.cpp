#include "nucreg/tiles/find.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/tiles/inputs.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

using Report = std::function<void(const std::string&)>;

std::vector<TaskOutcome> run_all(Stages& stages, std::shared_ptr<const Stage> stage,
                                 const Report& report) {
  const std::string task = stage->name().task;
  StageOutcomes found = run_to_outcomes(stages, std::move(stage));
  demand_all(found);
  report(fmt::format("{}, {} from the cache", counted(found.outcomes.size(), task),
                     std::ranges::count(found.outcomes, true, &TaskOutcome::from_cache)));
  return std::move(found.outcomes);
}

std::vector<TileNuclei> find_nuclei(Stages& stages, const Job& job, const Tiles& tiles,
                                    const fs::path& cache, const Report& report) {
  const ImagesOptions& images = job.problem.images;
  remove_old_temporaries(cache);
  std::vector<TileTask> tasks;
  for (const Tile& tile : tiles.list)
    tasks.push_back({fs::absolute(tile.file).string(), tile.name, tile.frame, tile.channel,
                     tile.is_ten ? images.diameter_10x_px : images.diameter_40x_px});
  std::vector<std::string> files;
  for (const TileTask& task : tasks) files.push_back(task.file);
  compare_inputs(stages, std::move(files));
  StageOutcomes found =
      run_to_outcomes(stages, std::make_shared<const NucleiStage>(std::move(tasks), cache));
  std::vector<TileNuclei> nuclei(found.outcomes.size());
  for (std::size_t i = 0; i < nuclei.size(); ++i) {
    TaskOutcome& outcome = found.outcomes[i];
    if (outcome.result.empty()) continue;
    nuclei[i] = from_bytes<TileNuclei>(outcome.result);
    if (const std::size_t count = nuclei[i].nuclei.size(); count < 2) {
      const InputError few(count == 1 ? "one nucleus" : "no nuclei",
                           {.file = tiles.list[i].name, .allowed = "an image of several nuclei"});
      outcome.status = few.status();
      outcome.message = few.what();
    }
  }
  demand_all(found);
  report(fmt::format("{}, {} from the cache", counted(nuclei.size(), "tile"),
                     std::ranges::count(found.outcomes, true, &TaskOutcome::from_cache)));
  return nuclei;
}

class Matcher {
 public:
  Matcher(Stages& stages, const Job& job, const Tiles& tiles, const std::vector<TileNuclei>& nuclei,
          const fs::path& cache, const Report& report)
      : stages_(stages),
        tiles_(tiles),
        stage_error_um_(job.problem.images.stage_error_um),
        cache_(cache),
        report_(report) {
    const ImagesOptions& images = job.problem.images;
    options_ = {.magnification = images.magnification,
                .model = images.match_model,
                .significance = images.significance,
                .seed = job.job.seed};
    for (const TileNuclei& tile : nuclei) points_.push_back({tile.nuclei.x_px, tile.nuclei.y_px});
  }

  void match(const std::vector<TilePair>& pairs) {
    if (pairs.empty()) return;
    std::vector<MatchTask> tasks;
    for (const TilePair& pair : pairs)
      tasks.push_back({pair, tiles_.name(pair),
                       stage_prior(tiles_.list[pair.ten].place, tiles_.list[pair.forty].place,
                                   stage_error_um_)});
    const auto outcomes = run_all(
        stages_, std::make_shared<const MatchStage>(points_, std::move(tasks), options_, cache_),
        report_);
    for (std::size_t i = 0; i < pairs.size(); ++i)
      found_.push_back({pairs[i], match_from(outcomes[i].result)});
  }
  /// 40x tiles that have a match.
  [[nodiscard]] std::set<std::size_t> matched() const {
    std::set<std::size_t> forties;
    for (const TileMatch& match : found_)
      if (match.result.matched()) forties.insert(match.tiles.forty);
    return forties;
  }
  [[nodiscard]] std::vector<TileMatch> take() {
    std::ranges::stable_sort(found_, {}, &TileMatch::tiles);
    return std::move(found_);
  }

 private:
  Stages& stages_;
  const Tiles& tiles_;
  const double stage_error_um_;
  const fs::path& cache_;
  const Report& report_;
  MatchOptions options_;
  std::vector<Points> points_;
  std::vector<TileMatch> found_;
};

InputFile input_of(const Tiles& tiles, const std::vector<TileNuclei>& nuclei,
                   const TileMatch& match) {
  const Tile& ten = tiles.list[match.tiles.ten];
  InputFile input{.path = tiles.name(match.tiles),
                  .field_px = {static_cast<double>(ten.place.width_px),
                               static_cast<double>(ten.place.height_px)}};
  const Nuclei &a = nuclei[match.tiles.ten].nuclei, &b = nuclei[match.tiles.forty].nuclei;
  for (std::size_t i = 0; i < match.result.ten.size(); ++i) {
    const std::size_t ten_row = match.result.ten[i], forty_row = match.result.forty[i];
    input.pairs.add(a.x_px.at(ten_row), a.y_px.at(ten_row), b.x_px.at(forty_row),
                    b.y_px.at(forty_row));
  }
  return input;
}

// Those that the job names must match; otherwise one is enough.
void demand_matches(const Job& job, const Tiles& tiles, const std::vector<TileMatch>& matches) {
  std::string reasons;
  std::size_t unmatched = 0;
  constexpr std::size_t max_reasons = 8;
  for (const TileMatch& match : matches) {
    if (match.result.matched()) continue;
    if (++unmatched <= max_reasons)
      reasons += fmt::format("\n  {}: {}", tiles.name(match.tiles), match.result.reason);
  }
  if (unmatched > max_reasons) reasons += fmt::format("\n  and {} more", unmatched - max_reasons);
  const bool named = !job.problem.images.pairs.empty();
  if (named && unmatched > 0)
    throw InputError(
        fmt::format("{} of {} of tiles {} not match:{}", unmatched, counted(matches.size(), "pair"),
                    unmatched == 1 ? "does" : "do", reasons),
        where(job, "problem.images.pairs"));
  if (unmatched == matches.size())
    throw InputError(
        fmt::format("no pair of tiles matches, of {} tried:{}", matches.size(), reasons),
        where(job, "problem.images"));
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
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Table images_table(const std::vector<Tile>& tiles, const std::vector<TileNuclei>& nuclei) {
  Table table{.name = "images"};
  auto& c = table.columns;
  c.push_back(make_column("file", "", tiles, [](const Tile& t) { return t.file; }));
  c.push_back(make_column("magnification", "", tiles,
                          [](const Tile& t) { return t.is_ten ? "10x" : "40x"; }));
  c.push_back(make_column("frame", "1", tiles, [](const Tile& t) { return t.frame; }));
  c.push_back(make_column("channel", "1", tiles, [](const Tile& t) { return t.channel; }));
  c.push_back(make_column("width_px", "px", tiles, [](const Tile& t) { return t.place.width_px; }));
  c.push_back(
      make_column("height_px", "px", tiles, [](const Tile& t) { return t.place.height_px; }));
  c.push_back(make_column("pixel_size_um", "um", tiles,
                          [](const Tile& t) { return t.place.pixel_size_um.value_or(nan); }));
  c.push_back(make_column("stage_x_um", "um", tiles,
                          [](const Tile& t) { return t.place.stage_x_um.value_or(nan); }));
  c.push_back(make_column("stage_y_um", "um", tiles,
                          [](const Tile& t) { return t.place.stage_y_um.value_or(nan); }));
  c.push_back(make_column("well", "1", tiles, [](const Tile& t) { return t.well; }));
  c.push_back(make_column("sha256", "", nuclei, [](const TileNuclei& n) { return n.sha256; }));
  c.push_back(
      make_column("diameter_px", "px", nuclei, [](const TileNuclei& n) { return n.diameter_px; }));
  c.push_back(
      make_column("nuclei", "1", nuclei, [](const TileNuclei& n) { return n.nuclei.size(); }));
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
  const auto add = [&](const std::string& name, const char* units, auto&& value) {
    table.columns.push_back(
        make_column(name, units, matches, [&](const TileMatch& m) { return value(m.result); }));
  };
  constexpr std::array<const char*, 6> affine{"a", "b", "tx", "c", "d", "ty"};
  for (std::size_t i = 0; i < affine.size(); ++i)
    add(std::string("affine_") + affine[i], i % 3 == 2 ? "px" : "1",
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
              {make_column("ten", "1", matches, [](const M& m) { return m.tiles.ten; }),
               make_column("forty", "1", matches, [](const M& m) { return m.tiles.forty; }),
               make_column("matched", "1", matches, [](const M& m) { return m.result.matched(); }),
               make_column("reason", "", matches, [](const M& m) { return m.result.reason; }),
               make_column("mirrored", "1", matches, [](const M& m) { return m.result.mirrored; }),
               make_column("pairs", "1", matches, [](const M& m) { return m.result.ten.size(); })}};
  add_numbers(table, matches);
  table.columns.push_back(
      make_column("hypotheses", "1", matches, [](const M& m) { return m.result.hypotheses; }));
  table.columns.push_back(make_column("stage_error_um", "um", matches, [&](const M& m) {
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

FoundImages find_images(Stages& stages, const Job& job, const Tiles& tiles, const fs::path& cache,
                        const Report& report) {
  FoundImages found;
  const std::vector<TileNuclei> nuclei = find_nuclei(stages, job, tiles, cache, report);
  Matcher matcher(stages, job, tiles, nuclei, cache, report);
  matcher.match(tiles.likely);
  const std::set<std::size_t> matched = matcher.matched();
  std::vector<TilePair> rest;
  for (const TilePair& pair : tiles.others)
    if (!matched.contains(pair.forty)) rest.push_back(pair);
  matcher.match(rest);
  const std::vector<TileMatch> matches = matcher.take();
  demand_matches(job, tiles, matches);

  found.tables = image_tables(tiles, nuclei, matches);
  for (const TileMatch& match : matches) {
    if (!match.result.matched()) continue;
    found.pairs.push_back(tiles.name(match.tiles));
    found.inputs.push_back(input_of(tiles, nuclei, match));
  }
  return found;
}

std::vector<Table> image_tables(const Tiles& tiles, const std::vector<TileNuclei>& nuclei,
                                const std::vector<TileMatch>& matches) {
  return {images_table(tiles.list, nuclei), nuclei_table(nuclei),
          matches_table(tiles.list, matches), pairs_table(matches)};
}

}  // namespace nucreg
