#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "nucreg/core/error.hpp"
#include "nucreg/run/journal.hpp"
#include "support/scratch.hpp"
#include "unit/run/sample_journal.hpp"

using namespace nucreg;
using namespace nucreg::test;

TEST_CASE("cut anywhere behind its header, a journal is continued and nothing is lost or doubled") {
  const Scratch folder;
  constexpr std::uint64_t tasks = 3;
  write_journal(folder / "j", tasks);
  const std::string whole = slurp(folder / "j");
  const Contents contents = read(folder / "j");
  for (std::size_t cut = header_bytes + 5; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    std::filesystem::remove(folder / "cut");
    spill(folder / "cut", whole.substr(0, cut));
    std::uint64_t kept = 0;
    while (kept < tasks && (kept + 1 < tasks ? contents.offsets[kept + 1] : whole.size()) <= cut)
      ++kept;
    {
      const auto writer = JournalWriter::append_to(folder / "cut", "a job");
      CHECK(read(folder / "cut").skipped == 0);
      for (std::uint64_t task = kept; task < tasks; ++task) append(*writer, task);
      writer->sync();
    }
    CHECK(slurp(folder / "cut") == whole);
  }
}

TEST_CASE("damage in the middle stays where it is when a journal is continued") {
  const Scratch folder;
  write_journal(folder / "j", 200);
  const Contents contents = read(folder / "j");
  std::string broken = slurp(folder / "j");
  for (std::size_t i = contents.offsets[50]; i < contents.offsets[60]; ++i) broken[i] = '\0';
  spill(folder / "j", broken + std::string(5000, '\0'));
  {
    const auto writer = JournalWriter::append_to(folder / "j", "a job");
    CHECK(slurp(folder / "j") == broken);
    for (std::uint64_t task = 200; task < 210; ++task) append(*writer, task);
  }
  CHECK(read(folder / "j").tasks == all_but(210, 50, 60));
}

TEST_CASE("a journal that cannot be continued is refused by name and left alone") {
  const Scratch folder;
  write_journal(folder / "j", 20);
  const std::string whole = slurp(folder / "j") + "torn";
  spill(folder / "j", whole);
  const auto refusal = [&](const std::filesystem::path& file, const char* identity) {
    try {
      (void)JournalWriter::append_to(file, identity);
    } catch (const Error& error) {
      CHECK(error.fields().file == file.string());
      return error.status();
    }
    return ExitStatus::done;
  };
  CHECK(refusal(folder / "j", "another job") == ExitStatus::input);
  CHECK(refusal(folder / "absent", "a job") == ExitStatus::input);
  CHECK(refusal(folder / ".", "a job") == ExitStatus::output);
  spill(folder / "foreign", "no journal at all, but long enough for a header");
  CHECK(refusal(folder / "foreign", "a job") == ExitStatus::input);
  CHECK(slurp(folder / "j") == whole);
  {
    const auto writer = JournalWriter::append_to(folder / "j", "a job");
    CHECK(refusal(folder / "j", "a job") == ExitStatus::output);
  }
  CHECK(refusal(folder / "j", "a job") == ExitStatus::done);
}

TEST_CASE("a journal that loses its name says so and why") {
  const Scratch folder;
  const auto problem = [](JournalWriter& writer) -> std::string {
    append(writer, 1);
    try {
      writer.sync();
    } catch (const OutputError& error) {
      CHECK(error.fields().file.ends_with("/j"));
      return error.problem();
    }
    return "none";
  };
  std::filesystem::create_directory(folder / "sub");
  JournalWriter writer(folder / "sub/j", "a job");
  CHECK(problem(writer) == "none");
  std::filesystem::rename(folder / "sub", folder / "moved");
  CHECK(problem(writer) == "the journal was removed: No such file or directory");
  std::filesystem::create_directory(folder / "sub");
  spill(folder / "sub/j", "another");
  CHECK(problem(writer) == "the journal was replaced by another file");
  std::filesystem::remove_all(folder / "sub");
  std::filesystem::rename(folder / "moved", folder / "sub");
  CHECK(problem(writer) == "none");
  CHECK(read(folder / "sub/j").tasks == std::vector<std::uint64_t>(4, 1));
}

TEST_CASE("a full disk is named, what was durable is read, and the journal is continued later") {
  const Scratch folder;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t limit = 200; limit < 300; limit += 9) {
    CAPTURE(limit);
    std::filesystem::remove(folder / "j");
    std::uint64_t durable = 0;
    {
      JournalWriter writer(folder / "j", "a job");
      rlimit small = before;
      small.rlim_cur = limit;
      REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
      try {
        for (std::uint64_t task = 0; task < 10; ++task) {
          append(writer, task);
          writer.sync();
          ++durable;
        }
      } catch (const OutputError& error) {
        CHECK(error.problem() == "cannot write the journal: File too large");
      }
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(durable < 10);
    CHECK(read(folder / "j").tasks == all_but(durable, 0, 0));
    {
      const auto writer = JournalWriter::append_to(folder / "j", "a job");
      for (std::uint64_t task = durable; task < 10; ++task) append(*writer, task);
    }
    const Contents contents = read(folder / "j");
    CHECK(contents.tasks == all_but(10, 0, 0));
    CHECK(contents.skipped == 0);
  }
  std::signal(SIGXFSZ, old_action);
}

TEST_CASE("one thread appends while another makes durable") {
  const Scratch folder;
  {
    JournalWriter writer(folder / "j", "a job");
    std::atomic<bool> done = false;
    std::jthread syncer([&] {
      while (!done) writer.sync();
    });
    for (std::uint64_t task = 0; task < 20'000; ++task) append(writer, task);
    done = true;
  }
  const Contents contents = read(folder / "j");
  CHECK(contents.tasks == all_but(20'000, 0, 0));
  CHECK(contents.skipped == 0);
}
