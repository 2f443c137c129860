// A result file as CSV, for tools that do not read HDF5.
#pragma once

#include <filesystem>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes trials.csv, summary.csv and ranks.csv into `directory`, which is made where it is
/// missing, and returns their paths. Columns bear their names in the result file; params and
/// true_params become p0 ... and true_p0 .... trials.csv and summary.csv end with solver_name and
/// with the columns of /configurations that say what was run: points, noise_px, outliers, missing,
/// model, loss, coordinates, and each other one that varies, with _min and _max where it is drawn.
///
/// Numbers have the shortest form that reads back the same bits, "nan" and "inf" where they are not
/// finite; enumerations their names, truth values true and false; text is quoted as in RFC 4180;
/// lines end with LF. Streams /trials. Existing files are an error unless `overwrite`; each file
/// appears when it is whole. Throws OutputError (path, call, reason) and InputError.
std::vector<std::filesystem::path> export_csv(const ResultReader& reader,
                                              const std::filesystem::path& directory,
                                              bool overwrite);

}  // namespace nucreg
