// The files of a run: what is begun, continued, refused and put back.
#include "nucreg/run/run_files.hpp"

#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/run/journal.hpp"
#include "support/scratch.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

namespace {

// What another process does in the moment before the next lock is asked for.
std::function<void()> before_lock;

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

std::string whole_text(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

// In place of the one of the C library.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (const auto act = std::exchange(before_lock, nullptr)) act();
  return static_cast<int>(syscall(SYS_flock, descriptor, operation));
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
  CHECK(whole_text(journal) == "hours of work");
  CHECK_THROWS_AS(JournalKeeper(folder / "none"), OutputError);
}

TEST_CASE("a journal is known to be written while its writer lives") {
  const Scratch folder;
  const fs::path journal = folder / "journal";
  CHECK(!is_locked(journal));
  {
    const JournalWriter writer(journal, "identity");
    CHECK(is_locked(journal));
  }
  CHECK(!is_locked(journal));
}

TEST_CASE("a journal is begun, refused, continued and forgotten") {
  const Scratch folder;
  const RunFiles files(folder / "out.h5");
  write(files.output, "earlier");
  CHECK_THROWS_WITH_AS(static_cast<void>(begin_journal(files, "id", false, "again")),
                       doctest::Contains("out.h5: already exists"), OutputError);
  {
    OpenJournal open = begin_journal(files, "id", true, "again --resume");
    CHECK(open.fresh);
    CHECK(whole_text(files.replaced) == "earlier");
    CHECK(!fs::exists(files.output));
    open.warn("a rank\ndied");
    open.warn("a rank\ndied");
    for (const bool force : {false, true})
      CHECK_THROWS_WITH_AS(
          static_cast<void>(begin_journal(files, "id", force, "")),
          doctest::Contains("out.h5.journal: is the journal of a run that is under way"),
          OutputError);
  }
  CHECK_THROWS_WITH_AS(static_cast<void>(begin_journal(files, "id", false, "")),
                       doctest::Contains("is the journal of a run that did not end"), OutputError);
  CHECK_THROWS_WITH_AS(static_cast<void>(resume_journal(files, "other", "")),
                       doctest::Contains("- id\n+ other\n"), JobError);
  {
    OpenJournal open = resume_journal(files, "id", "");
    CHECK(!open.fresh);
    CHECK(open.warnings == std::vector<std::string>{"a rank died"});
    forget_journal(open, files);
    CHECK(fs::exists(files.journal));  // it is not this run's own
  }
  const std::vector<JournalReader::Note> notes = JournalReader(files.journal).notes();
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].kind == "resume");
  CHECK(notes[0].text == "again --resume");
  {
    OpenJournal open = begin_journal(files, "id", true, "");
    forget_journal(open, files);
  }
  CHECK(!fs::exists(files.journal));
  CHECK(whole_text(files.output) == "earlier");
}

TEST_CASE("a damaged journal is set aside, one of nucreg 0.1 is refused") {
  const Scratch folder;
  const RunFiles files(folder / "out.h5");
  write(files.journal, "no journal, but long enough for its header");
  { CHECK(resume_journal(files, "id", "").fresh); }
  CHECK(folder.names().size() == 2);
  std::string old = whole_text(files.journal);
  old[8] = 2;
  write(files.journal, old);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(resume_journal(files, "id", "")),
      doctest::Contains("was written by nucreg 0.1, which alone can finish its run"), InputError);
}

TEST_CASE("a journal that another process locks as it is begun here stays that one's") {
  const Scratch folder;
  const RunFiles files(folder / "out.h5");
  Descriptor other;
  before_lock = [&] {
    other = open_to_write(files.journal, Opened::kept);
    REQUIRE(lock(other));
  };
  CHECK_THROWS_WITH_AS(JournalWriter(files.journal, "id"),
                       doctest::Contains("is being written by another process"), OutputError);
  CHECK(fs::exists(files.journal));
  // Empty as it still is, it is no damaged one.
  CHECK_THROWS_WITH_AS(static_cast<void>(resume_journal(files, "id", "")),
                       doctest::Contains("is the journal of a run that is under way"), OutputError);
  CHECK(fs::exists(files.journal));
}

TEST_CASE("what the run before does to its journal in its last moments is seen") {
  const Scratch folder;
  const RunFiles files(folder / "out.h5");
  std::uint64_t begun_bytes = 0;
  {
    OpenJournal open = begin_journal(files, "id", false, "");
    begun_bytes = fs::file_size(files.journal);
    open.warn("a rank died");
  }
  const std::string whole = whole_text(files.journal);
  write(files.journal, whole.substr(0, begun_bytes) + std::string(std::size_t{1} << 20, 'x'));
  Descriptor before = open_to_write(files.journal, Opened::kept);
  REQUIRE(lock(before));
  // It cuts what was torn, adds to it and ends.
  std::jthread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    fs::resize_file(files.journal, begun_bytes);
    std::ofstream(files.journal, std::ios::app) << whole.substr(begun_bytes);
    before = Descriptor();
  });
  CHECK(resume_journal(files, "id", "").warnings == std::vector<std::string>{"a rank died"});
}

TEST_CASE("equal texts have no difference") {
  CHECK(difference("", "").empty());
  CHECK(difference("[a]\nx = 1\n", "[a]\nx = 1\n").empty());
}

TEST_CASE("lines that differ stand below their section") {
  CHECK(difference("[a]\nx = 1\ny = 2\n[b]\nx = 1\n", "[a]\nx = 1\ny = 3\n[b]\nx = 2\n") ==
        "  [a]\n- y = 2\n+ y = 3\n  [b]\n- x = 1\n+ x = 2\n");
  CHECK(difference("build 1\n[a]\n", "build 2\n[a]\n") == "- build 1\n+ build 2\n");
}

TEST_CASE("lines that are there once only") {
  CHECK(difference("[a]\nx = 1\n", "[a]\nx = 1\n[b]\ny = 1\n") == "+ [b]\n+ y = 1\n");
  CHECK(difference("[a]\nx = 1\nz = 3\n", "[a]\nz = 3\n") == "  [a]\n- x = 1\n");
  CHECK(difference("a\nb\n", "") == "- a\n- b\n");
}
