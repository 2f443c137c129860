// The command line with which this run was started.
#pragma once

#include <string>
#include <vector>

namespace nucreg {

/// What resumes this run: the line that started it, mpirun and its options included, with --resume
/// and without --force; quoted for a shell. On Linux from /proc.
[[nodiscard]] std::string resume_command();

/// The same for known lines: `own` of this process, `parent` of the one that started it.
/// `ranks` > 0: started by a launcher.
[[nodiscard]] std::string resume_command(const std::vector<std::string>& own,
                                         const std::vector<std::string>& parent, int ranks);

}  // namespace nucreg
