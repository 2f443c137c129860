// From nodes of a TOML document to checked values.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "value_text.hpp"

namespace nucreg::job_fields {

/// The text of a job or map file. Throws JobError.
[[nodiscard]] std::string read_job_file(const std::filesystem::path& file);
/// That text as a document, with overrides applied in order. Throws JobError.
[[nodiscard]] toml::table parse_document(std::string_view text, const std::string& file,
                                         const std::vector<std::string>& overrides);

/// Where a node was written. A node of an override has the override itself as its source path.
[[nodiscard]] Origin origin_of(const toml::node& node);
[[noreturn]] void reject(const Origin& origin, const std::string& key, const std::string& problem,
                         const std::string& allowed);

/// A node that is to become the value of a key.
struct Slot {
  const toml::node* node;
  std::string key;  ///< dotted
  std::string allowed;
  const Field* field;

  [[nodiscard]] Slot item(const toml::node& part) const { return {&part, key, allowed, field}; }
  [[noreturn]] void reject(const std::string& problem) const {
    job_fields::reject(origin_of(*node), key, problem, allowed);
  }
  [[noreturn]] void wrong_type() const;
};

void read(const Slot& slot, std::string& value);
void read(const Slot& slot, bool& value);
void read(const Slot& slot, std::int64_t& value);
void read(const Slot& slot, std::uint64_t& value);
void read(const Slot& slot, double& value);
void read(const Slot& slot, Draw& value);
void read(const Slot& slot, Start& value);
void read(const Slot& slot, Interval& value);
void read(const Slot& slot, std::array<double, 2>& value);
void read(const Slot& slot, OptionValue& value);

template <class E>
requires std::is_enum_v<E>
void read(const Slot& slot, E& value) {
  const auto name = slot.node->value_exact<std::string>();
  if (!name) slot.wrong_type();
  const auto known = value_of<E>(*name);
  if (!known) {
    const std::vector<std::string> names(Spelling<E>::names.begin(), Spelling<E>::names.end());
    slot.reject(fmt::format("unknown {} {}{}", slot.field->name, toml_string(*name),
                            suggestion(*name, names)));
  }
  value = *known;
}

/// An axis: a list of values, or one value alone.
template <class T>
void read(const Slot& slot, Axis<T>& axis) {
  axis.clear();
  const toml::array* list = slot.node->as_array();
  if (!list) return read(slot, axis.emplace_back());
  if (list->empty() && !slot.field->may_be_empty) slot.reject("empty list");
  std::unordered_set<std::string> known;  // by text: lists can be long
  for (const toml::node& part : *list) {
    T value{};
    read(slot.item(part), value);
    if constexpr (std::is_floating_point_v<T>) value += 0.0;  // -0 is 0
    if (!known.insert(toml_text(value, *slot.field)).second)
      slot.item(part).reject(toml_text(value, *slot.field) + " is twice in the list");
    axis.push_back(std::move(value));
  }
}

/// The visitor that fills an options struct from a table, and knows which keys it has not met.
class TableReader {
 public:
  /// `table` null: the section is absent. `prefix` is its dotted name. `source` is looked at when
  /// a key is met, so that it may be read by the same walk.
  TableReader(const toml::table* table, Origin origin, std::string prefix, const Source& source,
              std::map<std::string, Origin>& origins)
      : table_(table),
        origin_(std::move(origin)),
        prefix_(std::move(prefix)),
        source_(source),
        origins_(origins) {}

  template <class T>
  void operator()(const Field& field, T& value) {
    const toml::node* node = meet(field, allowed<T>(field));
    if (node) read(Slot{node, dotted(field.name), allowed<T>(field), &field}, value);
  }
  template <class Walk>
  void table(const Field& field, Walk&& walk) {
    const toml::node* node = meet(field, "");
    if (node && !node->is_table()) reject_section(*node, dotted(field.name));
    TableReader inner(node ? node->as_table() : nullptr, node ? origin_of(*node) : origin_,
                      dotted(field.name), source_, origins_);
    walk(inner);
    inner.refuse_others();
  }
  /// Calls `take(key, node)` for each key that no field has.
  void others(const std::function<void(const std::string&, const toml::node&)>& take) const;
  /// Throws JobError if there is a key that no field has.
  void refuse_others() const;
  [[noreturn]] static void reject_section(const toml::node& node, const std::string& key);

 private:
  [[nodiscard]] std::string dotted(std::string_view name) const {
    return prefix_.empty() ? std::string(name) : fmt::format("{}.{}", prefix_, name);
  }
  const toml::node* meet(const Field& field, const std::string& allowed);

  const toml::table* table_;
  Origin origin_;
  std::string prefix_;
  const Source& source_;
  std::map<std::string, Origin>& origins_;
  std::vector<std::string> known_;    // keys that have a meaning here
  std::vector<std::string> unmeant_;  // keys that have none with this source
};

}  // namespace nucreg::job_fields
