// The command that resumes a run, from the lines that started it.
#include "nucreg/app/launch_line.hpp"

#include <doctest/doctest.h>

using namespace nucreg;
using Words = std::vector<std::string>;

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

TEST_CASE("where the launcher's line is not at hand the ranks are told") {
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
