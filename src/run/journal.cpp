#include "nucreg/run/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "crc32c.hpp"
#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr std::size_t flush_bytes = std::size_t{64} << 10;
constexpr std::uint32_t version = 2;  // 1: payloads of other records
// No byte pattern of text, small numbers or common doubles.
constexpr std::uint32_t frame_magic = 0xF19CB5E7;

struct Header {
  std::array<char, 8> magic{'n', 'u', 'c', 'j', 'r', 'n', 'l', '\n'};
  std::uint32_t format_version = version;
  std::uint32_t identity_bytes = 0;
  std::uint32_t identity_crc = 0;
  std::uint32_t crc = 0;
};
static_assert(sizeof(Header) == 24);

// The 64-bit task is two halves so that nothing is padded.
struct Frame {
  std::uint32_t magic = frame_magic;
  std::uint32_t payload_bytes = 0;
  std::array<std::uint32_t, 2> task{};
  std::int32_t rank = 0;
  std::uint32_t crc = 0;
};
static_assert(sizeof(Frame) == 24 && std::endian::native == std::endian::little);

/// Checksum of all of a header or frame but its own checksum, its last member.
template <class T>
std::uint32_t checksum(const T& value) {
  return crc32c(std::as_bytes(std::span(&value, 1)).first(sizeof(T) - sizeof(std::uint32_t)));
}

std::uint32_t checksum(const Frame& frame, std::span<const std::byte> payload) {
  return crc32c(payload, checksum(frame));
}

template <class T>
void append_raw(std::string& buffer, const T& value) {
  buffer.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

[[noreturn]] void output_error(const char* call, const std::filesystem::path& file) {
  const int code = errno;
  throw OutputError(std::string(call) + ": " + std::strerror(code), {.file = file.string()});
}

/// A file's name is durable only when its folder is.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) output_error("cannot open the folder of the journal", file);
  const int result = fsync(descriptor);
  const int code = errno;
  close(descriptor);
  errno = code;
  // Some network file systems cannot sync folders; theirs are durable by other means.
  if (result != 0 && code != EINVAL) output_error("cannot sync the folder of the journal", file);
}

/// Two writers would write over each other's frames. The kernel forgets the lock with the process.
void lock_file(int descriptor, const std::filesystem::path& file) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw OutputError("the journal is being written by another process", {.file = file.string()});
  // A file system without locks is still one to write to.
}

/// What is written to a file that has lost its name is lost; the kernel does not say so.
void require_name(int descriptor, const std::filesystem::path& file) {
  struct stat opened {
  }, named{};
  if (fstat(descriptor, &opened) != 0) output_error("cannot look at the journal", file);
  if (stat(file.c_str(), &named) != 0) output_error("the journal was removed", file);
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev)
    throw OutputError("the journal was replaced by another file", {.file = file.string()});
}

}  // namespace

JournalWriter::JournalWriter(int descriptor, std::filesystem::path file)
    : descriptor_(descriptor), file_(std::move(file)) {}

JournalWriter::JournalWriter(const std::filesystem::path& file, const std::string& identity)
    : file_(file) {
  if (identity.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("identity of a journal exceeds 4 GiB");
  descriptor_ = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) output_error("cannot create the journal", file);
  Header header;
  header.identity_bytes = static_cast<std::uint32_t>(identity.size());
  header.identity_crc = crc32c(std::as_bytes(std::span(identity)));
  header.crc = checksum(header);
  append_raw(buffer_, header);
  buffer_ += identity;
  try {
    lock_file(descriptor_, file);
    sync();
    sync_folder(file);
  } catch (...) {
    close(descriptor_);
    unlink(file.c_str());
    throw;
  }
}

std::unique_ptr<JournalWriter> JournalWriter::append_to(const std::filesystem::path& file,
                                                        const std::string& identity) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) throw InputError("there is no such journal", {.file = file.string()});
    output_error("cannot open the journal", file);
  }
  std::unique_ptr<JournalWriter> writer(new JournalWriter(descriptor, file));
  lock_file(descriptor, file);
  // Read only now: before the lock another process could still have been writing.
  const JournalReader reader(file);
  if (reader.identity() != identity)
    throw InputError("the journal belongs to another run", {.file = file.string()});
  std::uint64_t end = reader.first_frame();
  reader.scan([&](std::uint64_t, int, std::uint64_t offset) {
    end = offset + sizeof(Frame) + reader.payload_at(offset).size();
  });
  const auto end_offset = static_cast<off_t>(end);
  if (ftruncate(descriptor, end_offset) != 0) output_error("cannot cut the journal", file);
  if (lseek(descriptor, end_offset, SEEK_SET) < 0) output_error("cannot seek the journal", file);
  // The run before may have died before its last bytes or the name reached the disk.
  writer->sync();
  sync_folder(file);
  return writer;
}

JournalWriter::~JournalWriter() {
  try {
    flush();
  } catch (const OutputError&) {
  }
  close(descriptor_);
}

void JournalWriter::append(std::uint64_t task, int rank, std::span<const std::byte> payload) {
  if (payload.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("result of a task exceeds 4 GiB");
  Frame frame;
  frame.payload_bytes = static_cast<std::uint32_t>(payload.size());
  frame.task = {static_cast<std::uint32_t>(task), static_cast<std::uint32_t>(task >> 32)};
  frame.rank = rank;
  frame.crc = checksum(frame, payload);
  const std::lock_guard lock(mutex_);
  append_raw(buffer_, frame);
  buffer_.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (buffer_.size() >= flush_bytes) flush();
}

void JournalWriter::flush() {
  std::size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t n = write(descriptor_, buffer_.data() + written, buffer_.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int code = errno;
      buffer_.erase(0, written);  // a second try must not write it again
      errno = code;
      output_error("cannot write the journal", file_);
    }
    written += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void JournalWriter::sync() {
  {
    const std::lock_guard lock(mutex_);
    flush();
    require_name(descriptor_, file_);
  }
  // Unlocked: a slow disk must not hold up who appends.
  if (fdatasync(descriptor_) != 0) output_error("cannot sync the journal", file_);
}

JournalReader::JournalReader(const std::filesystem::path& file) : file_(file) {
  const auto refuse = [&](const std::string& problem) {
    throw InputError(problem, {.file = file.string()});
  };
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(std::string("cannot open the journal: ") + std::strerror(errno));
  struct stat status {};
  if (fstat(descriptor, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  void* mapped =
      size_ > 0 ? mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  const int code = errno;
  close(descriptor);
  if (size_ < sizeof(Header)) {
    if (mapped != MAP_FAILED) munmap(mapped, size_);
    throw DamagedJournal("not a journal: it has " + std::to_string(size_) + " bytes",
                         {.file = file.string()});
  }
  if (mapped == MAP_FAILED) refuse(std::string("cannot map the journal: ") + std::strerror(code));
  data_ = static_cast<const std::byte*>(mapped);

  Header header;
  std::memcpy(&header, data_, sizeof(Header));
  const bool sound = header.magic == Header{}.magic && header.crc == checksum(header);
  const bool other_version = sound && header.format_version != version;
  const bool damaged =
      !sound || header.identity_bytes > size_ - sizeof(Header) ||
      crc32c({data_ + sizeof(Header), header.identity_bytes}) != header.identity_crc;
  if (other_version || damaged) munmap(mapped, size_);
  if (other_version) refuse("the journal was written by another version of nucreg");
  if (damaged)
    throw DamagedJournal("not a journal of nucreg, or its header is damaged",
                         {.file = file.string()});
  identity_.assign(reinterpret_cast<const char*>(data_) + sizeof(Header), header.identity_bytes);
  first_frame_ = sizeof(Header) + header.identity_bytes;
}

JournalReader::~JournalReader() {
  munmap(const_cast<std::byte*>(data_), size_);
}

/// Gives pages back from time to time: each counts as this process's memory, and is read again
/// where it is still looked at.
void JournalReader::visit(std::uint64_t offset, std::uint64_t bytes) const {
  constexpr std::uint64_t block_bytes = 64 << 10;  // what the system maps around a page
  constexpr std::uint64_t most_blocks = 1024;
  const std::uint64_t first = offset / block_bytes, last = (offset + bytes) / block_bytes;
  visited_blocks_ += last - first + (first != visited_block_ ? 1 : 0);
  visited_block_ = last;
  if (visited_blocks_ < most_blocks) return;
  visited_blocks_ = 0;
  madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

std::uint64_t JournalReader::scan(
    const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame) const {
  std::uint64_t skipped = 0;
  for (std::uint64_t offset = first_frame_; offset < size_;) {
    Frame head;
    const std::uint64_t left = size_ - offset;
    if (left >= sizeof(Frame)) {
      std::memcpy(&head, data_ + offset, sizeof(Frame));
      if (head.magic == frame_magic && head.payload_bytes <= left - sizeof(Frame) &&
          checksum(head, {data_ + offset + sizeof(Frame), head.payload_bytes}) == head.crc) {
        visit(offset, sizeof(Frame) + head.payload_bytes);
        frame(head.task[0] | std::uint64_t{head.task[1]} << 32, head.rank, offset);
        offset += sizeof(Frame) + head.payload_bytes;
        continue;
      }
    }
    const void* next = memmem(data_ + offset + 1, left - 1, &frame_magic, sizeof(frame_magic));
    const std::uint64_t resume =
        next ? static_cast<std::uint64_t>(static_cast<const std::byte*>(next) - data_) : size_;
    skipped += resume - offset;
    offset = resume;
  }
  return skipped;
}

std::span<const std::byte> JournalReader::payload_at(std::uint64_t offset) const {
  Frame head;
  if (offset < first_frame_ || offset > size_ || size_ - offset < sizeof(Frame))
    throw std::out_of_range("no frame at this offset of the journal");
  std::memcpy(&head, data_ + offset, sizeof(Frame));
  if (head.magic != frame_magic || head.payload_bytes > size_ - offset - sizeof(Frame))
    throw std::out_of_range("no frame at this offset of the journal");
  visit(offset, sizeof(Frame) + head.payload_bytes);
  return {data_ + offset + sizeof(Frame), head.payload_bytes};
}

}  // namespace nucreg
