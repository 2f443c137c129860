// An append-only file of task results: what has been done is in it, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {

/// Layout, little-endian, nothing padded: a header
///     magic "nucjrnl\n" (8), version (u32), identity bytes (u32), CRC-32C of identity (u32),
///     CRC-32C of the 20 bytes before (u32), identity
/// then frames
///     magic (u32), payload bytes (u32), task (u64), rank (i32),
///     CRC-32C of the 20 bytes before and of the payload (u32), payload
/// `identity` is any text that must be equal for the journal to belong to a run.
///
/// What sync() has covered survives SIGKILL and the loss of power. After a failed write the bytes
/// that reached the file are never written twice, and a reader skips a frame that stayed torn.
/// append and sync may be called from two threads.
class JournalWriter {
 public:
  /// Creates the file, durable with its name. Throws OutputError; an existing file is an error.
  JournalWriter(const std::filesystem::path& file, const std::string& identity);
  /// Goes on behind the last sound frame of a journal; a torn tail is cut off, damage before it
  /// stays. Throws InputError where it is no journal or has another identity, OutputError where it
  /// cannot be written or another process is writing it.
  [[nodiscard]] static std::unique_ptr<JournalWriter> append_to(const std::filesystem::path& file,
                                                                const std::string& identity);
  /// Writes what is buffered; what cannot be written is lost: call sync() to know.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// Adds one result; buffered, 64 KiB. Throws OutputError; what was appended stays in the buffer
  /// then and the next call tries again.
  void append(std::uint64_t task, int rank, std::span<const std::byte> payload);
  /// Everything appended reaches the disk before it returns. Throws OutputError, also where the
  /// file has lost its name.
  void sync();

 private:
  JournalWriter(int descriptor, std::filesystem::path file);
  void flush();  // mutex_ is held
  int descriptor_ = -1;
  std::filesystem::path file_;
  std::mutex mutex_;  // of buffer_ and the end of the file
  std::string buffer_;
};

/// A file without a sound header of a journal: nothing in it can be attributed to a run.
struct DamagedJournal : InputError {
  using InputError::InputError;
};

/// Reads a journal by memory map, also while it grows: it sees what was there when it was opened.
/// However long the journal, not more than about 64 MiB of it are in memory for this process. One
/// thread at a time.
/// Throws InputError on what is not a journal or has a damaged header.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& file);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// Where the first frame is or would be.
  [[nodiscard]] std::uint64_t first_frame() const { return first_frame_; }
  /// Calls back for each sound frame in file order; returns the number of bytes skipped because
  /// no sound frame was there: behind damage it looks for the next sound one. `offset` can be given
  /// to payload_at later.
  std::uint64_t scan(
      const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame) const;
  /// The payload of the frame at `offset`, which scan gave; valid as long as the reader.
  [[nodiscard]] std::span<const std::byte> payload_at(std::uint64_t offset) const;

 private:
  void visit(std::uint64_t offset, std::uint64_t bytes) const;
  const std::byte* data_ = nullptr;
  mutable std::uint64_t visited_block_ = 0, visited_blocks_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t first_frame_ = 0;
  std::string identity_;
  std::filesystem::path file_;
};

}  // namespace nucreg
