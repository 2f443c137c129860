#include "value_text.hpp"

#include <cmath>

#include "nucreg/core/text.hpp"

namespace nucreg::job_fields {
namespace {

std::string list_text(const auto& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (code < 0x20 || code == 0x7f)
      out += fmt::format("\\u{:04X}", code);
    else
      out += c;
  }
  return out + "\"";
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? std::string(key) : toml_string(key);
}

std::string words_of(const Range& range) {
  const std::string kind = range.whole ? "whole number" : "number";
  if (range.not_zero) return kind + ", not 0";
  const bool low = std::isfinite(range.min), high = std::isfinite(range.max);
  if (low && high && !range.above_min && !range.below_max)
    return fmt::format("{}, {} ... {}", kind, range.min, range.max);
  std::string text = kind;
  if (low) text += fmt::format(" {} {}", range.above_min ? ">" : ">=", range.min);
  if (high)
    text += fmt::format("{} {} {}", low ? "," : "", range.below_max ? "<" : "<=", range.max);
  return text;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest_name(word, candidates);
  return best.empty() ? std::string() : fmt::format(" (did you mean \"{}\"?)", best);
}

std::string toml_text(double value, const Field& field) {
  return value == 0.0 && !field.zero_word.empty() ? toml_string(field.zero_word)
                                                  : fmt::format("{}", value);
}

std::string toml_text(std::int64_t value, const Field& field) {
  return value == 0 && !field.zero_word.empty() ? toml_string(field.zero_word)
                                                : fmt::format("{}", value);
}

std::string toml_text(std::uint64_t value, const Field&) {
  return fmt::format("{}", value);
}

std::string toml_text(const std::string& value, const Field&) {
  return toml_string(value);
}

std::string toml_text(const Draw& value, const Field& field) {
  return value.fixed() ? toml_text(value.min, field)
                       : fmt::format("{{ min = {}, max = {} }}", value.min, value.max);
}

std::string toml_text(const Start& value, const Field&) {
  return value.kind == Start::Kind::params ? "{ params = " + list_text(value.params) + " }"
                                           : toml_string(name_of(value.kind));
}

std::string toml_text(const Interval& value, const Field&) {
  return fmt::format("[{}, {}]", value.min, value.max);
}

std::string toml_text(const std::array<double, 2>& value, const Field&) {
  return list_text(value);
}

std::string toml_text(bool value, const Field&) {
  return value ? "true" : "false";
}

std::string toml_text(const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return toml_string(*text);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> quoted;
    for (const std::string& text : *list) quoted.push_back(toml_string(text));
    return list_text(quoted);
  }
  std::string text = fmt::format("{}", std::get<double>(value));
  // Without a point or an exponent it would read back as an integer.
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

}  // namespace nucreg::job_fields
