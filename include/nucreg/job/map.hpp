// A map file as plain values: everything that `nucreg map` does to a well, and how it is read.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/job/job.hpp"

namespace nucreg {

/// `[map]`
struct MapInputs {
  std::string name;                     ///< of the output; empty: that of the folder of `ten`
  std::vector<std::string> ten, forty;  ///< sheets, folders, files or globs; of the working folder
  std::vector<std::string> wells;       ///< only these; empty: all that the inputs name
  std::uint64_t seed = 1;
  friend bool operator==(const MapInputs&, const MapInputs&) = default;
};

/// `[images]`: of inputs that are images.
struct MapImages {
  std::string channel_10x{"0"}, channel_40x{"0"};       ///< name, or number from 0
  double diameter_10x_px = 0.0, diameter_40x_px = 0.0;  ///< of a nucleus; 0 = "auto"
  friend bool operator==(const MapImages&, const MapImages&) = default;
};

/// `[place]`
struct MapPlace {
  bool stage = true;                              ///< stage positions are used if there are any
  double pixel_10x_um = 0.0, pixel_40x_um = 0.0;  ///< 0 = "auto": what the inputs say
  /// 40x px per 10x px that are considered; {0, 0}: about the ratio of the pixel sizes
  std::array<double, 2> magnification{0.0, 0.0};
  friend bool operator==(const MapPlace&, const MapPlace&) = default;
};

/// What the fit of all tiles is solved by (mosaic/global_fit.hpp).
enum class MapSolver { irls, lm, lbfgs };
template <>
struct Spelling<MapSolver> {
  static constexpr std::array<std::string_view, 3> names{"irls", "lm", "lbfgs"};
};

/// `[fit]`: of all tiles at once.
struct MapFit {
  MapSolver solver = MapSolver::irls;
  Loss loss = Loss::cauchy;
  bool compare_solvers = false;
  friend bool operator==(const MapFit&, const MapFit&) = default;
};

/// `[run]`
struct MapRun {
  double monitor_seconds = 30.0;
  friend bool operator==(const MapRun&, const MapRun&) = default;
};

/// A whole map file. Built by parse_map, which guarantees all ranges.
struct MapJob {
  std::string file;  ///< where it was read from; empty for text
  MapInputs map;
  MapImages images;
  MapPlace place;
  MapFit fit;
  MapRun run;
  std::map<std::string, Origin> origins;  ///< of each dotted key that was set
};

/// Fields of an error about a dotted key ("map.ten"), with the place where it was set.
[[nodiscard]] ErrorFields where(const MapJob& map, const std::string& key,
                                std::string allowed = {});

/// Reads a map file, as strictly as parse_job reads jobs. Throws JobError.
[[nodiscard]] MapJob parse_map(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides = {});
/// The same from text; `file` is only named in errors.
[[nodiscard]] MapJob parse_map_text(std::string_view text, const std::string& file = {},
                                    const std::vector<std::string>& overrides = {});
/// What a command line with two inputs and no file stands for.
[[nodiscard]] MapJob map_of_inputs(const std::string& ten, const std::string& forty,
                                   const std::vector<std::string>& overrides = {});

/// The resolved map file: every key with its value, such that parse_map_text gives the same.
[[nodiscard]] std::string to_toml(const MapJob& map);
/// The keys of a map file as a Markdown table, as job_reference.
[[nodiscard]] std::string map_reference();

/// Gives a map the loss of a recommended job (`nucreg recommend --to`), and the solver of the same
/// method as its first one. Throws JobError if the fit of all tiles has none of that method.
void take_fit(MapJob& map, const Job& recommended);

}  // namespace nucreg
