// From a TOML file to a Job and back.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/job/job.hpp"

namespace nucreg {

/// Reads a job file. `overrides` are `dotted.key=TOML value` as given to --set, applied in order; a
/// bare word that is no TOML value is taken as a string. Throws JobError (file, line, key, allowed)
/// on anything not understood and where the file cannot be read. An error in an override names
/// `--set key=value` as the file. Kinds of solvers and their options are not checked here.
[[nodiscard]] Job parse_job(const std::filesystem::path& file,
                            const std::vector<std::string>& overrides = {});

/// The same from text; `file` is only named in errors.
[[nodiscard]] Job parse_job_text(std::string_view text, const std::string& file = {},
                                 const std::vector<std::string>& overrides = {});

/// The resolved job: every key with its value, defaults included, such that
/// parse_job_text(to_toml(job)) gives the same job.
[[nodiscard]] std::string to_toml(const Job& job);

/// One line per key: name, default, unit, what is allowed and meaning, as a Markdown table; for
/// help and jobs/README.md.
[[nodiscard]] std::string job_reference();

}  // namespace nucreg
