#include "nucreg/core/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

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

std::string sha256_of_file(const std::filesystem::path& file) {
  const auto fail = [&](int reason) {
    throw InputError(fmt::format("cannot be read: {}", std::strerror(reason)),
                     {.file = file.string()});
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"),
                                                               &std::fclose);
  if (!stream) fail(errno);
  Sha256 sum;
  std::vector<std::byte> piece(std::size_t{1} << 20);
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), stream.get()))
    sum.add(std::span(piece).first(count));
  if (std::ferror(stream.get()) != 0) fail(errno);
  return sum.hex();
}

std::string FileSums::of(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  std::string& sum = sums_[file];
  if (sum.empty()) sum = sha256_of_file(file);
  return sum;
}

}  // namespace nucreg
