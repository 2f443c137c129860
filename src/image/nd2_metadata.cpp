#include "nd2_metadata.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <pugixml.hpp>

#include "image_file.hpp"
#include "nucreg/core/text.hpp"

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

// The binary encoding ("CLX-lite") of ND2 3.0.
namespace {

enum Code : unsigned {
  code_bool = 1,
  code_i32 = 2,
  code_u32 = 3,
  code_i64 = 4,
  code_u64 = 5,
  code_f64 = 6,
  code_pointer = 7,
  code_text = 8,
  code_bytes = 9,
  code_level = 11,
};

class Parser {
 public:
  explicit Parser(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Nd2Node parse_root() {
    Nd2Node root;
    if (bytes_.empty() || std::to_integer<unsigned>(bytes_[0]) != code_level)
      fail("lv-root", "is not one level");
    parse_item(root, bytes_.size(), 1);
    if (at_ != bytes_.size())
      fail("lv-trailing", fmt::format("{} bytes behind the level", bytes_.size() - at_));
    return root;
  }

 private:
  [[noreturn]] void fail(std::string code, std::string problem) const {
    throw Nd2SyntaxError{std::move(code), std::move(problem), at_};
  }

  // `end` is that of the enclosing level: nothing in it may reach behind.
  std::span<const std::byte> take(std::uint64_t size, std::uint64_t end, const char* what) {
    if (size > end - at_)
      fail("lv-truncated", fmt::format("{} of {} bytes, {} are left", what, size, end - at_));
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }

  template <class T>
  T number(std::uint64_t end, const char* what) {
    return load_little<T>(take(sizeof(T), end, what).data());
  }

  void parse_item(Nd2Node& node, std::uint64_t end, int depth) {
    if (++items_ > max_metadata_items) fail("lv-too-many", "too many items");
    const std::uint64_t start = at_;
    const unsigned code = number<std::uint8_t>(end, "an item");
    const unsigned name_units = number<std::uint8_t>(end, "a name's length");
    if (name_units > 0) {
      const auto name = take(std::uint64_t{2} * name_units, end, "a name");
      if (load_little<std::uint16_t>(name.data() + name.size() - 2) != 0)
        fail("lv-name", "a name without its end");
      node.name = utf8_of_utf16(name.first(name.size() - 2));
    }
    switch (code) {
      case code_bool:
        node.value = number<std::uint8_t>(end, "a bool") != 0;
        break;
      case code_i32:
        node.value = std::int64_t{number<std::int32_t>(end, "an i32")};
        break;
      case code_u32:
        node.value = std::uint64_t{number<std::uint32_t>(end, "a u32")};
        break;
      case code_i64:
        node.value = number<std::int64_t>(end, "an i64");
        break;
      case code_u64:
      case code_pointer:
        node.value = number<std::uint64_t>(end, "a u64");
        break;
      case code_f64:
        node.value = number<double>(end, "an f64");
        break;
      case code_text:
        node.value = text(end);
        break;
      case code_bytes: {
        const auto count = number<std::uint64_t>(end, "a byte count");
        const auto bytes = take(count, end, "a byte array");
        node.value = Nd2Node::Bytes(bytes.begin(), bytes.end());
        break;
      }
      case code_level:
        parse_level(node, start, end, depth);
        break;
      default:
        at_ = start;
        fail("lv-type", fmt::format("an item of unknown type {}", code));
    }
  }

  void parse_level(Nd2Node& node, std::uint64_t start, std::uint64_t end, int depth) {
    if (depth > max_metadata_depth)
      fail("lv-depth", fmt::format("levels nested deeper than {}", max_metadata_depth));
    const auto count = number<std::uint32_t>(end, "a level's count");
    const auto length = number<std::uint64_t>(end, "a level's length");
    if (length < at_ - start || length > end - start)
      fail("lv-level-length",
           fmt::format("a level of {} bytes where {} are left", length, end - start));
    const std::uint64_t body_end = start + length;
    if (count > (body_end - at_) / 2)
      fail("lv-level-count", fmt::format("{} items in {} bytes", count, body_end - at_));
    // Grown item by item: a count alone must not take memory.
    for (std::uint32_t i = 0; i < count; ++i)
      parse_item(node.children.emplace_back(), body_end, depth + 1);
    if (at_ != body_end)
      fail("lv-level-end", fmt::format("{} bytes of a level left over", body_end - at_));
    take(std::uint64_t{8} * count, end, "a level's table");
  }

  std::string text(std::uint64_t end) {
    const std::uint64_t start = at_;
    while (number<std::uint16_t>(end, "a text without end: a unit") != 0) {
    }
    return utf8_of_utf16(bytes_.subspan(start, at_ - 2 - start));
  }

  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
  std::size_t items_ = 0;
};

constexpr char compressed[] = {'L', 'V', '0', 'Z'};

std::vector<std::byte> inflate_stream(std::span<const std::byte> bytes) {
  constexpr std::size_t header = 12;
  if (bytes.size() < header) throw Nd2SyntaxError{"lv0z-truncated", "a header cut off", 0};
  const auto size = load_little<std::uint64_t>(bytes.data() + 4);
  if (size > max_metadata_bytes || !may_inflate_to(bytes.size() - header, size))
    throw Nd2SyntaxError{
        "lv0z-size", fmt::format("claims to inflate {} to {} bytes", bytes.size() - header, size),
        4};
  std::vector<std::byte> inflated(size);
  const std::string problem =
      inflate_pieces(bytes.subspan(header), size, inflated, [](std::size_t) {});
  if (!problem.empty()) throw Nd2SyntaxError{"lv0z-inflate", problem, header};
  return inflated;
}

}  // namespace

Nd2Node parse_nd2_lite(std::span<const std::byte> bytes) {
  if (bytes.size() < 4 || std::memcmp(bytes.data(), compressed, 4) != 0)
    return Parser(bytes).parse_root();
  // One that is compressed twice fails as what is not a level.
  return Parser(inflate_stream(bytes)).parse_root();
}

// The XML encoding ("CLX variant") of ND2 2.x.
namespace {

[[noreturn]] void fail(std::string code, std::string problem, std::uint64_t offset) {
  throw Nd2SyntaxError{std::move(code), std::move(problem), offset};
}

// What is not wholly a number is no value.
template <class T>
Nd2Node::Value number(std::string_view text) {
  const auto value = parse_number<T>(text);
  return value ? Nd2Node::Value(*value) : Nd2Node::Value();
}

Nd2Node::Value scalar(std::string_view type, std::string_view text) {
  if (type == "bool") return text == "true" || text == "1";
  if (type == "lx_int32" || type == "lx_int64") return number<std::int64_t>(text);
  if (type == "lx_uint32" || type == "lx_uint64") return number<std::uint64_t>(text);
  if (type == "double" || type == "float") return number<double>(text);
  return clean_utf8(text);
}

bool is_scalar(std::string_view type) {
  for (const std::string_view known : {"bool", "lx_int32", "lx_uint32", "lx_int64", "lx_uint64",
                                       "double", "float", "CLxStringW", "CLxByteArray", "unknown"})
    if (type == known) return true;
  return false;
}

class Converter {
 public:
  void convert(pugi::xml_node from, Nd2Node& to, int depth) {
    if (depth > max_metadata_depth)
      fail("xml-depth", fmt::format("elements nested deeper than {}", max_metadata_depth),
           offset_of(from));
    if (++items_ > max_metadata_items) fail("xml-too-many", "too many elements", offset_of(from));
    if (std::strcmp(from.name(), "no_name") != 0) to.name = clean_utf8(from.name());
    const char* const type = from.attribute("runtype").value();
    if (is_scalar(type)) {
      to.value = scalar(type, from.attribute("value").value());
      return;
    }
    for (const pugi::xml_node child : from.children())
      if (child.type() == pugi::node_element) convert(child, to.children.emplace_back(), depth + 1);
  }

 private:
  static std::uint64_t offset_of(pugi::xml_node node) {
    return static_cast<std::uint64_t>(node.offset_debug());
  }

  std::size_t items_ = 0;
};

}  // namespace

Nd2Node parse_nd2_xml(std::span<const std::byte> bytes) {
  while (!bytes.empty() && bytes.back() == std::byte{0}) bytes = bytes.first(bytes.size() - 1);
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(
      bytes.data(), bytes.size(), pugi::parse_cdata | pugi::parse_escapes | pugi::parse_doctype,
      pugi::encoding_utf8);
  if (!parsed) fail("xml", parsed.description(), static_cast<std::uint64_t>(parsed.offset));
  for (const pugi::xml_node node : document.children())
    if (node.type() == pugi::node_doctype)
      fail("xml-doctype", "a document type, which no such file has", 0);
  const pugi::xml_node variant = document.child("variant");
  if (!variant) fail("xml-root", "has no element 'variant'", 0);
  // A document has one unnamed element, which is what the other encoding calls its root.
  const pugi::xml_node inner = variant.first_child();
  const bool wrapped = std::strcmp(inner.name(), "no_name") == 0 && !inner.next_sibling();
  Nd2Node root;
  Converter().convert(wrapped ? inner : variant, root, 1);
  return root;
}

}  // namespace nucreg
