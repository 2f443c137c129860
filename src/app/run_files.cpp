#include "nucreg/app/run_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "nucreg/core/error.hpp"

namespace nucreg {

namespace fs = std::filesystem;

RunFiles::RunFiles(const fs::path& out)
    : output(out),
      journal(out.string() + ".journal"),
      logs(out.string() + ".logs"),
      status(out.string() + ".status"),
      image_journal(out.string() + ".image-journal"),
      replaced(out.string() + ".replaced") {}

fs::path RunFiles::log(int rank) const {
  return logs / fmt::format("rank-{:04}.log", rank);
}

bool is_there(const fs::path& file) {
  std::error_code error;
  const bool found = fs::exists(file, error);
  if (error) throw OutputError(error.message(), {.file = file.string()});
  return found;
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

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw OutputError(error.message(), {.file = from.string()});
}

void remove_temporaries(const fs::path& folder, const std::set<std::string>& targets) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, error)) {
    const std::string name = entry.path().filename().string();
    const auto end = name.rfind(".partial-");
    if (!name.starts_with('.') || end == std::string::npos || end == 0) continue;
    if (targets.contains(name.substr(1, end - 1))) fs::remove(entry.path(), error);
  }
}

bool is_written_now(const fs::path& journal) {
  const int descriptor = open(journal.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(descriptor);
  return locked;
}

void refuse_while_written(const fs::path& journal) {
  if (is_written_now(journal))
    throw OutputError("is the journal of a run that is under way",
                      {.file = journal.string(), .allowed = another_output});
}

JournalKeeper::JournalKeeper(const fs::path& journal)
    : journal_(journal), descriptor_(open(journal.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0)
    throw OutputError(std::string("cannot open the journal: ") + std::strerror(errno),
                      {.file = journal.string()});
}

JournalKeeper::~JournalKeeper() {
  close(descriptor_);
}

bool JournalKeeper::put_back() const {
  std::error_code error;
  if (fs::exists(journal_, error) || error) return false;
  make_folder(journal_.parent_path());
  if (!fs::copy_file(fmt::format("/proc/self/fd/{}", descriptor_), journal_, error))
    throw OutputError("the journal was removed and cannot be put back: " + error.message(),
                      {.file = journal_.string()});
  return true;
}

}  // namespace nucreg
