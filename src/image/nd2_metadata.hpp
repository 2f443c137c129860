// The metadata of an ND2 file as a tree, whichever of its two encodings they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nucreg {

struct Nd2Node {
  using Bytes = std::vector<std::byte>;
  using Value =
      std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes>;

  std::string name;               ///< empty: element of a list
  Value value;                    ///< nothing in a level and in what is not understood
  std::vector<Nd2Node> children;  ///< of a level

  /// The first child of that name; nullptr without one.
  [[nodiscard]] const Nd2Node* find(std::string_view child) const;
  /// Down a path of names such as {"sPicturePlanes", "sPlaneNew"}.
  [[nodiscard]] const Nd2Node* find(std::initializer_list<std::string_view> path) const;
  // A child's value where it is of that kind; a value of another kind counts as absent.
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view child) const;
  [[nodiscard]] std::optional<double> number(std::string_view child) const;    ///< finite
  [[nodiscard]] std::optional<double> positive(std::string_view child) const;  ///< and above 0
  [[nodiscard]] bool flag(std::string_view child) const;
  [[nodiscard]] std::string text(std::string_view child) const;  ///< UTF-8; empty if absent
  /// An array of bools: a byte each or a list of bools.
  [[nodiscard]] std::vector<bool> flags(std::string_view child) const;
};

/// Where in its bytes a tree is broken, and how.
struct Nd2SyntaxError {
  std::string code, problem;
  std::uint64_t offset = 0;  ///< from the first byte; of the inflated ones in LV0Z
};

// What a chunk of metadata may hold; both limits are far above what was ever seen.
inline constexpr std::uint64_t max_metadata_bytes = std::uint64_t{64} << 20;
inline constexpr std::size_t max_metadata_items = std::size_t{1} << 20;
inline constexpr int max_metadata_depth = 32;

/// Decides by the first byte. The root is the one level that the chunk holds. Throws
/// Nd2SyntaxError.
[[nodiscard]] Nd2Node parse_nd2_metadata(std::span<const std::byte> bytes);
[[nodiscard]] Nd2Node parse_nd2_lite(std::span<const std::byte> bytes);
[[nodiscard]] Nd2Node parse_nd2_xml(std::span<const std::byte> bytes);

}  // namespace nucreg
