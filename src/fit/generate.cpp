#include "nucreg/fit/generate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/fit/poisson_disk.hpp"
#include "nucreg/fit/scatter.hpp"

namespace nucreg {
namespace {

// For fit.loss_scale_px = "auto": pairs without noise still have coordinates that were rounded.
constexpr double min_loss_scale_px = 0.1;

std::size_t part_of(double fraction, std::size_t whole) {
  return static_cast<std::size_t>(std::nearbyint(fraction * static_cast<double>(whole)));
}

// Numbers of one trial, drawn in a fixed order and each drawn whether it is fixed or not: fixing
// one leaves the others as they were.
class Drawer {
 public:
  explicit Drawer(RandomStream stream) : stream_(stream) {}
  double operator()(const Draw& draw) {
    const double u = stream_.uniform();
    return draw.fixed() ? draw.min : draw.min + (draw.max - draw.min) * u;
  }

 private:
  RandomStream stream_;
};

void remove(Points& points, const std::vector<std::size_t>& indices) {
  std::vector<bool> gone(points.size());
  for (const std::size_t i : indices) gone[i] = true;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (gone[i]) continue;
    points.x[kept] = points.x[i];
    points.y[kept++] = points.y[i];
  }
  points.x.resize(kept);
  points.y.resize(kept);
}

Trial fit_settings(const Configuration& c, Drawer& draw) {
  Trial trial;
  trial.loss_scale_px = draw(c.loss_scale_px);
  trial.max_evaluations = static_cast<std::int64_t>(std::nearbyint(draw(c.max_evaluations)));
  trial.ftol_rel = draw(c.ftol_rel);
  trial.xtol_rel = draw(c.xtol_rel);
  trial.max_seconds = draw(c.max_seconds);
  return trial;
}

// What follows from the pairs, and what was drawn last: jobs without it draw as they always did.
void finish(const Configuration& c, Drawer& draw, Trial& trial) {
  if (trial.loss_scale_px == 0.0) {
    const double sigma = noise_of_pairs(trial.pairs, trial.solver_seed);
    trial.loss_scale_px = std::max(min_loss_scale_px, 3.0 * sigma);
  }
  trial.start_error.turn_deg = draw(c.start_turn_deg);
  const double shift_px = draw(c.start_shift_px);
  trial.start_error.scale = draw(c.start_scale);
  const double direction = draw({-std::numbers::pi, std::numbers::pi});
  trial.start_error.x_px = shift_px * std::cos(direction);
  trial.start_error.y_px = shift_px * std::sin(direction);
}

class PairsSource : public ProblemSource {
 public:
  PairsSource(std::uint64_t seed, std::vector<InputFile> inputs)
      : seed_(seed), inputs_(std::move(inputs)) {}

  Trial make(const Configuration& c, std::uint32_t number) const override {
    Drawer draw(RandomStream(seed_, c.problem, number, Purpose::draws));
    Trial trial = fit_settings(c, draw);
    trial.solver_seed = RandomStream(seed_, c.problem, number, Purpose::draws, 1).bits();
    const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const InputFile& file) { return file.path == c.file; });
    trial.pairs = input->pairs;
    trial.field_px = input->field_px;
    finish(c, draw, trial);
    return trial;
  }

 private:
  std::uint64_t seed_;
  std::vector<InputFile> inputs_;
};

// The matched pairs of two tiles, resampled with replacement (Efron 1979); those that a resample
// leaves out, e^-1 of them, are held out.
class BootstrapSource : public ProblemSource {
 public:
  BootstrapSource(std::uint64_t seed, std::vector<InputFile> inputs)
      : seed_(seed), whole_(seed, std::move(inputs)) {}

  Trial make(const Configuration& c, std::uint32_t number) const override {
    Trial trial = whole_.make(c, number);
    const PointPairs all = std::exchange(trial.pairs, {});
    RandomStream random(seed_, c.problem, number, Purpose::bootstrap);
    std::vector<bool> drawn(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t pair = random.below(all.size());
      drawn[pair] = true;
      trial.pairs.add(all, pair);
    }
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!drawn[i]) trial.heldout.add(all, i);
    return trial;
  }

 private:
  std::uint64_t seed_;
  PairsSource whole_;
};

// Nuclei at 10x, random or real; the 40x side is made from them.
class MadeSource : public ProblemSource {
 public:
  MadeSource(const Job& job, std::vector<InputFile> inputs)
      : seed_(job.job.seed), problem_(job.problem), inputs_(std::move(inputs)) {}

  Trial make(const Configuration& c, std::uint32_t number) const override {
    const auto stream = [&](Purpose purpose, std::uint32_t attempt = 0) {
      return RandomStream(seed_, c.problem, number, purpose, attempt);
    };
    Drawer draw(stream(Purpose::draws));
    Trial trial = fit_settings(c, draw);
    trial.solver_seed = stream(Purpose::draws, 1).bits();
    const double count = draw(c.points);
    const double distance = draw(c.min_distance_px);
    const double noise_px = draw(c.noise_px);
    const double outliers = draw(c.outliers);
    const double missing = draw(c.missing);
    Map truth{problem_.transform.model, Params(static_cast<Eigen::Index>(c.transform.size())),
              problem_.magnification};
    for (std::size_t i = 0; i < c.transform.size(); ++i)
      truth.params[static_cast<Eigen::Index>(i)] = draw(c.transform[i]);

    Points points = nuclei(c, count, distance, trial.field_px, [&](std::uint32_t attempt) {
      return stream(Purpose::positions, attempt);
    });
    if (const std::size_t gone = part_of(missing, points.size()); gone > 0) {
      RandomStream random = stream(Purpose::missing);
      remove(points, sample_without_replacement(gone, points.size(), random));
    }
    see_at_40x(std::move(points), truth, trial.pairs);
    add_noise(c.noise_kind, noise_px, stream(Purpose::noise), trial.pairs);
    trial.outliers = misplace(c.outlier_kind, part_of(outliers, trial.pairs.size()), trial.field_px,
                              truth, stream(Purpose::outliers), trial.pairs);
    finish(c, draw, trial);
    trial.truth = convert(truth, c.model, problem_.magnification);
    return trial;
  }

 private:
  template <class Stream>
  Points nuclei(const Configuration& c, double count, double distance,
                std::array<double, 2>& field_px, const Stream& stream) const {
    if (problem_.source == Source::synthetic) {
      field_px = problem_.field_px;
      return scatter(c.layout, {field_px, problem_.border_px, distance},
                     static_cast<std::uint64_t>(std::nearbyint(count)), stream);
    }
    const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const InputFile& file) { return file.path == c.file; });
    field_px = input->field_px;
    return input->points;
  }

  static void see_at_40x(Points points, const Map& truth, PointPairs& pairs) {
    pairs.x10 = std::move(points.x);
    pairs.y10 = std::move(points.y);
    pairs.resize(pairs.x10.size());
    const MapEntries map = map_entries(truth);
    const auto& m = map.entries;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double x = pairs.x10[i], y = pairs.y10[i];
      const double w = m[6] * x + m[7] * y + 1.0;
      pairs.x40[i] = (m[0] * x + m[1] * y + m[2]) / w;
      pairs.y40[i] = (m[3] * x + m[4] * y + m[5]) / w;
    }
  }

  std::uint64_t seed_;
  ProblemOptions problem_;
  std::vector<InputFile> inputs_;
};

}  // namespace

Map with_start_error(const Map& start, const StartShift& error,
                     const std::array<double, 2>& field_px) {
  if (error.none()) return start;
  const double angle = error.turn_deg * std::numbers::pi / 180.0;
  const double f = start.model == Model::rigid ? 1.0 : 1.0 + error.scale;
  const double c = f * std::cos(angle), s = f * std::sin(angle);
  const double x = 0.5 * field_px[0], y = 0.5 * field_px[1];
  // Where the origin goes on the 10x side.
  const double u = x + error.x_px - (c * x - s * y), v = y + error.y_px - (s * x + c * y);
  Map out = start;
  Params& p = out.params;
  if (const int i = angle_index(start.model); i >= 0) {  // s f (R R' x + (R u + d) / f)
    const double a = p[i] * std::numbers::pi / 180.0;
    const double ru = std::cos(a) * u - std::sin(a) * v, rv = std::sin(a) * u + std::cos(a) * v;
    p[0] = (ru + p[0]) / f;
    p[1] = (rv + p[1]) / f;
    p[i] = std::remainder(p[i] + error.turn_deg, 360.0);
    for (Eigen::Index k = 3; k < p.size(); ++k) p[k] *= f;
    return out;
  }
  const bool projective = start.model == Model::projective;
  const double g = projective ? p[6] : 0.0, h = projective ? p[7] : 0.0;
  const double w = g * u + h * v + 1.0;
  const auto row = [&](Eigen::Index i) {
    const double a = p[i], b = p[i + 1];
    p[i] = (a * c + b * s) / w;
    p[i + 1] = (b * c - a * s) / w;
    p[i + 2] = (a * u + b * v + p[i + 2]) / w;
  };
  row(0);
  row(3);
  if (projective) {
    p[6] = (g * c + h * s) / w;
    p[7] = (h * c - g * s) / w;
  }
  return out;
}

std::unique_ptr<ProblemSource> make_source(const Job& job, const Plan& plan,
                                           std::vector<InputFile> inputs) {
  if (job.problem.source == Source::pairs)
    return std::make_unique<PairsSource>(job.job.seed, std::move(inputs));
  if (job.problem.source == Source::images)
    return std::make_unique<BootstrapSource>(job.job.seed, std::move(inputs));
  if (job.problem.source == Source::synthetic)
    for (const Configuration& c : plan.configurations) {
      check_density(
          field_of(c.layout, {job.problem.field_px, job.problem.border_px, c.min_distance_px.max}),
          static_cast<std::uint64_t>(std::nearbyint(c.points.max)), where(job, "problem.points"));
    }
  return std::make_unique<MadeSource>(job, std::move(inputs));
}

}  // namespace nucreg
