// The files of the Python benchmark that nucreg replaces, for scripts that read them.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes python_benchmark.csv, a row per solve with the columns trial, num_points, noise_level
/// (40x px), outlier_fraction, optimization, rmsd (40x px), param_error, time_ms, memory_kb,
/// iterations, a, b, tx, c, d, ty, and python_benchmark_summary.csv, a row per configuration and
/// solver with the mean and standard deviation (n - 1) of rmsd, param_error, time_ms, memory_kb and
/// iterations, and returns their paths.
///
/// What does not exist is an empty field: iterations that a library does not tell, noise that is
/// drawn in each trial, the affine form of a projective map, anything of a solve that failed.
/// Streams /trials. Existing files are an error unless `overwrite`; each file appears when it is
/// whole. Throws OutputError and InputError.
std::vector<std::filesystem::path> export_python_benchmark(const ResultReader& reader,
                                                           const std::filesystem::path& directory,
                                                           bool overwrite);

/// The matrix a b tx, c d ty of fitted parameters; nothing where they are not finite or the model
/// is projective. `magnification` is the nominal one of the job.
[[nodiscard]] std::optional<std::array<double, 6>> affine_of(const Record& row, Model model,
                                                             double magnification);
/// problem.magnification of the job of a result file. Throws InputError.
[[nodiscard]] double magnification_of(const ResultReader& reader);

}  // namespace nucreg
