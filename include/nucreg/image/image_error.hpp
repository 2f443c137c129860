// What is wrong with an image file, and where in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {

struct ImageErrorFields {
  std::string path;
  std::string code;                     ///< stable, such as "truncated", "unsupported-lossy"
  std::string part;                     ///< chunk of an ND2, page of a TIFF; empty: the whole file
  std::optional<std::uint64_t> offset;  ///< in the file, bytes
};

/// An image file that cannot be read or that holds what is not understood (exit status 3).
/// `what()`: `path: part: problem (code, offset N)`.
class ImageError : public InputError {
 public:
  ImageError(const std::string& problem, ImageErrorFields fields);

  [[nodiscard]] const ImageErrorFields& image_fields() const { return fields_; }

 private:
  ImageErrorFields fields_;
};

}  // namespace nucreg
