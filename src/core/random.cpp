#include "nucreg/core/random.hpp"

#include <Random123/philox.h>

#include <boost/random/normal_distribution.hpp>
#include <numeric>
#include <utility>

namespace nucreg {

RandomStream::RandomStream(std::uint64_t seed, std::uint32_t configuration, std::uint32_t trial,
                           Purpose purpose, std::uint32_t attempt)
    : key_{seed, (static_cast<std::uint64_t>(configuration) << 32) | trial},
      counter_{0, 0, static_cast<std::uint64_t>(purpose), attempt} {}

void RandomStream::refill() {
  // Blocks depend on nothing but their counter: the processor works at several at once.
  const r123::Philox4x64::key_type key{{key_[0], key_[1]}};
  for (std::size_t i = 0; i < block_.size(); i += 4, ++counter_[0]) {
    const auto bits =
        r123::Philox4x64{}({{counter_[0], counter_[1], counter_[2], counter_[3]}}, key);
    for (std::size_t j = 0; j < 4; ++j) block_[i + j] = bits[j];
  }
  used_ = 0;
}

double RandomStream::normal() {
  return boost::random::normal_distribution<double>{}(*this);
}

std::vector<std::size_t> sample_without_replacement(std::size_t count, std::size_t size,
                                                    RandomStream& random) {
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(size - i)]);
  order.resize(count);
  return order;
}

}  // namespace nucreg
