// What an image file holds, for `image`, and what a match found, for `match`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/fit/points.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/match/match.hpp"

namespace nucreg {

/// One object: `file`, `format`, `sizes` (axes of more than one step, slowest first, then C where
/// there are several channels, Y, X), `width_px`, `height_px`, `pixel_type`, `significant_bits`,
/// `channel_names`, `channels`, `loops`, `pixel_size_um` (x, y, z_step), `objective`,
/// `position_names` and `frames` (one object each: indices along the loops, whether it is missing,
/// stage position in um, time in ms), `reading`: what commands take its first plane for. What the
/// file does not say is null. Indented by two spaces, no newline at the end. May take a look at
/// every frame, to learn when it was taken.
[[nodiscard]] std::string to_json(ImageReader& reader, const std::string& file,
                                  const std::string& reading);

/// For a table or an array of NumPy, which is no image: `file`, `reading`, `notes`, `warnings`.
[[nodiscard]] std::string to_json(const std::string& file, const std::string& reading,
                                  const std::vector<std::string>& notes,
                                  const std::vector<std::string>& warnings);

/// The same for people; of many frames only the first. Ends with a newline.
[[nodiscard]] std::string to_text(const ImageInfo& info, const std::string& file,
                                  const std::string& reading);

/// Nuclei of both sides; of one that was not read nothing.
struct NucleusCounts {
  std::optional<std::size_t> ten{}, forty{};
};

/// One object: `status` ("matched" or "no match"), `reason` of no match, `affine_10x_to_40x` (2 x
/// 3), `trs` (dx_px, dy_px, angle_deg, scale_x, scale_y), `mirrored`, `matched` (pairs),
/// `match_rate`, `chance_rate`, `significance` (probability that chance gives a map as good) with
/// `log10_significance`, `heldout_rmsd_px`, `rmsd_px`, `match_radius_px`, `noise_px`,
/// `nuclei_10x`, `nuclei_40x`, `in_overlap_10x`, `in_overlap_40x`, `hypotheses`, `stage_error_px`
/// (10x px). What there is not is null. Indented by two spaces, no newline at the end.
[[nodiscard]] std::string to_json(const MatchResult& result, const NucleusCounts& nuclei);

/// The same for people. Ends with a newline.
[[nodiscard]] std::string to_text(const MatchResult& result, const NucleusCounts& nuclei);

/// One side of pairs: its points and what they are called there.
struct LabelledPoints {
  const Points& points;
  const std::vector<std::uint64_t>& labels;
};

/// A row `x10,y10,x40,y40,label10,label40,residual_px` per pair; read_pairs reads the coordinates
/// back to the last bit. The file appears when it is whole. Throws OutputError.
void write_pairs_csv(const std::filesystem::path& file, const MatchResult& result,
                     const LabelledPoints& ten, const LabelledPoints& forty, bool overwrite);

}  // namespace nucreg
