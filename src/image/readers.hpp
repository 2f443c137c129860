// The formats that open_image() chooses from, and what their readers share.
#pragma once

#include <filesystem>
#include <memory>

#include "nucreg/image/image.hpp"

namespace nucreg {

[[nodiscard]] std::unique_ptr<ImageReader> open_nd2(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<ImageReader> open_tiff(const std::filesystem::path& path);

// Throw ImageError on a frame or channel that is not there.
void check_frame(const ImageInfo& info, const std::string& path, std::size_t frame);
void check_asked_for(const ImageInfo& info, const std::string& path, std::size_t frame,
                     std::size_t channel);

/// Packed pixels of the size and type that an image has; not set to anything yet.
class NewPlane {
 public:
  explicit NewPlane(const ImageInfo& info)
      : view_{.width_px = info.width_px,
              .height_px = info.height_px,
              .row_bytes = info.width_px * bytes_of(info.type),
              .pixel_bytes = bytes_of(info.type),
              .type = info.type},
        storage_(new std::byte[size()]) {
    view_.data = storage_.get();
  }

  [[nodiscard]] std::byte* bytes() { return storage_.get(); }
  [[nodiscard]] std::size_t size() const { return view_.row_bytes * view_.height_px; }
  [[nodiscard]] Plane finish() { return Plane(view_, std::move(storage_)); }

 private:
  PlaneView view_;
  std::shared_ptr<std::byte[]> storage_;
};

}  // namespace nucreg
