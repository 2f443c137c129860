// The binary encoding of metadata ("CLX-lite") of ND2 3.0.
#include <fmt/format.h>

#include <cstring>

#include "inflate.hpp"
#include "little_endian.hpp"
#include "nd2_node.hpp"
#include "utf8.hpp"

namespace nucreg {
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
    if (++items_ > most_metadata_items) fail("lv-too-many", "too many items");
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
    if (depth > most_metadata_depth)
      fail("lv-depth", fmt::format("levels nested deeper than {}", most_metadata_depth));
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
  if (size > most_metadata_bytes || !may_inflate_to(bytes.size() - header, size))
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

}  // namespace nucreg
