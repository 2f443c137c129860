#include "nucreg/core/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "nucreg/core/error.hpp"

namespace nucreg {

struct Sha256::Body {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Body() { EVP_MD_CTX_free(context); }
};

namespace {

void demand(int answer) {
  if (answer != 1) throw std::runtime_error("the library has no SHA-256");
}

}  // namespace

Sha256::Sha256() : body_(std::make_unique<Body>()) {
  demand(EVP_DigestInit_ex(body_->context, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  demand(EVP_DigestUpdate(body_->context, bytes.data(), bytes.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  demand(EVP_DigestFinal_ex(body_->context, digest.data(), &length));
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256_of(std::string_view text) {
  Sha256 sum;
  sum.add(text);
  return sum.hex();
}

std::string sealed(std::string_view content) {
  return std::string(content) + sha256_of(content);
}

std::optional<std::string_view> unsealed(std::string_view text) {
  constexpr std::size_t sum_bytes = 64;
  if (text.size() < sum_bytes) return std::nullopt;
  const std::string_view content = text.substr(0, text.size() - sum_bytes);
  if (!text.ends_with(sha256_of(content))) return std::nullopt;
  return content;
}

}  // namespace nucreg
