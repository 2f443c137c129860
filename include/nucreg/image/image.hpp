// Images as values, and the one door to the files that hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {

enum class PixelType : std::uint8_t { u8, u16, u32, f32 };

/// Bytes of one value.
[[nodiscard]] std::size_t bytes_of(PixelType type);
/// "u8", "u16", "u32", "f32".
[[nodiscard]] std::string_view name_of(PixelType type);

/// Somebody else's pixels: one value each, row by row, x right, y down, in the host's byte order.
/// Nothing need be aligned.
struct PlaneView {
  const std::byte* data = nullptr;
  std::size_t width_px = 0, height_px = 0;
  std::size_t row_bytes = 0;    ///< from one row to the next
  std::size_t pixel_bytes = 0;  ///< from one pixel to the next; more than a value where interleaved
  PixelType type = PixelType::u16;

  /// T must be what `type` says, x and y inside.
  template <class T>
  [[nodiscard]] T at(std::size_t x, std::size_t y) const {
    T value;
    std::memcpy(&value, data + y * row_bytes + x * pixel_bytes, sizeof value);
    return value;
  }
};

/// A view with the memory that it looks at; copies share it.
class Plane {
 public:
  Plane() = default;
  Plane(PlaneView view, std::shared_ptr<const void> storage)
      : view_(view), storage_(std::move(storage)) {}

  [[nodiscard]] const PlaneView& view() const { return view_; }

 private:
  PlaneView view_;
  std::shared_ptr<const void> storage_;
};

struct ImageChannel {
  std::string name;       ///< UTF-8; empty if the file names none
  std::string component;  ///< "R", "G", "B" of a colour channel, else empty
};

/// A dimension that frames run along.
struct ImageLoop {
  char axis = 'T';        ///< T time, P stage position, Z focus, U a custom loop, I plain page
  std::size_t count = 0;  ///< at least 1
};

struct ObjectiveLens {
  std::string name;
  std::optional<double> magnification, numerical_aperture;
};

/// One frame: all channels taken at one time, place and focus.
struct ImageFrame {
  std::optional<std::uint32_t> t, p, z;  ///< where the file has that loop and the frame is in it
  /// Planned, but a channel of it is neither in the file nor in one of its set beside it.
  bool missing = false;
  /// Of the stage. z is that of the plane where it was recorded, else that of its whole stack.
  std::optional<double> x_um, y_um, z_um;
};

struct ImageInfo {
  std::string format;  ///< "ND2 3.0", "TIFF", "OME-TIFF", "ImageJ TIFF"
  std::size_t width_px = 0, height_px = 0;
  PixelType type = PixelType::u16;
  unsigned significant_bits = 16;      ///< of a value; the rest is zero
  std::vector<ImageChannel> channels;  ///< at least 1
  std::vector<ImageLoop> loops;        ///< outermost, slowest, first; empty: one frame
  std::vector<ImageFrame> frames;      ///< at least 1, last loop fastest; extra frames at the end
  std::vector<std::string> position_names;  ///< of loop P, as many as it counts; may be empty
  std::optional<double> pixel_size_um;      ///< x; above 0
  std::optional<double> pixel_height_um;    ///< y; above 0
  std::optional<double> z_step_um;          ///< between planes
  ObjectiveLens objective;
  /// The file counts from white to black; what is read of it is turned, so that larger is brighter:
  /// each value is taken from the largest of its type (32767 in signed pixels of 16 bits).
  bool inverted = false;
};

/// An open file. Its functions may be called from one thread at a time.
class ImageReader {
 public:
  ImageReader() = default;
  ImageReader(const ImageReader&) = delete;
  ImageReader& operator=(const ImageReader&) = delete;
  virtual ~ImageReader() = default;

  [[nodiscard]] virtual const ImageInfo& info() const = 0;
  /// Whether that plane is in this very file. What of a set of files is in another one is read,
  /// too, but belongs to that one in a list of tiles. False beyond the frames of the file.
  [[nodiscard]] virtual bool holds(std::size_t frame, std::size_t channel) const;
  /// A copy of one channel of one frame; nothing else is decoded. A file that changes meanwhile is
  /// an error like any other. Throws InputError on a number that the file does not have, on a
  /// missing frame and on data that cannot be read (path, where, reason).
  [[nodiscard]] virtual Plane read(std::size_t frame, std::size_t channel) = 0;
  /// When a frame was taken, since the start of the acquisition; nothing if the file does not
  /// tell. An ND2 without a list of times is asked here, at that frame. Throws InputError on a
  /// frame that the file does not have.
  [[nodiscard]] virtual std::optional<double> time_ms(std::size_t frame) = 0;
};

/// Whether a file is to be opened as an image: it is named or begins like an ND2 or a TIFF.
[[nodiscard]] bool is_image(const std::filesystem::path& path);

/// Opens ND2 (2.x, 3.x) or TIFF (also OME-TIFF, ImageJ, BigTIFF), told apart by content and not by
/// name. Reads descriptions only, no pixels. Throws InputError with path, offset and part of the
/// file on anything that cannot be read or is not understood.
[[nodiscard]] std::unique_ptr<ImageReader> open_image(const std::filesystem::path& path);

/// The image that this thread opened last, if it is this file and has not changed, or opened now: a
/// file of 20,000 pages is walked through each time that it is opened. Throws as open_image.
[[nodiscard]] std::shared_ptr<ImageReader> opened_image(const std::filesystem::path& path);

/// A channel by its name ("DAPI"; of colours "R" or "photo R") or, if none has that name, by its
/// number from 0. Throws InputError, which names the channels that `file` has.
[[nodiscard]] std::size_t find_channel(const ImageInfo& info, const std::string& channel,
                                       const std::string& file);

// What is wrong with an image file, and where in it.

struct ImageErrorFields {
  std::string path;
  std::string code;                     ///< stable, such as "truncated", "unsupported-lossy"
  std::string part;                     ///< chunk of an ND2, page of a TIFF; empty: the whole file
  std::optional<std::uint64_t> offset;  ///< in the file, bytes
};

/// An image file that cannot be read or that holds what is not understood (exit status 3).
/// `what()`: `path: part: problem (code, offset N)`.
class ImageError : public InputError {
 public:
  ImageError(const std::string& problem, ImageErrorFields fields);

  [[nodiscard]] const ImageErrorFields& image_fields() const { return fields_; }

 private:
  ImageErrorFields fields_;
};

// Label images: what a segmentation tool made of a microscope image.

/// Row by row, x right, y down; 0 = background, k = nucleus k.
struct LabelImage {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint32_t> labels;
};

/// Reads the first page of a TIFF of 8, 16 or 32-bit integers or of floats that are whole numbers,
/// none negative, one sample per pixel, in strips or tiles, with any compression that libtiff
/// knows. Throws InputError (path, reason) on anything else, on more than 2^30 pixels and on files
/// cut off.
[[nodiscard]] LabelImage read_label_tiff(const std::filesystem::path& file);

/// What the first page of a TIFF says of itself; empty if it says nothing. Throws InputError.
[[nodiscard]] std::string read_tiff_description(const std::filesystem::path& file);

}  // namespace nucreg
