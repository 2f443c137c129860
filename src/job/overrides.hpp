// `--set key=value`, worked into a parsed document.
#pragma once

#include <toml++/toml.h>

#include <string>

namespace nucreg::job_fields {

/// Sets one `dotted.key=TOML value` in `document`; new nodes bear `--set dotted.key=value` as their
/// source path. Throws JobError where it cannot be understood.
void apply_override(toml::table& document, const std::string& assignment);

}  // namespace nucreg::job_fields
