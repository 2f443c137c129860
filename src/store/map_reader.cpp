#include <algorithm>
#include <cstdint>
#include <utility>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "input_file.hpp"
#include "map_schema.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/store/map_file.hpp"
#include "trial_schema.hpp"

namespace nucreg {
namespace {

using hdf5::check;
using hdf5::Dataset;
using hdf5::Failure;
using hdf5::Handle;

std::string text_attribute(hid_t file, const std::string& name) {
  const auto value = hdf5::read_attribute(file, name, "/");
  const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
  return text ? *text : std::string();
}

/// Reads what one map file holds into a WellMap.
class MapReader {
 public:
  explicit MapReader(hid_t file) : file_(file) {}

  WellMap read() {
    check_format();
    WellMap map;
    map.attributes = hdf5::read_attributes(file_);
    map.tiles = rows("/tiles", tile_columns());
    map.links = rows("/links", link_columns());
    map.ten = nuclei("/nuclei_10x");
    map.forty = nuclei("/nuclei_40x");
    map.pairs = rows("/pairs", pair_columns());
    map.models = rows("/model", model_columns());
    if (has("/deformation")) map.knots = rows("/deformation", knot_columns());
    if (has("/decoys")) map.decoys = rows("/decoys", decoy_columns());
    if (has("/solvers")) map.solvers = table("solvers");
    if (has("/trials")) map.trials = trials();
    for (const char* name : {"ranks", "rank_samples"})
      if (has(std::string("/") + name)) map.others.push_back(table(name));
    return map;
  }

 private:
  [[nodiscard]] bool has(const std::string& path) const { return hdf5::has_link(file_, path); }

  void check_format() const {
    const std::string format = text_attribute(file_, "format");
    if (format == result_format)
      throw Failure("format", "is the result of a run (nucreg run) and not the map of a well", "");
    if (format != map_format) throw Failure("format", "is no map of a well (nucreg map)", "");
    const auto version = hdf5::read_attribute(file_, "format_version", "/");
    const auto* number = version ? std::get_if<std::int64_t>(&*version) : nullptr;
    if (!number || *number < 1 || *number > map_format_version)
      throw Failure(
          "format_version",
          number ? std::to_string(*number) + " is not known to this nucreg" : "is missing", "");
  }

  Dataset open(const std::string& path, hid_t type, std::size_t width) const {
    if (!has(path.substr(0, path.rfind('/')))) throw Failure("group", "is missing", path);
    if (!has(path)) throw Failure("column", "is missing", path);
    Dataset column = Dataset::open(file_, path);
    if (column.width() != width)
      throw Failure("shape",
                    width == 0 ? "has two dimensions"
                               : "has not " + std::to_string(width) + " values in a row",
                    path);
    if (type >= 0 && check(H5Tequal(column.type(), type), "H5Tequal", path) == 0)
      throw Failure("type", "is of another type than nucreg writes", path);
    return column;
  }

  static void demand_rows(const Dataset& column, std::uint64_t rows) {
    if (column.rows() != rows)
      throw Failure("shape",
                    "has " + std::to_string(column.rows()) + " rows, but the first column has " +
                        std::to_string(rows),
                    column.path());
  }

  static void demand_members(const Dataset& column, const void* values, std::size_t count,
                             std::size_t members, std::uint64_t first) {
    if (members == 0) return;
    const auto* bytes = static_cast<const std::uint8_t*>(values);
    const auto* bad =
        std::find_if(bytes, bytes + count, [&](std::uint8_t b) { return b >= members; });
    if (bad != bytes + count)
      throw Failure("value",
                    "row " + std::to_string(first + static_cast<std::uint64_t>(bad - bytes)) +
                        " holds " + std::to_string(*bad) + "; allowed: 0 to " +
                        std::to_string(members - 1),
                    column.path());
  }

  template <class Row>
  std::vector<Row> rows(const std::string& group,
                        const std::vector<MapColumn<Row>>& columns) const {
    std::vector<Row> read;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const MapColumn<Row>& column = columns[c];
      const std::string path = group + "/" + column.name;
      const Handle type = column.text ? Handle() : column.type();
      const Dataset dataset = open(path, type.get(), column.width);
      if (c == 0) read.resize(dataset.rows());
      demand_rows(dataset, read.size());
      column.text ? load_text(column, dataset, read) : load(column, dataset, read);
    }
    return read;
  }

  template <class Row>
  static void load(const MapColumn<Row>& column, const Dataset& dataset, std::vector<Row>& read) {
    std::vector<std::byte> buffer;
    for (std::size_t first = 0; first < read.size(); first += hdf5::chunk_rows) {
      const std::size_t count = std::min<std::size_t>(hdf5::chunk_rows, read.size() - first);
      buffer.resize(count * column.row_bytes());
      dataset.read(first, count, dataset.type(), buffer.data());
      demand_members(dataset, buffer.data(), count, column.members, first);
      for (std::size_t i = 0; i < count; ++i)
        column.load(read[first + i], buffer.data() + i * column.row_bytes());
    }
  }

  template <class Row>
  static void load_text(const MapColumn<Row>& column, const Dataset& dataset,
                        std::vector<Row>& read) {
    if (H5Tget_class(dataset.type()) != H5T_STRING)
      throw Failure("type", "is no text", dataset.path());
    std::vector<std::string> texts = dataset.strings();
    for (std::size_t i = 0; i < read.size(); ++i) column.set_text(read[i], std::move(texts[i]));
  }

  MapNuclei nuclei(const std::string& group) const {
    MapNuclei read;
    for (const NucleiColumn& column : nuclei_columns()) {
      const std::string path = group + "/" + column.name;
      if (column.optional && !has(path)) continue;
      const Handle type = column.type();
      const Dataset dataset = open(path, type.get(), 0);
      if (&column != &nuclei_columns().front()) demand_rows(dataset, read.size());
      void* values = column.resize(read, dataset.rows());
      dataset.read(0, dataset.rows(), dataset.type(), values);
      demand_members(dataset, values, dataset.rows(), column.members, 0);
    }
    return read;
  }

  Table table(const std::string& name) const {
    Table read = hdf5::read_table(file_, name);
    for (const Column& column : read.columns)
      if (column.rows() != read.rows())
        throw Failure("shape", "has another length than the first column",
                      "/" + name + "/" + column.name);
    return read;
  }

  std::vector<Record> trials() const {
    std::vector<Record> read;
    bool first = true;
    for (const TrialField& field : trial_fields()) {
      const std::string path = "/trials/" + field.name;
      if (field.per_parameter || (!field.required && !has(path))) continue;
      const Handle type = field.text ? Handle() : field.type();
      const Dataset dataset = open(path, type.get(), 0);
      if (std::exchange(first, false)) read.resize(dataset.rows());
      demand_rows(dataset, read.size());
      const std::size_t bytes = H5Tget_size(dataset.type());
      std::vector<std::byte> values(read.size() * bytes);
      dataset.read(0, read.size(), dataset.type(), values.data());
      demand_members(dataset, values.data(), read.size(), field.members.size(), 0);
      for (std::size_t i = 0; i < read.size(); ++i)
        field.load(read[i], values.data() + i * bytes, bytes);
    }
    return read;
  }

  hid_t file_;
};

}  // namespace

WellMap read_map(const std::filesystem::path& file) {
  return hdf5::rethrow_as<InputError>(file, [&] {
    const Handle opened = hdf5::open_input(file, "");
    return MapReader(opened.get()).read();
  });
}

std::string format_of(const std::filesystem::path& file) {
  return hdf5::rethrow_as<InputError>(file, [&] {
    const Handle opened = hdf5::open_input(file, "");
    return text_attribute(opened.get(), "format");
  });
}

}  // namespace nucreg
