// SHA-256: what content is, whatever it is called.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nucreg {

/// A sum in the making (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }
  /// 64 lower-case hexadecimal digits; called once.
  [[nodiscard]] std::string hex();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

/// Of text, as Sha256::hex().
[[nodiscard]] std::string sha256_of(std::string_view text);

/// What a cache keeps: the content and its sum behind it, which shows whether it is whole.
[[nodiscard]] std::string sealed(std::string_view content);
/// The content of what sealed() gave; nothing if it is not whole. Valid as long as `text`.
[[nodiscard]] std::optional<std::string_view> unsealed(std::string_view text);

}  // namespace nucreg
