// What a result file says about itself in one word each.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "nucreg/plan/plan.hpp"

namespace nucreg {

/// Attributes of `/`, by name. `trials_planned` and `trials_done` count trials over all
/// configurations, so that trials_done * solvers = rows of /trials.
class Attributes {
 public:
  using Value = std::variant<std::int64_t, double, std::string>;
  using Map = std::map<std::string, Value>;

  Attributes() = default;
  Attributes(Map values) : values_(std::move(values)) {}  // NOLINT: what a file holds is meant
  Attributes(std::initializer_list<Map::value_type> values) : values_(values) {}

  [[nodiscard]] bool contains(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] Value& operator[](const std::string& name) { return values_[name]; }
  [[nodiscard]] Map::const_iterator begin() const { return values_.begin(); }
  [[nodiscard]] Map::const_iterator end() const { return values_.end(); }
  void erase(const std::string& name) { values_.erase(name); }
  void clear() { values_.clear(); }
  [[nodiscard]] bool operator==(const Attributes&) const = default;

  /// The value as a T (std::int64_t, double or std::string); nothing if it is missing or of another
  /// type.
  template <class T>
  [[nodiscard]] const T* find(const std::string& name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : std::get_if<T>(&at->second);
  }
  /// The same; throws InputError naming the attribute.
  template <class T>
  [[nodiscard]] const T& get(const std::string& name) const {
    const T* value = find<T>(name);
    if (!value) refuse(name);
    return *value;
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const {
    const auto* value = find<std::string>(name);
    return value ? *value : otherwise;
  }
  [[nodiscard]] std::int64_t count(const std::string& name, std::int64_t otherwise = 0) const {
    const auto* value = find<std::int64_t>(name);
    return value ? *value : otherwise;
  }
  /// Of any type as text; "?" if it is missing.
  [[nodiscard]] std::string shown(const std::string& name) const;

 private:
  [[noreturn]] void refuse(const std::string& name) const;

  Map values_;
};

/// Which part of its job a file holds: what the attribute `part` says, the whole without one.
/// Throws InputError if it says nothing sensible.
[[nodiscard]] Part part_of(const Attributes& attributes);

}  // namespace nucreg
