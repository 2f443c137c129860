// Pages of a TIFF file through libtiff, which is given nothing that could make it take memory
// without bound.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image_file.hpp"
#include "nucreg/image/image.hpp"

struct tiff;

namespace nucreg {

/// How the pixels of a page lie. Value types without their sign: a negative value is an error.
struct TiffLayout {
  std::uint32_t width_px = 0, height_px = 0;
  PixelType type = PixelType::u8;
  bool is_signed = false;
  bool one_bit = false;  ///< in the file; read as 0 and 255
  bool fax = false;      ///< compressed as faxes are: damage shows as white lines and warnings
  std::uint16_t samples = 1;
  bool planar = false;  ///< each sample in strips or tiles of its own
  bool tiled = false;
  bool compressed = false;
  bool white_is_zero = false;  ///< the darkest pixels have the largest values

  /// Bits of one sample.
  [[nodiscard]] std::uint64_t plane_bytes() const {
    return std::uint64_t{width_px} * height_px * bytes_of(type);
  }
};

/// What else the tags of a page say.
struct TiffTags {
  std::string description;
  double x_resolution = 0.0, y_resolution = 0.0;  ///< pixels per unit; 0 = not given
  bool per_centimetre = false;
};

/// The page that each directory of the file is; nothing for reduced copies and masks.
using TiffDirectories = std::span<const std::optional<std::uint32_t>>;

class TiffFile {
 public:
  /// Walks through all pages. Throws ImageError.
  explicit TiffFile(const std::filesystem::path& path);

  [[nodiscard]] const ImageFile& bytes() const { return bytes_; }
  /// Full-size images only: reduced copies and masks do not count.
  [[nodiscard]] std::size_t pages() const { return pages_.size(); }
  [[nodiscard]] TiffDirectories directories() const { return directories_; }
  /// Throws ImageError on a page that is not understood.
  [[nodiscard]] TiffLayout layout(std::size_t page);
  [[nodiscard]] TiffTags tags(std::size_t page);
  /// One sample of a page, packed.
  void read(std::size_t page, const TiffLayout& layout, std::uint16_t sample, std::byte* to);
  /// Where the pixels of an uncompressed page begin, and whether they need swapping. Throws
  /// ImageError if its strips do not follow each other.
  [[nodiscard]] std::uint64_t data_offset(std::size_t page);
  [[nodiscard]] bool swapped() const;

  [[noreturn]] void fail(std::string code, const std::string& problem, std::size_t page) const;

 private:
  struct Handle;  // libtiff's, with its last message
  struct Close {
    void operator()(Handle* handle) const;
  };

  void walk();
  void go_to(std::size_t page);
  void read_strips(std::size_t page, const TiffLayout& layout, std::uint16_t sample, std::byte* to);
  void read_tiles(std::size_t page, const TiffLayout& layout, std::uint16_t sample, std::byte* to);
  void check_piece(std::size_t page, std::uint64_t piece_bytes) const;
  [[nodiscard]] std::string message() const;

  ImageFile bytes_;
  std::unique_ptr<Handle, Close> handle_;
  std::vector<std::uint64_t> pages_;  // offsets of their directories
  std::vector<std::optional<std::uint32_t>> directories_;
  std::optional<std::size_t> current_;
};

}  // namespace nucreg
