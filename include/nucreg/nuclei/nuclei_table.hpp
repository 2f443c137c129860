// Nuclei that other programs have found, and ours for them.
#pragma once

#include <filesystem>
#include <string>

#include "nucreg/nuclei/segment.hpp"

namespace nucreg {

/// Reads nuclei by the ending of the file's name.
/// .csv, .tsv, .txt: a header, then a row per nucleus; cells apart by commas, semicolons or tabs.
/// Columns, in any order and capitals or not; others are ignored:
///   x or x_px or centroid-1, y or y_px or centroid-0   required; px, pixel centres at integers
///       (centroid-0 is the row and centroid-1 the column, as scikit-image's regionprops_table has
///       them; centroid_weighted-0, centroid_weighted-1 before them where there are both)
///   area or area_px; mean_intensity or intensity_mean   optional
/// .npy: N x 2 real numbers, row and column of each nucleus, as StarDist gives its points; or
/// height x width whole numbers, a label image as Cellpose gives it (0 = background).
/// Throws InputError (path, line or offset, column, what is allowed) on anything else, on a
/// coordinate that is no finite number and on a file without nuclei.
[[nodiscard]] Nuclei read_nuclei(const std::filesystem::path& file);

/// Centroids of a label image, unweighted; throws InputError as `centroids` does.
[[nodiscard]] Nuclei nuclei_of_labels(const LabelImage& image, const std::string& file);

/// `x,y,area_px,mean_intensity`, a row per nucleus; read_nuclei reads it back to the last bit.
[[nodiscard]] std::string to_csv(const Nuclei& nuclei);

}  // namespace nucreg
