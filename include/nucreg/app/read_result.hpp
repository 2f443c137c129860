// What commands that read a result, or a map, have in common.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Throws InputError with the first thing that verify finds wrong in its tables.
void demand_sound(const std::filesystem::path& file, const ResultReader& reader);

/// The job that was run. One that cannot be read is damage: throws InputError.
[[nodiscard]] Job job_of(const std::filesystem::path& file, const ResultReader& reader);

/// Warns if a byte of a result or a map is not as nucreg wrote it. Reads the whole file.
void warn_if_altered(const std::filesystem::path& file);

/// Prints what a check found, which is damage, its notes, and whether the file is sound; `counts`
/// is what it holds then. A checksum that does not hold is damage too.
ExitStatus print_soundness(const std::filesystem::path& file, std::vector<std::string> findings,
                           const std::vector<std::string>& notes, const std::string& counts);

/// What `nucreg export` prints: the files that it wrote, a line each.
ExitStatus print_exported(const std::filesystem::path& file,
                          const std::vector<std::filesystem::path>& written);

}  // namespace nucreg
