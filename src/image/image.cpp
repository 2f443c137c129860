#include "nucreg/image/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "image_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "readers.hpp"

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

constexpr std::size_t max_names = 2000;  // of channels, in a message

std::size_t find_channel(const ImageInfo& info, const std::string& channel,
                         const std::string& file) {
  std::string names;
  for (std::size_t i = 0; i < info.channels.size(); ++i) {
    const auto& [name, component] = info.channels[i];
    const std::string label = name + (name.empty() || component.empty() ? "" : " ") + component;
    if (!channel.empty() && (name == channel || label == channel)) return i;
    names += fmt::format("{}{}{}", i > 0 ? ", " : "", i, label.empty() ? "" : " or " + label);
  }
  const auto number = parse_number<std::size_t>(channel);
  if (number && *number < info.channels.size()) return *number;
  throw InputError(fmt::format("no channel \"{}\"", channel),
                   {.file = file, .allowed = one_line(names, max_names)});
}

namespace {

using namespace std::string_view_literals;

constexpr std::string_view nd2_start = "\xda\xce\xbe\x0a"sv;
constexpr std::string_view legacy_nd2_start = "\0\0\0\x0cjP  \r\n\x87\n"sv;
constexpr std::string_view tiff_names[] = {".tif", ".tiff", ".btf", ".tf2", ".tf8", ".lsm", ".stk"};
constexpr std::string_view tiff_starts[] = {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv};

std::string start_of(const std::filesystem::path& path) {
  const ImageFile file(path);
  std::string start(std::min<std::uint64_t>(file.size(), legacy_nd2_start.size()), '\0');
  file.copy(0, start.size(), reinterpret_cast<std::byte*>(start.data()));
  return start;
}

bool starts_like_tiff(std::string_view start) {
  return std::ranges::find(tiff_starts, start.substr(0, 4)) != std::end(tiff_starts);
}

bool starts_like_nd2(std::string_view start) {
  return start == legacy_nd2_start || start.starts_with(nd2_start);
}

std::string extension_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

bool is_named_tiff(std::string_view extension) {
  return std::ranges::find(tiff_names, extension) != std::end(tiff_names);
}

// A name that promises the other format is the sign of a mix-up; any other name will do.
void check_name(const std::filesystem::path& path, bool nd2) {
  const std::string extension = extension_of(path);
  const bool named_nd2 = extension == ".nd2", named_tiff = is_named_tiff(extension);
  if (nd2 ? named_tiff : named_nd2)
    throw ImageError(fmt::format("is named {} but holds {}", extension, nd2 ? "ND2" : "TIFF"),
                     {path.string(), "wrong-name"});
}

}  // namespace

bool is_image(const std::filesystem::path& path) {
  const std::string extension = extension_of(path);
  if (is_named_tiff(extension) || extension == ".nd2") return true;
  try {
    const std::string start = start_of(path);
    return starts_like_tiff(start) || starts_like_nd2(start);
  } catch (const InputError&) {
    return false;
  }
}

bool ImageReader::holds(std::size_t frame, std::size_t channel) const {
  return frame < info().frames.size() && channel < info().channels.size() &&
         !info().frames[frame].missing;
}

std::unique_ptr<ImageReader> open_image(const std::filesystem::path& path) {
  const std::string start = start_of(path);
  const bool tiff = starts_like_tiff(start);
  if (start == legacy_nd2_start)
    throw ImageError("legacy JPEG2000 ND2 not supported; NIS-Elements can save it again",
                     {path.string(), "legacy-jpeg2000", "", 0});
  if (!starts_like_nd2(start) && !tiff)
    throw ImageError("is neither ND2 nor TIFF", {path.string(), "unknown-format", "", 0});
  check_name(path, !tiff);
  return tiff ? open_tiff(path) : open_nd2(path);
}

std::shared_ptr<ImageReader> opened_image(const std::filesystem::path& path) {
  struct OpenFile {
    std::filesystem::path path;
    std::filesystem::file_time_type changed;
    std::uintmax_t bytes = 0;
    std::shared_ptr<ImageReader> reader;
  };
  thread_local OpenFile last;
  std::error_code ignored;  // what cannot be looked at cannot be opened either, which says why
  OpenFile now{.path = path,
               .changed = std::filesystem::last_write_time(path, ignored),
               .bytes = std::filesystem::file_size(path, ignored),
               .reader = nullptr};
  if (last.reader && last.path == now.path && last.changed == now.changed &&
      last.bytes == now.bytes)
    return last.reader;
  last = {};  // closed before the next is opened
  now.reader = open_image(path);
  last = std::move(now);
  return last.reader;
}

void check_frame(const ImageInfo& info, const std::string& path, std::size_t frame) {
  if (frame >= info.frames.size())
    throw ImageError(
        fmt::format("there is no frame {}; frames: 0 to {}", frame, info.frames.size() - 1),
        {path, "no-such-frame"});
}

void check_asked_for(const ImageInfo& info, const std::string& path, std::size_t frame,
                     std::size_t channel) {
  check_frame(info, path, frame);
  if (channel >= info.channels.size())
    throw ImageError(
        fmt::format("there is no channel {}; channels: 0 to {}", channel, info.channels.size() - 1),
        {path, "no-such-channel"});
}

std::size_t bytes_of(PixelType type) {
  switch (type) {
    case PixelType::u8:
      return 1;
    case PixelType::u16:
      return 2;
    case PixelType::u32:
    case PixelType::f32:
      return 4;
  }
  return 0;
}

std::string_view name_of(PixelType type) {
  constexpr std::string_view names[] = {"u8", "u16", "u32", "f32"};
  return names[static_cast<std::size_t>(type)];
}

}  // namespace nucreg
