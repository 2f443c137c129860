// A file is there whole or not at all.
#include "nucreg/disk/publish.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

TEST_CASE("what is published is whole, and nothing else is left") {
  const Scratch folder;
  publish_with(folder / "out", false, [](const fs::path& file) { write_file(file, "whole"); });
  CHECK(read_file(folder / "out") == "whole");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("a writer that throws leaves what was there, and no temporary file") {
  const Scratch folder;
  folder.put("out", "before");
  const auto half = [](const fs::path& file) {
    write_file(file, "half");
    throw std::runtime_error("full");
  };
  CHECK_THROWS_AS(publish_with(folder / "out", true, half), std::runtime_error);
  CHECK(read_file(folder / "out") == "before");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("an error names the output and not its temporary name") {
  const Scratch folder;
  const fs::path target = folder / "no-folder" / "out";
  const auto write = [](const fs::path& file) { write_file(file, ""); };
  CHECK_THROWS_WITH_AS(publish_with(target, true, write),
                       doctest::Contains((target.string() + ": open").c_str()), OutputError);
  CHECK_THROWS_WITH_AS(TextFile{target}, doctest::Contains((target.string() + ": open").c_str()),
                       OutputError);
}

TEST_CASE("an existing file is replaced only if that is allowed") {
  const Scratch folder;
  folder.put("out", "before");
  const auto write = [](const fs::path& file) { write_file(file, "after"); };
  CHECK_THROWS_WITH_AS(publish_with(folder / "out", false, write),
                       doctest::Contains("out: already exists"), OutputError);
  CHECK(read_file(folder / "out") == "before");
  publish_with(folder / "out", true, write);
  CHECK(read_file(folder / "out") == "after");
  replace_file(folder / "out", "at last");
  CHECK(read_file(folder / "out") == "at last");
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("a text file appears when it is published") {
  const Scratch folder;
  const std::string large(std::size_t{1} << 20, 'x');
  {
    TextFile file(folder / "out");
    file.write("a\n");
    file.write(large);
    CHECK(!fs::exists(folder / "out"));
    file.publish(false);
  }
  CHECK(read_file(folder / "out") == "a\n" + large);
  { TextFile(folder / "never").write("x"); }
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("what killed writers left is removed, and nothing else") {
  const Scratch folder;
  const fs::path out = folder / "out.h5";
  const std::vector<const char*> others{
      "out.h5",          "out.h5.journal", ".other.h5.partial-1", "out.h5.partial-1",
      ".out.h5.partial", ".partial-1",     "x.out.h5.partial-1"};
  folder.put(temporary_beside(out).filename(), "half");
  folder.put(".out.h5.partial-1", "half");
  for (const char* name : others) folder.put(name, "whole");
  remove_temporaries(folder.path(), {"out.h5", "none.h5"});
  CHECK(!fs::exists(temporary_beside(out)));
  CHECK(!fs::exists(folder / ".out.h5.partial-1"));
  for (const char* name : others) CHECK(read_file(folder / name) == "whole");
}

TEST_CASE("what another process of this program may be writing is not removed until it ends") {
  const Scratch folder;
  const pid_t writer = fork();
  if (writer == 0) {
    pause();
    _exit(0);
  }
  const std::string name = ".out.h5.partial-" + std::to_string(writer) + "-0123abcd";
  folder.put(name, "half");
  remove_temporaries(folder.path(), {"out.h5"});
  CHECK(fs::exists(folder / name));
  kill(writer, SIGKILL);
  waitpid(writer, nullptr, 0);
  remove_temporaries(folder.path(), {"out.h5"});
  CHECK_FALSE(fs::exists(folder / name));
}

TEST_CASE("what killed writers left a day ago is removed, what may be written now is not") {
  const Scratch folder;
  for (const char* name : {".a.partial-1", ".b.partial-2", ".kept", "c.partial-3"}) {
    folder.put(name, "half");
    fs::last_write_time(folder / name, fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  folder.put(".b.partial-2", "being written");
  remove_old_temporaries(folder.path());
  CHECK(!fs::exists(folder / ".a.partial-1"));
  for (const char* name : {".b.partial-2", ".kept", "c.partial-3"})
    CHECK(fs::exists(folder / name));
  remove_old_temporaries(folder / "none");
}
