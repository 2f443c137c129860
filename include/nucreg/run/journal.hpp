// An append-only file of task results: what has been done is in it, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace nucreg {

/// Layout, little-endian, nothing padded: a header
///     magic "nucjrnl\n" (8), version (u32), identity bytes (u32), CRC-32C of identity (u32),
///     CRC-32C of the 20 bytes before (u32), identity
/// then frames
///     magic (u32), payload bytes (u32), task (u64), rank (i32),
///     CRC-32C of the 20 bytes before and of the payload (u32), payload
/// `identity` is any text that must be equal for the journal to belong to a run.
class JournalWriter {
 public:
  /// Creates the file. Throws OutputError; an existing file is an error.
  JournalWriter(const std::filesystem::path& file, const std::string& identity);
  /// Writes what is buffered; what cannot be written is lost: call sync() to know.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// Adds one result; buffered, 64 KiB. Throws OutputError; what was appended stays in the buffer
  /// then and the next call tries again.
  void append(std::uint64_t task, int rank, std::span<const std::byte> payload);
  /// Everything appended reaches the disk before it returns. Throws OutputError.
  void sync();

 private:
  void flush();
  int descriptor_ = -1;
  std::filesystem::path file_;
  std::string buffer_;
};

/// Reads a journal by memory map, also while it grows: it sees what was there when it was opened.
/// Throws InputError on what is not a journal or has a damaged header.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& file);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// Calls back for each sound frame in file order; returns the number of bytes skipped because
  /// no sound frame was there: behind damage it looks for the next sound one. `offset` can be given
  /// to payload_at later.
  std::uint64_t scan(
      const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame) const;
  /// The payload of the frame at `offset`, which scan gave; valid as long as the reader.
  [[nodiscard]] std::span<const std::byte> payload_at(std::uint64_t offset) const;

 private:
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t first_frame_ = 0;
  std::string identity_;
  std::filesystem::path file_;
};

}  // namespace nucreg
