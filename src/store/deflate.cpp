#include "deflate.hpp"

#include <libdeflate.h>

#include <memory>
#include <new>

namespace nucreg::hdf5 {
namespace {

// The first bytes of all values, then the second ones: those of a column resemble each other.
std::vector<std::byte> shuffled(std::span<const std::byte> chunk, std::size_t value_bytes) {
  std::vector<std::byte> out(chunk.size());
  const std::size_t values = chunk.size() / value_bytes;
  for (std::size_t byte = 0; byte < value_bytes; ++byte)
    for (std::size_t i = 0; i < values; ++i) out[byte * values + i] = chunk[i * value_bytes + byte];
  return out;
}

struct Free {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

}  // namespace

std::vector<std::byte> shuffled_and_deflated(std::span<const std::byte> chunk,
                                             std::size_t value_bytes) {
  constexpr int fastest = 1;
  const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(fastest));
  if (!compressor) throw std::bad_alloc();
  const std::vector<std::byte> bytes = shuffled(chunk, value_bytes);
  std::vector<std::byte> out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()));
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(),
                                      out.size()));
  return out;
}

}  // namespace nucreg::hdf5
