// Facts about this build, recorded in every result.
#pragma once

#include <string>

namespace nucreg {

struct BuildInfo {
  std::string version;       ///< of nucreg, such as "0.1.0"
  std::string git_revision;  ///< "-dirty" is appended where the tree had changes
  std::string compiler;      ///< name, version and flags
};

[[nodiscard]] const BuildInfo& build_info();
/// Model name of the processor of this host.
[[nodiscard]] std::string cpu_model();
[[nodiscard]] std::string host_name();

}  // namespace nucreg
