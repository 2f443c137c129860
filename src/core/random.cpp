#include "nucreg/core/random.hpp"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

namespace nucreg {

RandomStream::RandomStream(std::uint64_t seed, std::uint32_t configuration, std::uint32_t trial,
                           Purpose purpose, std::uint32_t attempt)
    : key_{seed, (static_cast<std::uint64_t>(configuration) << 32) | trial},
      counter_{0, 0, static_cast<std::uint64_t>(purpose), attempt} {}

void RandomStream::refill() {
  const r123::Philox4x64::ctr_type counter{{counter_[0], counter_[1], counter_[2], counter_[3]}};
  const r123::Philox4x64::key_type key{{key_[0], key_[1]}};
  const auto bits = r123::Philox4x64{}(counter, key);
  for (std::size_t i = 0; i < 4; ++i) block_[i] = bits[i];
  ++counter_[0];
  used_ = 0;
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

}  // namespace nucreg
