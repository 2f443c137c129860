#include "nucreg/stats/samples.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "nucreg/core/random.hpp"

namespace nucreg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return nan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return nan;
  const double centre = mean(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double quantile(std::span<const double> sorted, double fraction) {
  if (sorted.empty()) return nan;
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double weight = place - static_cast<double>(below);
  const double step = sorted[below + 1] - sorted[below];
  return weight < 0.5 ? sorted[below] + step * weight : sorted[below + 1] - step * (1.0 - weight);
}

double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

void Reservoir::add(double value, RandomStream& random) {
  if (++count_ <= most_)
    values_.push_back(value);
  else if (const std::uint64_t at = random.below(count_); at < most_)
    values_[at] = value;
}

void Reservoir::clear() {
  values_.clear();
  count_ = 0;
}

void BoundedSample::add(double value, RandomStream& random) {
  if (kept_.count() == most) {
    mean_ = nucreg::mean(kept_.values());
    const double deviation = nucreg::standard_deviation(kept_.values());
    squares_ = deviation * deviation * static_cast<double>(most - 1);
  }
  kept_.add(value, random);
  if (!sampled()) return;
  const double step = value - mean_;
  mean_ += step / static_cast<double>(count());
  squares_ += step * (value - mean_);
}

double BoundedSample::mean() const {
  return sampled() ? mean_ : nucreg::mean(kept_.values());
}

double BoundedSample::standard_deviation() const {
  return sampled() ? std::sqrt(squares_ / static_cast<double>(count() - 1))
                   : nucreg::standard_deviation(kept_.values());
}

const std::vector<double>& Reservoir::sorted() {
  std::ranges::sort(values_);
  return values_;
}

static_assert(BlockedSample::max_blocks <= 256, "a block's number is a byte");

void BlockedSample::add(double value, std::uint64_t random) {
  if (sums_.size() < max_blocks) {
    sums_.push_back(value);
    sizes_.push_back(1.0);
  } else {
    sums_[random % max_blocks] += value;
    sizes_[random % max_blocks] += 1.0;
  }
  if (++count_ == 1) {
    mean_ = value;
    return;
  }
  const double step = value - mean_;
  mean_ += step / static_cast<double>(count_);
  squares_ += step * (value - mean_);
}

double BlockedSample::standard_deviation() const {
  if (count_ < 2) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(squares_ / static_cast<double>(count_ - 1));
}

void Resampler::draw_plan(std::size_t blocks) {
  if (planned_ == blocks) return;
  planned_ = blocks;
  plan_.resize(blocks * resamples);
  RandomStream random(0, 0, static_cast<std::uint32_t>(blocks), Purpose::resampling);
  for (std::uint8_t& block : plan_) block = static_cast<std::uint8_t>(random.below(blocks));
}

std::span<const double> Resampler::resampled_means(const BlockedSample& sample) {
  const std::size_t blocks = sample.sums().size();
  draw_plan(blocks);
  sums_.assign(resamples, 0.0);
  sizes_.assign(resamples, 0.0);
  for (std::size_t draw = 0; draw < blocks; ++draw) {
    const std::uint8_t* chosen = plan_.data() + draw * resamples;
    for (std::size_t r = 0; r < resamples; ++r) sums_[r] += sample.sums()[chosen[r]];
    for (std::size_t r = 0; r < resamples; ++r) sizes_[r] += sample.sizes()[chosen[r]];
  }
  for (std::size_t r = 0; r < resamples; ++r) sums_[r] /= sizes_[r];
  return sums_;
}

ConfidenceInterval Resampler::mean_interval(const BlockedSample& sample, double level) {
  if (sample.count() < 2) return {};
  (void)resampled_means(sample);
  return interval_of(sums_, sample.sums().size(), level);
}

ConfidenceInterval Resampler::ratio_interval(const BlockedSample& above, const BlockedSample& below,
                                             double level) {
  if (above.count() < 2) return {};
  (void)resampled_means(above);
  std::vector<double> ratios = sums_;
  (void)resampled_means(below);
  for (std::size_t r = 0; r < resamples; ++r) ratios[r] /= sums_[r];
  return interval_of(ratios, above.sums().size(), level);
}

ConfidenceInterval Resampler::interval_of(std::vector<double>& values, std::size_t blocks,
                                          double level) {
  const auto n = static_cast<double>(blocks);
  const boost::math::normal normal;
  const boost::math::students_t student(n - 1.0);
  const double reach = std::sqrt(n / (n - 1.0)) * boost::math::quantile(student, 0.5 + 0.5 * level);
  const double tail = boost::math::cdf(boost::math::complement(normal, reach));
  std::ranges::sort(values);
  return {quantile(values, tail), quantile(values, 1.0 - tail)};
}

}  // namespace nucreg
