#include "nucreg/app/image_stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "byte_archive.hpp"
#include "failures.hpp"
#include "image_tables.hpp"
#include "image_tasks.hpp"
#include "nucreg/app/identity.hpp"
#include "nucreg/app/stop_signal.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/run/dispatch.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// Reading a large file over a slow network included.
constexpr double lease_seconds = 600.0;
// No length of a job's text, with which all other setups begin.
constexpr std::uint64_t stage_mark = ~std::uint64_t{0};
enum class Kind : std::uint64_t { tiles, matches };

// What a stage is, and how it is told of.
struct StageName {
  Kind kind;
  const char *doing, *task;
};
constexpr StageName tiles_stage{Kind::tiles, "finding nuclei", "tile"};
constexpr StageName matches_stage{Kind::matches, "matching tiles", "pair"};

Bytes setup_of(Kind kind, const Bytes& stage) {
  ByteWriter writer;
  writer.number(stage_mark);
  writer.array(build_identity());
  writer.value(kind);
  writer.array(stage);
  return std::move(writer.bytes);
}

template <class Stage>
Work work_of(std::shared_ptr<const Stage> stage) {
  return [stage = std::move(stage)](std::uint64_t task, Bytes& payload) {
    stage->run(task).append_to(payload);
  };
}

DispatchOptions stage_options() {
  DispatchOptions options;
  options.monitor_seconds = 0.0;
  options.lease_seconds = lease_seconds;
  return options;
}

void throw_failures(const std::vector<TaskOutcome>& outcomes) {
  Failures failures;
  for (const TaskOutcome& outcome : outcomes)
    if (outcome.status != ExitStatus::done) failures.add(outcome.status, outcome.message);
  if (failures.status() != ExitStatus::done) throw Error(failures.status(), failures.text());
}

template <class Stage>
std::vector<TaskOutcome> run_stage(Communicator& communicator, const StageName& name, Stage&& made,
                                   const ImageRun& run) {
  const auto stage = std::make_shared<const std::decay_t<Stage>>(std::forward<Stage>(made));
  const std::vector<RankFacts> facts = share_setup(
      communicator,
      [&](const std::vector<RankFacts>&) { return setup_of(name.kind, stage->to_bytes()); });
  std::vector<TaskOutcome> outcomes(stage->size());
  DispatchOptions options = stage_options();
  options.stop_requested = [&] { return stop_told(std::string(name.task) + "s", options); };
  run.status.change([&](RunStatus& status) {
    status.doing = name.doing;
    status.counting = name.task;
    status.done = 0;
    status.total = stage->size();
    status.elapsed_s = 0.0;
    status.ranks = rank_statuses(facts);
  });
  StageDisplay display(run.terminal, run.line_seconds, name.doing, name.task);
  options.progress = [&](const Progress& progress) {
    display.show(progress);
    run.status.change([&](RunStatus& status) {
      status.done = progress.done;
      status.elapsed_s = progress.elapsed_seconds;
    });
  };
  options.watch = [&](const std::vector<RankNow>& ranks) {
    run.status.change([&](RunStatus& status) {
      for (std::size_t rank = 0; rank < ranks.size(); ++rank) status.ranks[rank].now = ranks[rank];
      if (stop_signal() != 0) status.doing = "stopping";
    });
  };
  options.abandoned = [&](std::uint64_t task, Bytes& payload) {
    TaskOutcome{.status = ExitStatus::bug,
                .message = fmt::format("{}: given up, ranks were lost with it", stage->name(task))}
        .append_to(payload);
  };
  const DispatchReport report = dispatch(
      communicator, {.blocks = {{0, stage->size(), 1.0}}}, work_of(stage),
      [&](std::uint64_t task, int, std::span<const std::byte> payload) {
        outcomes[task] = TaskOutcome::from_bytes(payload);
      },
      facts, options);
  for (const LostRank& rank : report.lost)
    run.warn(fmt::format("rank {} on {} {} while {}; its tasks went to others", rank.rank,
                         rank.host, rank.reason, name.doing));
  throw_failures(outcomes);
  if (report.stopped)
    throw Error(ExitStatus::stopped,
                fmt::format("stopped while {}, with {} of {} done and kept", name.doing,
                            count_text(report.tasks_done), counted(stage->size(), name.task)));
  fmt::print(stderr, "nucreg: {}, {} from the cache\n", counted(outcomes.size(), name.task),
             std::ranges::count(outcomes, true, &TaskOutcome::from_cache));
  return outcomes;
}

std::vector<TileNuclei> find_nuclei(Communicator& communicator, const Job& job, const Tiles& tiles,
                                    const fs::path& cache, const ImageRun& run) {
  const ImagesOptions& images = job.problem.images;
  std::vector<TileTask> tasks;
  for (const Tile& tile : tiles.list)
    tasks.push_back({fs::absolute(tile.file).string(), tile.name, tile.frame, tile.channel,
                     tile.is_ten ? images.diameter_10x_px : images.diameter_40x_px});
  std::vector<TileNuclei> found;
  for (const TaskOutcome& outcome :
       run_stage(communicator, tiles_stage, TileStage(std::move(tasks), cache), run))
    found.push_back(tile_nuclei_from(outcome.result));
  return found;
}

class Matcher {
 public:
  Matcher(Communicator& communicator, const Job& job, const Tiles& tiles,
          const std::vector<TileNuclei>& nuclei, const fs::path& cache, const ImageRun& run)
      : communicator_(communicator),
        tiles_(tiles),
        stage_error_um_(job.problem.images.stage_error_um),
        cache_(cache),
        run_(run) {
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
    const auto outcomes = run_stage(communicator_, matches_stage,
                                    MatchStage(points_, std::move(tasks), options_, cache_), run_);
    for (std::size_t i = 0; i < pairs.size(); ++i)
      found_.push_back({pairs[i], match_from(outcomes[i].result)});
  }
  [[nodiscard]] bool matched(std::size_t forty) const {
    return std::ranges::any_of(found_, [&](const TileMatch& match) {
      return match.tiles.forty == forty && match.result.matched();
    });
  }
  [[nodiscard]] std::vector<TileMatch> take() {
    std::ranges::stable_sort(found_, {}, &TileMatch::tiles);
    return std::move(found_);
  }

 private:
  Communicator& communicator_;
  const Tiles& tiles_;
  const double stage_error_um_;
  const fs::path& cache_;
  const ImageRun& run_;
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
    input.pairs.x10.push_back(a.x_px.at(match.result.ten[i]));
    input.pairs.y10.push_back(a.y_px.at(match.result.ten[i]));
    input.pairs.x40.push_back(b.x_px.at(match.result.forty[i]));
    input.pairs.y40.push_back(b.y_px.at(match.result.forty[i]));
  }
  return input;
}

// Those that the job names must match; else one is enough.
void demand_matches(const Job& job, const Tiles& tiles, const std::vector<TileMatch>& matches) {
  std::string reasons;
  std::size_t unmatched = 0;
  constexpr std::size_t most_reasons = 8;
  for (const TileMatch& match : matches) {
    if (match.result.matched()) continue;
    if (++unmatched <= most_reasons)
      reasons += fmt::format("\n  {}: {}", tiles.name(match.tiles), match.result.reason);
  }
  if (unmatched > most_reasons) reasons += fmt::format("\n  and {} more", unmatched - most_reasons);
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

}  // namespace

FoundImages find_images(Communicator& communicator, const Job& job, const Tiles& tiles,
                        const fs::path& cache, const ImageRun& run) {
  FoundImages found;
  const std::vector<TileNuclei> nuclei = find_nuclei(communicator, job, tiles, cache, run);
  Matcher matcher(communicator, job, tiles, nuclei, cache, run);
  matcher.match(tiles.likely);
  std::vector<TilePair> rest;
  for (const TilePair& pair : tiles.others)
    if (!matcher.matched(pair.forty)) rest.push_back(pair);
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

bool is_image_stage(const Bytes& setup) {
  return setup.size() >= sizeof stage_mark && ByteReader(setup).number() == stage_mark;
}

void serve_image_stage(Communicator& communicator, const Bytes& setup) {
  ByteReader reader(setup);
  static_cast<void>(reader.number());
  std::string build;
  reader.array(build);
  if (build != build_identity())
    throw Error(ExitStatus::bug, fmt::format("rank {} runs another build than rank 0: {} and {}",
                                             communicator.rank(), build_identity(), build));
  const auto kind = reader.value<Kind>();
  Bytes stage;
  reader.array(stage);
  serve(communicator,
        kind == Kind::tiles
            ? work_of(std::make_shared<const TileStage>(TileStage::from_bytes(stage)))
            : work_of(std::make_shared<const MatchStage>(MatchStage::from_bytes(stage))),
        stage_options());
}

}  // namespace nucreg
