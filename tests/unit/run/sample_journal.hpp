// Journals written and read back for tests.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "nucreg/run/journal.hpp"

namespace nucreg::test {

inline constexpr std::size_t header_bytes = 24, frame_bytes = 28;

inline std::string payload_of(std::uint64_t task) {
  std::string text(20 + task % 17, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(task * 13 + i);
  return text;
}

inline void append(JournalWriter& writer, std::uint64_t task) {
  const std::string payload = payload_of(task);
  writer.append(task, static_cast<int>(task % 5), std::as_bytes(std::span(payload)));
}

inline void write_journal(const std::filesystem::path& file, std::uint64_t tasks) {
  JournalWriter writer(file, "a job");
  for (std::uint64_t task = 0; task < tasks; ++task) append(writer, task);
  writer.sync();
}

inline std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

struct Contents {
  std::vector<std::uint64_t> tasks, offsets;
  std::uint64_t skipped = 0;
};

/// Reads all of it; each frame that is given out must be exactly what was written.
inline Contents read(const std::filesystem::path& file) {
  const JournalReader reader(file);
  CHECK(reader.identity() == "a job");
  Contents contents;
  std::uint64_t wrong = 0;
  contents.skipped = reader.scan([&](std::uint64_t task, int rank, std::uint64_t offset) {
    contents.tasks.push_back(task);
    contents.offsets.push_back(offset);
    const auto payload = reader.payload_at(offset);
    const std::string expected = payload_of(task);
    if (rank != static_cast<int>(task % 5) || payload.size() != expected.size() ||
        std::memcmp(payload.data(), expected.data(), expected.size()) != 0)
      ++wrong;
  });
  CHECK(wrong == 0);
  return contents;
}

/// 0 ... tasks-1 without those from `first_lost` up to `end_lost`.
inline std::vector<std::uint64_t> all_but(std::uint64_t tasks, std::uint64_t first_lost,
                                          std::uint64_t end_lost) {
  std::vector<std::uint64_t> left;
  for (std::uint64_t task = 0; task < tasks; ++task)
    if (task < first_lost || task >= end_lost) left.push_back(task);
  return left;
}

}  // namespace nucreg::test
