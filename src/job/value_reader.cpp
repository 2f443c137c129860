#include "value_reader.hpp"

#include <algorithm>
#include <cmath>

namespace nucreg::job_fields {
namespace {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "table";
    case toml::node_type::array:
      return "list";
    case toml::node_type::string:
      return "string";
    case toml::node_type::integer:
      return "integer";
    case toml::node_type::floating_point:
      return "float";
    case toml::node_type::boolean:
      return "boolean";
    default:
      return "date or time";
  }
}

// TOML writes whole numbers as integers, and a whole double is one as well (1e5 nuclei).
double number(const Slot& slot) {
  if (!slot.node->is_number()) slot.wrong_type();
  return *slot.node->value<double>();
}

double number_in_range(const Slot& slot) {
  const double value = number(slot);
  if (!std::isfinite(value)) slot.reject("not a finite number");
  if (!slot.field->range.contains(value))
    slot.reject(fmt::format("{} is out of range", toml_text(value, Field{})));
  return value;
}

const toml::array& pair_of(const Slot& slot) {
  const toml::array* list = slot.node->as_array();
  if (!list) slot.wrong_type();
  if (list->size() != 2) slot.reject(fmt::format("{} values where 2 belong", list->size()));
  return *list;
}

std::string joined(const std::vector<std::string>& keys) {
  return fmt::format("{}", fmt::join(keys, ", "));
}

}  // namespace

Origin origin_of(const toml::node& node) {
  const toml::source_region& source = node.source();
  Origin origin{.file = source.path ? *source.path : std::string(),
                .line = static_cast<int>(source.begin.line)};
  if (origin.file.starts_with("--set ")) origin.line = 0;
  return origin;
}

void reject(const Origin& origin, const std::string& key, const std::string& problem,
            const std::string& allowed) {
  throw JobError(problem,
                 {.file = origin.file, .line = origin.line, .key = key, .allowed = allowed});
}

void Slot::wrong_type() const {
  reject(fmt::format("wrong type ({})", type_name(*node)));
}

void read(const Slot& slot, std::string& value) {
  const auto text = slot.node->value_exact<std::string>();
  if (!text) slot.wrong_type();
  if (!slot.field->text.accepts(*text)) slot.reject(toml_string(*text) + " cannot be used");
  value = *text;
}

void read(const Slot& slot, bool& value) {
  const auto truth = slot.node->value_exact<bool>();
  if (!truth) slot.wrong_type();
  value = *truth;
}

void read(const Slot& slot, std::int64_t& value) {
  const auto word = slot.node->value_exact<std::string>();
  if (word && !slot.field->zero_word.empty()) {
    if (*word != slot.field->zero_word) slot.reject("unknown word " + toml_string(*word));
    value = 0;
    return;
  }
  const auto whole = slot.node->value_exact<std::int64_t>();
  if (!whole) slot.wrong_type();
  if (!slot.field->range.contains(static_cast<double>(*whole)))
    slot.reject(fmt::format("{} is out of range", *whole));
  value = *whole;
}

void read(const Slot& slot, std::uint64_t& value) {
  std::int64_t whole = 0;
  read(slot, whole);
  value = static_cast<std::uint64_t>(whole);
}

void read(const Slot& slot, double& value) {
  const auto word = slot.node->value_exact<std::string>();
  if (word && !slot.field->zero_word.empty()) {
    if (*word != slot.field->zero_word) slot.reject("unknown word " + toml_string(*word));
    value = 0.0;
    return;
  }
  value = number_in_range(slot);
}

void read(const Slot& slot, Draw& value) {
  const toml::table* table = slot.node->as_table();
  if (const auto word = slot.node->value_exact<std::string>();
      word && !slot.field->zero_word.empty()) {
    if (*word != slot.field->zero_word) slot.reject("unknown word " + toml_string(*word));
    value = Draw(0.0);
    return;
  }
  if (!table) {
    value = Draw(number_in_range(slot));
    return;
  }
  const toml::node* min = table->get("min");
  const toml::node* max = table->get("max");
  if (!min || !max || table->size() != 2) slot.reject("a drawn number has the keys min and max");
  value = Draw(number_in_range(slot.item(*min)), number_in_range(slot.item(*max)));
  if (value.min > value.max) slot.reject("min is above max");
}

void read(const Slot& slot, Start& value) {
  if (const toml::table* table = slot.node->as_table()) {
    const toml::array* params = table->get_as<toml::array>("params");
    if (!params || table->size() != 1) slot.reject("a start in numbers has the one key params");
    value.kind = Start::Kind::params;
    for (const toml::node& part : *params) value.params.push_back(number_in_range(slot.item(part)));
    return;
  }
  read(slot, value.kind);
  if (value.kind == Start::Kind::params) slot.reject("\"params\" without numbers");
}

void read(const Slot& slot, Interval& value) {
  const toml::array& pair = pair_of(slot);
  const auto end = [&](const toml::node& node) {
    const Slot item = slot.item(node);
    const double number_read = number(item);
    return std::isinf(number_read) ? number_read : number_in_range(item);
  };
  value = {.min = end(pair[0]), .max = end(pair[1])};
  if (!(value.min < value.max)) slot.reject("min is not below max");
}

void read(const Slot& slot, std::array<double, 2>& value) {
  const toml::array& pair = pair_of(slot);
  value = {number_in_range(slot.item(pair[0])), number_in_range(slot.item(pair[1]))};
}

void read(const Slot& slot, OptionValue& value) {
  if (const auto text = slot.node->value_exact<std::string>())
    value = *text;
  else if (const auto truth = slot.node->value_exact<bool>())
    value = *truth;
  else if (const auto whole = slot.node->value_exact<std::int64_t>())
    value = *whole;
  else if (slot.node->is_floating_point())
    value = number_in_range(slot);
  else
    slot.wrong_type();
}

const toml::node* TableReader::meet(const Field& field, const std::string& allowed) {
  const toml::node* node = table_ ? table_->get(field.name) : nullptr;
  const bool applies = field.applies(source_);
  (applies ? known_ : unmeant_).push_back(field.name);
  if (node && !applies) {
    std::string sources;
    for (std::size_t i = 0; i < Spelling<Source>::names.size(); ++i)
      if (field.applies(static_cast<Source>(i)))
        sources += fmt::format("{}{}", sources.empty() ? "" : ", ", Spelling<Source>::names[i]);
    reject(origin_of(*node), dotted(field.name),
           fmt::format("has no meaning with source {}", toml_string(name_of(source_))),
           "with source " + sources);
  }
  if (!node && applies && field.required)
    reject(origin_, dotted(field.name), "is missing", allowed);
  if (node) origins_[dotted(field.name)] = origin_of(*node);
  return node;
}

void TableReader::others(
    const std::function<void(const std::string&, const toml::node&)>& take) const {
  if (!table_) return;
  for (const auto& [key, node] : *table_)
    if (std::ranges::find(known_, key.str()) == known_.end() &&
        std::ranges::find(unmeant_, key.str()) == unmeant_.end())
      take(std::string(key.str()), node);
}

void TableReader::refuse_others() const {
  others([&](const std::string& key, const toml::node& node) {
    reject(origin_of(node), dotted(key), "unknown key" + suggestion(key, known_), joined(known_));
  });
}

void TableReader::reject_section(const toml::node& node, const std::string& key) {
  reject(origin_of(node), key, fmt::format("wrong type ({})", type_name(node)),
         "one table of keys");
}

}  // namespace nucreg::job_fields
