// Robust fits that need no start: iteratively reweighted least squares, graduated or not, and
// consensus of random samples. Both work on closed forms of affine maps; what they find is polished
// by lm on the job's own objective, which also serves the models that have no closed form.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "budget.hpp"
#include "gauss_newton.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {
namespace {

bool has_weighted_form(Model model) {
  return model == Model::rigid || model == Model::similarity || model == Model::affine;
}

// What stands for the model in closed forms.
Model linear_model(Model model) {
  return has_weighted_form(model) ? model : Model::affine;
}

AffineMap entries_of(const Objective& f, const Params& p) {
  const MapEntries map = map_entries(f.model(), p, f.magnification(), false, f.form());
  AffineMap out;
  std::copy_n(map.entries.begin(), out.size(), out.begin());
  return out;
}

Params params_of(const Objective& f, const AffineMap& map) {
  return nearest_params(f.model(), map, f.form(), f.magnification());
}

bool out_of_evaluations(const Objective& f, const SolveRequest& request) {
  return f.function_evaluations() >= request.max_evaluations;
}

// The search for a map; then the polish from it, or from the start where that is the lower of the
// two. A search that a budget cut short gives the solve its status, whatever the polish says.
template <class Find>
SolveResult find_and_polish(Objective& f, const SolveRequest& request, const Find& find) {
  SolveResult result{.params = request.start, .status = SolveStatus::failed, .iterations = 0};
  const double at_start = f.value(request.start);
  if (!std::isfinite(at_start)) {
    result.reason = "the objective is not finite at the start";
    return result;
  }
  const SolveRequest search = search_request(f, request);
  std::optional<AffineMap> found;
  SolveStatus cut = SolveStatus::converged;
  {
    const SearchTime earlier(f);
    if (!f.out_of_time()) found = find(search, result.iterations);
    if (out_of_evaluations(f, search)) cut = SolveStatus::max_evaluations;
    if (f.out_of_time()) cut = SolveStatus::max_time;
  }
  if (found && !out_of_evaluations(f, request)) {
    const Params params = clamp(params_of(f, *found), request.box);
    if (params.allFinite() && f.value(params) <= at_start) result.params = params;
  }
  result.status = SolveStatus::max_time;
  if (f.out_of_time()) return result;
  result.status = SolveStatus::max_evaluations;
  if (out_of_evaluations(f, request)) return result;
  SolveRequest polish = request;
  polish.start = result.params;
  SolveResult polished = minimize_by_lm(f, polish);
  polished.iterations += result.iterations;
  if (cut != SolveStatus::converged && polished.status != SolveStatus::failed)
    polished.status = cut;
  return polished;
}

class IrlsSolver : public Solver {
 public:
  IrlsSolver(Weighting weighting, double factor) : weighting_(weighting), factor_(factor) {}
  [[nodiscard]] bool honours_bounds() const override { return false; }
  [[nodiscard]] bool applies_to(Model model, Loss loss) const override {
    return has_weighted_form(model) || (weighting_ != Weighting::loss && loss != Loss::squared);
  }
  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    if (weighting_ == Weighting::loss || f.loss() == Loss::squared) return reweight(f, request);
    const SolveRequest unbounded = without_box(request);
    return find_and_polish(f, unbounded, [&](const SolveRequest& search, std::int64_t& iterations) {
      return graduate(f, search, iterations);
    });
  }

 private:
  static SolveRequest without_box(SolveRequest request) {
    request.box.lower.setConstant(-std::numeric_limits<double>::infinity());
    request.box.upper.setConstant(std::numeric_limits<double>::infinity());
    return request;
  }

  // Weights of the job's own loss, from the job's start. The objective falls with every step, since
  // a step minimises a function that touches it from above.
  static SolveResult reweight(Objective& f, const SolveRequest& request) {
    SolveResult result{.params = request.start, .status = SolveStatus::failed, .iterations = 0};
    const WeightRule rule{.loss = f.loss(), .scale = f.loss_scale()};
    AffineMap map = entries_of(f, request.start);
    WeightedSums sums = f.weighted(map, rule);
    result.reason = "the objective is not finite at the start";
    if (!std::isfinite(sums.rho)) return result;
    result.reason = "";
    for (;;) {
      result.status = SolveStatus::max_time;
      if (f.out_of_time()) return result;
      result.status = SolveStatus::max_evaluations;
      if (out_of_evaluations(f, request)) return result;
      const auto next = weighted_closed_form(sums, f.model(), f.magnification());
      result.status = SolveStatus::stalled;
      result.reason = "the pairs with weight do not determine the map";
      if (!next) return result;
      result.reason = "";
      const WeightedSums at_next = f.weighted(*next, rule);
      ++result.iterations;
      const double gained = sums.rho - at_next.rho;
      if (gained >= 0.0) {  // rounding alone can make it rise, at the end
        result.params = params_of(f, *next);
        map = *next;
      }
      result.status = SolveStatus::converged;
      // Steps shrink by a constant factor: what is left to gain is some ten times the last gain.
      if (!(gained > 0.1 * request.ftol_rel * at_next.rho) || f.loss() == Loss::squared)
        return result;
      sums = at_next;
    }
  }

  // Graduated non-convexity (Yang et al. 2020, algorithm 1): from least squares of all pairs to the
  // robust cost, `factor_` at a time, with one weighted least squares between.
  std::optional<AffineMap> graduate(Objective& f, const SolveRequest& request,
                                    std::int64_t& iterations) const {
    const Model model = linear_model(f.model());
    const double c2 = f.loss_scale() * f.loss_scale();
    auto map = weighted_closed_form(unweighted_pass(f.pairs()), model, f.magnification());
    WeightRule rule{.weighting = weighting_, .scale = f.loss_scale(), .mu = 1e300};
    if (weighting_ == Weighting::tls) rule.mu = 1e-300;
    bool begun = false;
    while (map && !out_of_evaluations(f, request)) {
      const WeightedSums sums = f.weighted(*map, rule);
      ++iterations;
      if (f.out_of_time() || !std::isfinite(sums.w)) break;
      if (!begun) {  // the weights were all 1; the largest residual says where to begin
        begun = true;
        if (sums.largest <= c2) return map;
        rule.mu =
            weighting_ == Weighting::gm ? 2.0 * sums.largest / c2 : c2 / (2.0 * sums.largest - c2);
        continue;
      }
      const auto next = weighted_closed_form(sums, model, f.magnification());
      if (!next) break;
      map = next;
      if (weighting_ == Weighting::gm ? rule.mu <= 1.0 : rule.mu >= almost_truncated) break;
      rule.mu = weighting_ == Weighting::gm ? std::max(1.0, rule.mu / factor_) : rule.mu * factor_;
    }
    return map;
  }

  static constexpr double almost_truncated = 100.0;  // the band of uncertain weights: c^2 +- 1 %
  Weighting weighting_;
  double factor_;
};

class ConsensusSolver : public Solver {
 public:
  ConsensusSolver(double confidence, std::int64_t samples)
      : confidence_(confidence), samples_(samples) {}
  [[nodiscard]] bool honours_bounds() const override { return true; }
  [[nodiscard]] bool applies_to(Model, Loss loss) const override { return loss != Loss::squared; }
  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    return find_and_polish(f, request, [&](const SolveRequest& search, std::int64_t& iterations) {
      return sample(f, search, iterations);
    });
  }

 private:
  struct Scored {
    AffineMap map;
    WeightedSums sums;
  };

  static WeightRule truncated(const Objective& f, double times) {
    return {.weighting = Weighting::tls, .scale = times * f.loss_scale(), .mu = 1e9};
  }

  // The map through `size` pairs at random; nothing if they do not determine one.
  static std::optional<AffineMap> drawn(const Objective& f, std::size_t size,
                                        RandomStream& random) {
    const PairsView& pairs = f.pairs();
    PointPairs few;
    std::array<std::size_t, 3> chosen{};
    for (std::size_t k = 0; k < size; ++k) {
      std::size_t i = 0;
      do {
        i = random.below(pairs.size);
      } while (std::find(chosen.begin(), chosen.begin() + k, i) != chosen.begin() + k);
      chosen[k] = i;
      few.add(pairs, i);
    }
    return weighted_closed_form(unweighted_pass(few), linear_model(f.model()), f.magnification());
  }

  // Local refinement (Chum, Matas and Kittler, "Locally optimized RANSAC", 2003): least squares of
  // the pairs within a threshold that shrinks to the loss scale.
  static void refine(Objective& f, const SolveRequest& request, Scored& best) {
    AffineMap map = best.map;
    for (const double times : {4.0, 2.0, 1.5, 1.0, 1.0}) {
      if (out_of_evaluations(f, request) || f.out_of_time()) return;
      const auto next = weighted_closed_form(f.weighted(map, truncated(f, times)),
                                             linear_model(f.model()), f.magnification());
      if (!next) return;
      map = *next;
    }
    if (out_of_evaluations(f, request)) return;
    const WeightedSums sums = f.weighted(map, truncated(f, 1.0));
    if (sums.rho < best.sums.rho) best = {map, sums};
  }

  // Samples until one of inliers alone was drawn with the confidence asked for, by the inliers of
  // the best (Fischler and Bolles 1981). The score is MSAC's: sum of min(|r|^2, c^2) (Torr and
  // Zisserman, "MLESAC", 2000).
  std::optional<AffineMap> sample(Objective& f, const SolveRequest& request,
                                  std::int64_t& iterations) const {
    const bool turned = f.model() == Model::rigid || f.model() == Model::similarity;
    const std::size_t size = turned ? 2 : 3;
    if (f.pairs().size < size) return std::nullopt;
    RandomStream random(request.seed, 0, 0, Purpose::resampling);
    std::optional<Scored> best;
    double needed = static_cast<double>(samples_);
    for (std::int64_t draws = 0; static_cast<double>(draws) < needed; ++draws) {
      if (out_of_evaluations(f, request) || f.out_of_time()) break;
      const auto map = drawn(f, size, random);
      if (!map) continue;
      ++iterations;
      const WeightedSums sums = f.weighted(*map, truncated(f, 1.0));
      if (!std::isfinite(sums.rho) || (best && sums.rho >= best->sums.rho)) continue;
      best = Scored{*map, sums};
      refine(f, request, *best);
      const double part =
          static_cast<double>(best->sums.inliers) / static_cast<double>(f.pairs().size);
      const double good = std::pow(part, static_cast<double>(size));
      const double enough = good < 1.0 ? std::log(1.0 - confidence_) / std::log1p(-good) : 1.0;
      needed = std::min(static_cast<double>(samples_), enough);
    }
    if (!best) return std::nullopt;
    return best->map;
  }

  double confidence_;
  std::int64_t samples_;
};

Weighting weighting_of(const SolverOptions& options) {
  const auto& word = std::get<std::string>(options.at("graduated"));
  if (word == "no") return Weighting::loss;
  if (word == "gm") return Weighting::gm;
  if (word == "tls") return Weighting::tls;
  throw JobError(fmt::format("unknown graduation \"{}\"", word),
                 {.key = "graduated", .allowed = "gm, tls, no"});
}

double factor_of(const SolverOptions& options) {
  const double factor = std::get<double>(options.at("factor"));
  if (factor > 1.0) return factor;
  throw JobError("no step towards the robust cost", {.key = "factor", .allowed = "more than 1"});
}

double confidence_of(const SolverOptions& options) {
  const double confidence = std::get<double>(options.at("confidence"));
  if (confidence < 1.0) return confidence;
  throw JobError("certainty takes all samples that there are",
                 {.key = "confidence", .allowed = "less than 1"});
}

}  // namespace

SolverKind irls_kind() {
  return {
      .name = "irls",
      .summary =
          "iteratively reweighted least squares in closed form; graduated (GNC), it needs no start "
          "and ends with lm; ignores bounds",
      .options = {{"graduated", std::string("gm"), 0.0,
                   "\"gm\": graduated non-convexity by Geman and McClure's loss; \"tls\": by "
                   "truncated least squares; \"no\": weights of fit.loss from fit.start (rigid, "
                   "similarity and affine only)"},
                  {"factor", 1.4, 1.0, "by which the convexity is reduced at each step"}},
      .make =
          [](const SolverOptions& options) {
            return std::make_unique<IrlsSolver>(weighting_of(options), factor_of(options));
          },
      .seconds = [](double pairs) { return 2e-5 + 2e-7 * pairs; }};
}

SolverKind consensus_kind() {
  return {.name = "consensus",
          .summary =
              "maps through 2 (rigid, similarity) or 3 pairs drawn at random, refined locally, the "
              "best by MSAC's score, then lm (LO-RANSAC); needs no start; robust losses only; "
              "honours bounds",
          .options = {{"confidence", 0.9999, 0.0,
                       "that one of the samples held no outlier, where sampling ends"},
                      {"samples", std::int64_t{1000}, 1.0, "drawn at most"}},
          .make =
              [](const SolverOptions& options) {
                return std::make_unique<ConsensusSolver>(
                    confidence_of(options), std::get<std::int64_t>(options.at("samples")));
              },
          .seconds = [](double pairs) { return 2e-5 + 4e-7 * pairs; }};
}

}  // namespace nucreg
