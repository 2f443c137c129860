// What a damaged file does to a library that reads it becomes an error: crashes, and loops without
// end.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "nucreg/core/bytes.hpp"

namespace nucreg {

/// Returns in a child process, which is to read `files`; the parent leaves with the child's exit
/// status. If the child crashed, as HDF5 1.10 does on some damaged files, the parent throws
/// InputError instead; also if the child took more processor time than any sound file of that size
/// needs: the library can walk a damaged one for ever. Call it before anything is printed and
/// before there are threads.
void read_in_child(const std::vector<std::filesystem::path>& files);

using TakeBytes = std::function<void(std::span<const std::byte>)>;

/// Calls `read(send)` in a child process, guarded in the same way, and `take` here with each piece
/// that it sends. What `read` throws is thrown here. It may read and compute, and must neither
/// write nor print. A signal that asks to stop ends it at once: Error with ExitStatus::stopped.
void read_apart(const std::vector<std::filesystem::path>& files,
                const std::function<void(const TakeBytes& send)>& read, const TakeBytes& take);

/// The same for what is one value.
template <class Read>
[[nodiscard]] auto read_apart(const std::vector<std::filesystem::path>& files, Read&& read) {
  using Value = std::invoke_result_t<Read&>;
  Value value{};
  read_apart(
      files, [&](const TakeBytes& send) { send(to_bytes(read())); },
      [&](std::span<const std::byte> bytes) { value = from_bytes<Value>(bytes); });
  return value;
}

}  // namespace nucreg
