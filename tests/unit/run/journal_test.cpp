#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/run/journal.hpp"
#include "support/scratch.hpp"
#include "unit/run/sample_journal.hpp"

using namespace nucreg;
using namespace nucreg::test;

TEST_CASE("what is written is read, in order") {
  const Scratch folder;
  write_journal(folder / "j", 5000);
  const Contents contents = read(folder / "j");
  CHECK(contents.tasks == all_but(5000, 0, 0));
  CHECK(contents.skipped == 0);
}

TEST_CASE("empty journals, empty payloads, large numbers, negative ranks") {
  const Scratch folder;
  { const JournalWriter writer(folder / "empty", ""); }
  const JournalReader empty(folder / "empty");
  CHECK(empty.identity().empty());
  CHECK(empty.scan(
            [](std::uint64_t, int, std::uint64_t) { FAIL("a frame in an empty journal"); }) == 0);

  const std::string identity(100'000, 'x');
  {
    JournalWriter writer(folder / "j", identity);
    writer.append(0xFEDCBA9876543210u, -1, {});
    writer.append(1, 70'000, std::vector<std::byte>(1 << 20, std::byte{9}));
  }
  const JournalReader reader(folder / "j");
  CHECK(reader.identity() == identity);
  std::vector<std::uint64_t> tasks;
  std::vector<int> ranks;
  std::vector<std::size_t> sizes;
  CHECK(reader.scan([&](std::uint64_t task, int rank, std::uint64_t offset) {
    tasks.push_back(task);
    ranks.push_back(rank);
    sizes.push_back(reader.payload_at(offset).size());
  }) == 0);
  CHECK(tasks == std::vector<std::uint64_t>{0xFEDCBA9876543210u, 1});
  CHECK(ranks == std::vector<int>{-1, 70'000});
  CHECK(sizes == std::vector<std::size_t>{0, 1 << 20});
}

TEST_CASE("a journal grows on disk while it is written") {
  const Scratch folder;
  JournalWriter writer(folder / "j", "a job");
  append(writer, 0);
  CHECK(read(folder / "j").tasks.empty());
  writer.sync();
  CHECK(read(folder / "j").tasks == std::vector<std::uint64_t>{0});
  for (std::uint64_t task = 1; task < 5000; ++task) append(writer, task);
  const Contents contents = read(folder / "j");
  CHECK(contents.tasks.size() > 2500);
  CHECK(contents.tasks.size() < 5000);
}

TEST_CASE("who may not wait for a disk writes nothing") {
  const Scratch folder;
  JournalWriter writer(folder / "j", "a job");
  const std::string payload(std::size_t{1} << 20, 'x');
  writer.add(0, 0, std::as_bytes(std::span(payload)));
  CHECK(JournalReader(folder / "j").scan([](auto...) { FAIL("a frame"); }) == 0);
  writer.sync();
  CHECK(std::filesystem::file_size(folder / "j") > payload.size());
}

TEST_CASE("cut at every byte of its last three frames, all whole frames are read") {
  const Scratch folder;
  constexpr std::uint64_t tasks = 10;
  write_journal(folder / "j", tasks);
  const std::string whole = slurp(folder / "j");
  const Contents contents = read(folder / "j");
  for (std::size_t cut = contents.offsets[tasks - 3]; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    spill(folder / "cut", whole.substr(0, cut));
    const auto kept = static_cast<std::uint64_t>(
        std::upper_bound(contents.offsets.begin(), contents.offsets.end(), cut) -
        contents.offsets.begin() - 1);
    const Contents left = read(folder / "cut");
    CHECK(left.tasks == all_but(tasks, kept, tasks));
    CHECK(left.skipped == cut - contents.offsets[kept]);
  }
}

TEST_CASE("a frame behind a torn one is read, wherever the other was torn") {
  const Scratch folder;
  write_journal(folder / "j", 4);
  const std::string whole = slurp(folder / "j");
  const Contents contents = read(folder / "j");
  for (std::size_t cut = contents.offsets[2]; cut < contents.offsets[3]; ++cut) {
    CAPTURE(cut);
    spill(folder / "torn", whole.substr(0, cut) + whole.substr(contents.offsets[3]));
    const Contents left = read(folder / "torn");
    CHECK(left.tasks == std::vector<std::uint64_t>{0, 1, 3});
    CHECK(left.skipped == cut - contents.offsets[2]);
  }
}

TEST_CASE("each bit of one frame flipped: that frame is skipped and no other") {
  const Scratch folder;
  constexpr std::uint64_t tasks = 8, hit = 3;
  write_journal(folder / "j", tasks);
  const std::string whole = slurp(folder / "j");
  const Contents contents = read(folder / "j");
  for (std::size_t at = contents.offsets[hit]; at < contents.offsets[hit + 1]; ++at)
    for (const int flip : {1, 16, 128, 255}) {
      CAPTURE(at);
      CAPTURE(flip);
      std::string broken = whole;
      broken[at] = static_cast<char>(broken[at] ^ flip);
      spill(folder / "flipped", broken);
      const Contents left = read(folder / "flipped");
      CHECK(left.tasks == all_but(tasks, hit, hit + 1));
      CHECK(left.skipped == contents.offsets[hit + 1] - contents.offsets[hit]);
    }
}

TEST_CASE("a block of zeros or of noise in the middle costs what it covers") {
  const Scratch folder;
  constexpr std::uint64_t tasks = 1000;
  write_journal(folder / "j", tasks);
  const std::string whole = slurp(folder / "j");
  const Contents contents = read(folder / "j");
  for (const bool noise : {false, true}) {
    for (std::size_t start = 8192; start < 8192 + 60; ++start) {
      std::string broken = whole;
      for (std::size_t i = start; i < start + 4096; ++i)
        broken[i] = noise ? static_cast<char>((i * 2654435761u) >> 13) : '\0';
      spill(folder / "broken", broken);
      const auto frame_at = [&](std::size_t at) {
        return static_cast<std::uint64_t>(
            std::upper_bound(contents.offsets.begin(), contents.offsets.end(), at) -
            contents.offsets.begin() - 1);
      };
      const std::uint64_t first = frame_at(start), last = frame_at(start + 4095);
      const Contents left = read(folder / "broken");
      CHECK(left.tasks == all_but(tasks, first, last + 1));
      CHECK(left.skipped == contents.offsets[last + 1] - contents.offsets[first]);
    }
  }
}

TEST_CASE("a payload that looks like frames does not hide the frame behind it") {
  const Scratch folder;
  write_journal(folder / "inner", 5);
  const std::string inner = slurp(folder / "inner").substr(header_bytes + 5);
  {
    JournalWriter writer(folder / "j", "a job");
    writer.append(77, 0, std::as_bytes(std::span(inner)));
    append(writer, 6);
  }
  const JournalReader reader(folder / "j");
  std::vector<std::uint64_t> tasks;
  CHECK(reader.scan([&](std::uint64_t task, int, std::uint64_t) { tasks.push_back(task); }) == 0);
  CHECK(tasks == std::vector<std::uint64_t>{77, 6});
}

TEST_CASE("a journal is read without all of it staying in memory") {
  const auto resident_mib = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("RssFile:")) return std::stod(line.substr(8)) / 1024.0;
    return 1e9;
  };
  const Scratch folder;
  {
    JournalWriter writer(folder / "j", "a job");
    const std::vector<std::byte> payload(1 << 20, std::byte{1});
    for (std::uint64_t task = 0; task < 200; ++task) writer.append(task, 0, payload);
  }
  const double before = resident_mib();
  const JournalReader reader(folder / "j");
  std::vector<std::uint64_t> offsets;
  CHECK(reader.scan([&](std::uint64_t, int, std::uint64_t at) { offsets.push_back(at); }) == 0);
  CHECK(offsets.size() == 200);
  CHECK(resident_mib() - before < 100.0);
  std::size_t ones = 0;
  for (const std::uint64_t offset : offsets)
    ones += static_cast<std::size_t>(std::ranges::count(reader.payload_at(offset), std::byte{1}));
  CHECK(ones == 200 << 20);
  CHECK(resident_mib() - before < 100.0);
}

TEST_CASE("a damaged header, a foreign and an absent file are refused by name") {
  const Scratch folder;
  write_journal(folder / "j", 3);
  const std::string whole = slurp(folder / "j");
  const auto refused = [&](const std::string& bytes) {
    spill(folder / "broken", bytes);
    try {
      const JournalReader reader(folder / "broken");
      return false;
    } catch (const InputError& error) {
      CHECK(error.fields().file == (folder / "broken").string());
      return true;
    }
  };
  for (std::size_t at = 0; at < header_bytes + 5; ++at) {
    CAPTURE(at);
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 4);
    CHECK(refused(broken));
    CHECK(refused(whole.substr(0, at)));
  }
  CHECK(!refused(whole.substr(0, header_bytes + 5)));
  CHECK(refused("\x89HDF\r\n\x1a\n and much more than a header of a journal"));
  CHECK_THROWS_AS(JournalReader(folder / "absent"), InputError);
  CHECK_THROWS_AS(JournalReader(folder / "."), InputError);
}

TEST_CASE("the layout is the one that is documented") {
  const Scratch folder;
  {
    JournalWriter writer(folder / "j", "id");
    const std::string payload = "123456789";
    writer.append(0x1122334455667788u, 2, std::as_bytes(std::span(payload)));
  }
  const std::string bytes = slurp(folder / "j");
  REQUIRE(bytes.size() == header_bytes + 2 + frame_bytes + 9);
  CHECK(bytes.substr(0, 8) == "nucjrnl\n");
  const std::string frame = bytes.substr(header_bytes + 2);
  CHECK(frame.substr(4, 4) == std::string("\x09\0\0\0", 4));
  CHECK(frame.substr(8, 8) == "\x88\x77\x66\x55\x44\x33\x22\x11");
  CHECK(frame.substr(16, 4) == std::string("\x02\0\0\0", 4));
  CHECK(frame.substr(20, 4) == std::string(4, '\0'));
  // The checksum bit by bit, as in RFC 1952; of "123456789" it is CBF43926. That of a frame
  // continues that of the identity.
  const auto crc32 = [](const std::string& text) {
    std::uint32_t crc = ~0u;
    for (const char c : text) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0u);
    }
    return ~crc;
  };
  REQUIRE(crc32("123456789") == 0xCBF43926u);
  std::uint32_t stored = 0;
  std::memcpy(&stored, frame.data() + 24, 4);
  CHECK(stored == crc32("id" + frame.substr(0, 24) + frame.substr(28)));
}

TEST_CASE("an existing file, an absent folder and a folder are not written") {
  const Scratch folder;
  spill(folder / "j", "precious");
  CHECK_THROWS_AS(JournalWriter(folder / "j", "a job"), OutputError);
  CHECK(slurp(folder / "j") == "precious");
  CHECK_THROWS_AS(JournalWriter(folder / "no/such/folder", "a job"), OutputError);
  CHECK_THROWS_AS(JournalWriter(folder / ".", "a job"), OutputError);
}

TEST_CASE("a file that may not grow: the error is reported, and later writing goes on whole") {
  const Scratch folder;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
  {
    JournalWriter writer(folder / "j", "a job");
    append(writer, 0);
    writer.sync();
    rlimit small = before;
    small.rlim_cur = 1000;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (std::uint64_t task = 1; task < 100; ++task) append(writer, task);
    CHECK_THROWS_AS(writer.sync(), OutputError);
    CHECK_THROWS_AS(writer.sync(), OutputError);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    writer.sync();
  }
  std::signal(SIGXFSZ, old_action);
  const Contents contents = read(folder / "j");
  CHECK(contents.tasks == all_but(100, 0, 0));
  CHECK(contents.skipped == 0);
}

TEST_CASE("frames of another run are no frames of this one, wherever they come from") {
  const Scratch folder;
  for (const char* name : {"a", "b"}) {
    JournalWriter writer(folder / name, std::string("run ") + name);
    for (std::uint64_t task = 0; task < 3; ++task) append(writer, task);
  }
  const std::string a = slurp(folder / "a"), b = slurp(folder / "b");
  const std::size_t first = header_bytes + 5;
  for (const std::string& mixed :
       {a + b.substr(first), a.substr(0, first) + b.substr(first) + a.substr(first)}) {
    spill(folder / "mixed", mixed);
    const JournalReader reader(folder / "mixed");
    std::vector<std::uint64_t> tasks;
    CHECK(reader.scan([&](std::uint64_t task, int, std::uint64_t) { tasks.push_back(task); }) ==
          b.size() - first);
    CHECK(tasks == all_but(3, 0, 0));
  }
}

TEST_CASE("stages and notes are told apart from results, and from each other") {
  const Scratch folder;
  {
    JournalWriter writer(folder / "j", "a job");
    CHECK(writer.begin_stage("nuclei", "of here") == 1);
    append(writer, 1);
    writer.note("warning", "a rank died");
    CHECK(writer.begin_stage("matches", "of here") == 2);
    append(writer, 2);
    append(writer, 3);
    CHECK(writer.begin_stage("nuclei", "of here") == 1);
    append(writer, 4);
    CHECK(writer.begin_stage("nuclei", "of elsewhere") == 3);
    writer.note("warning", "a rank died");
    writer.note("resume", "a command");
  }
  const JournalReader reader(folder / "j");
  const auto tasks_of = [&](std::uint32_t stage) {
    std::vector<std::uint64_t> tasks;
    CHECK(reader.scan([&](std::uint64_t task, int, std::uint64_t) { tasks.push_back(task); },
                      stage) == 0);
    return tasks;
  };
  CHECK(tasks_of(0).empty());
  CHECK(tasks_of(1) == std::vector<std::uint64_t>{1, 4});
  CHECK(tasks_of(2) == std::vector<std::uint64_t>{2, 3});
  CHECK(tasks_of(3).empty());
  REQUIRE(reader.stage("nuclei"));
  CHECK(reader.stage("nuclei")->number == 3);
  CHECK(reader.stage("nuclei")->identity == "of elsewhere");
  CHECK(!reader.stage("trials"));
  REQUIRE(reader.notes().size() == 2);
  CHECK(reader.notes()[0].text == "a rank died");
  CHECK(reader.notes()[1].kind == "resume");
}
