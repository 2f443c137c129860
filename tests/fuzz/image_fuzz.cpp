#include "image_fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {

void read_all_of(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("fuzz", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  try {
    const auto reader = open_image(path);
    const ImageInfo& info = reader->info();
    const std::size_t frames = std::min<std::size_t>(info.frames.size(), 8);
    const std::size_t channels = std::min<std::size_t>(info.channels.size(), 4);
    for (std::size_t frame = 0; frame < frames; ++frame) {
      static_cast<void>(reader->time_ms(frame));
      for (std::size_t channel = 0; channel < channels; ++channel) try {
          const Plane plane = reader->read(frame, channel);
          const PlaneView& view = plane.view();
          if (view.width_px != info.width_px || view.height_px != info.height_px) std::abort();
          // Every byte must be there and set.
          volatile unsigned sum = 0;
          for (std::size_t i = 0; i < view.row_bytes * view.height_px; ++i)
            sum = sum + std::to_integer<unsigned>(view.data[i]);
        } catch (const InputError&) {
        }
    }
  } catch (const InputError&) {
  }
}

}  // namespace nucreg
