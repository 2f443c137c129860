// An append-only file of task results: what has been done is in it, in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg {

/// Layout, little-endian, nothing padded: a header
///     magic "nucjrnl\n" (8), version (u32), identity bytes (u32), CRC-32 of identity (u32),
///     CRC-32 of the 20 bytes before (u32), identity
/// then frames
///     magic (u32), payload bytes (u32), task (u64), rank (i32), stage (u32),
///     CRC-32 of the 24 bytes before and of the payload, continued from that of the identity (u32),
///     payload
/// `identity` is any text that must be equal for the journal to belong to a run. The frames of
/// another run do not pass the checksum, wherever they come from.
///
/// A run has stages of numbered tasks, one after the other. Each stage is declared once, by a frame
/// with its kind and an identity of its own: a stage that has another one now has other results.
/// Frames of stage 0 belong to none, unless to the only stage of a journal that declares none.
///
/// What sync() has covered survives SIGKILL and the loss of power. After a failed write the bytes
/// that reached the file are never written twice, and a reader skips a frame that stayed torn.
/// append, add and sync may be called from two threads.
class JournalWriter {
 public:
  /// Creates the file, durable with its name. Throws OutputError; an existing file is an error.
  JournalWriter(const std::filesystem::path& file, const std::string& identity);
  /// Continues behind the last sound frame of a journal; a torn tail is cut off, damage before it
  /// stays: damaged_bytes(). Throws InputError if it is no journal or has another identity,
  /// OutputError if it cannot be written or another process is writing it.
  [[nodiscard]] static std::unique_ptr<JournalWriter> append_to(const std::filesystem::path& file,
                                                                const std::string& identity);
  /// Writes what is buffered; what cannot be written is lost: call sync() to know.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// The results that follow are of this stage, which is declared unless it has been. Returns its
  /// number. Throws OutputError.
  std::uint32_t begin_stage(const std::string& kind, const std::string& identity);
  /// Keeps a line about the run, such as a warning. Durable with the next sync.
  void note(const std::string& kind, const std::string& text);

  /// Adds one result of the current stage; buffered, 64 KiB. Throws OutputError; what was appended
  /// stays in the buffer then and the next call tries again.
  void append(std::uint64_t task, int rank, std::span<const std::byte> payload);
  /// The same, but only sync() writes it: for a thread that must not wait for a slow disk.
  void add(std::uint64_t task, int rank, std::span<const std::byte> payload);
  /// Everything appended reaches the disk before it returns. Throws OutputError, also if the file
  /// has lost its name.
  void sync();
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  /// Bytes in which no sound frame was when it was continued, the torn tail included.
  [[nodiscard]] std::uint64_t damaged_bytes() const { return damaged_bytes_; }

 private:
  JournalWriter(Descriptor descriptor, std::filesystem::path file);
  void add(std::uint32_t stage, std::uint64_t task, int rank, std::span<const std::byte> payload);
  void write();  // file_mutex_ is held
  Descriptor descriptor_;
  std::filesystem::path file_;
  std::uint32_t seed_ = 0;  // of the checksums of frames
  std::uint32_t stage_ = 0;
  std::uint64_t damaged_bytes_ = 0;
  std::mutex file_mutex_;  // of the end of the file
  std::mutex mutex_;       // of buffer_; never held while a disk is waited for
  std::string buffer_;
};

/// A file without a sound header of a journal: nothing in it can be attributed to a run.
struct DamagedJournal : InputError {
  using InputError::InputError;
};

/// Reads a journal by memory map, also while it grows: it sees what was there when it was opened.
/// However long the journal, not more than about 64 MiB of it are in memory for this process. One
/// thread at a time.
/// Throws InputError on what is not a journal, has a damaged header or was written by another
/// version.
class JournalReader {
 public:
  explicit JournalReader(const std::filesystem::path& file);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  struct Stage {
    std::uint32_t number = 0;
    std::string kind, identity;
  };
  struct Note {
    std::string kind, text;
  };

  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// Where the first frame is or would be.
  [[nodiscard]] std::uint64_t first_frame() const { return first_frame_; }
  /// The last declared stage of that kind. A pass over the file.
  [[nodiscard]] std::optional<Stage> stage(const std::string& kind) const;
  /// Each note once, in the order of the file. A pass over it.
  [[nodiscard]] std::vector<Note> notes() const;
  /// Calls back for each sound frame of a stage in file order; returns the number of bytes skipped
  /// in the whole file because no sound frame was there: behind damage it looks for the next sound
  /// one. `offset` can be given to payload_at later.
  std::uint64_t scan(
      const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame,
      std::uint32_t stage = 0) const;
  /// The payload of the frame at `offset`, which scan gave; valid as long as the reader.
  [[nodiscard]] std::span<const std::byte> payload_at(std::uint64_t offset) const;

 private:
  friend class JournalWriter;
  struct Frame {
    std::uint32_t stage = 0;
    std::uint64_t task = 0;
    int rank = 0;
    std::uint64_t offset = 0;
  };
  std::uint64_t scan_all(const std::function<void(const Frame&)>& frame) const;
  [[nodiscard]] std::vector<Stage> stages() const;
  void visit(std::uint64_t offset, std::uint64_t bytes) const;
  const std::byte* data_ = nullptr;
  mutable std::uint64_t visited_block_ = 0, visited_blocks_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t first_frame_ = 0;
  std::uint32_t seed_ = 0;
  std::string identity_;
  std::filesystem::path file_;
};

}  // namespace nucreg
