#include "nucreg/report/map_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "export_folder.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/fit/model.hpp"
#include "nucreg/report/python_benchmark.hpp"
#include "table_access.hpp"
#include "trial_stream.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;
using Matrix = std::array<std::array<double, 3>, 3>;

/// None where a parameter is not finite.
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
  const auto& models = need<std::string>(configurations, "model");
  const auto& names = need<std::string>(solvers, "name");
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

}  // namespace nucreg
