#include "nucreg/app/image_journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "nucreg/app/launch_line.hpp"
#include "nucreg/app/publish_with.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/table_text.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

int open_locked(const fs::path& file) {
  while (true) {
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) throw OutputError(std::strerror(errno), {.file = file.string()});
    // As with journals: a file system without locks is still one to write to.
    const bool taken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && is_there(file)) return descriptor;
    close(descriptor);
    refuse_while_written(file);  // not where the run that held it has ended, and removed it
  }
}

}  // namespace

ImageJournal::ImageJournal(const RunFiles& files, bool resume)
    : file_(files.image_journal), descriptor_(open_locked(file_)) {
  try {
    const std::vector<std::string> left = lines(file_);
    kept_ = !left.empty();
    refuse_while_written(files.journal);  // of a run that has come to its trials meanwhile
    kept_ = kept_ && resume;
    if (kept_) warnings_.assign(left.begin() + 1, left.end());
    write();
  } catch (...) {
    leave();
    throw;
  }
}

ImageJournal::~ImageJournal() {
  leave();
}

void ImageJournal::leave() const {
  std::error_code ignored;
  if (!kept_) fs::remove(file_, ignored);  // still locked: it can be nobody else's
  close(descriptor_);
}

void ImageJournal::warn(const std::string& warning) {
  warnings_.push_back(warning);
  write();
}

std::vector<std::string> ImageJournal::lines(const fs::path& file) {
  std::vector<std::string> found;
  if (!is_there(file)) return found;
  const std::string text = read_whole(file);
  for (const TextLine& line : lines_of(text)) found.emplace_back(line.text);
  return found;
}

// Into the same file, whose lock is held.
void ImageJournal::write() const {
  std::string text = without_breaks(resume_command()) + "\n";
  for (const std::string& warning : warnings_) text += without_breaks(warning) + "\n";
  write_text(file_, text);
}

}  // namespace nucreg
