#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "nucreg/core/error.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

bool started_by_launcher() {
  // Open MPI's mpirun, any PMIx (srun --mpi=pmix, prun), PMI 1 and 2 (MPICH, Intel MPI, srun).
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "PMI_FD"})
    if (std::getenv(name)) return true;

  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (!tasks) tasks = std::getenv("SLURM_NTASKS");
  int count = 0;
  if (tasks) std::from_chars(tasks, tasks + std::strlen(tasks), count);
  if (count > 1 && std::getenv("SLURM_STEP_ID") && std::getenv("SLURM_PROCID"))
    throw JobError(
        "srun started " + std::to_string(count) + " tasks without MPI, each would do the whole job",
        {.allowed = "srun --mpi=pmix, mpirun, or one task"});
  return false;
}

void one_thread_per_rank() {
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
    setenv(name, "1", 0);
}

}  // namespace nucreg
