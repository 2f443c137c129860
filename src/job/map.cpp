#include "nucreg/job/map.hpp"

#include <optional>

#include "echo.hpp"
#include "map_fields.hpp"
#include "value_reader.hpp"

namespace nucreg {
namespace {

using namespace job_fields;

// Calls `visit_section(name, options)` for each section of a map file.
template <class Map, class VisitSection>
void for_each_section(Map& map, VisitSection&& visit_section) {
  visit_section("map", map.map);
  visit_section("images", map.images);
  visit_section("place", map.place);
  visit_section("fit", map.fit);
  visit_section("run", map.run);
}

void refuse_unknown_sections(const toml::table& document, const std::string& file) {
  if (document.contains("job") && !document.contains("map"))
    throw JobError("is a job, not a map file; use: nucreg run " + file, {.file = file});
  const std::vector<std::string> known{"map", "images", "place", "fit", "run"};
  for (const auto& [key, node] : document)
    if (std::ranges::find(known, key.str()) == known.end())
      reject(origin_of(node), std::string(key.str()), "unknown key" + suggestion(key.str(), known),
             "[map], [images], [place], [fit], [run]");
}

void check_magnification(const MapJob& map) {
  const auto& [low, high] = map.place.magnification;
  if (low > high || (low == 0.0 && high > 0.0))
    throw JobError(
        fmt::format("{} and {}", low, high),
        where(map, "place.magnification", "[lowest, highest], each number > 0, or [0, 0]"));
}

/// The solver of the same method: what a kind ends with is what fits.
std::optional<MapSolver> solver_like(const SolverSpec& spec) {
  const auto option = spec.options.find("algorithm");
  const auto* algorithm =
      option == spec.options.end() ? nullptr : std::get_if<std::string>(&option->second);
  const std::string& kind = spec.kind;
  if (kind == "irls" || kind == "closed-form") return MapSolver::irls;
  if (kind == "lm" || kind == "eigen-lm" || kind == "consensus" || kind == "gsl")
    return MapSolver::lm;
  if (kind == "nlopt" && (!algorithm || *algorithm == "LD_LBFGS")) return MapSolver::lbfgs;
  if (kind == "ceres") return algorithm && *algorithm == "LBFGS" ? MapSolver::lbfgs : MapSolver::lm;
  return std::nullopt;
}

}  // namespace

ErrorFields where(const MapJob& map, const std::string& key, std::string allowed) {
  const auto origin = map.origins.find(key);
  const Origin place = origin == map.origins.end() ? Origin{.file = map.file} : origin->second;
  return {.file = place.file, .line = place.line, .key = key, .allowed = std::move(allowed)};
}

MapJob parse_map_text(std::string_view text, const std::string& file,
                      const std::vector<std::string>& overrides) {
  MapJob map{.file = file};
  const toml::table document = parse_document(text, file, overrides);
  refuse_unknown_sections(document, file);
  constexpr Source any = Source::images;  // no key of a map depends on it
  for_each_section(map, [&](const char* name, auto& options) {
    const toml::node* node = document.get(name);
    if (node && !node->is_table()) TableReader::reject_section(*node, name);
    TableReader reader(node ? node->as_table() : nullptr,
                       node ? origin_of(*node) : Origin{.file = file}, name, any, map.origins);
    describe(reader, options);
    reader.refuse_others();
  });
  check_magnification(map);
  return map;
}

MapJob parse_map(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return parse_map_text(read_job_file(file), file.string(), overrides);
}

MapJob map_of_inputs(const std::string& ten, const std::string& forty,
                     const std::vector<std::string>& overrides) {
  return parse_map_text(
      fmt::format("[map]\nten = {}\nforty = {}\n", toml_string(ten), toml_string(forty)), {},
      overrides);
}

std::string to_toml(const MapJob& map) {
  MapJob copy = map;
  Writer writer(Source::images);
  for_each_section(copy, [&](const char* name, auto& options) {
    writer.section(fmt::format("[{}]", name));
    describe(writer, options);
  });
  return writer.text();
}

std::string map_reference() {
  MapJob map;
  Reference reference;
  for_each_section(map, [&](const char* name, auto& options) {
    reference.section(name);
    describe(reference, options);
  });
  return reference.text();
}

void take_fit(MapJob& map, const Job& recommended) {
  const SolverSpec& spec = recommended.solvers.front();
  const std::optional<MapSolver> solver = solver_like(spec);
  if (!solver)
    throw JobError(fmt::format("solver {} of kind {} has no like for the fit of all tiles",
                               spec.name, spec.kind),
                   {.file = recommended.file,
                    .line = spec.line,
                    .key = "solver.kind",
                    .allowed = "irls, closed-form, lm, eigen-lm, consensus, gsl, ceres, nlopt with "
                               "LD_LBFGS"});
  map.fit.solver = *solver;
  map.fit.loss = recommended.fit.loss.front();
}

}  // namespace nucreg
