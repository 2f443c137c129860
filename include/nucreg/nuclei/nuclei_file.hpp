// Nuclei of a file, whatever it is: a table, a label image, a mask or a picture.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "nucreg/core/terms.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"

namespace nucreg {

enum class NucleiKind : std::uint8_t { table, labels, mask, image };

template <>
struct Spelling<NucleiKind> {
  static constexpr std::array<std::string_view, 4> names{"table", "labels", "mask", "image"};
};

/// What the user says of the file; what is empty follows from the file.
struct NucleiFileOptions {
  std::optional<NucleiKind> as;  ///< overrides the rule below
  TableOptions table;
  std::string channel = "0";          ///< of an image: name or number
  std::size_t frame = 0;              ///< of an image
  std::optional<double> diameter_px;  ///< of a picture or mask
  bool diameter_decides = true;       ///< what looks like labels is a picture if it is given
};

/// `open` is null for a table; then it is the image that the nuclei were found in.
struct NucleiFile {
  NucleiKind kind = NucleiKind::table;
  NucleiTable table;
  std::shared_ptr<ImageReader> open;
  std::size_t channel = 0, frame = 0;
};

struct PlaneKind {
  NucleiKind kind = NucleiKind::image;
  std::size_t labels = 0;  ///< different ones, if it holds labels
};

/// Decides what one plane of an image is. Mask: exactly two values. Labels: whole numbers (also
/// stored as floats), 0 for the background, and two or more others of which each hangs together
/// (see `centroids`). Image: everything else, also colours. Throws InputError if it cannot be read.
[[nodiscard]] PlaneKind kind_of_plane(ImageReader& reader, std::size_t frame, std::size_t channel,
                                      const std::filesystem::path& file);

/// The same of pixels that were read.
[[nodiscard]] PlaneKind kind_of_plane(const ImageReader& reader, const PlaneView& plane,
                                      std::size_t channel, const std::filesystem::path& file);

/// "labels, 1,675 nuclei", for people.
[[nodiscard]] std::string to_text(NucleiKind kind, std::size_t nuclei);

/// How a file was read: kind and number of its nuclei, notes and warnings, a line each.
[[nodiscard]] std::string to_text(const NucleiFile& found, const std::string& file);

/// Reads or finds the nuclei of a file. What begins like an ND2 or a TIFF is an image, of which
/// kind_of_plane() decides; an array of NumPy with two values, one of them 0, is a mask; everything
/// else is a table (see read_nuclei_table). `as` overrides
/// this: a picture taken for labels then has to be readable as labels, any value but 0 of a mask is
/// nucleus. Nuclei of masks and pictures are those of segment(). A file without nuclei gives none.
/// Throws InputError, also if memory does not suffice, and JobError on a diameter out of range.
[[nodiscard]] NucleiFile read_nuclei_file(const std::filesystem::path& file,
                                          const NucleiFileOptions& options = {});

}  // namespace nucreg
