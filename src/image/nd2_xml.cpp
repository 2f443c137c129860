// The XML encoding of metadata ("CLX variant") of ND2 2.x.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <pugixml.hpp>

#include "nd2_node.hpp"
#include "utf8.hpp"

namespace nucreg {
namespace {

[[noreturn]] void fail(std::string code, std::string problem, std::uint64_t offset) {
  throw Nd2SyntaxError{std::move(code), std::move(problem), offset};
}

// What is not wholly a number is no value.
template <class T>
Nd2Node::Value number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
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
    if (depth > most_metadata_depth)
      fail("xml-depth", fmt::format("elements nested deeper than {}", most_metadata_depth),
           offset_of(from));
    if (++items_ > most_metadata_items) fail("xml-too-many", "too many elements", offset_of(from));
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
