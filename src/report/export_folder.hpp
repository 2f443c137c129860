// Where exports go.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {

/// Makes the folder and returns the paths of the files to be. Throws OutputError, also where one is
/// there already and may not be overwritten.
[[nodiscard]] inline std::vector<std::filesystem::path> export_paths(
    const std::filesystem::path& directory, std::initializer_list<const char*> names,
    bool overwrite) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw OutputError("mkdir: " + error.message(), {.file = directory.string()});
  std::vector<std::filesystem::path> paths;
  for (const char* name : names) {
    paths.push_back(directory / name);
    if (!overwrite && std::filesystem::exists(paths.back()))
      throw OutputError(
          "exists already",
          {.file = paths.back().string(), .allowed = "--force to overwrite it, or another folder"});
  }
  return paths;
}

}  // namespace nucreg
