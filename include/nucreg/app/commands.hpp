// The commands of the program. Each returns the exit status or throws Error; results go to standard
// output, everything else to standard error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/nuclei/nuclei_file.hpp"
#include "nucreg/nuclei/tissue.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

struct RunCommand {
  std::filesystem::path job;
  std::filesystem::path output;  ///< empty: results/<job name>.h5, or ....part-K-of-N.h5
  std::vector<std::string> set;
  std::string part;                      ///< K/N; empty: the whole job
  std::filesystem::path recommendation;  ///< whose solver, loss and start are taken; empty: none
  bool force = false;
  bool resume = false;
};
/// All ranks. `registry` outlives the process.
[[nodiscard]] ExitStatus run_command(const RunCommand& command, const SolverRegistry& registry);

struct PlanCommand {
  std::filesystem::path job;
  std::vector<std::string> set;
  std::string part;  ///< K/N; empty: the whole job
  int ranks = 1;
};
[[nodiscard]] ExitStatus plan_command(const PlanCommand& command, const SolverRegistry& registry);

struct InspectCommand {
  std::filesystem::path file;
  bool json = false;
  bool all = false;  ///< every configuration, however many
};
[[nodiscard]] ExitStatus inspect_command(const InspectCommand& command);

struct ExportCommand {
  std::filesystem::path file;
  std::filesystem::path folder;
  bool force = false;
  std::string format = "csv";  ///< csv, and what main() allows
};
[[nodiscard]] ExitStatus export_command(const ExportCommand& command);

struct CompareCommand {
  std::filesystem::path a, b;
  double threshold = 0.1;  ///< of slowness that is let pass
  bool json = false;
};
[[nodiscard]] ExitStatus compare_command(const CompareCommand& command);

struct PairsCommand {
  std::filesystem::path file;
  std::uint64_t configuration = 0, trial = 0;
  std::uint64_t trials = 0;  ///< > 0: so many instead, evenly over the job
  std::filesystem::path to;
  bool force = false;
};
[[nodiscard]] ExitStatus pairs_command(const PairsCommand& command);

struct RecommendCommand {
  std::vector<std::filesystem::path> files;
  std::string model;  ///< empty: any
  std::optional<double> points, noise_px, outliers;
  bool json = false;
  std::filesystem::path to;  ///< empty: no file is written
  bool force = false;
};
/// Evidence that does not reach the point is an answer: done.
[[nodiscard]] ExitStatus recommend_command(const RecommendCommand& command);

struct VerifyCommand {
  std::filesystem::path file;
};
[[nodiscard]] ExitStatus verify_command(const VerifyCommand& command);

struct MergeCommand {
  std::vector<std::filesystem::path> files;
  std::filesystem::path output;
  bool force = false;
};
[[nodiscard]] ExitStatus merge_command(const MergeCommand& command);

struct ImageCommand {
  std::filesystem::path file;
  bool json = false;
  std::size_t frame = 0;
  std::string channel = "0";  ///< name or number
  std::filesystem::path to;   ///< empty: no plane is written
  bool force = false;
};
[[nodiscard]] ExitStatus image_command(const ImageCommand& command);

struct SegmentCommand {
  std::vector<std::filesystem::path> images;
  std::filesystem::path folder;
  std::string channel = "0";          ///< name or number
  std::optional<double> diameter_px;  ///< estimated for each frame if not given
  bool force = false;                 ///< overwrite outputs
  bool resume = false;                ///< keep those of the same pixels, diameter and build
  bool no_overlay = false;            ///< write tables and labels only
};
/// All ranks. One image that cannot be read does not keep the
/// others from being done.
[[nodiscard]] ExitStatus segment_command(const SegmentCommand& command,
                                         const SolverRegistry& registry);

/// How the nuclei of a file are to be read; what is empty follows from the file.
struct NucleiReading {
  std::optional<NucleiKind> as;
  std::optional<std::string> columns;  ///< x=NAME,y=NAME,label=NAME of a table
  std::optional<NpyOrder> npy_order;
  std::optional<double> pixel_um;  ///< of a table in micrometres
};

/// One side of a match. What only an image has and none was asked for is empty.
struct MatchSide {
  std::filesystem::path file;          ///< image, label image, or table of nuclei
  std::optional<std::string> channel;  ///< name or number
  std::optional<std::size_t> frame;
  std::optional<double> diameter_px;
  NucleiReading reading;
};

struct MatchCommand {
  MatchSide ten, forty;
  bool json = false;
  std::filesystem::path pairs;  ///< CSV of the pairs; empty: none is written
  bool force = false;
  std::vector<double> magnification{standard_magnifications.begin(),  ///< lowest and highest
                                    standard_magnifications.end()};
  std::string model = "affine";
  double significance = standard_significance;
  std::optional<std::string> channel;  ///< of every side that is an image and has none of its own
  std::optional<std::size_t> frame;    ///< the same
  NucleiReading reading;               ///< the same
  std::vector<double> near;            ///< x, y, uncertainty at 10x of the middle of 40x; or empty
  std::optional<double> stage_error_um;  ///< how far stage positions of images may be off
};
/// No match is an answer: done.
[[nodiscard]] ExitStatus match_command(const MatchCommand& command);

struct MapCommand {
  std::string ten;    ///< sheet, folder, file or glob; or a map file, if `forty` is empty
  std::string forty;  ///< sheet, folder, file or glob
  std::filesystem::path output;  ///< empty: results/<name>.h5
  std::vector<std::string> set;
  std::filesystem::path recommendation;  ///< whose solver and loss are taken; empty: none
  bool force = false;
  bool resume = false;
  bool compare_solvers = false;
};
/// All ranks. Wells that do not match are an answer: done.
[[nodiscard]] ExitStatus map_command(const MapCommand& command, const SolverRegistry& registry);

struct SynthCommand {
  std::filesystem::path folder;
  SynthOptions options;
  bool force = false;
};
[[nodiscard]] ExitStatus synth_command(const SynthCommand& command);

struct WatchCommand {
  std::filesystem::path file;
  bool once = false;
};
/// `stopped` where no run is under way and the result is not complete.
[[nodiscard]] ExitStatus watch_command(const WatchCommand& command);

struct ReportCommand {
  std::filesystem::path file;
  std::filesystem::path output;  ///< empty: the file's name with .html
  std::filesystem::path plots;   ///< folder; empty: no separate plots
  bool force = false;
};
/// Becomes tools/report; returns only by throwing.
[[nodiscard]] ExitStatus report_command(const ReportCommand& command);

struct DoctorCommand {
  std::filesystem::path folder = ".";  ///< where results will lie
  bool ranks = false;                  ///< under mpirun: how its ranks are bound
};
/// Done also if something will hurt: that is printed, with what to do.
[[nodiscard]] ExitStatus doctor_command(const DoctorCommand& command);

[[nodiscard]] ExitStatus solvers_command(const SolverRegistry& registry);
[[nodiscard]] ExitStatus models_command();
/// Keys of job files, or of map files.
[[nodiscard]] ExitStatus job_keys_command(bool of_maps);

// inspect, export and verify if their file is the map of a well.

/// How the identity of a map's journal begins, which distinguishes it from that of a run.
inline constexpr std::string_view map_identity_start = "map of wells\n";

/// False also if the file cannot be read: whoever reads it as a run's result then says why.
[[nodiscard]] bool is_map(const std::filesystem::path& file);

[[nodiscard]] ExitStatus inspect_map(const InspectCommand& command);
[[nodiscard]] ExitStatus export_map(const ExportCommand& command);
[[nodiscard]] ExitStatus verify_map_command(const VerifyCommand& command);

}  // namespace nucreg
