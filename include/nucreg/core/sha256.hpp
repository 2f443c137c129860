// SHA-256: what content is, whatever it is called.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
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

/// Of a whole file, read in pieces. Throws InputError (path, reason).
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace nucreg
