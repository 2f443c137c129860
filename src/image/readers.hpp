// The formats that open_image() chooses from.
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

}  // namespace nucreg
