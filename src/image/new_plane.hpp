// A plane that is being filled.
#pragma once

#include <memory>

#include "nucreg/image/image.hpp"

namespace nucreg {

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
