// What started this process, and the command that resumes a run.
#include "nucreg/run/launcher.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"

using namespace nucreg;
using Words = std::vector<std::string>;

namespace {

/// Exactly these of the variables that matter, until it is destroyed.
class Environment {
 public:
  using Values = std::initializer_list<std::pair<const char*, const char*>>;
  explicit Environment(Values values) {
    for (const char* name : names) {
      if (const char* old = std::getenv(name)) before_[name] = old;
      unsetenv(name);
    }
    for (const auto& [name, value] : values) setenv(name, value, 1);
  }
  ~Environment() {
    for (const char* name : names) unsetenv(name);
    for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  static constexpr const char* names[] = {"OMPI_COMM_WORLD_SIZE",
                                          "PMIX_RANK",
                                          "PMI_RANK",
                                          "PMI_SIZE",
                                          "PMI_FD",
                                          "SLURM_NTASKS",
                                          "SLURM_STEP_ID",
                                          "SLURM_STEP_NUM_TASKS",
                                          "SLURM_PROCID",
                                          "OMP_NUM_THREADS",
                                          "OPENBLAS_NUM_THREADS",
                                          "MKL_NUM_THREADS"};
  std::map<std::string, std::string> before_;
};

}  // namespace

TEST_CASE("launchers are recognised by what they tell their ranks") {
  {
    const Environment environment(Environment::Values{});
    CHECK(!started_by_launcher());
  }
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "PMI_FD"}) {
    CAPTURE(name);
    const Environment environment({{name, "1"}});
    CHECK(started_by_launcher());
  }
}

TEST_CASE("a plain srun of several tasks is refused with the way out") {
  const Environment environment(
      {{"SLURM_NTASKS", "4"}, {"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "3"}});
  try {
    (void)started_by_launcher();
    FAIL("accepted");
  } catch (const JobError& error) {
    CHECK(std::string(error.what()).find("srun --mpi=pmix") != std::string::npos);
    CHECK(std::string(error.what()).find("4 tasks") != std::string::npos);
  }
}

TEST_CASE("inside Slurm without srun, and with one task of many, it is one rank") {
  {
    // A batch script: it has the tasks of its job and a PROCID, but is no step.
    const Environment environment({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}});
    CHECK(!started_by_launcher());
  }
  {
    const Environment environment({{"SLURM_NTASKS", "4"},
                                   {"SLURM_STEP_NUM_TASKS", "1"},
                                   {"SLURM_STEP_ID", "0"},
                                   {"SLURM_PROCID", "0"}});
    CHECK(!started_by_launcher());
  }
  {
    const Environment environment(
        {{"SLURM_NTASKS", "4"}, {"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "0"}, {"PMIX_RANK", "0"}});
    CHECK(started_by_launcher());
  }
}

TEST_CASE("one thread per rank unless the user says otherwise") {
  const Environment environment({{"OMP_NUM_THREADS", "3"}});
  one_thread_per_rank();
  CHECK(std::string(std::getenv("OMP_NUM_THREADS")) == "3");
  CHECK(std::string(std::getenv("OPENBLAS_NUM_THREADS")) == "1");
  CHECK(std::string(std::getenv("MKL_NUM_THREADS")) == "1");
}

TEST_CASE("without a launcher it is the own line") {
  CHECK(resume_command(Words{"nucreg", "run", "j.toml", "-o", "a b.h5"}, Words{"bash"}, 0) ==
        "nucreg run j.toml -o 'a b.h5' --resume");
}

TEST_CASE("under a launcher it is the launcher's line") {
  for (const char* launcher : {"mpirun", "/opt/openmpi/bin/mpiexec", "orterun"})
    CHECK(resume_command(Words{"nucreg", "run", "j.toml"},
                         Words{launcher, "-n", "4", "nucreg", "run", "j.toml"},
                         4) == std::string(launcher) + " -n 4 nucreg run j.toml --resume");
}

TEST_CASE("if the launcher's line is unknown the ranks are named") {
  const Words own{"nucreg", "run", "j.toml"};
  CHECK(resume_command(own, Words{"orted", "-mca"}, 8) == "mpirun -n 8 nucreg run j.toml --resume");
  CHECK(resume_command(own, Words{}, 8) == "mpirun -n 8 nucreg run j.toml --resume");
  // Which of several programs is ours is not known.
  CHECK(resume_command(own, Words{"mpirun", "nucreg", "run", "a.toml", ":", "other"}, 8) ==
        "mpirun -n 8 nucreg run j.toml --resume");
}

TEST_CASE("--resume is there once, --force never") {
  CHECK(resume_command(Words{"nucreg", "run", "--resume", "j.toml"}, Words{}, 0) ==
        "nucreg run --resume j.toml");
  CHECK(resume_command(Words{"nucreg", "run", "--force", "j.toml"}, Words{}, 0) ==
        "nucreg run j.toml --resume");
}

TEST_CASE("a shell reads back what was typed") {
  CHECK(resume_command(Words{"n", "--set", "problem.points=[1, 2]", "it's", ""}, Words{}, 0) ==
        "n --set 'problem.points=[1, 2]' 'it'\\''s' '' --resume");
}
