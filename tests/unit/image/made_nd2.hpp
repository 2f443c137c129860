// Opens ND2 files that a test has made.
#pragma once

#include <memory>

#include "support/nd2_builder.hpp"
#include "support/scratch.hpp"
#include "unit/image/plane_check.hpp"

namespace nucreg {

inline std::unique_ptr<ImageReader> open_bytes(const Scratch& scratch, const std::string& bytes) {
  write_bytes(scratch / "made.nd2", bytes);
  return open_image(scratch / "made.nd2");
}

inline std::unique_ptr<ImageReader> open_made(const Scratch& scratch, const Nd2Spec& spec) {
  return open_bytes(scratch, nd2_file(spec));
}

inline void check_pixels(ImageReader& reader, const Nd2Spec& spec) {
  const std::uint32_t mask = spec.bits == 8 ? 0xff : 0xffff;
  for (std::uint32_t frame = 0; frame < spec.frames; ++frame)
    for (std::uint32_t c = 0; c < spec.components(); ++c)
      check_plane(reader.read(frame, c), reader.info(), [&](std::size_t x, std::size_t y) {
        const std::uint32_t value =
            nd2_value(frame, c, static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x));
        return static_cast<double>(spec.bits == 32 ? value : value & mask);
      });
}

inline Meta points_loop(std::vector<Meta> points, std::vector<Meta> more = {},
                        std::optional<Meta> next = {}) {
  more.push_back(level("Points", std::move(points)));
  return nd2_loop(2, std::move(more), std::move(next));
}

inline Meta point(double x, double y, double z, const std::string& name) {
  return level("", {{"dPosX", x, {}}, {"dPosY", y, {}}, {"dPosZ", z, {}}, {"dPosName", name, {}}});
}

}  // namespace nucreg
