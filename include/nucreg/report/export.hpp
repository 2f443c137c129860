// A result file in other formats. Every export streams /trials, writes each file under its name
// when it is whole, refuses existing files unless `overwrite`, returns the paths of what it wrote,
// and throws OutputError (path, call, reason) and InputError.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/affine.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Writes trials.csv, summary.csv, ranks.csv and, of a file that has them, verdict.csv and
/// fit_verdict.csv into `directory`, which is made where it is missing, and returns their paths.
/// Columns bear their names in the result file; params and true_params become p0 ... and true_p0
/// .... trials.csv and summary.csv end with solver_name and with the columns of /configurations
/// that say what was run: points, noise_px, outliers, missing, model, loss, coordinates, and each
/// other one that varies, with _min and _max where it is drawn.
///
/// Numbers have the shortest form that reads back the same bits, "nan" and "inf" if they are not
/// finite; enumerations their names, truth values true and false; text is quoted as in RFC 4180;
/// lines end with LF. Streams /trials. Existing files are an error unless `overwrite`; each file
/// appears when it is whole. Throws OutputError (path, call, reason) and InputError.
std::vector<std::filesystem::path> export_csv(const ResultReader& reader,
                                              const std::filesystem::path& directory,
                                              bool overwrite);

/// Writes profiles.json (stats/profiles.hpp), each number in function evaluations and, over trials
/// whose timings are all valid, in seconds. Nothing is pooled over what differs in kind:
///   configurations  for each one, target (gap to the best known objective) and solver the runtime
///                   distribution and the average runtime
///   targets         for each kind (model and loss) and target the performance profile, which
///                   compares the solvers of each trial, and the data profile
/// A solve reaches a target where its answer does, and each one where its answer differs from the
/// best by rounding alone: where the file has /trace at the cost at which its objective first did,
/// else at the cost of the whole solve; `costs` says which. Of more than 100,000 solves every k-th
/// trial is used; `trials` and `trials_used` say so. Infinite numbers are null. Returns its path.
/// Throws OutputError, InputError.
std::vector<std::filesystem::path> export_profiles(const ResultReader& reader,
                                                   const std::filesystem::path& directory,
                                                   bool overwrite);

/// Writes a folder per solver as COCO's logger does: nucreg_f<k>.info, and below data_f<k> the .dat
/// (a line each time a target 10^(i/5) is reached) and .tdat (a line at evaluations 10^(i/20) and
/// n {1, 2, 5} 10^i, and the last one). Returns the paths of the .info files.
///   function k   configuration k - 1        dimension n   parameters of the model
///   instance     trial + 1                  value         objective, 40x px^2
///   Fopt         of each trial the lowest objective known: of all solvers and of what `gap` is
///                measured against
/// Evaluations are those that the trace kept: all up to 16, later ones up to 10 % too high. The
/// trace keeps the lowest objective alone, so both measured columns hold it, and no coordinates
/// follow. A solve that threw is an instance with one evaluation that reached nothing (1e300), the
/// closed form one with one that reached its answer; a solve that does not apply is none. cocopp
/// reads no suite that it does not know: the files name bbob, whose names for functions mean
/// nothing here. Streams; throws OutputError, and InputError also if the file has no /trace.
std::vector<std::filesystem::path> export_coco(const ResultReader& reader,
                                               const std::filesystem::path& directory,
                                               bool overwrite);

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

/// Writes python_benchmark.csv, a row per solve with the columns trial, num_points, noise_level
/// (40x px), outlier_fraction, optimization, rmsd (40x px), param_error, time_ms, memory_kb,
/// iterations, a, b, tx, c, d, ty, and python_benchmark_summary.csv, a row per configuration and
/// solver with the mean and standard deviation (n - 1) of rmsd, param_error, time_ms, memory_kb and
/// iterations, and returns their paths.
///
/// What does not exist is an empty field: iterations that a library does not report, noise that is
/// drawn in each trial, the affine form of a projective map, anything of a solve that failed.
/// Streams /trials. Existing files are an error unless `overwrite`; each file appears when it is
/// whole. Throws OutputError and InputError.
std::vector<std::filesystem::path> export_python_benchmark(const ResultReader& reader,
                                                           const std::filesystem::path& directory,
                                                           bool overwrite);

/// A format of `nucreg export` of a Source: the result of a run, or a map.
template <class Source>
struct ExportFormat {
  std::string_view name;
  std::vector<std::filesystem::path> (*write)(const Source& source,
                                              const std::filesystem::path& directory,
                                              bool overwrite);
};

inline constexpr std::array result_formats{
    ExportFormat<ResultReader>{"csv", export_csv},
    ExportFormat<ResultReader>{"python-benchmark", export_python_benchmark},
    ExportFormat<ResultReader>{"maps", export_maps},
    ExportFormat<ResultReader>{"profiles", export_profiles},
    ExportFormat<ResultReader>{"coco", export_coco},
};

[[nodiscard]] std::vector<std::string> names_of(const auto& formats) {
  std::vector<std::string> names;
  for (const auto& format : formats) names.emplace_back(format.name);
  return names;
}

/// The matrix a b tx, c d ty of fitted parameters; nothing if they are not finite or the model
/// is projective. `magnification` is the nominal one of the job.
[[nodiscard]] std::optional<AffineMap> affine_of(const Record& row, Model model,
                                                 double magnification);
/// problem.magnification of the job of a result file. Throws InputError.
[[nodiscard]] double magnification_of(const ResultReader& reader);

}  // namespace nucreg
