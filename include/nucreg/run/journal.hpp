// An append-only file of task results: what has been done is in it, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace nucreg {

/// Layout, little-endian: a header (magic, version, length and checksum of `identity`, identity),
/// then frames (magic, payload bytes, task, rank, CRC-32C of all of it, payload).
/// `identity` is any text that must be equal for the journal to belong to a run.
class JournalWriter {
 public:
  /// Creates the file. Throws OutputError; an existing file is an error.
  JournalWriter(const std::filesystem::path& file, const std::string& identity);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// Adds one result; buffered. Throws OutputError.
  void append(std::uint64_t task, int rank, std::span<const std::byte> payload);
  /// Everything appended reaches the disk. Throws OutputError.
  void sync();

 private:
  void flush();
  int descriptor_ = -1;
  std::filesystem::path file_;
  std::string buffer_;
};

/// Reads a journal by memory map. Throws InputError (path, offset) on what is not a journal.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& file);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// Calls back for each sound frame in file order; returns the number of bytes skipped because
  /// no sound frame was there. `offset` can be given to payload_at later.
  std::uint64_t scan(
      const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame) const;
  /// The payload of the frame at `offset`; valid as long as the reader.
  [[nodiscard]] std::span<const std::byte> payload_at(std::uint64_t offset) const;

 private:
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t first_frame_ = 0;
  std::string identity_;
  std::filesystem::path file_;
};

}  // namespace nucreg
