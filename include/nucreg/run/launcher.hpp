// What started this process: a launcher or nobody, and by which command line.
#pragma once

#include <string>
#include <vector>

namespace nucreg {

/// Whether this process was started by mpirun, srun or another launcher that speaks PMIx or PMI.
/// Does not touch MPI. Throws JobError under an srun that starts several tasks and speaks neither:
/// each would take itself for the whole run and they would overwrite each other.
[[nodiscard]] bool started_by_launcher();

/// The number of this process among those of a launcher, as its environment says; 0 without one.
[[nodiscard]] int launched_rank();

/// Sets OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS to 1 where the user has not set
/// them, since the ranks share the processors already. First thing in main: no other thread yet.
void one_thread_per_rank();

/// What resumes this run: the line that started it, mpirun and its options included, with --resume
/// and without --force; quoted for a shell. On Linux from /proc.
[[nodiscard]] std::string resume_command();

/// The same for known lines: `own` of this process, `parent` of the one that started it.
/// `ranks` > 0: started by a launcher.
[[nodiscard]] std::string resume_command(const std::vector<std::string>& own,
                                         const std::vector<std::string>& parent, int ranks);

}  // namespace nucreg
