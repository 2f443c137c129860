#include "nucreg/disk/files.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) {
  return std::generic_category().message(code);
}

[[noreturn]] void fail_to_write(const char* call, const fs::path& path, int code) {
  throw OutputError(std::string(call) + ": " + reason(code), {.file = path.string()});
}

int link_flag(Owner owner) {
  return owner == Owner::user ? 0 : O_NOFOLLOW;
}

void sync(int descriptor, const fs::path& path, int (*call)(int)) {
  // Some network file systems cannot sync a folder and say so with EINVAL; theirs are durable.
  if (call(descriptor) != 0 && errno != EINVAL) fail_to_write("fsync", path, errno);
}

/// Calls `act(done)` until it has moved `bytes`, or moves none; returns how many were moved. errno
/// is then that of a failure, or 0.
template <class Act>
std::size_t transferred(std::size_t bytes, Act&& act) {
  std::size_t done = 0;
  while (done < bytes) {
    errno = 0;
    const ssize_t count = act(done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return done;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::size_t read_or_throw(const Descriptor& from, const fs::path& file, std::uint64_t offset,
                          std::span<char> to) {
  const auto got = read_at(from, offset, std::as_writable_bytes(to));
  if (!got) throw InputError(reason(errno), {.file = file.string()});
  return *got;
}

/// To its end and not to its size: files below /proc have none.
template <class Take>
void for_each_piece(const Descriptor& from, const fs::path& file, Take&& take) {
  std::string piece(std::size_t{1} << 16, '\0');
  for (std::uint64_t offset = 0;;) {
    const std::size_t count = read_or_throw(from, file, offset, piece);
    if (count == 0) return;
    take(std::string_view(piece).substr(0, count));
    offset += count;
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::vector<std::string> files_matching(const std::string& glob) {
  glob_t found{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> owner(&found, &globfree);
  if (::glob(glob.c_str(), 0, nullptr, &found) != 0) return {};
  return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

bool file_exists(const fs::path& file) {
  std::error_code error;
  const bool found = fs::exists(file, error);
  if (error) throw OutputError(error.message(), {.file = file.string()});
  return found;
}

void check_output(const fs::path& file, bool overwrite, const std::string& allowed) {
  std::error_code ignored;
  if (!file_exists(file) && fs::is_symlink(file, ignored))
    throw OutputError("is a link that leads nowhere",
                      {.file = file.string(), .allowed = "a name that nothing else has"});
  if (!file_exists(file)) return;
  if (!fs::is_regular_file(file))
    throw OutputError("exists but is not a regular file",
                      {.file = file.string(), .allowed = "a name that nothing else has"});
  if (!overwrite) throw OutputError("already exists", {.file = file.string(), .allowed = allowed});
}

void check_not_input(const fs::path& output, const std::vector<fs::path>& inputs,
                     const std::string& key) {
  std::error_code ignored;
  if (!fs::exists(output, ignored)) return;
  for (const fs::path& input : inputs)
    if (fs::equivalent(input, output, ignored))
      throw JobError("is one of the inputs",
                     {.file = output.string(), .key = key, .allowed = "another file"});
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error) throw OutputError(error.message(), {.file = folder.string()});
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error && error != std::errc::not_a_directory)
    throw OutputError(error.message(), {.file = file.string()});
}

void remove_quietly(const fs::path& file) noexcept {
  std::error_code ignored;
  fs::remove(file, ignored);
}

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw OutputError(error.message(), {.file = from.string()});
}

Descriptor open_to_read(const fs::path& file, Owner owner) {
  const auto refuse = [&](const std::string& problem, const std::string& allowed = {}) {
    throw InputError(problem, {.file = file.string(), .allowed = allowed});
  };
  // O_NONBLOCK: a pipe would wait for its writer.
  Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | link_flag(owner)));
  if (!opened) refuse(errno == ELOOP ? "is a symbolic link" : reason(errno));
  struct stat facts {};
  if (fstat(opened.get(), &facts) != 0) refuse(reason(errno));
  if (S_ISDIR(facts.st_mode)) refuse("is a directory");
  if (S_ISFIFO(facts.st_mode))
    refuse("is not a regular file but a pipe", "a file that holds what comes through the pipe");
  if (!S_ISREG(facts.st_mode)) refuse("is not a regular file");
  if (owner == Owner::trusted && (facts.st_uid != geteuid() || (facts.st_mode & S_IWOTH) != 0))
    refuse("belongs to another user, or everybody may write it");
  return opened;
}

Descriptor open_to_write(const fs::path& file, Opened how) {
  const int flags = how == Opened::fresh   ? O_CREAT | O_EXCL
                    : how == Opened::empty ? O_CREAT | O_TRUNC
                                           : 0;
  // O_NONBLOCK: a pipe in its place would wait for its reader.
  Descriptor opened(
      open(file.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | link_flag(Owner::ours) | flags, 0666));
  if (!opened) fail_to_write("open", file, errno);
  struct stat facts {};
  if (fstat(opened.get(), &facts) != 0) fail_to_write("fstat", file, errno);
  if (!S_ISREG(facts.st_mode))
    throw OutputError("exists but is not a regular file", {.file = file.string()});
  return opened;
}

std::uint64_t size_of(const Descriptor& open_file, const fs::path& file) {
  struct stat facts {};
  if (fstat(open_file.get(), &facts) != 0) throw InputError(reason(errno), {.file = file.string()});
  return static_cast<std::uint64_t>(facts.st_size);
}

std::string read_file(const fs::path& file, Owner owner, std::uint64_t max_bytes) {
  const Descriptor opened = open_to_read(file, owner);
  std::string bytes;
  if (const std::uint64_t size = size_of(opened, file); size <= max_bytes) bytes.reserve(size);
  for_each_piece(opened, file, [&](std::string_view piece) {
    if (bytes.size() + piece.size() > max_bytes)
      throw InputError("is larger than " + std::to_string(max_bytes) + " bytes",
                       {.file = file.string()});
    bytes += piece;
  });
  return bytes;
}

std::string start_of_file(const fs::path& file, std::size_t count) {
  const Descriptor opened = open_to_read(file);
  std::string bytes(count, '\0');
  bytes.resize(read_or_throw(opened, file, 0, bytes));
  return bytes;
}

std::string sha256_of_file(const fs::path& file) {
  Sha256 sum;
  for_each_piece(open_to_read(file), file, [&](std::string_view piece) { sum.add(piece); });
  return sum.hex();
}

std::string FileSums::of(const fs::path& file) {
  const std::lock_guard lock(mutex_);
  std::string& sum = sums_[file];
  if (sum.empty()) sum = sha256_of_file(file);
  return sum;
}

std::optional<std::size_t> read_at(const Descriptor& from, std::uint64_t offset,
                                   std::span<std::byte> to) {
  const std::size_t got = transferred(to.size(), [&](std::size_t done) {
    return pread(from.get(), to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
  });
  return got == to.size() || errno == 0 ? std::optional(got) : std::nullopt;
}

std::size_t write_some(const Descriptor& to, std::string_view bytes) {
  return transferred(bytes.size(), [&](std::size_t done) {
    return write(to.get(), bytes.data() + done, bytes.size() - done);
  });
}

std::size_t write_some_at(const Descriptor& to, std::uint64_t offset,
                          std::span<const std::byte> bytes) {
  return transferred(bytes.size(), [&](std::size_t done) {
    return pwrite(to.get(), bytes.data() + done, bytes.size() - done,
                  static_cast<off_t>(offset + done));
  });
}

void sync_data(const Descriptor& open_file, const fs::path& file) {
  sync(open_file.get(), file, fdatasync);
}

void close_written(Descriptor& open_file, const fs::path& file) {
  // Closed all the same if a signal interrupts it.
  if (close(open_file.release()) != 0 && errno != EINTR) fail_to_write("close", file, errno);
}

void sync_and_close(Descriptor& open_file, const fs::path& file) {
  sync(open_file.get(), file, fsync);
  close_written(open_file, file);
}

void sync_folder_of(const fs::path& file) {
  const fs::path parent = file.parent_path(), folder = parent.empty() ? fs::path(".") : parent;
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!opened) fail_to_write("open", folder, errno);
  sync(opened.get(), folder, fsync);
}

bool lock(const Descriptor& open_file) {
  return flock(open_file.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

bool is_locked(const fs::path& file) {
  const int flags = O_CLOEXEC | O_NONBLOCK | link_flag(Owner::ours);
  // To write, since some network file systems lock nothing else; but whoever may only read a run
  // may ask, too.
  Descriptor opened(open(file.c_str(), O_RDWR | flags));
  if (!opened) opened = Descriptor(open(file.c_str(), O_RDONLY | flags));
  return opened && !lock(opened);
}

}  // namespace nucreg
