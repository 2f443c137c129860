// What commands ask of a result file before they use it.
#pragma once

#include <filesystem>

#include "nucreg/job/job.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Throws InputError with the first thing that verify finds wrong in its tables.
void demand_sound(const std::filesystem::path& file, const ResultReader& reader);

/// The job that was run. One that cannot be read is damage: throws InputError.
[[nodiscard]] Job job_of(const std::filesystem::path& file, const ResultReader& reader);

/// Warns if a byte of a result or a map is not as nucreg wrote it. Reads the whole file.
void warn_if_altered(const std::filesystem::path& file);

}  // namespace nucreg
