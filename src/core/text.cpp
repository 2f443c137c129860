#include "nucreg/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <sstream>
#include <utility>

namespace nucreg {
namespace {

// Three significant digits without an exponent, for 1 <= value < 1000 or so.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}", value, decimals);
}

// Bytes of the well-formed character of UTF-8 at the beginning of a text (RFC 3629); 0 = none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                     ? 1
                             : first >= 0xC2 && first <= 0xDF ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates, beyond U+10FFFF.
  const bool ill = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                   (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
  return ill ? 0 : length;
}

// The well-formed character that a text begins with, `length` bytes long.
std::uint32_t code_of(std::string_view text, std::size_t length) {
  constexpr std::array<std::uint32_t, 5> lead{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t code = static_cast<unsigned char>(text[0]) & lead[length];
  for (std::size_t i = 1; i < length; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

// What a terminal obeys or what changes how the text around it is read: controls, separators of
// lines, and marks of the direction of writing (Unicode UAX 9).
bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E ||
         code == 0x200F || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes of six bits each
  constexpr std::array<std::uint32_t, 4> lead{0, 0xC0, 0xE0, 0xF0};
  put(lead[static_cast<std::size_t>(more)] | code >> 6 * more);
  for (int i = more - 1; i >= 0; --i) put(0x80 | (code >> 6 * i & 0x3F));
}

// Letters added, left out, replaced or exchanged with the next: Damerau 1964, with no letter edited
// twice.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1), above, two_above;
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    two_above = std::exchange(above, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({above[j] + (a[i] == b[j] ? 0 : 1), row[j] + 1, above[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        row[j + 1] = std::min(row[j + 1], two_above[j - 1] + 1);
    }
  }
  return row.back();
}

constexpr std::uint32_t replacement = 0xFFFD;

}  // namespace

std::string seconds_text(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds == 0.0) return "0 s";
  if (seconds < 0.9995e-6) return three_digits(seconds * 1e9) + " ns";
  if (seconds < 0.9995e-3) return three_digits(seconds * 1e6) + " us";
  if (seconds < 0.9995) return three_digits(seconds * 1e3) + " ms";
  return three_digits(seconds) + " s";
}

std::string bytes_text(double bytes) {
  if (std::isnan(bytes)) return "-";
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024.0) return fmt::format("{:.0f} B", bytes);
  std::size_t unit = 0;
  for (bytes /= 1024.0; bytes >= 1023.95 && unit + 1 < units.size(); ++unit) bytes /= 1024.0;
  return fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string number_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3g}", value);
}

std::string duration_text(double seconds) {
  if (seconds < 60.0) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count_text(count), noun, count == 1 ? "" : "s");
}

std::string without_breaks(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::vector<std::string> split_lines(const std::string& text, char end) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line, end);) lines.push_back(line);
  return lines;
}

std::size_t places(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if ((text[at] & 0xC0) != 0x80 && index-- == 0) break;
  return at;
}

std::string wrapped(const std::string& line, std::size_t width) {
  std::string text;
  std::size_t used = 0;  // places of the last line
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    std::string word = line.substr(begin, end - begin);
    begin = end + 1;
    if (used > 0 && used + 1 + places(word) > width) {
      text += '\n';
      used = 0;
    } else if (used > 0) {
      text += ' ';
      ++used;
    }
    for (; places(word) > width; word.erase(0, byte_of(word, width)))
      text += word.substr(0, byte_of(word, width)) + '\n';
    text += word;
    used += places(word);
  }
  return text;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view cut = "...";
  std::string line;
  std::size_t room_for_cut = 0;  // of the line, with what still leaves room for the dots
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    if (length == 0)
      line += '?';
    else if (is_control(code_of(text, length)))
      line += ' ';
    else
      line += text.substr(0, length);
    if (line.size() > max_bytes) return line.substr(0, room_for_cut).append(cut, 0, max_bytes);
    if (line.size() + cut.size() <= max_bytes) room_for_cut = line.size();
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return line;
}

std::string shown_text(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    const std::uint32_t code = length == 0 ? 0 : code_of(text, length);
    if (length == 0)
      shown += '?';
    else if (is_control(code) && code != '\n' && code != '\t')
      shown += fmt::format("\\u{:04x}", code);
    else
      shown += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

std::string shown_line(std::string_view text) {
  std::string line;
  for (const char c : shown_text(text))
    if (c == '\n')
      line += "\\n";
    else
      line += c == '\t' ? ' ' : c;
  return line;
}

std::string with_short_lines(std::string_view text, std::size_t max_bytes) {
  std::string all;
  while (true) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.size() <= max_bytes) {
      all += line;
    } else {
      std::size_t kept = max_bytes;
      while (kept > 0 && (line[kept] & 0xC0) == 0x80) --kept;
      all.append(line.substr(0, kept)).append("...");
    }
    if (end == text.size()) return all;
    all += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string clean_utf8(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    if (length == 0)
      append_utf8(clean, replacement);
    else
      clean += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string utf8_of_utf16(std::span<const std::byte> units) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    std::uint16_t value = 0;
    std::memcpy(&value, units.data() + 2 * i, sizeof value);
    return value;
  };
  const std::size_t count = units.size() / 2;
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t high = unit(i);
    if (high < 0xD800 || high > 0xDFFF) {
      append_utf8(text, high);
    } else if (high < 0xDC00 && i + 1 < count && unit(i + 1) >= 0xDC00 && unit(i + 1) <= 0xDFFF) {
      append_utf8(text, 0x10000 + ((high - 0xD800) << 10) + (unit(++i) - 0xDC00));
    } else {
      append_utf8(text, replacement);
    }
  }
  return text;
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t fewest = std::min<std::size_t>(3, word.size() / 2 + 1);
  for (const std::string& candidate : candidates)
    if (const std::size_t n = edits(word, candidate); n < fewest) {
      fewest = n;
      best = candidate;
    }
  return best;
}

}  // namespace nucreg
