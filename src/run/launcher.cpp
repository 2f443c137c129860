#include "nucreg/run/launcher.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "processes.hpp"

namespace nucreg {

namespace {

std::vector<std::string> command_line_of(const std::string& process) {
  return split_lines(text_of("/proc/" + process + "/cmdline"), '\0');
}

bool is_launcher(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 4> launchers{"mpirun", "mpiexec", "orterun", "prterun"};
  if (words.empty()) return false;
  const std::string name = std::filesystem::path(words.front()).filename();
  // ":" joins several programs; which of them is ours is not known.
  return std::ranges::find(launchers, name) != launchers.end() &&
         std::ranges::find(words, ":") == words.end();
}

std::string quoted(const std::string& word) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!word.empty() && word.find_first_not_of(harmless) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string resume_command(const std::vector<std::string>& own,
                           const std::vector<std::string>& parent, int ranks) {
  std::vector<std::string> words = own;
  if (is_launcher(parent))
    words = parent;
  else if (ranks > 0)
    words.insert(words.begin(), {"mpirun", "-n", std::to_string(ranks)});
  std::erase(words, "--force");
  if (std::ranges::find(words, "--resume") == words.end()) words.emplace_back("--resume");
  std::ranges::transform(words, words.begin(), quoted);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string resume_command() {
  const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE");
  return resume_command(command_line_of("self"), command_line_of(std::to_string(getppid())),
                        parse_number<int>(ranks ? ranks : "").value_or(0));
}

bool started_by_launcher() {
  // Open MPI's mpirun, any PMIx (srun --mpi=pmix, prun), PMI 1 and 2 (MPICH, Intel MPI, srun).
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "PMI_FD"})
    if (std::getenv(name)) return true;

  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (!tasks) tasks = std::getenv("SLURM_NTASKS");
  const int count = parse_number<int>(tasks ? tasks : "").value_or(0);
  if (count > 1 && std::getenv("SLURM_STEP_ID") && std::getenv("SLURM_PROCID"))
    throw JobError(
        "srun started " + std::to_string(count) + " tasks without MPI, each would do the whole job",
        {.allowed = "srun --mpi=pmix, mpirun, or one task"});
  return false;
}

int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* text = std::getenv(name)) return parse_number<int>(text).value_or(0);
  return 0;
}

void one_thread_per_rank() {
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
    setenv(name, "1", 0);
}

}  // namespace nucreg
