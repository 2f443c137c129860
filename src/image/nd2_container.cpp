#include "nd2_container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "nucreg/core/text.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {
namespace {

constexpr std::uint32_t magic = 0x0abeceda;
constexpr std::uint64_t header_bytes = 16;
constexpr std::uint64_t signature_bytes = 112, footer_bytes = 40;
constexpr std::uint64_t max_name_bytes = 65536, max_listed_name_bytes = 4096;
constexpr std::uint64_t largest_map = std::uint64_t{256} << 20;
constexpr std::string_view signature_name = "ND2 FILE SIGNATURE CHUNK NAME01!";
constexpr std::string_view map_name = "ND2 FILEMAP SIGNATURE NAME 0001!";
constexpr std::string_view map_end_name = "ND2 CHUNK MAP SIGNATURE 0000001!";
constexpr std::string_view frame_stem = "ImageDataSeq|";

std::string_view text_of(const std::byte* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Nd2Container::Nd2Container(const std::filesystem::path& path) : file_(path) {
  read_signature();
  read_map();
}

void Nd2Container::read_signature() {
  if (file_.size() < signature_bytes + footer_bytes)
    fail_at("truncated", fmt::format("has {} bytes, fewer than any ND2 file", file_.size()), "", 0);
  const auto bytes = file_.copy(0, signature_bytes);
  if (load_little<std::uint32_t>(bytes.data()) != magic)
    fail_at("not-nd2", "is no ND2 file", "", 0);
  if (load_little<std::uint32_t>(&bytes[4]) != signature_name.size() ||
      load_little<std::uint64_t>(&bytes[8]) != 64 ||
      text_of(&bytes[16], signature_name.size()) != signature_name)
    fail_at("bad-signature-chunk", "has a broken signature", "", 0);
  const std::string_view version = text_of(&bytes[48], 6);
  if (version.substr(0, 3) != "Ver" || !is_digit(version[3]) || version[4] != '.' ||
      !is_digit(version[5]))
    fail_at("bad-version", "does not say its version", "", 48);
  version_ = version.substr(3);
  if (version_[0] != '2' && version_[0] != '3')
    fail_at("unsupported-version",
            fmt::format("is an ND2 of version {}; understood are 2 and 3", version_), "", 48);
}

void Nd2Container::read_map() {
  const std::uint64_t footer_at = file_.size() - footer_bytes;
  const auto footer = file_.copy(footer_at, footer_bytes);
  if (text_of(footer.data(), map_end_name.size()) != map_end_name)
    fail_at("no-chunk-map-footer",
            "does not end with the map of its chunks: truncated, or never finished", "", footer_at);
  const auto map_at = load_little<std::uint64_t>(&footer[32]);
  const Nd2Chunk map = read_header(map_at, map_name);
  if (map.size > largest_map)
    fail_at("chunk-map-too-large", fmt::format("a map of {} bytes", map.size), map_name, map_at);
  read_entries(map);
}

void Nd2Container::read_entries(const Nd2Chunk& map) {
  const auto bytes = file_.copy(map.data_offset, map.size);
  std::size_t at = 0;
  const auto fail_here = [&](std::string code, const std::string& problem) {
    fail_at(std::move(code), problem, map_name, map.data_offset + at);
  };
  for (;;) {
    const std::string_view rest =
        text_of(bytes.data() + at, std::min<std::size_t>(bytes.size() - at, max_listed_name_bytes));
    const std::size_t length = rest.find('!') + 1;  // 0 without one
    if (length == 0) fail_here("chunk-map-unterminated", "the map has no end");
    const std::string_view name = rest.substr(0, length);
    if (name == map_end_name) return;
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
      fail_here("bad-chunk-name", "a chunk's name is not text");
    if (bytes.size() - at - length < 16)
      fail_here("chunk-map-truncated", fmt::format("{} is cut off", name));
    const Entry entry{load_little<std::uint64_t>(&bytes[at + length]),
                      load_little<std::uint64_t>(&bytes[at + length + 8])};
    if (entry.offset > file_.size() - header_bytes)
      fail_here(
          "chunk-map-offset-out-of-range",
          fmt::format("{} at offset {}, the file has {} bytes", name, entry.offset, file_.size()));
    if (!entries_.emplace(name, entry).second)
      fail_here("duplicate-chunk", fmt::format("{} is listed twice", name));
    add_frame(map, name);
    at += length + 16;
  }
}

void Nd2Container::add_frame(const Nd2Chunk& map, std::string_view name) {
  if (name.substr(0, frame_stem.size()) != frame_stem) return;
  const std::string_view digits =
      name.substr(frame_stem.size(), name.size() - frame_stem.size() - 1);
  // Only numbers as they are written count: not 007, not +7.
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return;
  if (digits.size() > 1 && digits.front() == '0') return;
  const auto number = parse_number<std::uint64_t>(digits);
  if (!number || *number > std::uint64_t{1} << 32)
    fail("too-many-frames", fmt::format("a frame of number {}", digits), map);
  frames_.insert(*number);
  frame_end_ = std::max(frame_end_, *number + 1);
}

Nd2Chunk Nd2Container::read_header(std::uint64_t offset, std::string_view name) const {
  if (offset > file_.size() - header_bytes)
    fail_at("chunk-header-out-of-range",
            fmt::format("begins at {}, the file has {} bytes", offset, file_.size()), name, offset);
  const auto header = file_.copy(offset, header_bytes);
  if (load_little<std::uint32_t>(header.data()) != magic)
    fail_at("bad-chunk-magic", "does not begin like a chunk", name, offset);
  const std::uint64_t left = file_.size() - offset - header_bytes;
  const std::uint64_t name_size = load_little<std::uint32_t>(&header[4]);
  const auto size = load_little<std::uint64_t>(&header[8]);
  if (name_size < 1 || name_size > max_name_bytes || name_size > left)
    fail_at("bad-chunk-name-length", fmt::format("a name of {} bytes", name_size), name, offset);
  if (size > left - name_size)
    fail_at("chunk-data-out-of-range",
            fmt::format("{} bytes of data, {} are left in the file", size, left - name_size), name,
            offset);
  const auto own_name = file_.copy(offset + header_bytes, std::min(name_size, name.size() + 1));
  const std::string_view text = text_of(own_name.data(), own_name.size());
  if (text.substr(0, name.size()) != name || (text.size() > name.size() && text.back() != '\0'))
    fail_at("chunk-name-mismatch", "the map leads to a chunk of another name", name, offset);
  return {std::string(name), offset, offset + header_bytes + name_size, size};
}

std::optional<Nd2Chunk> Nd2Container::find(const std::string& name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return {};
  const auto [offset, size] = entry->second;
  Nd2Chunk chunk = read_header(offset, name);
  // Some files have the offset where the size should be.
  if (size != chunk.size && size != offset)
    fail("chunk-size-mismatch",
         fmt::format("{} bytes by the map, {} by its header", size, chunk.size), chunk);
  return chunk;
}

std::optional<Nd2Chunk> Nd2Container::find_frame(std::uint64_t frame) const {
  return find(fmt::format("{}{}!", frame_stem, frame));
}

std::optional<Nd2Container::Metadata> Nd2Container::metadata(std::string_view stem,
                                                             std::string_view tail) const {
  auto chunk = find(fmt::format("{}LV{}", stem, tail));
  if (!chunk) chunk = find(fmt::format("{}{}", stem, tail));
  if (!chunk) return {};
  if (chunk->size > max_metadata_bytes)
    fail("metadata-too-large", fmt::format("{} bytes of metadata", chunk->size), *chunk);
  try {
    return Metadata{*chunk, parse_nd2_metadata(file_.copy(chunk->data_offset, chunk->size))};
  } catch (const Nd2SyntaxError& error) {
    fail_at(error.code, error.problem, chunk->name, chunk->data_offset + error.offset);
  }
}

std::vector<double> Nd2Container::custom_doubles(std::string_view id) const {
  const auto chunk = find(fmt::format("CustomData|{}!", id));
  if (!chunk) return {};
  if (chunk->size % sizeof(double) != 0 || chunk->size > max_metadata_bytes)
    fail("bad-custom-data", fmt::format("{} bytes are no array of f64", chunk->size), *chunk);
  std::vector<double> values(chunk->size / sizeof(double));
  file_.copy(chunk->data_offset, chunk->size, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

void Nd2Container::fail(std::string code, const std::string& problem, const Nd2Chunk& chunk) const {
  fail_at(std::move(code), problem, chunk.name, chunk.offset);
}

void Nd2Container::fail_at(std::string code, const std::string& problem, std::string_view part,
                           std::uint64_t offset) const {
  throw ImageError(problem, {file_.path(), std::move(code), std::string(part), offset});
}

}  // namespace nucreg
