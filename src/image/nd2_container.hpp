// The chunks of an ND2 file, found through the map at its end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "image_file.hpp"
#include "nd2_metadata.hpp"

namespace nucreg {

struct Nd2Chunk {
  std::string name;
  std::uint64_t offset = 0;       ///< of its header
  std::uint64_t data_offset = 0;  ///< of its data
  std::uint64_t size = 0;         ///< of its data
};

class Nd2Container {
 public:
  /// Reads signature, footer and map. Throws ImageError.
  explicit Nd2Container(const std::filesystem::path& path);

  [[nodiscard]] const ImageFile& file() const { return file_; }
  [[nodiscard]] const std::string& version() const { return version_; }  ///< "3.0"

  /// The chunk of that name, its header checked; nothing if the map does not list it. Throws
  /// ImageError if map and header contradict each other.
  [[nodiscard]] std::optional<Nd2Chunk> find(const std::string& name) const;
  [[nodiscard]] std::optional<Nd2Chunk> find_frame(std::uint64_t frame) const;
  /// One more than the highest frame number of the map; 0 without frames.
  [[nodiscard]] std::uint64_t frame_end() const { return frame_end_; }
  [[nodiscard]] bool has_frame(std::uint64_t frame) const { return frames_.contains(frame); }

  /// The tree in `<stem>LV<tail>` or, in files of 2.x, `<stem><tail>`.
  struct Metadata {
    Nd2Chunk chunk;
    Nd2Node root;
  };
  [[nodiscard]] std::optional<Metadata> metadata(std::string_view stem,
                                                 std::string_view tail) const;
  /// `CustomData|<id>!`: one f64 per frame; empty if there is none.
  [[nodiscard]] std::vector<double> custom_doubles(std::string_view id) const;

  [[noreturn]] void fail(std::string code, const std::string& problem, const Nd2Chunk& chunk) const;

 private:
  struct Entry {
    std::uint64_t offset = 0, size = 0;
  };

  void read_signature();
  void read_map();
  void read_entries(const Nd2Chunk& map);
  void add_frame(const Nd2Chunk& map, std::string_view name);
  [[nodiscard]] Nd2Chunk read_header(std::uint64_t offset, std::string_view name) const;
  [[noreturn]] void fail_at(std::string code, const std::string& problem, std::string_view part,
                            std::uint64_t offset) const;

  ImageFile file_;
  std::string version_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_set<std::uint64_t> frames_;
  std::uint64_t frame_end_ = 0;
};

}  // namespace nucreg
