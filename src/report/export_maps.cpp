#include "nucreg/report/export.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "export_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;
using Matrix = std::array<std::array<double, 3>, 3>;

/// None if a parameter is not finite.
std::optional<Matrix> matrix_of(const Record& row, Model model, double magnification) {
  const auto& p = row.params;
  if (model == Model::projective) {
    const auto used = std::span(p).first(static_cast<std::size_t>(parameter_count(model)));
    if (!std::ranges::all_of(used, [](double value) { return std::isfinite(value); }))
      return std::nullopt;
    return Matrix{{{p[0], p[1], p[2]}, {p[3], p[4], p[5]}, {p[6], p[7], 1.0}}};
  }
  const auto a = affine_of(row, model, magnification);
  if (!a) return std::nullopt;
  const auto& [xx, xy, dx, yx, yy, dy] = *a;
  return Matrix{{{xx, xy, dx}, {yx, yy, dy}, {0.0, 0.0, 1.0}}};
}

// Rows and columns of x and y change places.
Matrix y_first(const Matrix& m) {
  constexpr std::array<std::size_t, 3> from{1, 0, 2};
  Matrix out{};
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) out[r][c] = m[from[r]][from[c]];
  return out;
}

Json trs_of(const Record& row, Model model, double magnification) {
  if (model == Model::affine || model == Model::projective) return nullptr;
  const auto count = static_cast<Eigen::Index>(parameter_count(model));
  const Params params = Eigen::Map<const Eigen::VectorXd>(row.params.data(), count);
  const auto trs = convert({model, params, magnification}, Model::trs, magnification);
  return trs ? Json(std::vector<double>(trs->params.begin(), trs->params.end())) : Json();
}

}  // namespace

std::vector<std::filesystem::path> export_maps(const ResultReader& reader,
                                               const std::filesystem::path& directory,
                                               bool overwrite) {
  auto paths = export_paths(directory, {"maps.json"}, overwrite);
  const Table configurations = reader.table("configurations"), solvers = reader.table("solvers");
  const auto& models = configurations.get<std::string>("model");
  const auto& names = solvers.get<std::string>("name");
  const double magnification = magnification_of(reader);
  TextFile file(paths.front());
  file.write("{\"units\": \"10x px to 40x px, pixel centres at integers\", \"maps\": [");
  bool first = true;
  std::uint64_t without_map = 0;
  stream_trials(reader, [&](std::span<const Record> rows) {
    for (const Record& row : rows) {
      if (row.configuration >= models.size() || row.solver >= names.size())
        throw InputError("a row names what is not in the file", {.key = "/trials"});
      const auto model = value_of<Model>(models[row.configuration]);
      if (!model) throw InputError("names no model", {.key = "/configurations/model"});
      if (!std::isfinite(row.objective)) continue;
      const auto matrix = matrix_of(row, *model, magnification);
      if (!matrix) {
        ++without_map;
        continue;
      }
      const Json map{{"configuration", row.configuration},
                     {"trial", row.trial},
                     {"solver", names[row.solver]},
                     {"model", name_of(*model)},
                     {"rmsd_px", row.rmsd_px},
                     {"matrix", *matrix},
                     {"napari_affine", y_first(*matrix)},
                     {"trs", trs_of(row, *model, magnification)}};
      file.write((first ? "\n" : ",\n") + map.dump(-1, ' ', false, Json::error_handler_t::replace));
      first = false;
    }
  });
  file.write(fmt::format("\n], \"without_map\": {}}}\n", without_map));
  file.publish(overwrite);
  return paths;
}

namespace {

constexpr const char* trial_header =
    "trial,num_points,noise_level,outlier_fraction,optimization,rmsd,param_error,time_ms,memory_kb,"
    "iterations,a,b,tx,c,d,ty\n";

std::string field(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

/// For a configuration: the columns that the Python scripts know.
struct Setting {
  double noise = Record::nan, outliers = Record::nan;
  Model model = Model::affine;
};

std::vector<Setting> settings_of(const ResultReader& reader) {
  const Table table = reader.table("configurations");
  std::vector<Setting> settings(table.rows());
  const auto& models = table.get<std::string>("model");
  for (std::size_t row = 0; row < settings.size(); ++row) {
    Setting& s = settings[row];
    if (table.find("noise_px")) s.noise = table.get<double>("noise_px")[row];
    if (table.find("outliers")) s.outliers = table.get<double>("outliers")[row];
    const auto model = value_of<Model>(models[row]);
    if (!model) throw InputError("names no model", {.key = "/configurations/model"});
    s.model = *model;
  }
  return settings;
}

/// Mean and standard deviation as they run (Welford 1962).
struct RunningSpread {
  double count = 0.0, mean = 0.0, squares = 0.0;
  void add(double value) {
    if (!std::isfinite(value)) return;
    count += 1.0;
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
  }
  [[nodiscard]] std::string fields() const {
    return fmt::format(",{},{}", count > 0.0 ? field(mean) : "",
                       count > 1.0 ? field(std::sqrt(squares / (count - 1.0))) : "");
  }
};

struct Cell {
  double points = Record::nan;
  bool timing_valid = false;              ///< of any row yet
  std::array<RunningSpread, 5> measures;  // rmsd param_error time_ms memory_kb iterations

  /// As in /summary: times are those with a valid timing, or of all rows if none has one.
  void add(const Record& row, const std::array<double, 5>& values) {
    constexpr std::size_t time_ms = 2;
    points = static_cast<double>(row.pairs);
    if (row.timing_valid && !timing_valid) measures[time_ms] = {};
    timing_valid = timing_valid || row.timing_valid;
    for (std::size_t m = 0; m < measures.size(); ++m)
      if (m != time_ms || row.timing_valid == timing_valid) measures[m].add(values[m]);
  }
};

}  // namespace

std::optional<AffineMap> affine_of(const Record& row, Model model, double magnification) {
  const auto count = static_cast<Eigen::Index>(parameter_count(model));
  const Params params = Eigen::Map<const Eigen::VectorXd>(row.params.data(), count);
  if (!params.allFinite()) return std::nullopt;
  const auto affine = convert({model, params, magnification}, Model::affine, magnification);
  if (!affine) return std::nullopt;
  AffineMap entries{};
  std::copy(affine->params.begin(), affine->params.end(), entries.begin());
  return entries;
}

double magnification_of(const ResultReader& reader) {
  try {
    return parse_job_text(reader.attributes().get<std::string>("job_toml")).problem.magnification;
  } catch (const JobError& error) {
    throw InputError("is no job of this nucreg: " + error.problem(), {.key = "job_toml"});
  }
}

std::vector<std::filesystem::path> export_python_benchmark(const ResultReader& reader,
                                                           const std::filesystem::path& directory,
                                                           bool overwrite) {
  const auto paths =
      export_paths(directory, {"python_benchmark.csv", "python_benchmark_summary.csv"}, overwrite);
  const std::vector<Setting> settings = settings_of(reader);
  const double magnification = magnification_of(reader);
  const Table solver_table = reader.table("solvers");
  std::vector<std::string> solvers;
  for (const std::string& name : solver_table.get<std::string>("name"))
    solvers.push_back(csv_field(name));

  TextFile trials(paths[0]), summary(paths[1]);
  trials.write(trial_header);
  summary.write("num_points,noise_level,outlier_fraction,optimization");
  for (const char* measure : {"rmsd", "param_error", "time_ms", "memory_kb", "iterations"})
    summary.write(fmt::format(",{0}_mean,{0}_std", measure));
  summary.write("\n");

  std::vector<Cell> cells(solvers.size());
  std::uint32_t configuration = 0;
  const auto close_configuration = [&] {
    for (std::size_t s = 0; s < cells.size(); ++s) {
      if (std::isnan(cells[s].points)) continue;
      const Setting& setting = settings[configuration];
      std::string line = fmt::format("{},{},{},{}", cells[s].points, field(setting.noise),
                                     field(setting.outliers), solvers[s]);
      for (const RunningSpread& measure : cells[s].measures) line += measure.fields();
      summary.write(line + "\n");
      cells[s] = {};
    }
  };
  stream_trials(reader, [&](std::span<const Record> rows) {
    for (const Record& row : rows) {
      if (row.configuration >= settings.size() || row.solver >= solvers.size())
        throw InputError("a row names what is not in the file", {.key = "/trials"});
      if (row.configuration != configuration) close_configuration();
      configuration = row.configuration;
      const Setting& setting = settings[configuration];
      const bool answered = std::isfinite(row.objective);
      const std::array<double, 5> measures{
          row.rmsd_px, row.param_error, 1e3 * row.wall_seconds,
          answered ? static_cast<double>(row.peak_bytes) / 1024.0 : Record::nan,
          answered && row.iterations >= 0 ? static_cast<double>(row.iterations) : Record::nan};
      std::string line = fmt::format("{},{},{},{},{}", row.trial, row.pairs, field(setting.noise),
                                     field(setting.outliers), solvers[row.solver]);
      cells[row.solver].add(row, measures);
      for (const double measure : measures) line += "," + field(measure);
      const auto affine = affine_of(row, setting.model, magnification);
      for (std::size_t p = 0; p < 6; ++p) line += "," + (affine ? field((*affine)[p]) : "");
      trials.write(line + "\n");
    }
  });
  close_configuration();
  trials.publish(overwrite);
  summary.publish(overwrite);
  return paths;
}

}  // namespace nucreg
