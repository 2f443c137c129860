// Values of a job as text: as TOML, and in words for messages and the reference.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fields.hpp"

namespace nucreg::job_fields {

/// A string as a TOML basic string, quotes included.
[[nodiscard]] std::string toml_string(std::string_view text);
/// A key, quoted if TOML wants it.
[[nodiscard]] std::string key_text(std::string_view key);
/// "whole number, 1 ... 100", "number > 0", ...
[[nodiscard]] std::string words_of(const Range& range);
/// The candidate that a misspelt word is close to, as ` (did you mean "points"?)`, or nothing.
[[nodiscard]] std::string suggestion(std::string_view word,
                                     const std::vector<std::string>& candidates);

// Shortest text that reads back as the same value. The Field has the word for 0, if there is one.
[[nodiscard]] std::string toml_text(double value, const Field& field);
[[nodiscard]] std::string toml_text(bool value, const Field&);
[[nodiscard]] std::string toml_text(std::int64_t value, const Field& field);
[[nodiscard]] std::string toml_text(std::uint64_t value, const Field&);
[[nodiscard]] std::string toml_text(const std::string& value, const Field&);
[[nodiscard]] std::string toml_text(const Draw& value, const Field&);
[[nodiscard]] std::string toml_text(const Start& value, const Field&);
[[nodiscard]] std::string toml_text(const Interval& value, const Field&);
[[nodiscard]] std::string toml_text(const std::array<double, 2>& value, const Field&);
[[nodiscard]] std::string toml_text(const OptionValue& value);
[[nodiscard]] inline std::string toml_text(const OptionValue& value, const Field&) {
  return toml_text(value);
}
template <class E>
requires std::is_enum_v<E>
[[nodiscard]] std::string toml_text(E value, const Field&) {
  return toml_string(name_of(value));
}
template <class T>
[[nodiscard]] std::string toml_text(const Axis<T>& axis, const Field& field) {
  if (axis.size() == 1) return toml_text(axis.front(), field);
  std::string text;
  for (const T& value : axis) text += (text.empty() ? "" : ", ") + toml_text(value, field);
  return "[" + text + "]";
}

/// The type itself, or that of an axis' values.
template <class T>
struct ItemOf {
  using type = T;
};
template <class T>
struct ItemOf<Axis<T>> {
  using type = T;
};

/// What is allowed for a key whose value is a T, in words.
template <class T>
[[nodiscard]] std::string allowed(const Field& field) {
  using Item = typename ItemOf<T>::type;
  if (!field.allowed.empty()) return std::string(field.allowed);
  if constexpr (std::is_enum_v<Item>)
    return all_names<Item>();
  else if constexpr (std::is_same_v<Item, bool>)
    return "true, false";
  else if constexpr (std::is_same_v<Item, std::string>)
    return std::string(field.text.words);
  else if constexpr (std::is_same_v<Item, Start>)
    return "nominal, identity, truth, closed-form, { params = [numbers in the model's order] }";
  else if constexpr (std::is_same_v<Item, Interval>)
    return "[min, max], min < max, each " + words_of(field.range) + " or infinite";
  else if constexpr (std::is_same_v<Item, std::array<double, 2>>)
    return "[width, height], each " + words_of(field.range);
  else if constexpr (std::is_same_v<Item, Draw>)
    return (field.zero_word.empty() ? "" : toml_string(field.zero_word) + " or ") +
           words_of(field.range) + "; a list of such; { min, max }";
  else
    return (field.zero_word.empty() ? "" : toml_string(field.zero_word) + " or ") +
           words_of(field.range);
}

}  // namespace nucreg::job_fields
