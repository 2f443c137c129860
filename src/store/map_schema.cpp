#include "map_schema.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace nucreg {
namespace {

using mosaic::Link;
using mosaic::Side;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class E>
hdf5::Handle enum_of() {
  return hdf5::enum_type({Spelling<E>::names.begin(), Spelling<E>::names.end()});
}

/// `at` takes a row, constant or not, to a reference to its value.
template <class Row, class At>
MapColumn<Row> value(std::string name, std::string units, std::string description, At at) {
  using T = std::remove_cvref_t<decltype(at(std::declval<Row&>()))>;
  MapColumn<Row> made{std::move(name), std::move(units), std::move(description)};
  made.type = &hdf5::type_of<T>;
  made.value_bytes = sizeof(T);
  made.store = [at](const Row& row, std::byte* to) { std::memcpy(to, &at(row), sizeof(T)); };
  made.load = [at](Row& row, const std::byte* from) { std::memcpy(&at(row), from, sizeof(T)); };
  if constexpr (std::is_same_v<T, bool>) made.members = 2;
  return made;
}

/// The same of an array of doubles.
template <class Row, class At>
MapColumn<Row> values(std::string name, std::string units, std::string description, At at) {
  using Array = std::remove_cvref_t<decltype(at(std::declval<Row&>()))>;
  MapColumn<Row> made{std::move(name), std::move(units), std::move(description)};
  made.type = &hdf5::type_of<double>;
  made.value_bytes = sizeof(double);
  made.width = std::tuple_size_v<Array>;
  made.store = [at](const Row& row, std::byte* to) { std::memcpy(to, &at(row), sizeof(Array)); };
  made.load = [at](Row& row, const std::byte* from) { std::memcpy(&at(row), from, sizeof(Array)); };
  return made;
}

/// A number that is made from a row by `get` and put into one by `set`.
template <class T, class Row, class Get, class Set>
MapColumn<Row> computed(std::string name, std::string units, std::string description, Get get,
                        Set set) {
  MapColumn<Row> made{std::move(name), std::move(units), std::move(description)};
  made.type = &hdf5::type_of<T>;
  made.value_bytes = sizeof(T);
  made.store = [get](const Row& row, std::byte* to) {
    const T number = get(row);
    std::memcpy(to, &number, sizeof(T));
  };
  made.load = [set](Row& row, const std::byte* from) {
    T number;
    std::memcpy(&number, from, sizeof(T));
    set(row, number);
  };
  return made;
}

template <class Row, class At>
MapColumn<Row> text(std::string name, std::string description, At at) {
  MapColumn<Row> made{std::move(name), "1", std::move(description)};
  made.text = [at](const Row& row) { return at(row); };
  made.set_text = [at](Row& row, const std::string& read) { at(row) = read; };
  return made;
}

constexpr const char* centre_words =
    "centre of the tile in the well's frame, carried there by turn, shift and magnification alone: "
    "to_well has the deformation between the visits, too; NaN: not placed";

#define AT(member) ([](auto& row) -> auto& { return row.member; })

MapColumn<MapTile> status_column() {
  MapColumn<MapTile> made{"status", "1", "ok, or what is wrong with the tile"};
  made.text = [](const MapTile& row) { return std::string(name_of(row.placed.status)); };
  made.set_text = [](MapTile& row, const std::string& read) {
    const auto status = value_of<mosaic::TileStatus>(read);
    if (!status)
      throw hdf5::Failure("value", "\"" + read + "\" is no status of a tile", "/tiles/status");
    row.placed.status = *status;
  };
  return made;
}

MapColumn<MapTile> side_column() {
  return computed<std::int32_t, MapTile>(
      "side", "1", "10 or 40: the side that the tile belongs to",
      [](const MapTile& row) { return row.given.side == Side::ten ? 10 : 40; },
      [](MapTile& row, std::int32_t side) {
        if (side != 10 && side != 40)
          throw hdf5::Failure("value", "is neither 10 nor 40", "/tiles/side");
        row.given.side = side == 10 ? Side::ten : Side::forty;
      });
}

MapColumn<MapTile> pixel_column() {
  return computed<double, MapTile>(
      "pixel_um", "um", "size of a pixel as given; NaN: not given",
      [](const MapTile& row) { return row.given.pixel_um.value_or(nan); },
      [](MapTile& row, double size) {
        if (!std::isnan(size)) row.given.pixel_um = size;
      });
}

MapColumn<MapTile> stage_column(std::size_t axis) {
  return computed<double, MapTile>(
      axis == 0 ? "stage_x_um" : "stage_y_um", "um",
      "recorded stage position of the tile's centre; NaN: none",
      [axis](const MapTile& row) { return row.given.stage_um ? (*row.given.stage_um)[axis] : nan; },
      [axis](MapTile& row, double position) {
        if (std::isnan(position)) return;
        if (!row.given.stage_um) row.given.stage_um = Point{nan, nan};
        (*row.given.stage_um)[axis] = position;
      });
}

/// The columns of one side, named with its suffix.
template <class At>
void add_side(std::vector<MapColumn<MapModel>>& columns, const std::string& suffix, At side) {
  const auto number = [&](const std::string& name, const std::string& units,
                          const std::string& description, auto at) {
    columns.push_back(value<MapModel>(
        name, units, description, [=](auto& row) -> auto& { return at(side(row)); }));
  };
  columns.push_back(values<MapModel>(
      "camera" + suffix, "um/px",
      "2 x 2 camera matrix, row by row: px to um of its visit", [=](auto& row) -> auto& {
        return side(row).camera.um_per_px;
      }));
  columns.push_back(computed<bool, MapModel>(
      "mirrored" + suffix, "1", "whether the camera matrix mirrors",
      [=](const MapModel& row) { return determinant(side(row).camera.um_per_px) < 0.0; },
      [](MapModel&, bool) {}));
  columns.back().members = 2;
  number("turn" + suffix + "_deg", "deg", "turn of the camera in its visit", AT(turn_deg));
  number("pixel" + suffix + "_um", "um", "size of a pixel as found", AT(pixel_um));
  number("k1" + suffix, "1", "radial distortion: v becomes v (1 + k1 |v|^2 / h^2), h = half width",
         AT(camera.k1));
  number("noise" + suffix + "_um", "um", "standard deviation of a coordinate of a detection",
         AT(camera.noise_um));
}

template <auto Member, class T = std::remove_cvref_t<decltype(std::declval<MapNuclei>().*Member)>>
NucleiColumn nuclei_vector(std::string name, std::string units, std::string description,
                           hdf5::Handle (*type)(), std::size_t members = 0, bool optional = false) {
  NucleiColumn made{std::move(name),
                    std::move(units),
                    std::move(description),
                    type,
                    sizeof(typename T::value_type),
                    members,
                    optional};
  made.size = [](const MapNuclei& nuclei) { return (nuclei.*Member).size(); };
  made.values = [](const MapNuclei& nuclei) -> const void* { return (nuclei.*Member).data(); };
  made.resize = [](MapNuclei& nuclei, std::size_t rows) -> void* {
    (nuclei.*Member).resize(rows);
    return (nuclei.*Member).data();
  };
  return made;
}

template <auto Of, auto Axis>
NucleiColumn coordinate(std::string name, std::string units, std::string description) {
  NucleiColumn made{std::move(name), std::move(units), std::move(description),
                    &hdf5::type_of<double>, sizeof(double)};
  made.size = [](const MapNuclei& nuclei) { return (nuclei.*Of.*Axis).size(); };
  made.values = [](const MapNuclei& nuclei) -> const void* { return (nuclei.*Of.*Axis).data(); };
  made.resize = [](MapNuclei& nuclei, std::size_t rows) -> void* {
    (nuclei.*Of.*Axis).resize(rows);
    return (nuclei.*Of.*Axis).data();
  };
  return made;
}

}  // namespace

const std::vector<MapColumn<MapTile>>& tile_columns() {
  static const std::vector<MapColumn<MapTile>> columns{
      side_column(),
      text<MapTile>("tile", "name or number of the tile", AT(given.name)),
      text<MapTile>("well", "well of the tile; empty: the sheets name none", AT(well)),
      text<MapTile>("file", "file of its nuclei or its image", AT(file)),
      value<MapTile>("width_px", "px", "width", AT(given.width_px)),
      value<MapTile>("height_px", "px", "height", AT(given.height_px)),
      pixel_column(),
      stage_column(0),
      stage_column(1),
      value<MapTile>("centre_x_um", "um", centre_words, AT(placed.centre_um[0])),
      value<MapTile>("centre_y_um", "um", centre_words, AT(placed.centre_um[1])),
      value<MapTile>("centre_sd_um", "um", "standard deviation of a coordinate of the centre",
                     AT(placed.centre_sd_um)),
      values<MapTile>("to_well", "um/px, um",
                      "a b tx c d ty: px to um of the well, without lens distortion",
                      AT(placed.to_well)),
      value<MapTile>("nuclei", "1", "detections", AT(nuclei)),
      value<MapTile>("links", "1", "links to other tiles that the global fit uses",
                     AT(placed.links)),
      value<MapTile>("match_rate", "1",
                     "part of its detections in the field of both sides that have a partner",
                     AT(match_rate)),
      value<MapTile>("island", "1", "0: the well; others are not tied to it", AT(placed.island)),
      status_column(),
      text<MapTile>("message", "a sentence, if the status is not ok", AT(placed.message))};
  return columns;
}

const std::vector<MapColumn<Link>>& link_columns() {
  static const std::vector<MapColumn<Link>> columns{
      value<Link>("tile_a", "1", "row of /tiles", AT(tile_a)),
      value<Link>("tile_b", "1", "row of /tiles, above tile_a", AT(tile_b)),
      value<Link>("pairs", "1", "nuclei that both tiles show", AT(pairs)),
      value<Link>("log10_significance", "1",
                  "decimal logarithm of the probability that chance gives as many",
                  AT(log10_significance)),
      value<Link>("residual_um", "um", "root mean square of its pairs under the global fit",
                  AT(residual_um)),
      value<Link>("closure_um", "um", "its shift against the global fit", AT(closure_um)),
      value<Link>("used", "1", "whether the global fit uses it", AT(used))};
  return columns;
}

const std::vector<MapColumn<MapPair>>& pair_columns() {
  static const std::vector<MapColumn<MapPair>> columns{
      value<MapPair>("ten", "1", "row of /nuclei_10x, a representative", AT(ten)),
      value<MapPair>("forty", "1", "row of /nuclei_40x, a representative", AT(forty)),
      value<MapPair>("distance_um", "um", "distance in the well under the global fit",
                     AT(distance_um)),
      value<MapPair>("heldout_distance_um", "um",
                     "distance under a fit that did not use this pair; NaN: unknown",
                     AT(heldout_distance_um)),
      value<MapPair>("probability", "1", "probability of being right", AT(probability)),
      value<MapPair>("q_value", "1",
                     "expected part of wrong pairs among all with at most this q-value",
                     AT(q_value)),
      value<MapPair>("margin", "1",
                     "log likelihood ratio to the best assignment without this pair; infinite: "
                     "there is no other",
                     AT(margin))};
  return columns;
}

const std::vector<MapColumn<MapModel>>& model_columns() {
  static const std::vector<MapColumn<MapModel>> columns = [] {
    std::vector<MapColumn<MapModel>> made{
        text<MapModel>("well", "as in /tiles", AT(well)),
        value<MapModel>("matched", "1", "whether the two sides show common nuclei", AT(matched)),
        text<MapModel>("message", "a sentence, if not matched", AT(message))};
    add_side(made, "_10x", AT(ten));
    add_side(made, "_40x", AT(forty));
    const auto add = [&](auto column) { made.push_back(std::move(column)); };
    add(values<MapModel>("forty_to_well", "1, um",
                         "a b tx c d ty: um of the visit at 40x to um of the well",
                         AT(forty_to_well)));
    add(value<MapModel>("turn_deg", "deg", "turn of forty_to_well", AT(turn_deg)));
    add(value<MapModel>("shift_x_um", "um", "shift of forty_to_well", AT(shift_x_um)));
    add(value<MapModel>("shift_y_um", "um", "shift of forty_to_well", AT(shift_y_um)));
    add(value<MapModel>("magnification", "1", "pixel size at 10x by pixel size at 40x",
                        AT(magnification)));
    add(text<MapModel>("deformation", "none, affine or spline (/deformation)", AT(deformation)));
    add(text<MapModel>("solver", "solver of the global fit", AT(solver)));
    add(text<MapModel>("loss", "loss of the global fit", AT(loss)));
    add(value<MapModel>("evaluations", "1", "evaluations of the global fit", AT(evaluations)));
    add(value<MapModel>("wall_s", "s", "time of the global fit", AT(wall_seconds)));
    add(value<MapModel>("objective", "1",
                        "objective of the global fit: robust sum of squares, in units of noise",
                        AT(objective)));
    add(value<MapModel>("heldout_rms_um", "um",
                        "root mean square distance of likely pairs that were held out",
                        AT(heldout_rms_um)));
    return made;
  }();
  return columns;
}

const std::vector<MapColumn<MapKnot>>& knot_columns() {
  static const std::vector<MapColumn<MapKnot>> columns{
      value<MapKnot>("model", "1", "row of /model", AT(model)),
      value<MapKnot>("x_um", "um", "place in the well", AT(x_um)),
      value<MapKnot>("y_um", "um", "place in the well", AT(y_um)),
      value<MapKnot>("dx_um", "um", "what is added to x there after forty_to_well", AT(dx_um)),
      value<MapKnot>("dy_um", "um", "what is added to y there after forty_to_well", AT(dy_um))};
  return columns;
}

const std::vector<MapColumn<MapDecoy>>& decoy_columns() {
  static const std::vector<MapColumn<MapDecoy>> columns{
      value<MapDecoy>("model", "1", "row of /model", AT(model)),
      value<MapDecoy>("q_value", "1", "a threshold", AT(q_value)),
      computed<std::int64_t, MapDecoy>(
          "pairs", "1", "pairs with at most this q-value",
          [](const MapDecoy& row) { return static_cast<std::int64_t>(row.pairs); },
          [](MapDecoy& row, std::int64_t pairs) { row.pairs = static_cast<std::uint64_t>(pairs); }),
      value<MapDecoy>("decoy_pairs", "1", "the same of nuclei without a true partner, mean",
                      AT(decoy_pairs)),
      value<MapDecoy>("decoys", "1", "assignments with decoys behind that mean", AT(decoys))};
  return columns;
}

#undef AT

const std::vector<NucleiColumn>& nuclei_columns() {
  using hdf5::type_of;
  static const std::vector<NucleiColumn> columns{
      nuclei_vector<&MapNuclei::tile>("tile", "1", "row of /tiles", &type_of<std::uint32_t>),
      nuclei_vector<&MapNuclei::label>("label", "1", "label in its table or label image",
                                       &type_of<std::uint32_t>),
      coordinate<&MapNuclei::px, &Points::x>("x_px", "px", "centroid in its tile, to the right"),
      coordinate<&MapNuclei::px, &Points::y>("y_px", "px", "centroid in its tile, down"),
      coordinate<&MapNuclei::um, &Points::x>("x_um", "um", "centroid in the well; NaN: not placed"),
      coordinate<&MapNuclei::um, &Points::y>("y_um", "um", "centroid in the well; NaN: not placed"),
      nuclei_vector<&MapNuclei::object>("object", "1",
                                        "number of its nucleus; detections of one nucleus share it",
                                        &type_of<std::uint32_t>),
      nuclei_vector<&MapNuclei::representative>(
          "representative", "1", "whether it stands for its nucleus", &type_of<bool>, 2),
      nuclei_vector<&MapNuclei::unpaired>("unpaired", "1",
                                          "why its nucleus has no partner, or that it has one",
                                          &enum_of<Unpaired>, Spelling<Unpaired>::names.size()),
      nuclei_vector<&MapNuclei::flag>(
          "flag", "1", "what segmentation did to its nucleus, as far as overlaps show it",
          &enum_of<NucleusFlag>, Spelling<NucleusFlag>::names.size(), true)};
  return columns;
}

}  // namespace nucreg
