#include "nucreg/nuclei/nuclei_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "table_columns.hpp"

namespace nucreg {
namespace {

template <class T>
std::optional<LabelImage> whole_numbers_of(const PlaneView& plane) {
  constexpr double largest = 4294967295.0;
  LabelImage image{.width = static_cast<std::uint32_t>(plane.width_px),
                   .height = static_cast<std::uint32_t>(plane.height_px)};
  image.labels.reserve(plane.width_px * plane.height_px);
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) {
      T value = plane.at<T>(x, y);
      if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(value)) value = 0;  // background, as it is written by some
        if (!(value >= 0 && static_cast<double>(value) <= largest && value == std::floor(value)))
          return std::nullopt;
      }
      image.labels.push_back(static_cast<std::uint32_t>(value));
    }
  return image;
}

// Nothing if a pixel is negative or a fraction. NaN is background.
std::optional<LabelImage> whole_numbers_of(const PlaneView& plane) {
  switch (plane.type) {
    case PixelType::u8:
      return whole_numbers_of<std::uint8_t>(plane);
    case PixelType::u16:
      return whole_numbers_of<std::uint16_t>(plane);
    case PixelType::u32:
      return whole_numbers_of<std::uint32_t>(plane);
    case PixelType::f32:
      return whole_numbers_of<float>(plane);
  }
  return std::nullopt;
}

// By their bytes: two NaNs of one kind are equal.
bool has_two_values(const PlaneView& plane) {
  const std::size_t bytes = bytes_of(plane.type);
  const std::byte* first = plane.data;
  const std::byte* second = nullptr;
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) {
      const std::byte* value = plane.data + y * plane.row_bytes + x * plane.pixel_bytes;
      if (std::memcmp(value, first, bytes) == 0) continue;
      if (second == nullptr) second = value;
      if (std::memcmp(value, second, bytes) != 0) return false;
    }
  return second != nullptr;
}

// The nuclei of a plane that holds labels; nothing if it does not.
std::optional<NucleiTable> labels_in(const PlaneView& plane, const std::string& file) {
  const std::optional<LabelImage> labels = whole_numbers_of(plane);
  if (labels) try {
      return nuclei_of_labels(*labels, file);
    } catch (const InputError&) {  // says what keeps it from being labels
    }
  return std::nullopt;
}

NucleiTable table_of(Nuclei nuclei) {
  NucleiTable table{.nuclei = std::move(nuclei), .labelled = true};
  for (std::size_t i = 0; i < table.nuclei.size(); ++i) table.labels.push_back(i + 1);
  return table;
}

NucleiTable segmented(const PlaneView& plane, const NucleiFileOptions& options) {
  return table_of(segment(plane, {.diameter_px = options.diameter_px}).nuclei);
}

bool has_nan(const PlaneView& plane) {
  if (plane.type != PixelType::f32) return false;
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x)
      if (std::isnan(plane.at<float>(x, y))) return true;
  return false;
}

PlaneView bytes_as_plane(const std::vector<std::byte>& bytes, std::size_t width_px,
                         std::size_t height_px) {
  return {.data = bytes.data(),
          .width_px = width_px,
          .height_px = height_px,
          .row_bytes = width_px,
          .pixel_bytes = 1,
          .type = PixelType::u8};
}

NucleiTable segmented_mask(const PlaneView& plane, const NucleiFileOptions& options) {
  const std::optional<LabelImage> values = whole_numbers_of(plane);
  std::vector<std::byte> mask(plane.width_px * plane.height_px);
  for (std::size_t y = 0, i = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x, ++i) {
      const bool inside = values ? values->labels[i] != 0 : plane.at<float>(x, y) > 0.0F;
      mask[i] = std::byte{inside};
    }
  return segmented(bytes_as_plane(mask, plane.width_px, plane.height_px), options);
}

// A colour picture is none of labels, and numbers that were turned are read as they are in the
// file.
std::optional<NucleiTable> labels_of(const ImageReader& reader, const PlaneView& plane,
                                     std::size_t channel, const std::filesystem::path& file) {
  const ImageInfo& info = reader.info();
  if (!info.channels[channel].component.empty()) return std::nullopt;
  if (!info.inverted) return labels_in(plane, file.string());
  try {
    return nuclei_of_labels(read_label_tiff(file), file.string());
  } catch (const InputError&) {
    return std::nullopt;
  }
}

// Whole numbers among which -1, which is no brightness, is the background.
bool has_background_of_minus_one(const PlaneView& plane) {
  if (plane.type != PixelType::f32) return false;
  std::size_t background = 0, zeros = 0;
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) {
      const float value = plane.at<float>(x, y);
      if (!(value >= -1.0F && value == std::floor(value))) return false;
      background += value == -1.0F;
      zeros += value == 0.0F;
    }
  return background > zeros;
}

[[noreturn]] void refuse_minus_one(const std::string& file) {
  throw InputError("labels with -1 as background",
                   {.file = file, .allowed = "0 = background: add 1 to all pixels; or --as image"});
}

NucleiTable required_labels(const PlaneView& plane, const std::string& file) {
  if (has_background_of_minus_one(plane)) refuse_minus_one(file);
  const std::optional<LabelImage> labels = whole_numbers_of(plane);
  if (!labels)
    throw InputError("no label image: not all pixels are whole numbers",
                     {.file = file, .allowed = "0 = background, k = the pixels of nucleus k"});
  return nuclei_of_labels(*labels, file);
}

template <class T>
double part_of_largest(const PlaneView& plane) {
  T largest{};
  std::size_t count = 0;
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) {
      const T value = plane.at<T>(x, y);
      if (value > largest || count == 0) largest = value, count = 0;
      count += value == largest;
    }
  return static_cast<double>(count) / static_cast<double>(plane.width_px * plane.height_px);
}

double part_of_largest(const PlaneView& plane) {
  switch (plane.type) {
    case PixelType::u8:
      return part_of_largest<std::uint8_t>(plane);
    case PixelType::u16:
      return part_of_largest<std::uint16_t>(plane);
    case PixelType::u32:
      return part_of_largest<std::uint32_t>(plane);
    case PixelType::f32:
      return part_of_largest<float>(plane);
  }
  return 0.0;
}

// The brighter value of a mask is nucleus. Where that is most of it, it may well be background.
void warn_if_inverted(const PlaneView& plane, NucleiTable& table) {
  if (const double part = part_of_largest(plane); part > 0.5)
    table.warnings.push_back(fmt::format(
        "{:.0f} % of its pixels are nucleus, the brighter value; if nuclei are the darker one, "
        "invert the mask",
        100.0 * part));
}

void read_plane(NucleiFile& found, const std::filesystem::path& file,
                const NucleiFileOptions& options) {
  const Plane pixels = found.open->read(found.frame, found.channel);
  const PlaneView& plane = pixels.view();
  if (options.as == NucleiKind::labels) {
    found.kind = NucleiKind::labels;
    found.table = required_labels(plane, file.string());
    return;
  }
  const bool may_be_labels = !options.as && !(options.diameter_px && options.diameter_decides);
  if (options.as == NucleiKind::mask) {
    found.kind = NucleiKind::mask;
    found.table = segmented_mask(plane, options);
  } else if (!options.as && has_two_values(plane)) {
    found.kind = NucleiKind::mask;
    found.table = has_nan(plane) ? segmented_mask(plane, options) : segmented(plane, options);
    warn_if_inverted(plane, found.table);
  } else if (auto labels = may_be_labels ? labels_of(*found.open, plane, found.channel, file)
                                         : std::nullopt) {
    found.kind = NucleiKind::labels;
    found.table = std::move(*labels);
  } else if (may_be_labels && has_background_of_minus_one(plane)) {
    refuse_minus_one(file.string());
  } else {
    found.kind = NucleiKind::image;
    found.table = segmented(plane, options);
  }
}

// The nuclei of a mask that NumPy saved, any value above 0 of it; nothing if, unasked, it has other
// than two values of which one is 0, or is no image.
std::optional<NucleiTable> mask_of_npy(const std::filesystem::path& file,
                                       const NucleiFileOptions& options) {
  constexpr std::size_t max_pixels = std::size_t{1} << 30;
  const bool asked = options.as == NucleiKind::mask;
  const std::string bytes = read_file(file);
  const NpyArray array(bytes, file.string(), std::string(npy_allowed));
  if (array.rows() < 3 || array.columns() < 4) {  // points
    if (asked) array.fail(fmt::format("{} x {} numbers", array.rows(), array.columns()), 0);
    return std::nullopt;
  }
  if (array.rows() > max_pixels / array.columns()) array.fail("more than 2^30 pixels", 0);
  std::vector<std::byte> mask;
  mask.reserve(array.rows() * array.columns());
  double inside = 0.0;
  bool outside = false;
  for (std::size_t y = 0; y < array.rows(); ++y)
    for (std::size_t x = 0; x < array.columns(); ++x) {
      const double value = array.at(y, x);
      mask.push_back(std::byte{value > 0.0});
      outside |= value == 0.0;
      if (asked || value == 0.0) continue;
      if (inside == 0.0) inside = value;
      if (value != inside || !(value > 0.0)) return std::nullopt;
    }
  if (!asked && (inside == 0.0 || !outside)) return std::nullopt;
  const PlaneView plane = bytes_as_plane(mask, array.columns(), array.rows());
  NucleiTable table = segmented(plane, options);
  if (!asked) warn_if_inverted(plane, table);
  return table;
}

}  // namespace

PlaneKind kind_of_plane(ImageReader& reader, std::size_t frame, std::size_t channel,
                        const std::filesystem::path& file) {
  return kind_of_plane(reader, reader.read(frame, channel).view(), channel, file);
}

PlaneKind kind_of_plane(const ImageReader& reader, const PlaneView& plane, std::size_t channel,
                        const std::filesystem::path& file) {
  if (has_two_values(plane)) return {.kind = NucleiKind::mask};
  const auto labels = labels_of(reader, plane, channel, file);
  if (!labels) return {};
  return {.kind = NucleiKind::labels, .labels = labels->nuclei.size()};
}

std::string to_text(NucleiKind kind, std::size_t nuclei) {
  return fmt::format("{}, {} {}", name_of(kind), count_text(nuclei),
                     nuclei == 1 ? "nucleus" : "nuclei");
}

std::string to_text(const NucleiFile& found, const std::string& file) {
  std::string text = fmt::format("{}: {}\n", file, to_text(found.kind, found.table.nuclei.size()));
  for (const std::string& note : found.table.notes) text += fmt::format("  {}\n", note);
  for (const std::string& warning : found.table.warnings)
    text += fmt::format("  warning: {}\n", warning);
  if (found.table.tile_count > 1)
    text += fmt::format(
        "  warning: it holds {} tiles, which are taken for one; to tell them apart: nucreg map TEN "
        "FORTY\n",
        found.table.tile_count);
  return text;
}

NucleiFile read_nuclei_file(const std::filesystem::path& file, const NucleiFileOptions& options) {
  NucleiFile found;
  const bool image =
      options.as ? *options.as != NucleiKind::table && is_image(file) : is_image(file);
  if (!image) {
    if ((!options.as || *options.as == NucleiKind::mask) && is_npy(file))
      if (auto mask = mask_of_npy(file, options)) {
        found.kind = NucleiKind::mask;
        found.table = *std::move(mask);
        return found;
      }
    if (options.as && *options.as != NucleiKind::table && *options.as != NucleiKind::labels)
      throw InputError("is neither ND2 nor TIFF",
                       {.file = file.string(), .allowed = "an image, or --as table"});
    found.table = read_nuclei_table(file, options.table);
    if (found.table.labelled && is_npy(file)) found.kind = NucleiKind::labels;  // points have none
    return found;
  }
  found.open = opened_image(file);
  found.frame = options.frame;
  const ImageInfo& info = found.open->info();
  found.channel = find_channel(info, options.channel, file.string());
  try {
    read_plane(found, file, options);
  } catch (const std::bad_alloc&) {
    throw InputError(fmt::format("not enough memory for {} x {} pixels of {}", info.width_px,
                                 info.height_px, name_of(info.type)),
                     {.file = file.string()});
  }
  return found;
}

}  // namespace nucreg
