// Numbers from text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace nucreg {

/// The number that the whole text is; nothing if it is anything else or beyond the type's range.
/// Doubles may be infinite or NaN. `base`: of whole numbers.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, [[maybe_unused]] int base = 10) {
  T value{};
  const char* const last = text.data() + text.size();
  std::from_chars_result result{};
  if constexpr (std::is_floating_point_v<T>)
    result = std::from_chars(text.data(), last, value);
  else
    result = std::from_chars(text.data(), last, value, base);
  if (result.ec != std::errc() || result.ptr != last) return std::nullopt;
  return value;
}

}  // namespace nucreg
