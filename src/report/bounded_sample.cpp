#include "bounded_sample.hpp"

#include <algorithm>
#include <cmath>

#include "statistics.hpp"

namespace nucreg {

void BoundedSample::add(double value, RandomStream& random) {
  if (++count_ <= most) {
    values_.push_back(value);
    return;
  }
  if (count_ == most + 1) {
    mean_ = nucreg::mean(values_);
    const double deviation = nucreg::standard_deviation(values_);
    squares_ = deviation * deviation * static_cast<double>(most - 1);
  }
  const double step = value - mean_;
  mean_ += step / static_cast<double>(count_);
  squares_ += step * (value - mean_);
  if (const std::uint64_t at = random.below(count_); at < most) values_[at] = value;
}

void BoundedSample::clear() {
  values_.clear();
  count_ = 0;
}

double BoundedSample::mean() const {
  return sampled() ? mean_ : nucreg::mean(values_);
}

double BoundedSample::standard_deviation() const {
  return sampled() ? std::sqrt(squares_ / static_cast<double>(count_ - 1))
                   : nucreg::standard_deviation(values_);
}

const std::vector<double>& BoundedSample::sorted() {
  std::ranges::sort(values_);
  return values_;
}

}  // namespace nucreg
