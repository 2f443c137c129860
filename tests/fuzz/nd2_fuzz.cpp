// An ND2 is found through its last bytes: mutations that move them would all end in one error. Most
// here change what lies in front of them and keep the length.
#include <cstring>

#include "image_fuzz.hpp"

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nucreg::read_all_of(data, size);
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                    unsigned seed) {
  constexpr std::size_t footer = 40, piece = 4096;
  if (size <= footer || seed % 16 == 0) return LLVMFuzzerMutate(data, size, most);
  // A piece at a time, so that the zeros between the chunks do not get all the mutations.
  const std::size_t body = size - footer;
  const std::size_t start = (seed / 16) % (body / piece + 1) * piece;
  const std::size_t length = body - start < piece ? body - start : piece;
  if (length == 0) return LLVMFuzzerMutate(data, size, most);
  const std::size_t kept = LLVMFuzzerMutate(data + start, length, length);
  if (kept < length) std::memset(data + start + kept, 0, length - kept);
  return size;
}

}  // extern "C"
