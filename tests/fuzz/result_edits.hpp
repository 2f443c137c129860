// Result files that nobody wrote: sound ones, changed by what an input says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace nucreg {

/// What an input says, a number at a time; zeros at its end.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool done() const { return bytes_.empty(); }
  [[nodiscard]] std::uint64_t number(int bytes);
  [[nodiscard]] std::uint64_t below(std::uint64_t end) { return number(end > 256 ? 4 : 1) % end; }
  [[nodiscard]] std::string text();

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Edits an HDF5 file through the library, so that what is behind its own checks is reached: links
/// removed, renamed, led elsewhere; datasets of other types, shapes and values; tables of other
/// lengths; attributes of other types and texts. Then, at times, bytes of it as they lie.
void edit_file(const std::filesystem::path& file, Choices& choices);

}  // namespace nucreg
