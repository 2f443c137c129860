// Fitted maps for programs that apply them.
#pragma once

#include <filesystem>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes maps.json, an object with `units` and `maps`, a list with one object per solve that gave
/// an answer: configuration, trial, solver, model, rmsd_px and
///   matrix        3 x 3 on columns (x, y, 1), 10x px to 40x px: scikit-image's
///                 AffineTransform(matrix=np.array(...)) (ProjectiveTransform for projective)
///   napari_affine 3 x 3 on columns (y, x, 1): the argument `affine` of a layer of the 10x image
///   trs           [dx_px, dy_px, angle_deg, scale_x, scale_y] of rigid, similarity and trs, else
///                 null
/// and `without_map`, how many solves with an answer are left out since a parameter is not finite.
/// Returns its path. Streams /trials; the file appears when it is whole. Throws OutputError,
/// InputError.
std::vector<std::filesystem::path> export_maps(const ResultReader& reader,
                                               const std::filesystem::path& directory,
                                               bool overwrite);

}  // namespace nucreg
