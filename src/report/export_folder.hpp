// Where exports go.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <vector>

#include "nucreg/disk/files.hpp"

namespace nucreg {

/// Makes the folder and returns the paths of the files to be. Throws OutputError, also if one
/// exists and may not be overwritten.
[[nodiscard]] inline std::vector<std::filesystem::path> export_paths(
    const std::filesystem::path& directory, std::initializer_list<const char*> names,
    bool overwrite) {
  make_folder(directory);
  std::vector<std::filesystem::path> paths;
  for (const char* name : names) {
    paths.push_back(directory / name);
    check_output(paths.back(), overwrite, "--force to overwrite it, or another folder");
  }
  return paths;
}

}  // namespace nucreg
