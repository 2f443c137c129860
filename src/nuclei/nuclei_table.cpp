#include "nucreg/nuclei/nuclei_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/npy_array.hpp"
#include "nucreg/core/table_text.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/nuclei/centroids.hpp"

namespace nucreg {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view allowed_header =
    "a header with x and y (or centroid-1 and centroid-0), perhaps area and mean_intensity";

// Names of a column, the one that is preferred first.
constexpr std::array<std::string_view, 4> x_names{"x", "x_px", "centroid_weighted-1", "centroid-1"};
constexpr std::array<std::string_view, 4> y_names{"y", "y_px", "centroid_weighted-0", "centroid-0"};
constexpr std::array<std::string_view, 2> area_names{"area_px", "area"};
constexpr std::array<std::string_view, 2> intensity_names{"mean_intensity", "intensity_mean"};

struct Columns {
  std::size_t x = 0, y = 0;
  std::optional<std::size_t> area, intensity;
};

class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& file) : file_(file.string()) {}

  Nuclei read(std::string_view text) {
    std::optional<Columns> columns;
    Nuclei nuclei;
    for (const TextLine& line : lines_of(text)) {
      line_ = line.number;
      if (columns)
        add_row(nuclei, line.text, *columns);
      else
        columns = read_header(line.text);
    }
    if (!columns)
      throw InputError("empty file", {.file = file_, .allowed = std::string(allowed_header)});
    return nuclei;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, std::string key, std::string allowed) const {
    throw InputError(
        problem,
        {.file = file_, .line = line_, .key = std::move(key), .allowed = std::move(allowed)});
  }

  Columns read_header(std::string_view line) {
    for (const char candidate : {',', ';', '\t'})
      if (line.find(candidate) != std::string_view::npos) {
        separator_ = candidate;
        break;
      }
    for (const std::string_view cell : cells_of(line, separator_)) {
      std::string name(cell);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      header_.push_back(name);
    }
    const auto find = [&](const auto& names) -> std::optional<std::size_t> {
      for (const std::string_view name : names) {
        const auto at = std::find(header_.begin(), header_.end(), name);
        if (at == header_.end()) continue;
        if (std::find(at + 1, header_.end(), name) != header_.end())
          fail("two columns of one name", std::string(name), "one");
        return static_cast<std::size_t>(at - header_.begin());
      }
      return std::nullopt;
    };
    const auto x = find(x_names), y = find(y_names);
    if (!x || !y) fail(fmt::format("no column {}", x ? "y" : "x"), {}, std::string(allowed_header));
    return {*x, *y, find(area_names), find(intensity_names)};
  }

  [[nodiscard]] double number(const std::vector<std::string_view>& cells, std::size_t column,
                              bool finite) const {
    const std::optional<double> value = number_in(cells[column]);
    if (!value || (finite && !std::isfinite(*value)))
      fail(fmt::format("\"{}\"", cells[column]), fmt::format("column {}", header_[column]),
           finite ? "finite numbers" : "numbers");
    return *value;
  }

  void add_row(Nuclei& nuclei, std::string_view line, const Columns& columns) const {
    const std::vector<std::string_view> cells = cells_of(line, separator_);
    if (cells.size() != header_.size())
      fail(counted(cells.size(), "cell"), {}, fmt::format("{} as in the header", header_.size()));
    nuclei.x_px.push_back(number(cells, columns.x, true));
    nuclei.y_px.push_back(number(cells, columns.y, true));
    nuclei.area_px.push_back(columns.area ? number(cells, *columns.area, false) : unknown);
    nuclei.mean_intensity.push_back(columns.intensity ? number(cells, *columns.intensity, false)
                                                      : unknown);
    nuclei.touches_border.push_back(false);
  }

  std::string file_;
  int line_ = 0;
  char separator_ = ',';
  std::vector<std::string> header_;
};

Nuclei points_of(const NpyArray& array) {
  Nuclei nuclei;
  for (std::size_t row = 0; row < array.rows(); ++row) {
    array.check_finite(row, 0, "y");
    array.check_finite(row, 1, "x");
    nuclei.y_px.push_back(array.at(row, 0));
    nuclei.x_px.push_back(array.at(row, 1));
  }
  nuclei.area_px.assign(nuclei.size(), unknown);
  nuclei.mean_intensity.assign(nuclei.size(), unknown);
  nuclei.touches_border.assign(nuclei.size(), false);
  return nuclei;
}

Nuclei labels_of(const NpyArray& array, const std::string& file) {
  constexpr std::uint64_t most_pixels = std::uint64_t{1} << 30;
  const auto fail = [&](const std::string& problem) {
    throw InputError(problem,
                     {.file = file, .allowed = "labels 0 ... 2^32 - 1, at most 2^30 pixels"});
  };
  if (array.rows() == 0 || array.columns() == 0 || array.rows() > most_pixels / array.columns())
    fail(fmt::format("{} x {} pixels", array.columns(), array.rows()));
  LabelImage image{
      static_cast<std::uint32_t>(array.columns()), static_cast<std::uint32_t>(array.rows()), {}};
  image.labels.reserve(array.rows() * array.columns());
  for (std::size_t y = 0; y < array.rows(); ++y)
    for (std::size_t x = 0; x < array.columns(); ++x) {
      const double label = array.at(y, x);
      if (label < 0.0 || label > std::numeric_limits<std::uint32_t>::max())
        fail(fmt::format("label {} at offset {}", label, array.offset(y, x)));
      image.labels.push_back(static_cast<std::uint32_t>(label));
    }
  return nuclei_of_labels(image, file);
}

}  // namespace

Nuclei nuclei_of_labels(const LabelImage& image, const std::string& file) {
  Nuclei nuclei;
  for (const Nucleus& nucleus : centroids(image, file)) {
    nuclei.x_px.push_back(nucleus.x_px);
    nuclei.y_px.push_back(nucleus.y_px);
    nuclei.area_px.push_back(nucleus.area_px);
  }
  nuclei.mean_intensity.assign(nuclei.size(), unknown);
  nuclei.touches_border.assign(nuclei.size(), false);
  return nuclei;
}

Nuclei read_nuclei(const std::filesystem::path& file) {
  const std::string text = read_whole(file);
  Nuclei nuclei;
  if (file.extension() == ".npy") {
    const NpyArray array(text, file.string(),
                         "a .npy array of two dimensions: N x 2 finite real numbers (row, column) "
                         "or a label image of whole numbers, little-endian");
    if (array.whole_numbers())
      nuclei = labels_of(array, file.string());
    else if (array.columns() == 2)
      nuclei = points_of(array);
    else
      array.fail(fmt::format("{} x {} real numbers", array.rows(), array.columns()),
                 array.offset(0, 0));
  } else {
    nuclei = CsvReader(file).read(text);
  }
  if (nuclei.size() == 0)
    throw InputError("no nuclei", {.file = file.string(), .allowed = "1 or more"});
  return nuclei;
}

std::string to_csv(const Nuclei& nuclei) {
  std::string text = "x,y,area_px,mean_intensity\n";
  for (std::size_t i = 0; i < nuclei.size(); ++i)
    text += fmt::format("{},{},{},{}\n", nuclei.x_px[i], nuclei.y_px[i], nuclei.area_px[i],
                        nuclei.mean_intensity[i]);
  return text;
}

}  // namespace nucreg
