#include "growth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "nucreg/core/random.hpp"

namespace nucreg::matching {
namespace {

// With a stage prior: nuclei around its point that are tried; twice as many are all tried.
constexpr std::size_t patch_size = 2000;
// After a match: hypotheses that disagree with it, and maps grown from them, before it is settled.
constexpr std::uint64_t max_rival_hypotheses = 200;
constexpr int max_rivals = 8;
// A rival that explains this much of what the best explains makes it ambiguous.
constexpr double rival_share = 0.5;

double distance_px(const StagePrior& stage, Complex p) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [x, y] : stage.ten_px) least = std::min(least, std::abs(p - Complex(x, y)));
  return least;
}

class Search {
 public:
  Search(const Target& target, const Cloud& forty, Growth& growth, const MatchOptions& options)
      : target_(target),
        ten_(target.cloud),
        forty_(forty),
        growth_(growth),
        options_(options),
        random_(options.seed, 0, 0, Purpose::draws) {}

  Found run() {
    if (options_.stage) search_near_stage(*options_.stage);
    // Also after a match there: what rivals it may be anywhere, and a stage that is not believed
    // must not choose between the two.
    within_ = nullptr;
    settling_from_ = hypotheses_;
    search(target_.index, some_of(forty_.size(), options_.max_seeds));
    Found found{.best = best_, .hypotheses = hypotheses_};
    const double chance = best_ ? best_->log10_chance : min_log10_chance_;
    found.log10_significance = std::min(0.0, chance + tried());
    found.ambiguous = found.best && rival_evidence_ >= rival_share * best_->evidence;
    return found;
  }

 private:
  [[nodiscard]] double tried() const {
    return std::log10(static_cast<double>(std::max<std::uint64_t>(1, hypotheses_)));
  }

  [[nodiscard]] bool significant(const Grown& grown) const {
    return grown.log10_chance + tried() <= std::log10(options_.significance);
  }

  // `count` of the numbers below n in random order.
  std::vector<std::uint32_t> some_of(std::size_t n, std::size_t count) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    count = std::min(count, n);
    for (std::size_t i = 0; i < count; ++i)
      std::swap(order[i], order[i + static_cast<std::size_t>(random_.below(n - i))]);
    order.resize(count);
    return order;
  }

  // Seeds around the stage's point, constellations of 10x around the places where it may be.
  void search_near_stage(const StagePrior& stage) {
    within_ = &stage;
    const bool whole = forty_.size() <= 2 * patch_size;
    std::vector<Neighbour> near;
    forty_.nearest({stage.forty_px[0], stage.forty_px[1]}, whole ? forty_.size() : patch_size,
                   near);
    std::vector<std::uint32_t> seeds(near.size());
    for (std::size_t k = 0; k < near.size(); ++k) seeds[k] = near[k].index;
    for (std::size_t k = seeds.size(); k > 1; --k)
      std::swap(seeds[k - 1], seeds[static_cast<std::size_t>(random_.below(k))]);
    const double reach =
        std::sqrt(near.back().square) / options_.magnification[0] + stage.uncertainty_px;
    std::vector<std::uint32_t> centres;
    for (std::uint32_t j = 0; j < ten_.size(); ++j)
      if (distance_px(stage, ten_.at(j)) <= reach) centres.push_back(j);
    search(ConstellationIndex(ten_, centres), seeds);
  }

  void search(const ConstellationIndex& index, const std::vector<std::uint32_t>& seeds) {
    std::vector<Constellation> alike;
    for (const std::uint32_t seed : seeds)
      for (const Constellation& at_40x : constellations_of(forty_, seed))
        for (const bool mirrored : {false, true}) {
          std::array<float, 4> shape = at_40x.shape;
          if (mirrored) shape = {shape[0], -shape[1], shape[2], -shape[3]};
          index.most_alike(shape, alike);
          for (const Constellation& at_10x : alike) {
            consider(at_40x, at_10x, mirrored);
            if (settled()) return;
          }
        }
  }

  [[nodiscard]] bool settled() const {
    return best_ && (within_ || rivals_ == max_rivals ||
                     hypotheses_ - settling_from_ >= max_rival_hypotheses);
  }

  void consider(const Constellation& at_40x, const Constellation& at_10x, bool mirrored) {
    std::array<WeightedPair, 4> pairs;
    for (std::size_t i = 0; i < 4; ++i)
      pairs[i] = {forty_.at(at_40x.points[i]), ten_.at(at_10x.points[i]), 1.0};
    const BackMap map = fit_similarity(pairs, mirrored);
    const double magnification = 1.0 / std::abs(mirrored ? map.across : map.along);
    if (!(magnification >= options_.magnification[0] && magnification <= options_.magnification[1]))
      return;
    if (within_ && distance_px(*within_, map) > within_->uncertainty_px) return;
    if (best_ && best_->mirrored == mirrored && explains(best_->map, pairs)) return;

    ++hypotheses_;
    // What was significant among few hypotheses must still be so among all; else the search goes
    // on.
    if (best_ && !significant(*best_)) {
      best_ = std::nullopt;
      rival_evidence_ = 0.0;
      rivals_ = 0;
    }
    const std::optional<Grown> grown = growth_.grow(at_40x, at_10x.points, map, mirrored);
    if (!grown) return;
    min_log10_chance_ = std::min(min_log10_chance_, grown->log10_chance);
    if (!significant(*grown)) return;
    if (!best_) {
      best_ = grown;
      settling_from_ = hypotheses_;
    } else if (!same(*best_, *grown)) {
      ++rivals_;
      rival_evidence_ = std::max(rival_evidence_, std::min(best_->evidence, grown->evidence));
      if (grown->evidence > best_->evidence) best_ = grown;
    }
  }

  [[nodiscard]] bool explains(const BackMap& map, const std::array<WeightedPair, 4>& pairs) const {
    return std::all_of(pairs.begin(), pairs.end(), [&](const WeightedPair& pair) {
      return std::abs(map(pair.forty) - pair.ten) < target_.typical_radius_px;
    });
  }

  // Whether two maps take nuclei to the same places, looked at where they overlap 10x.
  [[nodiscard]] bool same(const Grown& a, const Grown& b) const {
    if (a.mirrored != b.mirrored) return false;
    const std::size_t step = std::max<std::size_t>(1, forty_.size() / 64);
    std::size_t looked = 0, apart = 0;
    for (std::size_t i = 0; i < forty_.size(); i += step) {
      const Complex q = forty_.at(static_cast<std::uint32_t>(i));
      if (!ten_.covers(a.map(q)) && !ten_.covers(b.map(q))) continue;
      ++looked;
      if (std::abs(a.map(q) - b.map(q)) > target_.typical_radius_px) ++apart;
    }
    return 2 * apart <= looked;
  }

  const Target& target_;
  const Cloud& ten_;
  const Cloud& forty_;
  Growth& growth_;
  const MatchOptions& options_;
  RandomStream random_;
  const StagePrior* within_ = nullptr;  // where hypotheses are limited to
  std::optional<Grown> best_;
  double rival_evidence_ = 0.0, min_log10_chance_ = 0.0;
  std::uint64_t hypotheses_ = 0, settling_from_ = 0;
  int rivals_ = 0;
};

}  // namespace

double distance_px(const StagePrior& stage, const BackMap& map) {
  return distance_px(stage, map({stage.forty_px[0], stage.forty_px[1]}));
}

Found search(const Target& ten, const Cloud& forty, Growth& growth, const MatchOptions& options) {
  return Search(ten, forty, growth, options).run();
}

}  // namespace nucreg::matching
