// What programs for microscopes write into the description of a TIFF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/image/image.hpp"
#include "tiff_file.hpp"

namespace nucreg {

/// Where a page is that a description names. A set of files shares one description.
struct TiffPlace {
  enum class In : std::uint8_t {
    nothing,  ///< no description says where it is
    here,     ///< page of this file
    cut_off,  ///< directory that this file would have, had it not ended before
    beside,   ///< directory of another file of the set, which lies in the same folder
    absent,   ///< of another file of the set, which does not
  };
  In in = In::nothing;
  std::uint32_t page = 0;  ///< or number of the directory
  std::uint32_t file = 0;  ///< beside, absent: which of TiffPlan::set
};

/// Another file of a set, by its name without a folder, and the UUID it has to have (or none).
struct TiffSetFile {
  std::string name, uuid;
};

/// Where the planes of an image are: page and sample of (frame, channel).
struct TiffPlan {
  ImageInfo info;  ///< all but size and type of the pixels, which only a page knows
  /// For frame f, page channel e at [f * page_channels + e].
  std::vector<TiffPlace> pages;
  std::vector<TiffSetFile> set;                 ///< the other files
  std::vector<std::optional<double>> times_ms;  ///< of the frames; empty: unknown
  std::size_t page_channels = 1;                ///< channels / samples
  std::size_t samples = 1;                      ///< channels per page
  /// ImageJ writes large stacks with one directory: planes then follow each other in the file.
  bool contiguous = false;
};

/// A description that contradicts itself or the file.
struct TiffDescriptionError {
  std::string code, problem;
};

/// UUID of the file that has this description; empty if it has none.
[[nodiscard]] std::string uuid_of_ome(const std::string& description);

/// Nothing if the description is not of that kind. Throws TiffDescriptionError.
[[nodiscard]] std::optional<TiffPlan> plan_of_ome(const std::string& description,
                                                  const TiffLayout& first,
                                                  TiffDirectories directories,
                                                  const std::filesystem::path& file);
[[nodiscard]] std::optional<TiffPlan> plan_of_imagej(const TiffTags& tags, const TiffLayout& first,
                                                     std::size_t pages);
/// A page is a frame, a sample a channel.
[[nodiscard]] TiffPlan plan_of_pages(const TiffTags& tags, const TiffLayout& first,
                                     std::size_t pages);

/// Micrometres in a unit of length such as "nm"; nothing if it is none.
[[nodiscard]] std::optional<double> micrometres_in(std::string_view unit);

/// Product of sizes that a description claims; throws if it is 0 or more than any file holds.
std::uint64_t checked_planes(std::initializer_list<std::uint64_t> sizes);

/// Frames along P, T and Z, the last fastest; loops of one step are left out.
void lay_out_frames(ImageInfo& info, std::size_t positions, std::size_t times, std::size_t planes);

}  // namespace nucreg
