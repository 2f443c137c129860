#include "nucreg/disk/publish.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* call, const fs::path& path) {
  throw OutputError(std::string(call) + ": " + std::generic_category().message(errno),
                    {.file = path.string()});
}

void rename_to_new(const fs::path& from, const fs::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  // NFS and others cannot: there the name is taken first and then replaced.
  if (errno == EINVAL || errno == ENOSYS) {
    const Descriptor taken(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (taken) {
      if (std::rename(from.c_str(), to.c_str()) == 0) return;
      const int error = errno;
      unlink(to.c_str());
      errno = error;
    }
  }
  if (errno == EEXIST)
    throw OutputError("already exists", {.file = to.string(), .allowed = "a new file"});
  fail("rename", to);
}

void rename_over(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) fail("rename", to);
}

Descriptor write_open(const fs::path& file, std::string_view text) {
  Descriptor opened = open_to_write(file, Opened::empty);
  if (write_some(opened, text) < text.size()) fail("write", file);
  return opened;
}

/// Calls visit(file, target) for each temporary_beside a target in that folder.
template <class Visit>
void for_each_temporary(const fs::path& folder, Visit&& visit) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto end = name.rfind(".partial-");
    if (!name.starts_with('.') || end == std::string::npos || end == 0) continue;
    visit(entry.path(), name.substr(1, end - 1));
  }
}

std::string program_of(const std::string& process) {
  try {
    return read_file("/proc/" + process + "/comm");
  } catch (const InputError&) {  // there is none, or it is of another host
    return {};
  }
}

/// Whether another process of this program that runs here may be writing that temporary file.
bool may_be_written(const fs::path& file) {
  const std::string name = file.filename().string();
  constexpr std::string_view before = ".partial-";
  const std::string process =
      std::to_string(std::atol(name.c_str() + name.rfind(before) + before.size()));
  return process != std::to_string(getpid()) && program_of(process) == program_of("self");
}

/// `write` writes the temporary file, `place` gives it its name.
template <class Write, class Place>
void make_whole(const fs::path& target, Write&& write, Place&& place) {
  const fs::path temporary = temporary_beside(target);
  try {
    write(temporary);
    place(temporary);
  } catch (const OutputError& error) {
    remove_quietly(temporary);
    // Whoever reads it knows the output, not what it is called until it is whole.
    if (error.fields().file != temporary.string()) throw;
    ErrorFields fields = error.fields();
    fields.file = target.string();
    throw OutputError(error.problem(), std::move(fields));
  } catch (...) {
    remove_quietly(temporary);
    throw;
  }
}

}  // namespace

const std::string& process_name() {
  static const std::string name = [] {
    std::uint32_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) number = 0;
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", number);
    return std::to_string(getpid()) + "-" + digits.data();
  }();
  return name;
}

fs::path temporary_beside(const fs::path& target) {
  return target.parent_path() / ("." + target.filename().string() + ".partial-" + process_name());
}

Descriptor open_temporary(const fs::path& target) {
  try {
    return open_to_write(temporary_beside(target), Opened::empty);
  } catch (const OutputError& error) {
    throw OutputError(error.problem(), {.file = target.string()});
  }
}

void publish_file(const fs::path& temporary, const fs::path& target, bool overwrite) {
  if (overwrite)
    rename_over(temporary, target);
  else
    rename_to_new(temporary, target);
  sync_folder_of(target);
}

void publish_with(const fs::path& target, bool overwrite,
                  const std::function<void(const fs::path&)>& write) {
  make_whole(target, write,
             [&](const fs::path& temporary) { publish_file(temporary, target, overwrite); });
}

void write_file(const fs::path& file, std::string_view text) {
  Descriptor written = write_open(file, text);
  sync_and_close(written, file);
}

void replace_file(const fs::path& file, std::string_view text) {
  make_whole(
      file,
      [&](const fs::path& temporary) {
        Descriptor written = write_open(temporary, text);
        close_written(written, temporary);
      },
      [&](const fs::path& temporary) { rename_over(temporary, file); });
}

TextFile::TextFile(fs::path target)
    : target_(std::move(target)),
      temporary_(temporary_beside(target_)),
      descriptor_(open_temporary(target_)) {}

TextFile::~TextFile() {
  remove_quietly(temporary_);  // after publish() there is none
}

void TextFile::write(std::string_view text) {
  constexpr std::size_t buffer_bytes = std::size_t{1} << 18;
  buffer_ += text;
  if (buffer_.size() >= buffer_bytes) flush();
}

void TextFile::flush() {
  if (write_some(descriptor_, buffer_) < buffer_.size()) fail("write", target_);
  buffer_.clear();
}

void TextFile::publish(bool overwrite) {
  flush();
  sync_and_close(descriptor_, target_);
  publish_file(temporary_, target_, overwrite);
}

void remove_temporaries(const fs::path& folder, const std::set<std::string>& targets) {
  for_each_temporary(folder, [&](const fs::path& file, const std::string& target) {
    std::error_code ignored;
    if (targets.contains(target) && !may_be_written(file)) fs::remove(file, ignored);
  });
}

void remove_old_temporaries(const fs::path& folder) {
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24);
  for_each_temporary(folder, [&](const fs::path& file, const std::string&) {
    std::error_code error;
    if (fs::last_write_time(file, error) < old && !error) fs::remove(file, error);
  });
}

}  // namespace nucreg
