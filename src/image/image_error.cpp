#include "nucreg/image/image_error.hpp"

#include <fmt/format.h>

namespace nucreg {
namespace {

// A problem may quote the file, and text of a file must not steer a terminal.
std::string with_place(std::string problem, const ImageErrorFields& fields) {
  for (char& c : problem)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return fields.offset ? fmt::format("{} ({}, offset {})", problem, fields.code, *fields.offset)
                       : fmt::format("{} ({})", problem, fields.code);
}

}  // namespace

ImageError::ImageError(const std::string& problem, ImageErrorFields fields)
    : InputError(with_place(problem, fields), {.file = fields.path, .key = fields.part}),
      fields_(std::move(fields)) {}

}  // namespace nucreg
