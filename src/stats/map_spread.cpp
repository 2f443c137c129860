#include "nucreg/stats/map_spread.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/fit/model.hpp"

namespace nucreg {
namespace {

constexpr std::size_t places = 5;  // corners and centre
using Places = std::array<double, 2 * places>;

// Mean and sum of squares about it (Welford 1962).
struct Moments {
  double mean = 0.0, squares = 0.0;
  void add(double value, std::int64_t count) {
    const double before = value - mean;
    mean += before / static_cast<double>(count);
    squares += before * (value - mean);
  }
};

double deviation(double squares, std::int64_t count) {
  return count < 2 ? Record::nan : std::sqrt(squares / static_cast<double>(count - 1));
}

struct Scatter {
  std::int64_t count = 0;
  std::array<Moments, 2 * places> places_px;
  std::array<Moments, max_parameters> params;
};

struct Apart {
  std::int64_t count = 0;
  double squares = 0.0, most = 0.0;
};

struct Field {
  Model model = Model::affine;
  double magnification = 1.0, width_px = 0.0, height_px = 0.0;
};

Table empty_scatter() {
  Table table{.name = "scatter"};
  for (const char* name : {"configuration", "solver", "count"})
    table.columns.push_back({name, "1", std::vector<std::int64_t>{}});
  table.columns.push_back({"map_scatter_px", "px", std::vector<double>{}});
  for (std::size_t i = 0; i < max_parameters; ++i)
    table.columns.push_back({"param_scatter_" + std::to_string(i), "mixed", std::vector<double>{}});
  return table;
}

Table empty_agreement() {
  Table table{.name = "agreement"};
  for (const char* name : {"configuration", "solver", "other", "count"})
    table.columns.push_back({name, "1", std::vector<std::int64_t>{}});
  for (const char* name : {"rms_px", "max_px"})
    table.columns.push_back({name, "px", std::vector<double>{}});
  return table;
}

template <class T>
void put(Table& table, std::size_t column, T value) {
  std::get<std::vector<T>>(table.columns[column].values).push_back(value);
}

}  // namespace

struct MapSpread::Body {
  std::vector<Field> fields;
  std::size_t solvers = 0;
  std::uint32_t configuration = 0, trial = 0;
  bool any = false;
  std::vector<std::optional<Places>> maps;  // of the current trial, by solver
  std::vector<Scatter> scatter;             // of the current configuration, by solver
  std::vector<Apart> apart;                 // the same, by solver and other
  Table scatter_table = empty_scatter(), agreement_table = empty_agreement();

  void begin() {
    maps.assign(solvers, std::nullopt);
    scatter.assign(solvers, {});
    apart.assign(solvers * solvers, {});
  }
  void close_trial();
  void close_configuration();
  void add(const Record& row);
};

void MapSpread::Body::add(const Record& row) {
  if (row.configuration >= fields.size() || row.solver >= solvers)
    throw InputError("names what is not in the file", {.key = "/trials"});
  if (!any || row.configuration != configuration || row.trial != trial) {
    if (any) close_trial();
    if (any && row.configuration != configuration) close_configuration();
    any = true;
    configuration = row.configuration;
    trial = row.trial;
  }
  if (row.status == SolveStatus::failed || row.status == SolveStatus::not_applicable) return;
  const Field& field = fields[configuration];
  const auto count = static_cast<Eigen::Index>(parameter_count(field.model));
  const Map map{field.model, Eigen::Map<const Eigen::VectorXd>(row.params.data(), count),
                field.magnification};
  if (!map.params.allFinite()) return;
  const double x = field.width_px, y = field.height_px;
  Places at{};
  std::size_t i = 0;
  for (const auto& [u, v] : {std::pair{0.0, 0.0}, {x, 0.0}, {0.0, y}, {x, y}, {x / 2.0, y / 2.0}}) {
    const auto place = apply(map, u, v);
    at[i++] = place[0];
    at[i++] = place[1];
  }
  maps[row.solver] = at;
  Scatter& of = scatter[row.solver];
  ++of.count;
  for (i = 0; i < at.size(); ++i) of.places_px[i].add(at[i], of.count);
  for (i = 0; i < static_cast<std::size_t>(count); ++i) of.params[i].add(row.params[i], of.count);
}

void MapSpread::Body::close_trial() {
  for (std::size_t a = 0; a < solvers; ++a)
    for (std::size_t b = a + 1; b < solvers; ++b) {
      if (!maps[a] || !maps[b]) continue;
      Apart& of = apart[a * solvers + b];
      ++of.count;
      for (std::size_t i = 0; i < places; ++i) {
        const double distance = std::hypot((*maps[a])[2 * i] - (*maps[b])[2 * i],
                                           (*maps[a])[2 * i + 1] - (*maps[b])[2 * i + 1]);
        of.squares += distance * distance;
        of.most = std::max(of.most, distance);
      }
    }
  maps.assign(solvers, std::nullopt);
}

void MapSpread::Body::close_configuration() {
  const std::size_t params = parameter_count(fields[configuration].model);
  for (std::size_t a = 0; a < solvers; ++a) {
    const Scatter& of = scatter[a];
    put(scatter_table, 0, std::int64_t{configuration});
    put(scatter_table, 1, static_cast<std::int64_t>(a));
    put(scatter_table, 2, of.count);
    double squares = 0.0;
    for (const Moments& place : of.places_px) squares += place.squares;
    put(scatter_table, 3, deviation(squares / static_cast<double>(places), of.count));
    for (std::size_t i = 0; i < max_parameters; ++i)
      put(scatter_table, 4 + i,
          i < params ? deviation(of.params[i].squares, of.count) : Record::nan);
    for (std::size_t b = a + 1; b < solvers; ++b) {
      const Apart& between = apart[a * solvers + b];
      put(agreement_table, 0, std::int64_t{configuration});
      put(agreement_table, 1, static_cast<std::int64_t>(a));
      put(agreement_table, 2, static_cast<std::int64_t>(b));
      put(agreement_table, 3, between.count);
      const auto compared = static_cast<double>(places) * static_cast<double>(between.count);
      put(agreement_table, 4,
          between.count > 0 ? std::sqrt(between.squares / compared) : Record::nan);
      put(agreement_table, 5, between.count > 0 ? between.most : Record::nan);
    }
  }
  begin();
}

bool MapSpread::applies(const Table& configurations) {
  return configurations.find("field_width_px") != nullptr;
}

MapSpread::MapSpread(const Table& configurations, std::size_t solvers)
    : body_(std::make_unique<Body>()) {
  body_->solvers = solvers;
  body_->begin();
  const auto& models = configurations.get<std::string>("model");
  const auto& magnifications = configurations.get<double>("magnification");
  const auto& widths = configurations.get<double>("field_width_px");
  const auto& heights = configurations.get<double>("field_height_px");
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto model = value_of<Model>(models[i]);
    if (!model) throw InputError("holds \"" + models[i] + "\"", {.key = "/configurations/model"});
    body_->fields.push_back({*model, magnifications[i], widths[i], heights[i]});
  }
}

MapSpread::~MapSpread() = default;

void MapSpread::add(std::span<const Record> rows) {
  for (const Record& row : rows) body_->add(row);
}

std::vector<Table> MapSpread::finish() {
  if (body_->any) {
    body_->close_trial();
    body_->close_configuration();
  }
  return {std::move(body_->scatter_table), std::move(body_->agreement_table)};
}

}  // namespace nucreg
