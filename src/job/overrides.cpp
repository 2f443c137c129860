#include "overrides.hpp"

#include <algorithm>
#include <string_view>

#include "read.hpp"

namespace nucreg::job_fields {
namespace {

constexpr std::string_view letters_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool consists_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return letters_digits.find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  });
}

toml::table parse_assignment(const std::string& key, const std::string& value,
                             const std::string& source) {
  const std::string text = key + " = " + value;
  try {
    return toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    // A word without quotes, as a shell hands it over.
    if (consists_of(value, "_-./+")) return toml::parse(key + " = \"" + value + "\"", source);
    reject({.file = source}, key, std::string(error.description()),
           "a TOML value, quoted for the shell, such as --set 'fit.model=[\"trs\", \"affine\"]'");
  }
}

// Walks down the tables that the dots of the key made; an inline table is a value.
void merge(toml::table& into, toml::table&& from, const std::string& prefix) {
  for (auto&& [key, node] : from) {
    toml::table* step = node.as_table();
    if (!step || step->is_inline()) {
      into.insert_or_assign(key, std::move(node));
      continue;
    }
    const std::string dotted = prefix + std::string(key.str());
    toml::node* there = into.get(key);
    if (!there) {
      into.insert(key, std::move(node));
    } else if (toml::table* table = there->as_table()) {
      merge(*table, std::move(*step), dotted + ".");
    } else {
      reject(origin_of(*step), dotted, "is not a table that has keys",
             there->is_array() ? "the whole list, or an edit of the job file" : "a value for it");
    }
  }
}

}  // namespace

void apply_override(toml::table& document, const std::string& assignment) {
  const std::string source = "--set " + assignment;
  const auto equals = assignment.find('=');
  const std::string key = assignment.substr(0, equals);
  const bool good_key = consists_of(key, "_-.") && key.front() != '.' && key.back() != '.' &&
                        key.find("..") == std::string::npos;
  if (equals == std::string::npos || !good_key ||
      assignment.find_first_of("\r\n") != std::string::npos)
    reject({.file = source}, "", "cannot be understood", "dotted.key=value on one line");
  merge(document, parse_assignment(key, assignment.substr(equals + 1), source), "");
}

}  // namespace nucreg::job_fields
