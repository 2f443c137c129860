#include "nucreg/store/publish_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

[[noreturn]] void fail(const std::string& call, const std::filesystem::path& path) {
  const int error = errno;
  throw OutputError(call + ": " + std::generic_category().message(error), {.file = path.string()});
}

void sync_path(const std::filesystem::path& path, int flags) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (descriptor < 0) fail("open", path);
  const int failed = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  errno = error;
  // Some network file systems cannot sync a directory and say so with EINVAL.
  if (failed != 0 && error != EINVAL) fail("fsync", path);
}

void rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  // NFS and others cannot: there the name is taken first and then replaced.
  if (errno == EINVAL || errno == ENOSYS) {
    const int taken = open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (taken >= 0) {
      close(taken);
      if (std::rename(from.c_str(), to.c_str()) == 0) return;
      const int error = errno;
      unlink(to.c_str());
      errno = error;
    }
  }
  if (errno == EEXIST)
    throw OutputError("exists already", {.file = to.string(), .allowed = "a new file"});
  fail("rename", to);
}

}  // namespace

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  return target.parent_path() /
         ("." + target.filename().string() + ".partial-" + std::to_string(getpid()));
}

void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& target,
                  bool overwrite) {
  sync_path(temporary, 0);
  if (!overwrite)
    rename_to_new(temporary, target);
  else if (std::rename(temporary.c_str(), target.c_str()) != 0)
    fail("rename", target);
  const auto directory = target.parent_path();
  sync_path(directory.empty() ? std::filesystem::path(".") : directory, O_DIRECTORY);
}

}  // namespace nucreg
