#include "image_cache.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "nucreg/app/publish_with.hpp"
#include "nucreg/app/run_files.hpp"
#include "nucreg/core/sha256.hpp"

namespace nucreg {
namespace {

// At the end of each entry: a torn or damaged one is told by it.
std::string sum_of(std::span<const std::byte> bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.hex();
}
constexpr std::size_t sum_bytes = 64;

}  // namespace

std::filesystem::path ImageCache::file(const std::string& key) const {
  return folder_ / (key + ".cache");
}

std::optional<Bytes> ImageCache::load(const std::string& key) const {
  std::ifstream stream(file(key), std::ios::binary);
  if (!stream) return std::nullopt;
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream || text.size() < sum_bytes) return std::nullopt;
  const auto content = std::as_bytes(std::span(text.data(), text.size() - sum_bytes));
  if (!text.ends_with(sum_of(content))) return std::nullopt;
  return Bytes(content.begin(), content.end());
}

void ImageCache::store(const std::string& key, const Bytes& bytes) const {
  make_folder(folder_);
  publish_with(file(key), true, [&](const std::filesystem::path& temporary) {
    write_text(temporary, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) +
                              sum_of(bytes));
  });
}

}  // namespace nucreg
