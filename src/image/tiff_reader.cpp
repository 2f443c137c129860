// TIFF as microscopes and their programs write it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"
#include "nucreg/image/image.hpp"
#include "readers.hpp"
#include "tiff_description.hpp"
#include "tiff_file.hpp"

namespace nucreg {
namespace {

class TiffReader : public ImageReader {
 public:
  explicit TiffReader(const std::filesystem::path& path)
      : path_(path), file_(path), first_(file_.layout(0)), plan_(make_plan(path)) {
    plan_.info.width_px = first_.width_px;
    plan_.info.height_px = first_.height_px;
    plan_.info.type = first_.type;
    plan_.info.significant_bits = static_cast<unsigned>(8 * bytes_of(first_.type));
    plan_.info.inverted = first_.white_is_zero;
    if (plan_.contiguous) check_contiguous();
  }

  [[nodiscard]] const ImageInfo& info() const override { return plan_.info; }

  [[nodiscard]] bool holds(std::size_t frame, std::size_t channel) const override {
    return frame < info().frames.size() && channel < info().channels.size() &&
           place_of(frame, channel).in == TiffPlace::In::here;
  }

  [[nodiscard]] Plane read(std::size_t frame, std::size_t channel) override {
    NewPlane plane = read_numbers(frame, channel);
    if (first_.white_is_zero) turn(plane);
    return plane.finish();
  }

  [[nodiscard]] std::optional<double> time_ms(std::size_t frame) override {
    check_frame(info(), file_.bytes().path(), frame);
    return frame < plan_.times_ms.size() ? plan_.times_ms[frame] : std::nullopt;
  }

  /// As they are in the file, not as they shine.
  [[nodiscard]] NewPlane read_numbers(std::size_t frame, std::size_t channel) {
    check_asked_for(info(), file_.bytes().path(), frame, channel);
    const TiffPlace& place = place_of(frame, channel);
    NewPlane plane(info());
    const auto sample = static_cast<std::uint16_t>(channel % plan_.samples);
    std::size_t page = place.page;
    if (place.in == TiffPlace::In::beside)
      page = read_beside(place, frame, sample, plane);
    else if (place.in != TiffPlace::In::here)
      refuse_missing(frame, why_missing(place));
    else if (plan_.contiguous)
      read_contiguous(place.page, sample, plane);
    else
      read_page(file_, place.page, sample, plane);
    if (first_.is_signed)
      check_signs(place.in == TiffPlace::In::beside ? *beside_ : file_, page, plane);
    return plane;
  }

 private:
  [[nodiscard]] const TiffPlace& place_of(std::size_t frame, std::size_t channel) const {
    return plan_.pages[frame * plan_.page_channels + channel / plan_.samples];
  }

  [[nodiscard]] std::string why_missing(const TiffPlace& place) const {
    switch (place.in) {
      case TiffPlace::In::cut_off:
        return fmt::format("the file ends before it, at {} pages; was the recording stopped?",
                           file_.directories().size());
      case TiffPlace::In::absent:
        return fmt::format("its pixels are in another file, {}, which is not beside this one",
                           name_of_set(place));
      default:
        return "the description does not say in which page it is";
    }
  }

  [[noreturn]] void refuse_missing(std::size_t frame, const std::string& why) const {
    throw ImageError(fmt::format("frame {} is missing: {}", frame, why),
                     {file_.bytes().path(), "missing-frame"});
  }

  [[nodiscard]] std::string name_of_set(const TiffPlace& place) const {
    const std::string& name = plan_.set[place.file].name;
    return name.empty() ? "of no name" : clean_utf8(name);
  }

  // One other file is kept open: frames that follow each other are mostly in the same one. Returns
  // the page of that file.
  std::size_t read_beside(const TiffPlace& place, std::size_t frame, std::uint16_t sample,
                          NewPlane& plane) {
    const TiffSetFile& wanted = plan_.set[place.file];
    if (!beside_ || beside_number_ != place.file) {
      beside_.emplace(path_.parent_path() / wanted.name);
      beside_number_ = place.file;
    }
    const std::string uuid = uuid_of_ome(beside_->tags(0).description);
    const TiffDirectories directories = beside_->directories();
    if (!uuid.empty() && !wanted.uuid.empty() && uuid != wanted.uuid)
      refuse_missing(frame, fmt::format("its pixels are in another file than the {} beside it: "
                                        "that one has another UUID",
                                        name_of_set(place)));
    if (place.page >= directories.size() || !directories[place.page])
      refuse_missing(frame,
                     fmt::format("{} has no page {} for it", name_of_set(place), place.page));
    const std::size_t page = *directories[place.page];
    read_page(*beside_, page, sample, plane);
    return page;
  }

  TiffPlan make_plan(const std::filesystem::path& path) {
    const TiffTags tags = file_.tags(0);
    try {
      if (auto plan = plan_of_ome(tags.description, first_, file_.directories(), path))
        return *plan;
      if (auto plan = plan_of_imagej(tags, first_, file_.pages())) return *plan;
      return plan_of_pages(tags, first_, file_.pages());
    } catch (const TiffDescriptionError& error) {
      file_.fail(error.code, error.problem, 0);
    }
  }

  void read_page(TiffFile& file, std::size_t page, std::uint16_t sample, NewPlane& plane) {
    const TiffLayout layout = page == 0 && &file == &file_ ? first_ : file.layout(page);
    if (layout.width_px != first_.width_px || layout.height_px != first_.height_px ||
        layout.type != first_.type || layout.is_signed != first_.is_signed ||
        layout.samples != first_.samples || layout.white_is_zero != first_.white_is_zero)
      file.fail("mixed-pages",
                fmt::format("{} x {} pixels of {} x {}{}, unlike page 0", layout.width_px,
                            layout.height_px, layout.samples, name_of(layout.type),
                            layout.white_is_zero ? ", white is zero" : ""),
                page);
    file.read(page, layout, sample, plane.bytes());
  }

  void check_contiguous() {
    if (first_.one_bit)
      file_.fail("unsupported-pixels", "a stack of 1 bit per pixel: save it as 8 bits", 0);
    start_ = file_.data_offset(0);
    const std::uint64_t size = file_.bytes().size();
    const std::uint64_t page_bytes = first_.plane_bytes() * first_.samples;
    if (start_ > size || (size - start_) / page_bytes < plan_.pages.size())
      file_.fail("truncated",
                 fmt::format("{} planes of {} bytes from offset {} on, the file has {}",
                             plan_.pages.size(), page_bytes, start_, size),
                 0);
  }

  void read_contiguous(std::size_t page, std::uint16_t sample, NewPlane& plane) {
    const std::size_t value_bytes = bytes_of(first_.type);
    const std::uint64_t pixel_bytes = value_bytes * first_.samples;
    file_.bytes().gather(
        {.offset = start_ + page * first_.samples * plane.size() + sample * value_bytes,
         .rows = first_.height_px,
         .width = first_.width_px,
         .row_bytes = first_.width_px * pixel_bytes,
         .pixel_bytes = pixel_bytes,
         .value_bytes = value_bytes},
        plane.bytes());
    if (file_.swapped())
      for (std::byte* value = plane.bytes(); value != plane.bytes() + plane.size();
           value += value_bytes)
        std::reverse(value, value + value_bytes);
  }

  // All ones less a value is the value with every bit turned, whatever its width; but no bit is
  // turned that would have been a sign.
  void turn(NewPlane& plane) const {
    const std::size_t value_bytes = bytes_of(first_.type);
    for (std::byte* byte = plane.bytes(); byte != plane.bytes() + plane.size(); ++byte)
      *byte = ~*byte;
    if (!first_.is_signed) return;
    for (std::size_t high = value_bytes - 1; high < plane.size(); high += value_bytes)
      plane.bytes()[high] &= std::byte{0x7f};
  }

  // Pixels are handed out without a sign.
  void check_signs(const TiffFile& file, std::size_t page, NewPlane& plane) const {
    const std::size_t value_bytes = bytes_of(first_.type);
    for (std::size_t high = value_bytes - 1; high < plane.size(); high += value_bytes) {
      if ((plane.bytes()[high] & std::byte{0x80}) == std::byte{0}) continue;
      const std::byte* const value = plane.bytes() + high + 1 - value_bytes;
      const bool minus_one = std::all_of(value, value + value_bytes,
                                         [](std::byte byte) { return byte == std::byte{0xff}; });
      file.fail("negative-value",
                fmt::format("pixel {}, {} is {}; allowed: 0 and above{}",
                            high / value_bytes % first_.width_px,
                            high / value_bytes / first_.width_px, minus_one ? "-1" : "negative",
                            minus_one ? " (if -1 is the background of labels, add 1 to all)" : ""),
                page);
    }
  }

  std::filesystem::path path_;
  TiffFile file_;
  TiffLayout first_;
  TiffPlan plan_;
  std::uint64_t start_ = 0;         // of the pixels of a contiguous stack
  std::optional<TiffFile> beside_;  // of the set
  std::uint32_t beside_number_ = 0;
};

[[noreturn]] void refuse_labels(const std::filesystem::path& file, const std::string& reason) {
  throw InputError(reason, {.file = file.string(),
                            .allowed = "a label TIFF: one whole number per pixel, "
                                       "0 = background"});
}

template <class T>
void widen(const PlaneView& plane, std::vector<std::uint32_t>& labels) {
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) labels.push_back(plane.at<T>(x, y));
}

// Programs that hold more than 65,535 labels in an image of ImageJ store them as floats.
void widen_floats(const PlaneView& plane, std::vector<std::uint32_t>& labels,
                  const std::filesystem::path& file) {
  for (std::size_t y = 0; y < plane.height_px; ++y)
    for (std::size_t x = 0; x < plane.width_px; ++x) {
      const float value = plane.at<float>(x, y);
      if (!(value >= 0.0F && value < 0x1p32F && value == std::floor(value)))
        refuse_labels(file, fmt::format("pixel {}, {} is {}, not a whole number", x, y, value));
      labels.push_back(static_cast<std::uint32_t>(value));
    }
}

}  // namespace

std::unique_ptr<ImageReader> open_tiff(const std::filesystem::path& path) {
  return std::make_unique<TiffReader>(path);
}

std::string read_tiff_description(const std::filesystem::path& file) {
  return TiffFile(file).tags(0).description;
}

LabelImage read_label_tiff(const std::filesystem::path& file) {
  TiffReader reader(file);
  const ImageInfo& info = reader.info();
  if (info.channels.size() != 1)
    refuse_labels(file, fmt::format("{} samples per pixel", info.channels.size()));
  const Plane plane = reader.read_numbers(0, 0).finish();
  LabelImage image{.width = static_cast<std::uint32_t>(info.width_px),
                   .height = static_cast<std::uint32_t>(info.height_px)};
  image.labels.reserve(info.width_px * info.height_px);
  if (info.type == PixelType::u8)
    widen<std::uint8_t>(plane.view(), image.labels);
  else if (info.type == PixelType::u16)
    widen<std::uint16_t>(plane.view(), image.labels);
  else if (info.type == PixelType::f32)
    widen_floats(plane.view(), image.labels, file);
  else
    widen<std::uint32_t>(plane.view(), image.labels);
  return image;
}

}  // namespace nucreg
