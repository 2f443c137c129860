#include "resampler.hpp"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "nucreg/core/random.hpp"
#include "statistics.hpp"

namespace nucreg {

static_assert(BlockedSample::most_blocks <= 256, "a block's number is a byte");

void BlockedSample::add(double value, std::uint64_t random) {
  if (sums_.size() < most_blocks) {
    sums_.push_back(value);
    sizes_.push_back(1.0);
  } else {
    sums_[random % most_blocks] += value;
    sizes_[random % most_blocks] += 1.0;
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
  const auto n = static_cast<double>(sample.sums().size());
  const boost::math::normal normal;
  const boost::math::students_t student(n - 1.0);
  const double reach = std::sqrt(n / (n - 1.0)) * boost::math::quantile(student, 0.5 + 0.5 * level);
  const double tail = boost::math::cdf(boost::math::complement(normal, reach));
  (void)resampled_means(sample);
  std::ranges::sort(sums_);
  return {quantile(sums_, tail), quantile(sums_, 1.0 - tail)};
}

}  // namespace nucreg
