// Files beside the output: what is removed, what is put back.
#include "nucreg/app/run_files.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "nucreg/app/image_journal.hpp"
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
  const std::vector<const char*> others{
      "out.h5",          "out.h5.journal", ".other.h5.partial-1", "out.h5.partial-1",
      ".out.h5.partial", ".partial-1",     "x.out.h5.partial-1"};
  write(temporary_beside(out), "half");
  write(folder / ".out.h5.partial-1", "half");
  for (const char* name : others) write(folder / name, "whole");
  remove_temporaries(folder.path(), {"out.h5", "none.h5"});
  CHECK(!fs::exists(temporary_beside(out)));
  CHECK(!fs::exists(folder / ".out.h5.partial-1"));
  for (const char* name : others) CHECK(read(folder / name) == "whole");
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

TEST_CASE("the journal of a look into images is one run's at a time, and stays where it is kept") {
  const Scratch folder;
  const RunFiles files(folder / "out.h5");
  const auto names = [&] { return folder.names(); };
  const auto there = std::vector<std::string>{"out.h5.image-journal"};
  {
    ImageJournal first(files, true);
    CHECK(first.warnings().empty());
    first.warn("a rank\ndied");
    CHECK(is_written_now(files.image_journal));
    for (const bool resume : {false, true})
      CHECK_THROWS_WITH_AS(
          ImageJournal(files, resume),
          doctest::Contains("out.h5.image-journal: is the journal of a run that is under way"),
          OutputError);
    first.keep(true);
  }
  CHECK(!is_written_now(files.image_journal));
  const std::vector<std::string> left = ImageJournal::lines(files.image_journal);
  REQUIRE(left.size() == 2);
  CHECK(left[0].ends_with(" --resume"));
  CHECK(left[1] == "a rank died");
  {
    const JournalWriter trials(files.journal, "identity");
    CHECK_THROWS_WITH_AS(ImageJournal(files, true), doctest::Contains("out.h5.journal: is the"),
                         OutputError);
  }
  fs::remove(files.journal);
  {
    ImageJournal again(files, true);
    CHECK(again.warnings() == std::vector<std::string>{"a rank died"});
    again.warn("another");
  }
  CHECK(names() == there);  // it ended without a word: what is known is not lost
  CHECK(ImageJournal::lines(files.image_journal).size() == 3);
  { CHECK(ImageJournal(files, false).warnings().empty()); }
  CHECK(names().empty());
  CHECK(ImageJournal::lines(files.image_journal).empty());
  fs::create_directory(files.image_journal);
  CHECK_THROWS_AS(ImageJournal(files, false), OutputError);
}

TEST_CASE("what is not there need not be removed") {
  const Scratch folder;
  CHECK_NOTHROW(remove_file(folder / "none"));
  write(folder / "file", "");
  CHECK_NOTHROW(remove_file(folder / "file" / "below"));
  CHECK_THROWS_AS(make_folder(folder / "file" / "below"), OutputError);
  CHECK_THROWS_AS(remove_file(folder.path()), OutputError);
}
