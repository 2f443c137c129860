#include "nucreg/plan/part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "nucreg/core/numbers.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {

TrialRange Part::of(std::uint64_t configuration, std::uint64_t trials) const {
  // What does not divide goes to the parts in turn, from one configuration to the next.
  const std::uint64_t share = trials / count, rest = trials % count;
  const std::uint64_t place = (number - 1 + count - configuration * rest % count) % count;
  return {place * share + std::min(place, rest), share + (place < rest ? 1 : 0)};
}

std::uint64_t Part::tasks(std::uint64_t configurations, std::uint64_t trials) const {
  std::uint64_t sum = 0;
  for (std::uint64_t c = 0; c < configurations; ++c) sum += of(c, trials).count;
  return sum;
}

std::string Part::text() const {
  return fmt::format("{}/{}", number, count);
}

Part parse_part(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = parse_number<std::uint64_t>(text.substr(0, slash));
  const auto count = slash == std::string_view::npos
                         ? std::nullopt
                         : parse_number<std::uint64_t>(text.substr(slash + 1));
  if (!number || !count || *number < 1 || *number > *count || *count > max_parts)
    throw JobError(fmt::format("{} is no part", text),
                   {.key = "--part", .allowed = fmt::format("K/N, 1 <= K <= N <= {}", max_parts)});
  return {*number, *count};
}

void check_part(const Part& part, const Plan& plan) {
  if (part.count > plan.tasks())
    throw JobError(
        fmt::format("the job has no {} parts", part.count),
        {.key = "--part", .allowed = fmt::format("at most one per trial, {}", plan.tasks())});
}

}  // namespace nucreg
