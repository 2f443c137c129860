// Files and folders: what exists, reading, opening, locks, durability.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nucreg {

/// What a glob matches, in order; empty if it matches nothing.
[[nodiscard]] std::vector<std::string> files_matching(const std::string& glob);
/// Throws OutputError if it cannot be found out.
[[nodiscard]] bool file_exists(const std::filesystem::path& file);
/// Throws OutputError (path; `allowed`: what the user can do) unless `file` can become an output:
/// it does not exist, or is a regular file or a link to one (replaced, not followed), to overwrite.
void check_output(const std::filesystem::path& file, bool overwrite, const std::string& allowed);
/// Throws JobError (path; `key`: the option) if an output is one of the inputs, by whatever name.
/// Files that do not exist are others.
void check_not_input(const std::filesystem::path& output,
                     const std::vector<std::filesystem::path>& inputs, const std::string& key);
/// With its parents; an empty path and an existing folder are fine. Throws OutputError.
void make_folder(const std::filesystem::path& folder);
/// Does nothing if there is no such file. Throws OutputError.
void remove_file(const std::filesystem::path& file);
/// The same for what must not fail: an error that is already on its way, or the end of a run.
void remove_quietly(const std::filesystem::path& file) noexcept;
/// Throws OutputError.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Whose file it is: a file of our own is never a link, so nobody can lead us to another one. One
/// that is trusted was made by this user, too, and not everybody may write it.
enum class Owner { user, ours, trusted };

/// An open file, closed with its owner; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  [[nodiscard]] int get() const { return number_; }
  /// The caller closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// Opens a regular file to read; does not wait for the writer of a pipe. Throws InputError (path,
/// reason).
[[nodiscard]] Descriptor open_to_read(const std::filesystem::path& file, Owner owner = Owner::user);
/// Opens a file of ours to write at its start, and to read back. `fresh`: it must not exist;
/// `empty`: what it held is gone; `kept`: it must exist. Throws OutputError (path, reason).
enum class Opened { fresh, empty, kept };
[[nodiscard]] Descriptor open_to_write(const std::filesystem::path& file, Opened how);

/// All bytes of a file. Throws InputError (path, reason), also if it is no regular file or larger
/// than `max_bytes`.
[[nodiscard]] std::string read_file(
    const std::filesystem::path& file, Owner owner = Owner::user,
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());

/// The first bytes of a regular file, `count` or all. Throws InputError as read_file does.
[[nodiscard]] std::string start_of_file(const std::filesystem::path& file, std::size_t count);

/// SHA-256 of a whole file, read in pieces, as Sha256::hex(). Throws InputError as read_file does.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

/// Sums of files that do not change meanwhile: each is read once, however often it is asked for.
/// May be used by several threads.
class FileSums {
 public:
  /// As sha256_of_file.
  [[nodiscard]] std::string of(const std::filesystem::path& file);

 private:
  std::mutex mutex_;
  std::map<std::filesystem::path, std::string> sums_;
};

/// Of an open file now. Throws InputError naming `file`.
[[nodiscard]] std::uint64_t size_of(const Descriptor& open_file, const std::filesystem::path& file);

/// Reads all bytes from that place on and returns how many; fewer at the end of the file. Nothing
/// if the system fails: errno says why.
[[nodiscard]] std::optional<std::size_t> read_at(const Descriptor& from, std::uint64_t offset,
                                                 std::span<std::byte> to);
/// Writes all bytes and returns how many; fewer if the system refuses more: errno says why.
[[nodiscard]] std::size_t write_some(const Descriptor& to, std::string_view bytes);
/// The same from that place on.
[[nodiscard]] std::size_t write_some_at(const Descriptor& to, std::uint64_t offset,
                                        std::span<const std::byte> bytes);

/// Makes the content of an open file durable. Throws OutputError naming `file`.
void sync_data(const Descriptor& open_file, const std::filesystem::path& file);
/// Closes a file that was written through this descriptor. Network file systems say only now, and
/// only here, that they could not store it: no other descriptor hears of it. Throws OutputError
/// naming `file`.
void close_written(Descriptor& open_file, const std::filesystem::path& file);
/// The same once file and content are durable.
void sync_and_close(Descriptor& open_file, const std::filesystem::path& file);
/// Makes the name of a file in its folder durable. Throws OutputError.
void sync_folder_of(const std::filesystem::path& file);

/// Takes the lock of an open file, which the kernel forgets with the process. False: another
/// process has it. File systems without locks: true.
[[nodiscard]] bool lock(const Descriptor& open_file);
/// Whether another open file has the lock; false if there is no such file.
[[nodiscard]] bool is_locked(const std::filesystem::path& file);

}  // namespace nucreg
