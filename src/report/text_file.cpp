#include "text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/store/publish_file.hpp"

namespace nucreg {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 18;

[[noreturn]] void fail(const std::string& call, const std::filesystem::path& path) {
  const int error = errno;
  throw OutputError(call + ": " + std::generic_category().message(error), {.file = path.string()});
}

}  // namespace

TextFile::TextFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("open", target_);
}

TextFile::~TextFile() {
  if (descriptor_ >= 0) close(descriptor_);
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);  // after publish() there is none
}

void TextFile::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_bytes) flush();
}

void TextFile::flush() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t done = ::write(descriptor_, rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("write", target_);
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  buffer_.clear();
}

void TextFile::publish(bool overwrite) {
  flush();
  if (close(std::exchange(descriptor_, -1)) != 0) fail("close", target_);
  publish_file(temporary_, target_, overwrite);
}

}  // namespace nucreg
