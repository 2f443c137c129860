#include "nucreg/core/random.hpp"

#include <Random123/philox.h>

#include <boost/random/normal_distribution.hpp>

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
  return boost::random::normal_distribution<double>{}(*this);
}

}  // namespace nucreg
