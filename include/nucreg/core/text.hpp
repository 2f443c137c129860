// Numbers and words as people read them.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace nucreg {

/// 12.3 us, 4.56 ms, 7.89 s; "-" for NaN.
[[nodiscard]] std::string seconds_text(double seconds);
/// 12.3 s, 3 min 04 s, 1 h 02 min.
[[nodiscard]] std::string duration_text(double seconds);
/// 512 B, 1.5 MiB; "-" for NaN.
[[nodiscard]] std::string bytes_text(double bytes);
/// Three significant digits; "-" for NaN.
[[nodiscard]] std::string number_text(double value);
/// 1,234,567.
[[nodiscard]] std::string count_text(std::uint64_t count);
/// "1 trial", "2,000 trials".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);
/// With spaces for ends of lines.
[[nodiscard]] std::string without_breaks(std::string text);
/// Each ends with `end`, the last one perhaps not.
[[nodiscard]] std::vector<std::string> split_lines(const std::string& text, char end = '\n');
/// Characters of UTF-8, each taken as one place wide.
[[nodiscard]] std::size_t places(std::string_view text);
/// Byte where the `index`-th character begins.
[[nodiscard]] std::size_t byte_of(std::string_view text, std::size_t index);
/// Breaks a line at spaces so that it fits; a word that is longer is cut. Without an end of line.
[[nodiscard]] std::string wrapped(const std::string& line, std::size_t width);
/// UTF-8 of one line and at most so many bytes: control characters become spaces, bytes that are no
/// UTF-8 question marks; what is longer is cut between characters and ends with "...".
[[nodiscard]] std::string one_line(std::string_view text, std::size_t max_bytes);

/// As it can be shown: what a terminal would obey, or what turns the direction of writing, as
/// `\u001b` (which JSON reads as the same); `?` for bytes that are no UTF-8. Ends of lines and tabs
/// stay.
[[nodiscard]] std::string shown_text(std::string_view text);
/// The same on one line, for names that come from outside: `\n` for ends of lines.
[[nodiscard]] std::string shown_line(std::string_view text);
/// Lines of more bytes end with "..." instead.
[[nodiscard]] std::string with_short_lines(std::string_view text, std::size_t max_bytes);

/// With U+FFFD for every byte that is no UTF-8.
[[nodiscard]] std::string clean_utf8(std::string_view text);
/// Of little-endian units; U+FFFD for surrogates without their partner.
[[nodiscard]] std::string utf8_of_utf16(std::span<const std::byte> units);
/// The candidate that a misspelt word is close to (fewer than 3 edits, of which one may
/// exchange two letters); empty without one.
[[nodiscard]] std::string nearest_name(std::string_view word,
                                       const std::vector<std::string>& candidates);

// Numbers from text.

/// The number that a text begins with; nothing if it begins otherwise or with one beyond the type's
/// range. Doubles may be infinite or NaN. `base`: of whole numbers. `end`: where it ends.
template <class T>
[[nodiscard]] std::optional<T> leading_number(std::string_view text, const char** end = nullptr,
                                              [[maybe_unused]] int base = 10) {
  T value{};
  const char* const last = text.data() + text.size();
  std::from_chars_result result{};
  if constexpr (std::is_floating_point_v<T>)
    result = std::from_chars(text.data(), last, value);
  else
    result = std::from_chars(text.data(), last, value, base);
  if (end) *end = result.ptr;
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}
/// The number that the whole text is, under the same rules; nothing if it is anything else.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10) {
  const char* end = nullptr;
  const std::optional<T> value = leading_number<T>(text, &end, base);
  return end == text.data() + text.size() ? value : std::nullopt;
}

}  // namespace nucreg
