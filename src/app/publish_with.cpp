#include "nucreg/app/publish_with.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "nucreg/core/error.hpp"
#include "nucreg/store/publish_file.hpp"

namespace nucreg {

namespace fs = std::filesystem;

void publish_with(const fs::path& target, bool overwrite,
                  const std::function<void(const fs::path&)>& write) {
  const fs::path temporary = temporary_beside(target);
  try {
    write(temporary);
    publish_file(temporary, target, overwrite);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_text(const fs::path& file, const std::string& text) {
  errno = 0;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) throw OutputError(std::strerror(errno), {.file = file.string()});
}

}  // namespace nucreg
