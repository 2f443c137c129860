#include "nucreg/app/publish_with.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/store/publish_file.hpp"

namespace nucreg {

namespace fs = std::filesystem;

namespace {

void remove_quietly(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

}  // namespace

void publish_with(const fs::path& target, bool overwrite,
                  const std::function<void(const fs::path&)>& write) {
  const fs::path temporary = temporary_beside(target);
  try {
    write(temporary);
    publish_file(temporary, target, overwrite);
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

void write_text(const fs::path& file, const std::string& text) {
  errno = 0;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) throw OutputError(std::strerror(errno), {.file = file.string()});
}

}  // namespace nucreg
