#include "nucreg/fit/generate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/random.hpp"
#include "nucreg/fit/poisson_disk.hpp"

namespace nucreg {
namespace {

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

// Brings `count` randomly chosen of 0 ... size-1 to the front (Fisher and Yates).
std::vector<std::size_t> choose(std::size_t count, std::size_t size, RandomStream& random) {
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(size - i)]);
  order.resize(count);
  return order;
}

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

class PairsSource : public ProblemSource {
 public:
  PairsSource(std::uint64_t seed, std::vector<InputFile> inputs)
      : seed_(seed), inputs_(std::move(inputs)) {}

  Trial make(const Configuration& c, std::uint32_t number) const override {
    Drawer draw(RandomStream(seed_, c.problem, number, Purpose::draws));
    Trial trial = fit_settings(c, draw);
    const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const InputFile& file) { return file.path == c.file; });
    trial.pairs = input->pairs;
    trial.field_px = input->field_px;
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
      append(all, pair, trial.pairs);
    }
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!drawn[i]) append(all, i, trial.heldout);
    return trial;
  }

 private:
  static void append(const PointPairs& from, std::size_t i, PointPairs& to) {
    to.x10.push_back(from.x10[i]);
    to.y10.push_back(from.y10[i]);
    to.x40.push_back(from.x40[i]);
    to.y40.push_back(from.y40[i]);
  }

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
      remove(points, choose(gone, points.size(), random));
    }
    see_at_40x(std::move(points), truth, noise_px, stream(Purpose::noise), trial.pairs);
    trial.outliers = misplace(part_of(outliers, trial.pairs.size()), trial.field_px, truth,
                              stream(Purpose::outliers), trial.pairs);
    trial.truth = convert(truth, c.model, problem_.magnification);
    return trial;
  }

 private:
  template <class Stream>
  Points nuclei(const Configuration& c, double count, double distance,
                std::array<double, 2>& field_px, const Stream& stream) const {
    if (problem_.source == Source::synthetic) {
      field_px = problem_.field_px;
      return scatter_points({field_px, problem_.border_px, distance},
                            static_cast<std::uint64_t>(std::nearbyint(count)), stream);
    }
    const auto input = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const InputFile& file) { return file.path == c.file; });
    field_px = input->field_px;
    return input->points;
  }

  static void see_at_40x(Points points, const Map& truth, double noise_px, RandomStream random,
                         PointPairs& pairs) {
    pairs.x10 = std::move(points.x);
    pairs.y10 = std::move(points.y);
    pairs.resize(pairs.x10.size());
    const MapEntries map =
        map_entries(truth.model, to_radians(truth.model, truth.params), truth.magnification, false);
    const auto& m = map.entries;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double x = pairs.x10[i], y = pairs.y10[i];
      const double w = m[6] * x + m[7] * y + 1.0;
      pairs.x40[i] = (m[0] * x + m[1] * y + m[2]) / w;
      pairs.y40[i] = (m[3] * x + m[4] * y + m[5]) / w;
    }
    if (noise_px == 0.0) return;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      pairs.x40[i] += noise_px * random.normal();
      pairs.y40[i] += noise_px * random.normal();
    }
  }

  // Returns which pairs were moved.
  static std::vector<std::size_t> misplace(std::size_t count, const std::array<double, 2>& field_px,
                                           const Map& truth, RandomStream random,
                                           PointPairs& pairs) {
    if (count == 0) return {};
    std::vector<std::size_t> moved = choose(count, pairs.size(), random);
    for (const std::size_t i : moved) {
      const double x = random.uniform(0.0, field_px[0]);
      const double y = random.uniform(0.0, field_px[1]);
      const auto at_40x = apply(truth, x, y);
      pairs.x40[i] = at_40x[0];
      pairs.y40[i] = at_40x[1];
    }
    return moved;
  }

  std::uint64_t seed_;
  ProblemOptions problem_;
  std::vector<InputFile> inputs_;
};

}  // namespace

std::unique_ptr<ProblemSource> make_source(const Job& job, const Plan& plan,
                                           std::vector<InputFile> inputs) {
  if (job.problem.source == Source::pairs)
    return std::make_unique<PairsSource>(job.job.seed, std::move(inputs));
  if (job.problem.source == Source::images)
    return std::make_unique<BootstrapSource>(job.job.seed, std::move(inputs));
  if (job.problem.source == Source::synthetic)
    for (const Configuration& c : plan.configurations) {
      check_density({job.problem.field_px, job.problem.border_px, c.min_distance_px.max},
                    static_cast<std::uint64_t>(std::nearbyint(c.points.max)),
                    where(job, "problem.points"));
    }
  return std::make_unique<MadeSource>(job, std::move(inputs));
}

}  // namespace nucreg
