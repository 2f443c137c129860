// Facts about this build, recorded in every result.
#pragma once

#include <string>

namespace nucreg {

struct BuildInfo {
  std::string version;       ///< of nucreg, such as "0.1.0"
  std::string git_revision;  ///< "-dirty" is appended if the tree had changes
  std::string compiler;      ///< name, version and flags
  std::string sources;       ///< 16 digits of the SHA-256 of all sources
};

[[nodiscard]] const BuildInfo& build_info();
/// What builds must have in common to give the same bits, in one line: version, sources, compiler.
/// Not what git says: that is the same for all edits of a tree.
[[nodiscard]] std::string build_identity();
/// Model name of the processor of this host.
[[nodiscard]] std::string cpu_model();
[[nodiscard]] std::string host_name();

}  // namespace nucreg
