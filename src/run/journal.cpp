#include "nucreg/run/journal.hpp"

#include <libdeflate.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr std::size_t flush_bytes = std::size_t{64} << 10;
// 1 and 2 are of nucreg 0.1, without stages; no bit flipped in this one makes one of those.
constexpr std::uint32_t version = 16;
// No byte pattern of text, small numbers or common doubles.
constexpr std::uint32_t frame_magic = 0xF19CB5E7;
// Number of the frames that declare a stage, and of the notes in stage 0: no task has it.
constexpr std::uint64_t no_task = std::numeric_limits<std::uint64_t>::max();

struct Header {
  std::array<char, 8> magic{'n', 'u', 'c', 'j', 'r', 'n', 'l', '\n'};
  std::uint32_t format_version = version;
  std::uint32_t identity_bytes = 0;
  std::uint32_t identity_crc = 0;
  std::uint32_t crc = 0;
};
static_assert(sizeof(Header) == 24);

// The 64-bit task is two halves so that nothing is padded.
struct RawFrame {
  std::uint32_t magic = frame_magic;
  std::uint32_t payload_bytes = 0;
  std::array<std::uint32_t, 2> task{};
  std::int32_t rank = 0;
  std::uint32_t stage = 0;
  std::uint32_t crc = 0;
};
static_assert(sizeof(RawFrame) == 28 && std::endian::native == std::endian::little);

std::uint32_t crc32(std::uint32_t before, std::span<const std::byte> bytes) {
  // Without any bytes the library begins again.
  return bytes.empty() ? before : libdeflate_crc32(before, bytes.data(), bytes.size());
}

/// Checksum of all of a header or frame but its own checksum, its last member.
template <class T>
std::uint32_t checksum(std::uint32_t seed, const T& value) {
  return crc32(seed, std::as_bytes(std::span(&value, 1)).first(sizeof(T) - sizeof(std::uint32_t)));
}

std::uint32_t checksum(std::uint32_t seed, const RawFrame& frame,
                       std::span<const std::byte> payload) {
  return crc32(checksum(seed, frame), payload);
}

std::uint32_t checksum_of(const std::string& identity) {
  return crc32(0, std::as_bytes(std::span(identity)));
}

template <class T>
void append_raw(std::string& buffer, const T& value) {
  buffer.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

[[noreturn]] void output_error(const char* call, const std::filesystem::path& file) {
  throw OutputError(std::string(call) + ": " + std::strerror(errno), {.file = file.string()});
}

/// Two writers would write over each other's frames.
void take_lock(const Descriptor& descriptor, const std::filesystem::path& file) {
  if (!lock(descriptor))
    throw OutputError("the journal is being written by another process", {.file = file.string()});
}

/// What is written to a file that has lost its name is lost; the kernel does not say so.
void require_name(const Descriptor& descriptor, const std::filesystem::path& file) {
  struct stat opened {
  }, named{};
  if (fstat(descriptor.get(), &opened) != 0) output_error("cannot look at the journal", file);
  if (stat(file.c_str(), &named) != 0) output_error("the journal was removed", file);
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev)
    throw OutputError("the journal was replaced by another file", {.file = file.string()});
}

}  // namespace

JournalWriter::JournalWriter(Descriptor descriptor, std::filesystem::path file)
    : descriptor_(std::move(descriptor)), file_(std::move(file)) {}

JournalWriter::JournalWriter(const std::filesystem::path& file, const std::string& identity)
    : file_(file), seed_(checksum_of(identity)) {
  if (identity.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("identity of a journal exceeds 4 GiB");
  descriptor_ = open_to_write(file, Opened::fresh);
  take_lock(descriptor_, file);  // who was faster in this moment continues what it has
  Header header;
  header.identity_bytes = static_cast<std::uint32_t>(identity.size());
  header.identity_crc = seed_;
  header.crc = checksum(0, header);
  append_raw(buffer_, header);
  buffer_ += identity;
  try {
    sync();
    sync_folder_of(file);
  } catch (...) {
    unlink(file.c_str());
    throw;
  }
}

std::unique_ptr<JournalWriter> JournalWriter::append_to(const std::filesystem::path& file,
                                                        const std::string& identity) {
  if (!file_exists(file)) throw InputError("there is no such journal", {.file = file.string()});
  std::unique_ptr<JournalWriter> writer(new JournalWriter(open_to_write(file, Opened::kept), file));
  take_lock(writer->descriptor_, file);
  // Read only now: before the lock another process could still have been writing.
  const JournalReader reader(file);
  if (reader.identity() != identity)
    throw InputError("the journal belongs to another run", {.file = file.string()});
  writer->seed_ = reader.seed_;
  std::uint64_t end = reader.first_frame();
  writer->damaged_bytes_ = reader.scan_all([&](const JournalReader::Frame& frame) {
    end = frame.offset + sizeof(RawFrame) + reader.payload_at(frame.offset).size();
  });
  const auto end_offset = static_cast<off_t>(end);
  const int descriptor = writer->descriptor_.get();
  if (ftruncate(descriptor, end_offset) != 0) output_error("cannot cut the journal", file);
  if (lseek(descriptor, end_offset, SEEK_SET) < 0) output_error("cannot seek the journal", file);
  // The run before may have died before its last bytes or the name reached the disk.
  writer->sync();
  sync_folder_of(file);
  return writer;
}

JournalWriter::~JournalWriter() {
  try {
    const std::lock_guard lock(file_mutex_);
    write();
  } catch (const OutputError&) {
  }
}

std::uint32_t JournalWriter::begin_stage(const std::string& kind, const std::string& identity) {
  sync();
  std::uint32_t number = 0;
  for (const JournalReader::Stage& known : JournalReader(file_).stages()) {
    if (known.kind == kind && known.identity == identity) return stage_ = known.number;
    number = std::max(number, known.number);
  }
  stage_ = number + 1;
  add(stage_, no_task, 0, to_bytes(kind, identity));
  return stage_;
}

void JournalWriter::note(const std::string& kind, const std::string& text) {
  add(0, no_task, 0, to_bytes(kind, text));
}

void JournalWriter::append(std::uint64_t task, int rank, std::span<const std::byte> payload) {
  add(task, rank, payload);
  {
    const std::lock_guard lock(mutex_);
    if (buffer_.size() < flush_bytes) return;
  }
  const std::lock_guard lock(file_mutex_);
  write();
}

void JournalWriter::add(std::uint64_t task, int rank, std::span<const std::byte> payload) {
  add(stage_, task, rank, payload);
}

void JournalWriter::add(std::uint32_t stage, std::uint64_t task, int rank,
                        std::span<const std::byte> payload) {
  if (payload.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("result of a task exceeds 4 GiB");
  RawFrame frame;
  frame.payload_bytes = static_cast<std::uint32_t>(payload.size());
  frame.task = {static_cast<std::uint32_t>(task), static_cast<std::uint32_t>(task >> 32)};
  frame.rank = rank;
  frame.stage = stage;
  frame.crc = checksum(seed_, frame, payload);
  const std::lock_guard lock(mutex_);
  append_raw(buffer_, frame);
  buffer_.append(reinterpret_cast<const char*>(payload.data()), payload.size());
}

void JournalWriter::write() {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(buffer_);
  }
  const std::size_t written = write_some(descriptor_, bytes);
  if (written == bytes.size()) return;
  const int code = errno;
  {
    const std::lock_guard lock(mutex_);
    buffer_.insert(0, bytes, written);  // a second try must not write again what was written
  }
  errno = code;
  output_error("cannot write the journal", file_);
}

void JournalWriter::sync() {
  {
    const std::lock_guard lock(file_mutex_);
    write();
    require_name(descriptor_, file_);
  }
  // Unlocked: a slow disk must not hold up who appends.
  sync_data(descriptor_, file_);
}

JournalReader::JournalReader(const std::filesystem::path& file) : file_(file) {
  const auto refuse = [&](const std::string& problem) {
    throw InputError(problem, {.file = file.string()});
  };
  const Descriptor descriptor = open_to_read(file, Owner::ours);
  size_ = size_of(descriptor, file);
  if (size_ < sizeof(Header))
    throw DamagedJournal("not a journal: it has " + std::to_string(size_) + " bytes",
                         {.file = file.string()});
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (mapped == MAP_FAILED) refuse(std::string("cannot map the journal: ") + std::strerror(errno));
  data_ = static_cast<const std::byte*>(mapped);

  Header header;
  std::memcpy(&header, data_, sizeof(Header));
  // Only these versions identify a journal of 0.1: its checksums are others.
  const bool is_journal = header.magic == Header{}.magic;
  const bool of_0_1 = is_journal && (header.format_version == 1 || header.format_version == 2);
  const bool sound = is_journal && header.crc == checksum(0, header);
  const bool is_ours =
      sound && header.format_version == version &&
      header.identity_bytes <= size_ - sizeof(Header) &&
      crc32(0, {data_ + sizeof(Header), header.identity_bytes}) == header.identity_crc;
  if (!is_ours) munmap(mapped, size_);
  if (of_0_1) refuse("the journal was written by nucreg 0.1, which alone can finish its run");
  if (sound && header.format_version != version)
    refuse("the journal was written by another version of nucreg");
  if (!is_ours)
    throw DamagedJournal("not a journal of nucreg, or its header is damaged",
                         {.file = file.string()});
  identity_.assign(reinterpret_cast<const char*>(data_) + sizeof(Header), header.identity_bytes);
  seed_ = header.identity_crc;
  first_frame_ = sizeof(Header) + header.identity_bytes;
}

JournalReader::~JournalReader() {
  munmap(const_cast<std::byte*>(data_), size_);
}

/// Gives pages back from time to time: each counts as this process's memory, and is read again if
/// it is still looked at.
void JournalReader::visit(std::uint64_t offset, std::uint64_t bytes) const {
  constexpr std::uint64_t block_bytes = 64 << 10;  // what the system maps around a page
  constexpr std::uint64_t max_blocks = 1024;
  const std::uint64_t first = offset / block_bytes, last = (offset + bytes) / block_bytes;
  visited_blocks_ += last - first + (first != visited_block_ ? 1 : 0);
  visited_block_ = last;
  if (visited_blocks_ < max_blocks) return;
  visited_blocks_ = 0;
  madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

std::uint64_t JournalReader::scan_all(const std::function<void(const Frame&)>& frame) const {
  std::uint64_t skipped = 0;
  for (std::uint64_t offset = first_frame_; offset < size_;) {
    RawFrame head;
    const std::uint64_t left = size_ - offset;
    if (left >= sizeof(RawFrame)) {
      std::memcpy(&head, data_ + offset, sizeof(RawFrame));
      if (head.magic == frame_magic && head.payload_bytes <= left - sizeof(RawFrame) &&
          checksum(seed_, head, {data_ + offset + sizeof(RawFrame), head.payload_bytes}) ==
              head.crc) {
        visit(offset, sizeof(RawFrame) + head.payload_bytes);
        frame({head.stage, head.task[0] | std::uint64_t{head.task[1]} << 32, head.rank, offset});
        offset += sizeof(RawFrame) + head.payload_bytes;
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

std::uint64_t JournalReader::scan(
    const std::function<void(std::uint64_t task, int rank, std::uint64_t offset)>& frame,
    std::uint32_t stage) const {
  return scan_all([&](const Frame& found) {
    if (found.stage == stage && found.task != no_task) frame(found.task, found.rank, found.offset);
  });
}

std::vector<JournalReader::Stage> JournalReader::stages() const {
  std::vector<Stage> found;
  scan_all([&](const Frame& frame) {
    if (frame.stage == 0 || frame.task != no_task) return;
    Stage stage{.number = frame.stage};
    ByteReader reader(payload_at(frame.offset));
    reader(stage.kind, stage.identity);
    found.push_back(std::move(stage));
  });
  return found;
}

std::optional<JournalReader::Stage> JournalReader::stage(const std::string& kind) const {
  std::optional<Stage> last;
  for (Stage& stage : stages())
    if (stage.kind == kind) last = std::move(stage);
  return last;
}

std::vector<JournalReader::Note> JournalReader::notes() const {
  std::vector<Note> found;
  std::set<std::pair<std::string, std::string>> known;
  scan_all([&](const Frame& frame) {
    if (frame.stage != 0 || frame.task != no_task) return;
    Note note;
    ByteReader reader(payload_at(frame.offset));
    reader(note.kind, note.text);
    if (known.emplace(note.kind, note.text).second) found.push_back(std::move(note));
  });
  return found;
}

std::span<const std::byte> JournalReader::payload_at(std::uint64_t offset) const {
  RawFrame head;
  if (offset < first_frame_ || offset > size_ || size_ - offset < sizeof(RawFrame))
    throw std::out_of_range("no frame at this offset of the journal");
  std::memcpy(&head, data_ + offset, sizeof(RawFrame));
  if (head.magic != frame_magic || head.payload_bytes > size_ - offset - sizeof(RawFrame))
    throw std::out_of_range("no frame at this offset of the journal");
  visit(offset, sizeof(RawFrame) + head.payload_bytes);
  return {data_ + offset + sizeof(RawFrame), head.payload_bytes};
}

}  // namespace nucreg
