// What must be equal for the rows of two runs to belong together.
#pragma once

#include <string>
#include <vector>

#include "nucreg/fit/generate.hpp"
#include "nucreg/plan/part.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// One fact a line: the build, the part of the job where it is not the whole, what was read of each
/// input file, the resolved job. Another build is another identity: the compiler may round
/// otherwise, and rows must not depend on who made them.
[[nodiscard]] std::string run_identity(const std::string& build, const Part& part,
                                       const std::string& inputs, const std::string& job_toml);
/// The same of a result file; InputError where its attributes do not tell.
[[nodiscard]] std::string run_identity(const Attributes& attributes);
/// That of the whole job, whichever part of it the file holds.
[[nodiscard]] std::string whole_identity(const Attributes& attributes);
/// The part of the job that an identity names.
[[nodiscard]] Part part_of_identity(const std::string& identity);
/// The job as text within an identity.
[[nodiscard]] std::string job_of_identity(const std::string& identity);

/// A line per input file: its path, size and a checksum (64-bit FNV-1a) of the values read.
[[nodiscard]] std::string describe_inputs(const std::vector<InputFile>& inputs);
/// Version, revision and compiler in one line.
[[nodiscard]] std::string build_identity();

/// The lines that differ, each below the [section] it stands in: "- " of `theirs`, "+ " of `ours`.
/// Empty where nothing differs.
[[nodiscard]] std::string difference(const std::string& theirs, const std::string& ours);

}  // namespace nucreg
