// A file appears under its name when it is whole, or not at all.
#pragma once

#include <filesystem>

namespace nucreg {

/// Where a file is written before it is published: `.<name>.partial-<pid>` in the same directory.
[[nodiscard]] std::filesystem::path temporary_beside(const std::filesystem::path& target);

/// Syncs `temporary`, renames it to `target` and syncs the directory. With `overwrite` false an
/// existing target stays as it is, also where it appeared a moment ago. Throws OutputError (path,
/// call, reason); `temporary` then still exists unless only the last step failed.
void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& target,
                  bool overwrite);

}  // namespace nucreg
