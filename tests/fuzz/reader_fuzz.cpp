// All but images that nucreg reads as bytes. NUCREG_FUZZ_READER names the one that is tried; only
// an Error may come out of it. Result files have their own: result_fuzz.cpp.
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/job/map.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/run/journal.hpp"
#include "nucreg/run/status.hpp"
#include "nucreg/tiles/stages.hpp"
#include "process_answer.hpp"

namespace nucreg {
namespace {

/// The bytes as a file, in memory and of this process alone.
std::filesystem::path file_of(std::string_view bytes) {
  static const std::filesystem::path path = "/dev/shm/nucreg-fuzz-" + std::to_string(getpid());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

void table(std::string_view bytes) {
  TableOptions options{.tiles = true};
  static_cast<void>(read_nuclei_table(file_of(bytes), options));
  options.pixel_um = 0.5;
  options.npy_order = NpyOrder::xy;
  static_cast<void>(read_nuclei_table(file_of(bytes), options));
}

/// What was read is written so that it reads back the same.
void job(std::string_view bytes) {
  const std::string resolved = to_toml(parse_job_text(bytes, "job.toml"));
  if (to_toml(parse_job_text(resolved, "resolved.toml")) != resolved) std::abort();
}

void map(std::string_view bytes) {
  const std::string resolved = to_toml(parse_map_text(bytes, "map.toml"));
  if (to_toml(parse_map_text(resolved, "resolved.toml")) != resolved) std::abort();
}

/// A journal with right checksums, so that what lies behind them is reached.
std::string with_checksums(std::string_view bytes) {
  std::string journal(bytes);
  const auto u32 = [&](std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, journal.data() + at, sizeof value);
    return value;
  };
  const auto put = [&](std::size_t at, std::uint32_t value) {
    std::memcpy(journal.data() + at, &value, sizeof value);
  };
  const auto crc = [&](std::uint32_t seed, std::size_t at, std::size_t size) {
    const auto* from = reinterpret_cast<const Bytef*>(journal.data() + at);
    return static_cast<std::uint32_t>(crc32(seed, from, static_cast<uInt>(size)));
  };
  constexpr std::size_t header = 24, frame = 28;
  if (journal.size() < header) return journal;
  const std::size_t identity = u32(12);
  if (identity > journal.size() - header) return journal;
  const std::uint32_t seed = identity > 0 ? crc(0, header, identity) : 0;
  put(16, seed);
  put(20, crc(0, 0, 20));
  for (std::size_t at = header + identity; at + frame <= journal.size();) {
    const std::size_t payload = u32(at + 4);
    if (payload > journal.size() - at - frame) break;
    const std::uint32_t sum = crc(seed, at, frame - 4);
    put(at + frame - 4, payload > 0 ? crc(sum, at + frame, payload) : sum);
    at += frame + payload;
  }
  return journal;
}

void journal(std::string_view bytes) {
  const JournalReader reader(file_of(with_checksums(bytes)));
  std::uint64_t sum = 0;
  const auto see = [&](std::uint64_t task, int, std::uint64_t offset) {
    for (const std::byte byte : reader.payload_at(offset)) sum += std::to_integer<unsigned>(byte);
    sum += task;
  };
  for (const std::uint32_t stage : {0U, 1U}) static_cast<void>(reader.scan(see, stage));
  static_cast<void>(reader.notes());
  static_cast<void>(reader.stage("trials"));
}

void status(std::string_view bytes) {
  static_cast<void>(RunStatus::parse(std::string(bytes)));
}

/// What an entry of a cache holds, behind its checksum; what is read is written the same.
void cache(std::string_view bytes) {
  static_cast<void>(unsealed(bytes));
  const std::span content = std::as_bytes(std::span(bytes));
  try {
    const Bytes again = to_bytes(from_bytes<TileNuclei>(content));
    if (!std::ranges::equal(again, content)) std::abort();
  } catch (const BadBytes&) {
  }
}

/// The answer of a solver in another process.
void answer(std::string_view bytes) {
  try {
    const ProcessAnswer understood = process_answer(std::string(bytes), 1, 4);
    if (understood.function_evaluations < 0 || understood.jacobian_evaluations < 0 ||
        !understood.result.params.allFinite() || !(understood.result.own_seconds >= 0.0))
      std::abort();
  } catch (const BrokenProcess&) {
  }
}

using Reader = void (*)(std::string_view);
constexpr std::pair<std::string_view, Reader> readers[] = {
    {"table", table},   {"job", job},     {"map", map},      {"journal", journal},
    {"status", status}, {"cache", cache}, {"answer", answer}};

Reader chosen_reader() {
  const char* name = std::getenv("NUCREG_FUZZ_READER");
  for (const auto& [known, reader] : readers)
    if (name && known == name) return reader;
  std::fputs("NUCREG_FUZZ_READER names no reader\n", stderr);
  std::exit(2);
}

}  // namespace
}  // namespace nucreg

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nucreg::Reader read = nucreg::chosen_reader();
  try {
    read({reinterpret_cast<const char*>(data), size});
  } catch (const nucreg::Error&) {
  }
  return 0;
}
