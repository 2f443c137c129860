// Files beside the output: what is removed, what is put back.
#include "nucreg/app/run_files.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "nucreg/core/error.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/store/publish_file.hpp"
#include "support/scratch.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

namespace {

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
  const Scratch folder;
  const fs::path out = folder / "out.h5";
  write(temporary_beside(out), "half");
  write(folder / ".out.h5.partial-1", "half");
  for (const char* name : {"out.h5", ".other.h5.partial-1", "out.h5.journal"})
    write(folder / name, "whole");
  remove_temporaries(out);
  CHECK(!fs::exists(temporary_beside(out)));
  CHECK(!fs::exists(folder / ".out.h5.partial-1"));
  for (const char* name : {"out.h5", ".other.h5.partial-1", "out.h5.journal"})
    CHECK(read(folder / name) == "whole");
}

TEST_CASE("a journal that lost its name is put back, folder and all") {
  const Scratch folder;
  const fs::path journal = folder / "sub" / "out.h5.journal";
  fs::create_directories(journal.parent_path());
  write(journal, "hours of work");
  const JournalKeeper keeper(journal);
  CHECK(!keeper.put_back());
  fs::remove_all(journal.parent_path());
  CHECK(keeper.put_back());
  CHECK(read(journal) == "hours of work");
  CHECK_THROWS_AS(JournalKeeper(folder / "none"), OutputError);
}

TEST_CASE("a journal is known to be written while its writer lives") {
  const Scratch folder;
  const fs::path journal = folder / "journal";
  CHECK(!is_written_now(journal));
  {
    const JournalWriter writer(journal, "identity");
    CHECK(is_written_now(journal));
  }
  CHECK(!is_written_now(journal));
}

TEST_CASE("what is not there need not be removed") {
  const Scratch folder;
  CHECK_NOTHROW(remove_file(folder / "none"));
  write(folder / "file", "");
  CHECK_NOTHROW(remove_file(folder / "file" / "below"));
  CHECK_THROWS_AS(make_folder(folder / "file" / "below"), OutputError);
  CHECK_THROWS_AS(remove_file(folder.path()), OutputError);
}
