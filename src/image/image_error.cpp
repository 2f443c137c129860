#include "nucreg/image/image_error.hpp"

#include <fmt/format.h>

namespace nucreg {
namespace {

std::string with_place(const std::string& problem, const ImageErrorFields& fields) {
  return fields.offset ? fmt::format("{} ({}, offset {})", problem, fields.code, *fields.offset)
                       : fmt::format("{} ({})", problem, fields.code);
}

}  // namespace

ImageError::ImageError(const std::string& problem, ImageErrorFields fields)
    : InputError(with_place(problem, fields), {.file = fields.path, .key = fields.part}),
      fields_(std::move(fields)) {}

}  // namespace nucreg
