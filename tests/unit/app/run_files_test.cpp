// Files beside the output: what is removed, what is put back.
#include "nucreg/app/run_files.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "nucreg/core/error.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/store/publish_file.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("nucreg-run-files-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("what killed writers left is removed, and nothing else") {
  const Folder folder;
  const fs::path out = folder.path / "out.h5";
  write(temporary_beside(out), "half");
  write(folder.path / ".out.h5.partial-1", "half");
  for (const char* name : {"out.h5", ".other.h5.partial-1", "out.h5.journal"})
    write(folder.path / name, "whole");
  remove_temporaries(out);
  CHECK(!fs::exists(temporary_beside(out)));
  CHECK(!fs::exists(folder.path / ".out.h5.partial-1"));
  for (const char* name : {"out.h5", ".other.h5.partial-1", "out.h5.journal"})
    CHECK(read(folder.path / name) == "whole");
}

TEST_CASE("a journal that lost its name is put back, folder and all") {
  const Folder folder;
  const fs::path journal = folder.path / "sub" / "out.h5.journal";
  fs::create_directories(journal.parent_path());
  write(journal, "hours of work");
  const JournalKeeper keeper(journal);
  CHECK(!keeper.put_back());
  fs::remove_all(journal.parent_path());
  CHECK(keeper.put_back());
  CHECK(read(journal) == "hours of work");
  CHECK_THROWS_AS(JournalKeeper(folder.path / "none"), OutputError);
}

TEST_CASE("a journal is known to be written while its writer lives") {
  const Folder folder;
  const fs::path journal = folder.path / "journal";
  CHECK(!is_written_now(journal));
  {
    const JournalWriter writer(journal, "identity");
    CHECK(is_written_now(journal));
  }
  CHECK(!is_written_now(journal));
}

TEST_CASE("what is not there need not be removed") {
  const Folder folder;
  CHECK_NOTHROW(remove_file(folder.path / "none"));
  write(folder.path / "file", "");
  CHECK_NOTHROW(remove_file(folder.path / "file" / "below"));
  CHECK_THROWS_AS(make_folder(folder.path / "file" / "below"), OutputError);
  CHECK_THROWS_AS(remove_file(folder.path), OutputError);
}
