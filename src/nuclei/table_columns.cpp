#include "table_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

using Names = std::span<const std::string_view>;

// Names without capitals, units and punctuation: see plain_name.
struct Family {
  std::string_view x, y, z;
  bool z_is_enough;  ///< to be three-dimensional; else z may be there and always the same
};
constexpr std::array families{
    Family{"x", "y", "z", false},
    Family{"centroid_weighted_1", "centroid_weighted_0", "centroid_weighted_2", true},
    Family{"centroid_1", "centroid_0", "centroid_2", true},                        // scikit-image
    Family{"location_center_x", "location_center_y", "location_center_z", false},  // CellProfiler
    Family{"areashape_center_x", "areashape_center_y", "areashape_center_z", false},
    Family{"centroid_x", "centroid_y", "centroid_z", false},  // QuPath
    Family{"position_x", "position_y", "position_z", false},  // TrackMate, Imaris
    Family{"axis_1", "axis_0", "axis_2", true},               // napari
    Family{"j", "i", "k", false},                             // brieflow
    Family{"x_centroid", "y_centroid", "z_centroid", false},
    Family{"center_x", "center_y", "center_z", false},
    Family{"x_center", "y_center", "z_center", false},
    Family{"centre_x", "centre_y", "centre_z", false},
    Family{"pos_x", "pos_y", "pos_z", false},
    Family{"xm", "ym", "zm", false},  // ImageJ
};
constexpr std::array<std::string_view, 2> area_names{"area", "areashape_area"};
constexpr std::array<std::string_view, 2> intensity_names{"mean_intensity", "intensity_mean"};
constexpr std::array<std::string_view, 14> label_names{
    "label",   "labels", "object_number", "objectnumber", "number_object_number",
    "cell_id", "cellid", "nucleus_id",    "object_id",    "spot_id",
    "id",      "cell",   "nucleus",       "instance_id"};
constexpr std::array<std::string_view, 13> tile_names{
    "tile", "tile_id",        "metadata_tile", "site",        "metadata_site", "field",
    "fov",  "metadata_field", "metadata_fov",  "imagenumber", "image_number",  "image",
    "file"};
constexpr std::array<std::string_view, 10> time_names{
    "frame",      "timepoint", "time_point", "time",           "t",
    "position_t", "slice",     "time_index", "metadata_frame", "metadata_timepoint"};
constexpr std::array<std::string_view, 4> well_names{"well", "well_id", "metadata_well",
                                                     "well_name"};

constexpr std::size_t max_listed_bytes = 600;  // of names of columns in a message

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// The micro sign, the Greek letter, and the former in Latin-1.
std::string with_plain_micro(std::string text) {
  for (const std::string_view micro : {"\xc2\xb5", "\xce\xbc", "\xb5"})
    for (std::size_t at = 0; (at = text.find(micro, at)) != std::string::npos;)
      text.replace(at, micro.size(), "u");
  return text;
}

struct Column {
  std::string plain;
  TableUnit unit = TableUnit::unknown;
};

// "Centroid X µm" -> centroid_x in um; "centroid-0" -> centroid_0; "# x [px]" -> x in px.
Column plain_name(std::string_view header) {
  const std::string text = with_plain_micro(lower(header));
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (part && !inside) words.emplace_back();
    if (part) words.back() += c;
    inside = part;
  }
  Column column;
  const bool square = words.size() > 2 && words.back() == "2" && unit_in(words[words.size() - 2]);
  if (square) words.pop_back();
  if (words.size() > 1)
    if (auto unit = unit_in(words.back())) {
      column.unit = *unit;
      words.pop_back();
    }
  column.plain = fmt::format("{}", fmt::join(words, "_"));
  return column;
}

class HeaderReader {
 public:
  HeaderReader(const std::vector<std::string_view>& cells, const TableColumns& wanted)
      : wanted_(wanted) {
    header_.columns = cells.size();
    for (const std::string_view cell : cells) {
      header_.names.push_back(clean_utf8(text_of(cell)));
      columns_.push_back(plain_name(cell));
    }
  }

  TableHeader read() {
    if (wanted_.x.empty() != wanted_.y.empty())
      throw NoHeader{"only one of x and y is given a column", "--columns x=NAME,y=NAME"};
    if (!wanted_.x.empty()) {
      header_.x = named(wanted_.x);
      header_.y = named(wanted_.y);
      take_unit();
    } else {
      find_family();
    }
    if (!wanted_.unit.empty()) header_.unit = *unit_in(wanted_.unit);
    header_.area = column(wanted_.area, area_names);
    if (header_.area) header_.area_unit = columns_[*header_.area].unit;
    header_.intensity = column(wanted_.intensity, intensity_names);
    header_.tile = column(wanted_.tile, tile_names);
    header_.well = column(wanted_.well, well_names);
    for (const std::string_view name : time_names)
      if (!header_.time) header_.time = first_named(name);
    if (header_.x != 0 && header_.y != 0) header_.row_names.push_back(0);
    if (const auto label = first_named("label")) header_.row_names.push_back(*label);
    header_.unit_column = known("unit");
    header_.sub_headers = known("track_id").has_value();  // TrackMate
    header_.label_asked = !wanted_.label.empty();
    if (header_.label_asked)
      header_.labels = {named(wanted_.label)};
    else
      for (const std::string_view name : label_names)
        if (const auto at = known(name)) header_.labels.push_back(*at);
    return std::move(header_);
  }

 private:
  static std::string text_of(std::string_view cell) {
    std::string text(cell);
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
  }

  [[nodiscard]] std::string listed() const {
    return one_line(fmt::format("{}", fmt::join(header_.names, ", ")), max_listed_bytes);
  }

  // The column that a user named, as it is written or nearly so.
  [[nodiscard]] std::size_t named(const std::string& name) const {
    for (std::size_t i = 0; i < header_.names.size(); ++i)
      if (header_.names[i] == name) return i;
    const Column wanted = plain_name(name);
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].plain == wanted.plain && columns_[i].unit == wanted.unit) return i;
    const std::string near = nearest_name(name, header_.names);
    throw NoHeader{fmt::format("no column \"{}\"{}", name,
                               near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)),
                   "one of its columns: " + listed()};
  }

  // The column of that plain name, or that name behind "Nuclei_" and the like; of several the one
  // in px. Throws if two of one unit could be meant.
  [[nodiscard]] std::optional<std::size_t> known(std::string_view name) const {
    for (const std::string_view prefix : {"", "nuclei_", "nucleus_", "image_"}) {
      std::optional<std::size_t> found;
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string_view plain = columns_[i].plain;
        if (!plain.starts_with(prefix) || plain.substr(prefix.size()) != name) continue;
        if (found && columns_[i].unit == columns_[*found].unit)
          throw NoHeader{fmt::format("two columns of one name: {} and {}", header_.names[*found],
                                     header_.names[i]),
                         "one, or --columns x=NAME,y=NAME"};
        if (!found || columns_[i].unit < columns_[*found].unit || columns_[i].unit == TableUnit::px)
          if (!found || columns_[*found].unit != TableUnit::px) found = i;
      }
      if (found) return found;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::size_t> first_named(std::string_view name) const {
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].plain == name) return i;
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::size_t> column(const std::string& asked, Names names) const {
    if (!asked.empty()) return named(asked);
    for (const std::string_view name : names)
      if (const auto at = known(name)) return at;
    return std::nullopt;
  }

  void find_family() {
    if (const auto vertex = first_named("vertex_index"))  // a shapes layer of napari
      throw NoHeader{
          fmt::format("corners of shapes instead of centroids: column {}", header_.names[*vertex]),
          "one row per nucleus, as of a points layer"};
    std::optional<std::string_view> missing;
    for (const Family& family : families) {
      const auto x = known(family.x), y = known(family.y);
      if (x && y) {
        header_.x = *x;
        header_.y = *y;
        take_unit();
        take_z(family);
        return;
      }
      if ((x || y) && !missing) missing = x ? family.y : family.x;
    }
    refuse_unknown_unit();
    throw NoHeader{fmt::format("no column {}", missing.value_or("x")),
                   fmt::format("x and y, or the centroids of CellProfiler, QuPath, scikit-image, "
                               "napari, TrackMate or Imaris; or --columns x=NAME,y=NAME of: {}{}",
                               listed(), guess())};
  }

  // "x [furlong]": no name, but x in a unit.
  void refuse_unknown_unit() const {
    for (const std::string& name : header_.names) {
      const std::size_t open = name.find_last_of("[(");
      if (open == std::string::npos || open == 0 || !(name.ends_with(']') || name.ends_with(')')))
        continue;
      const std::string plain = plain_name(std::string_view(name).substr(0, open)).plain;
      if (std::ranges::any_of(families, [&](const Family& family) { return family.x == plain; }))
        throw NoHeader{fmt::format("the unit of column \"{}\" is not known", name),
                       "px, nm, um, mm, cm, m, inch; or --columns x=NAME,y=NAME,unit=px (or um)"};
    }
  }

  void take_unit() {
    const TableUnit x = columns_[header_.x].unit, y = columns_[header_.y].unit;
    header_.unit = x == TableUnit::unknown ? y : x;  // one column of "left, px", "down" names it
    if (y != TableUnit::unknown && header_.unit != y && wanted_.unit.empty())
      throw NoHeader{fmt::format("{} and {} have different units", header_.names[header_.x],
                                 header_.names[header_.y]),
                     "one unit, or --columns x=NAME,y=NAME"};
  }

  void take_z(const Family& family) {
    header_.z = known(family.z);
    if (header_.z && family.z_is_enough)
      throw NoHeader{
          fmt::format("three-dimensional centroids: column {}", header_.names[*header_.z]),
          "two dimensions; or --columns x=NAME,y=NAME to use two of them"};
  }

  // Columns that look like x and y, for a message.
  [[nodiscard]] std::string guess() const {
    const auto one = known("centroid_1"), two = known("centroid_2");  // MATLAB counts from 1
    if (one && two)
      return fmt::format("; as MATLAB names x and y: --columns \"x={},y={}\"", header_.names[*one],
                         header_.names[*two]);
    const auto looks_like = [&](char axis) -> std::string {
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string& plain = columns_[i].plain;
        if (plain.ends_with(std::string{'_', axis}) || plain.starts_with(std::string{axis, '_'}))
          return header_.names[i];
      }
      return {};
    };
    const std::string x = looks_like('x'), y = looks_like('y');
    if (x.empty() || y.empty()) return {};
    return fmt::format("; perhaps --columns \"x={},y={}\"", x, y);
  }

  const TableColumns& wanted_;
  std::vector<Column> columns_;
  TableHeader header_;
};

}  // namespace

double micrometres_of(TableUnit unit) {
  switch (unit) {
    case TableUnit::nm:
      return 1e-3;
    case TableUnit::um:
      return 1.0;
    case TableUnit::mm:
      return 1e3;
    case TableUnit::cm:
      return 1e4;
    case TableUnit::inch:
      return 25400.0;
    case TableUnit::m:
      return 1e6;
    default:
      return 0.0;
  }
}

std::optional<TableUnit> unit_in(std::string_view word) {
  const std::string text = with_plain_micro(lower(word));
  for (const auto& [name, unit] :
       std::initializer_list<std::pair<std::string_view, TableUnit>>{{"px", TableUnit::px},
                                                                     {"pixel", TableUnit::px},
                                                                     {"pixels", TableUnit::px},
                                                                     {"um", TableUnit::um},
                                                                     {"micron", TableUnit::um},
                                                                     {"microns", TableUnit::um},
                                                                     {"micrometer", TableUnit::um},
                                                                     {"micrometers", TableUnit::um},
                                                                     {"micrometre", TableUnit::um},
                                                                     {"micrometres", TableUnit::um},
                                                                     {"nm", TableUnit::nm},
                                                                     {"mm", TableUnit::mm},
                                                                     {"cm", TableUnit::cm},
                                                                     {"inch", TableUnit::inch},
                                                                     {"inches", TableUnit::inch},
                                                                     {"m", TableUnit::m}})
    if (text == name) return unit;
  return std::nullopt;
}

TableHeader read_header(const std::vector<std::string_view>& cells, const TableColumns& wanted) {
  return HeaderReader(cells, wanted).read();
}

TableColumns parse_table_columns(std::string_view text, const std::string& option) {
  TableColumns columns;
  const std::array<std::pair<std::string_view, std::string*>, 8> keys{
      {{"x", &columns.x},
       {"y", &columns.y},
       {"label", &columns.label},
       {"area", &columns.area},
       {"intensity", &columns.intensity},
       {"tile", &columns.tile},
       {"well", &columns.well},
       {"unit", &columns.unit}}};
  const auto fail = [&](const std::string& problem) {
    throw JobError(problem, {.key = option,
                             .allowed = "x=NAME,y=NAME, also label=, area=, intensity=, tile=, "
                                        "well=, unit=px or unit=um"});
  };
  // A name may hold commas: a new key begins behind one only as key=.
  const auto key_at = [&](std::size_t at) -> std::string* {
    for (const auto& [key, value] : keys)
      if (text.substr(at).starts_with(key) && text.substr(at + key.size()).starts_with('='))
        return value;
    return nullptr;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::string* const value = key_at(at);
    if (value == nullptr) fail(fmt::format("\"{}\"", text.substr(at)));
    const std::size_t from = text.find('=', at) + 1;
    std::size_t end = text.find(',', from);
    while (end != std::string_view::npos && key_at(end + 1) == nullptr)
      end = text.find(',', end + 1);
    end = std::min(end, text.size());
    if (end == from || !value->empty()) fail(fmt::format("\"{}\"", text.substr(at, end - at)));
    *value = text.substr(from, end - from);
    at = end + 1;
  }
  if (!columns.unit.empty() && columns.unit != "px" && columns.unit != "um")
    fail(fmt::format("unit=\"{}\"", columns.unit));
  return columns;
}

}  // namespace nucreg
