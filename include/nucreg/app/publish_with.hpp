// Small outputs: written beside their place, published when they are whole.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace nucreg {

/// `write` gets the path of a temporary file, which is published as `target` or removed when
/// `write` throws. Throws OutputError naming `target`, also where it exists and `overwrite` is
/// false.
void publish_with(const std::filesystem::path& target, bool overwrite,
                  const std::function<void(const std::filesystem::path&)>& write);

/// The whole file. Throws OutputError.
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace nucreg
