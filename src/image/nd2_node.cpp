#include "nd2_node.hpp"

#include <cmath>
#include <limits>

namespace nucreg {

namespace {

// In either encoding a bool may be any number; all but 0 are true.
bool is_true(const Nd2Node& node) {
  return std::visit(
      [](const auto& held) {
        if constexpr (std::is_integral_v<std::decay_t<decltype(held)>>) return held != 0;
        return false;
      },
      node.value);
}

}  // namespace

const Nd2Node* Nd2Node::find(std::string_view child) const {
  for (const Nd2Node& node : children)
    if (node.name == child) return &node;
  return nullptr;
}

const Nd2Node* Nd2Node::find(std::initializer_list<std::string_view> path) const {
  const Nd2Node* node = this;
  for (const std::string_view step : path)
    if (node = node->find(step); node == nullptr) return nullptr;
  return node;
}

std::optional<std::int64_t> Nd2Node::integer(std::string_view child) const {
  const Nd2Node* node = find(child);
  if (node == nullptr) return {};
  if (const auto* held = std::get_if<std::int64_t>(&node->value)) return *held;
  if (const auto* held = std::get_if<std::uint64_t>(&node->value))
    if (*held <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return static_cast<std::int64_t>(*held);
  return {};
}

std::optional<double> Nd2Node::number(std::string_view child) const {
  const Nd2Node* node = find(child);
  if (node == nullptr) return {};
  if (const auto* held = std::get_if<double>(&node->value))
    return std::isfinite(*held) ? std::optional(*held) : std::nullopt;
  const auto whole = integer(child);
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::optional<double> Nd2Node::positive(std::string_view child) const {
  const auto found = number(child);
  return found && *found > 0.0 ? found : std::nullopt;
}

bool Nd2Node::flag(std::string_view child) const {
  const Nd2Node* node = find(child);
  return node != nullptr && is_true(*node);
}

std::string Nd2Node::text(std::string_view child) const {
  const Nd2Node* node = find(child);
  const auto* held = node == nullptr ? nullptr : std::get_if<std::string>(&node->value);
  return held == nullptr ? std::string() : *held;
}

std::vector<bool> Nd2Node::flags(std::string_view child) const {
  std::vector<bool> result;
  const Nd2Node* node = find(child);
  if (node == nullptr) return result;
  if (const auto* bytes = std::get_if<Bytes>(&node->value)) {
    for (const std::byte b : *bytes) result.push_back(b != std::byte{0});
    return result;
  }
  for (const Nd2Node& element : node->children) result.push_back(is_true(element));
  return result;
}

Nd2Node parse_nd2_metadata(std::span<const std::byte> bytes) {
  if (!bytes.empty() && bytes.front() == std::byte{'<'}) return parse_nd2_xml(bytes);
  return parse_nd2_lite(bytes);
}

}  // namespace nucreg
