#include "nucreg/nuclei/nuclei_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "table_columns.hpp"

namespace nucreg {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view npy_start = "\x93NUMPY";
constexpr std::size_t max_lines_before_header = 20;
constexpr std::size_t max_sub_headers = 3;  // TrackMate: names, short names, units

std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

// Empty if it cannot be read: who opens it says why.
std::string start_of(const std::filesystem::path& file) {
  constexpr std::size_t looked_at = 4096;
  try {
    return start_of_file(file, looked_at);
  } catch (const InputError&) {
    return {};
  }
}

// Cells that programs write for a missing number.
bool is_missing(std::string_view cell) {
  for (const std::string_view word :
       {"", "nan", "NaN", "NAN", "-nan", "NA", "N/A", "n/a", "null", "NULL", "None", "none", "-"})
    if (cell == word) return true;
  return cell.starts_with('#');  // "#N/A", "#DIV/0!" of spreadsheets
}

// What ImageJ's Summarize appends to the objects.
bool is_summary(std::string_view name) {
  return name == "Mean" || name == "SD" || name == "Min" || name == "Max";
}

std::optional<std::uint64_t> whole_number(std::string_view cell) {
  if (const auto whole = parse_number<std::uint64_t>(cell)) return whole;
  const std::optional<double> real = parse_number<double>(cell);  // "12.0", as pandas writes it
  if (real && *real >= 0.0 && *real <= 0x1p53 && *real == std::floor(*real))
    return static_cast<std::uint64_t>(*real);
  return std::nullopt;
}

void add(Nuclei& nuclei, double x, double y, double area, double intensity) {
  nuclei.x_px.push_back(x);
  nuclei.y_px.push_back(y);
  nuclei.area_px.push_back(area);
  nuclei.mean_intensity.push_back(intensity);
  nuclei.touches_border.push_back(false);
}

class TextTable {
 public:
  TextTable(const std::filesystem::path& file, const TableOptions& options)
      : file_(file.string()), options_(options) {}

  NucleiTable read(std::string_view text) {
    const std::vector<TextLine> lines = lines_of(text);
    std::size_t first = find_header(lines);
    name_rows(lines, first);
    if (header_.sub_headers) first = skip_sub_headers(lines, first);
    if (header_.unit_column && first < lines.size() && options_.columns.unit.empty())
      read_unit_column(lines[first]);
    scale_ = scale_of(header_.unit);
    for (std::size_t i = first; i < lines.size(); ++i) add_row(whole_row(lines, i));
    finish(lines.size() - first);
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, std::string key, std::string allowed) const {
    throw InputError(
        problem,
        {.file = file_, .line = line_, .key = std::move(key), .allowed = std::move(allowed)});
  }

  // Takes a line for the header, or says why not.
  std::optional<NoHeader> take_header(const TextLine& line, char separator) {
    std::string_view text = line.text;
    if (separator == ' ' && text.starts_with("# ")) text.remove_prefix(2);  // as NumPy writes it
    try {
      header_ = read_header(cells_of(text, separator), options_.columns);
    } catch (const NoHeader& reason) {
      return reason;
    }
    separator_ = separator;
    line_ = line.number;
    header_text_ = text;
    return std::nullopt;
  }

  // R writes no name above the names of rows: each row then has one cell more than the header.
  void name_rows(const std::vector<TextLine>& lines, std::size_t first) {
    const auto named = [&](const TextLine& line) {
      const auto cells = cells_of(line.text, separator_);
      return cells.size() == header_.columns + 1 && !cells.back().empty();
    };
    if (first == lines.size() ||
        !std::all_of(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end(), named))
      return;
    std::vector<std::string_view> cells = cells_of(header_text_, separator_);
    cells.insert(cells.begin(), "");
    header_ = read_header(cells, options_.columns);
    table_.notes.emplace_back(
        "the first cell of each row is taken for its name: the header has one cell less");
  }

  // A row that continues in the next lines, since a cell between quotation marks holds line breaks.
  [[nodiscard]] TextLine whole_row(const std::vector<TextLine>& lines, std::size_t& i) const {
    constexpr std::size_t max_lines = 100;
    const auto is_open = [](std::string_view text) {
      return std::ranges::count(text, '"') % 2 != 0;
    };
    const TextLine& line = lines[i];
    if (!is_open(line.text)) return line;
    for (std::size_t k = i + 1; k < std::min(lines.size(), i + max_lines); ++k) {
      const char* const end = lines[k].text.data() + lines[k].text.size();
      const std::string_view text(line.text.data(),
                                  static_cast<std::size_t>(end - line.text.data()));
      if (is_open(text)) continue;
      const auto broken = [](std::string_view cell) {  // not closed at its end
        return cell.starts_with('"') && cell.find_first_of("\r\n") != std::string_view::npos;
      };
      const auto cells = cells_of(text, separator_);
      if (cells.size() != header_.columns || std::ranges::any_of(cells, broken)) break;
      i = k;
      return {line.number, text};
    }
    return line;
  }

  // The first line whose names are understood; programs write titles above it. Returns the number
  // of the line behind it.
  std::size_t find_header(const std::vector<TextLine>& lines) {
    if (lines.empty())
      throw InputError("empty file", {.file = file_, .allowed = "a header with x and y, and rows"});
    std::optional<NoHeader> why;
    std::size_t widest = 0;
    const std::size_t tried = std::min(lines.size(), max_lines_before_header);
    for (std::size_t i = 0; i < tried; ++i)
      for (const char separator : {',', ';', '\t', '|'}) {
        const std::optional<NoHeader> no = take_header(lines[i], separator);
        if (!no) return i + 1;
        const std::size_t width = cells_of(lines[i].text, separator).size();
        if (why && width <= widest) continue;
        widest = width;
        line_ = lines[i].number;
        why = no;
      }
    // Titles and names of columns hold blanks, too: they separate only where nothing else does.
    for (std::size_t i = 0; i < tried; ++i)
      if (lines[i].text.find_first_of(",;\t|") == std::string_view::npos &&
          !take_header(lines[i], ' '))
        return i + 1;
    fail(why->problem, {}, why->allowed);
  }

  // "(micron)", of an area "(micron^2)".
  static std::optional<TableUnit> unit_of_sub_header(std::string_view cell) {
    if (cell.size() > 2 && cell.front() == '(') cell = cell.substr(1, cell.size() - 2);
    for (const std::string_view square : {"^2", "\u00b2"})
      if (cell.ends_with(square)) cell.remove_suffix(square.size());
    return unit_in(cell);
  }

  std::size_t skip_sub_headers(const std::vector<TextLine>& lines, std::size_t first) {
    for (std::size_t i = 0; i < max_sub_headers && first < lines.size(); ++i, ++first) {
      const auto cells = cells_of(lines[first].text, separator_);
      if (cells.size() != header_.columns || parse_number<double>(cells[header_.x]) ||
          parse_number<double>(cells[header_.y]))
        break;
      if (const auto known = unit_of_sub_header(cells[header_.x]);
          known && options_.columns.unit.empty())
        header_.unit = *known;
      if (header_.area) {
        const auto of_area = unit_of_sub_header(cells[*header_.area]);
        if (of_area) header_.area_unit = *of_area;
      }
    }
    return first;
  }

  void read_unit_column(const TextLine& line) {
    const auto cells = cells_of(line.text, separator_);
    if (*header_.unit_column >= cells.size()) return;
    if (const auto unit = unit_in(cells[*header_.unit_column])) header_.unit = *unit;
  }

  // Pixels of one unit.
  [[nodiscard]] double scale_of(TableUnit unit) const {
    const double micrometres = micrometres_of(unit);
    if (micrometres == 0.0) return 1.0;
    if (options_.pixel_um) return micrometres / *options_.pixel_um;
    fail(fmt::format("{} and {} are lengths, not pixels", header_.names[header_.x],
                     header_.names[header_.y]),
         {}, "--pixel-um SIZE, the size of a pixel of that image in micrometres");
  }

  // Pixels of the unit of areas; NaN if coordinates are in pixels and areas are not, and nobody
  // said how large a pixel is.
  [[nodiscard]] double area_side() const {
    const bool known = micrometres_of(header_.area_unit) == 0.0 || options_.pixel_um;
    return known ? scale_of(header_.area_unit) : unknown;
  }

  [[noreturn]] void fail_at(std::string_view cell, std::size_t column, std::string allowed) const {
    fail(fmt::format("\"{}\"", one_line(cell, 60)), fmt::format("column {}", header_.names[column]),
         std::move(allowed));
  }

  // "1,123.5", "1'123", "1.123.456"
  static std::string allowed_number(const char* kind, std::string_view cell) {
    const auto marks = std::ranges::count_if(
        cell, [](char c) { return c == ',' || c == '.' || c == '\'' || c == ' '; });
    const bool separated = marks > 1 || cell.find('\'') != std::string_view::npos;
    return fmt::format("{}{}", kind, separated ? " without separators of thousands" : "");
  }

  // A comma is a decimal one: cells are not separated by it, or it is between quotation marks.
  [[nodiscard]] double number(std::string_view cell, std::size_t column) {
    if (is_missing(cell)) return unknown;
    if (cell.find_first_of(",.") != std::string_view::npos) forms_.add(cell, column);
    const std::optional<double> value = number_in(cell);
    if (!value) fail_at(cell, column, allowed_number("numbers", cell));
    return *value;
  }

  [[nodiscard]] double coordinate(std::string_view cell, std::size_t column) {
    forms_.add(cell, column);
    const std::optional<double> value = number_in(cell);
    if (!value || !std::isfinite(*value))
      fail_at(cell, column, allowed_number("finite numbers", cell));
    const double px = *value * scale_;
    if (!(std::abs(px) <= max_coordinate_px))
      fail_at(cell, column, fmt::format("coordinates of at most {:g} px", max_coordinate_px));
    return px;
  }

  // Cells beyond the header that are empty come from a separator at the end of the line.
  [[nodiscard]] std::vector<std::string_view> cells_in(const TextLine& line) {
    line_ = line.number;
    std::vector<std::string_view> cells = cells_of(line.text, separator_);
    const std::size_t found = cells.size();
    while (cells.size() > header_.columns && cells.back().empty()) cells.pop_back();
    if (cells.size() + 1 == header_.columns && header_.names.back().empty()) cells.emplace_back();
    if (cells.size() != header_.columns)
      fail(counted(found, "cell"), {}, fmt::format("{} as in the header", header_.columns));
    return cells;
  }

  void add_row(const TextLine& line) {
    const std::vector<std::string_view> cells = cells_in(line);
    ++row_;
    if (std::ranges::any_of(header_.row_names, [&](auto i) { return is_summary(cells[i]); })) {
      ++summaries_;
      return;
    }
    if (is_missing(cells[header_.x]) || is_missing(cells[header_.y])) {
      if (skipped_++ == 0) first_skipped_ = line_;
      return;
    }
    if (header_.z) check_z(cells[*header_.z]);
    const double x = coordinate(cells[header_.x], header_.x);
    const double y = coordinate(cells[header_.y], header_.y);
    const double area = header_.area ? number(cells[*header_.area], *header_.area) : unknown;
    const double side = header_.area ? area_side() : 1.0;
    add(table_.nuclei, x, y, area * side * side,
        header_.intensity ? number(cells[*header_.intensity], *header_.intensity) : unknown);
    add_label(cells);
    if (header_.time) times_seen_.insert(text_in(cells[*header_.time]));
    if (header_.tile) tiles_seen_.insert(text_in(cells[*header_.tile]));
    if (!options_.tiles) return;
    if (header_.tile) table_.tiles.push_back(text_in(cells[*header_.tile]));
    if (header_.well) table_.wells.push_back(text_in(cells[*header_.well]));
  }

  void check_z(std::string_view cell) {
    const double z = number(cell, *header_.z);
    if (std::isnan(z)) return;
    if (!z_) z_ = z;
    if (*z_ != z)
      fail(fmt::format("three-dimensional centroids: {} is {} and {}", header_.names[*header_.z],
                       *z_, z),
           {}, "two dimensions; or --columns x=NAME,y=NAME to use two of them");
  }

  // A column of labels holds whole numbers; one that does not is none.
  void add_label(const std::vector<std::string_view>& cells) {
    std::optional<std::uint64_t> label;
    while (!header_.labels.empty()) {
      const std::size_t column = header_.labels.front();
      const std::string_view cell = cells[column];
      label = whole_number(cell);
      if (label) break;
      if (header_.label_asked)
        fail(fmt::format("\"{}\"", one_line(cell, 60)),
             fmt::format("column {}", header_.names[column]), "whole numbers");
      // Rows before were numbered by it, or it is the last one that could be, and holds no names.
      const bool numbered = !table_.labels.empty();
      if (numbered || (header_.labels.size() == 1 && (is_missing(cell) || number_in(cell))))
        table_.warnings.push_back(
            fmt::format("line {}: column {} holds \"{}\", no whole number: it is not used", line_,
                        header_.names[column], one_line(cell, 60)));
      if (numbered)
        header_.labels.clear();
      else
        header_.labels.erase(header_.labels.begin());
    }
    rows_.push_back(row_);
    table_.lines.push_back(line_);
    if (label) table_.labels.push_back(*label);
  }

  void finish(std::size_t rows) {
    if (table_.nuclei.size() == 0)
      throw InputError(rows == 0 ? "no nuclei" : "no nuclei: no row has a centroid",
                       {.file = file_, .allowed = "1 or more"});
    table_.labelled = table_.labels.size() == table_.nuclei.size();
    if (!table_.labelled) table_.labels = rows_;
    table_.tile_count = tiles_seen_.size();
    line_ = 0;
    if (const std::string doubt = forms_.doubt(); !doubt.empty())
      fail(doubt, {}, "numbers without separators of thousands");
    if (table_.labelled && tiles_seen_.size() <= 1 && times_seen_.size() <= 1) look_for_repeats();
    explain_unused_pixel();
    const double pixel = options_.pixel_um.value_or(0.0);
    table_.notes.push_back(fmt::format(
        "x and y from columns {} and {}{}; {}", header_.names[header_.x], header_.names[header_.y],
        scale_ == 1.0 && micrometres_of(header_.unit) == 0.0
            ? ""
            : fmt::format(", micrometres at {} um per pixel", pixel),
        table_.labelled ? fmt::format("labels from {}", header_.names[header_.labels.front()])
                        : "labels are the numbers of rows"));
    if (header_.area && std::isnan(area_side()))
      table_.warnings.push_back(
          fmt::format("areas of column {} are not in pixels, and are not used: --pixel-um SIZE "
                      "tells what they are in pixels",
                      header_.names[*header_.area]));
    if (times_seen_.size() > 1)
      table_.warnings.push_back(
          fmt::format("column {} has {} values, whose rows are taken for one image",
                      header_.names[*header_.time], times_seen_.size()));
    if (summaries_ > 0)
      table_.warnings.push_back(
          fmt::format("{} of a summary (Mean, SD, Min, Max) skipped", counted(summaries_, "row")));
    if (skipped_ > 0)
      table_.warnings.push_back(fmt::format("{} without a centroid skipped, {} line {}",
                                            counted(skipped_, "row"),
                                            skipped_ == 1 ? "in" : "the first in", first_skipped_));
  }

  // It serves lengths, and areas next to pixels.
  void explain_unused_pixel() {
    const bool in_px = header_.unit == TableUnit::px;
    if (!options_.pixel_um || micrometres_of(header_.unit) > 0.0 ||
        (in_px && header_.area && micrometres_of(header_.area_unit) > 0.0))
      return;
    const std::string &x = header_.names[header_.x], &y = header_.names[header_.y];
    table_.pixel_um_unused =
        fmt::format("columns {} and {} {}", x, y, in_px ? "are in px" : "name no unit");
    table_.columns_in_um = fmt::format("x={},y={},unit=um", x, y);
  }

  void look_for_repeats() {
    std::map<std::uint64_t, int> first;  // line of each label
    std::set<std::uint64_t> repeated;
    std::string example;
    for (std::size_t i = 0; i < table_.lines.size(); ++i) {
      const std::uint64_t label = table_.labels[i];
      const auto [known, is_new] = first.emplace(label, table_.lines[i]);
      if (is_new) continue;
      if (repeated.empty())
        example =
            fmt::format("label {} is in lines {} and {}", label, known->second, table_.lines[i]);
      repeated.insert(label);
    }
    if (repeated.size() > 1)
      example += fmt::format("; {} are there more than once", counted(repeated.size(), "label"));
    if (!repeated.empty())
      table_.warnings.push_back(example + ": a label does not name one nucleus");
  }

  std::string file_;
  const TableOptions& options_;
  int line_ = 0, first_skipped_ = 0;
  char separator_ = ',';
  double scale_ = 1.0;
  TableHeader header_;
  std::string_view header_text_;
  NucleiTable table_;
  std::uint64_t row_ = 0, skipped_ = 0, summaries_ = 0;
  NumberForms forms_;
  std::vector<std::uint64_t> rows_;  // number of each row that is a nucleus
  std::set<std::string, std::less<>> tiles_seen_, times_seen_;
  std::optional<double> z_;
};

NucleiTable points_of(const NpyArray& array, NpyOrder order) {
  NucleiTable table;
  const std::size_t x_column = order == NpyOrder::yx ? 1 : 0;
  const auto check = [&](std::size_t row, std::size_t column, const char* name) {
    array.check_finite(row, column, name);
    if (std::abs(array.at(row, column)) > max_coordinate_px)
      array.fail(fmt::format("{} is {} in row {}, more than {:g} px,", name, array.at(row, column),
                             row, max_coordinate_px),
                 array.offset(row, column));
  };
  for (std::size_t row = 0; row < array.rows(); ++row) {
    check(row, 1 - x_column, "y");
    check(row, x_column, "x");
    add(table.nuclei, array.at(row, x_column), array.at(row, 1 - x_column), unknown, unknown);
    table.labels.push_back(row + 1);
  }
  table.notes.push_back(order == NpyOrder::yx
                            ? "columns are row (y), column (x); --npy-order xy reads x, y"
                            : "columns are x, y");
  return table;
}

NucleiTable labels_of(const NpyArray& array, const std::string& file) {
  constexpr std::uint64_t max_pixels = std::uint64_t{1} << 30;
  const auto fail = [&](const std::string& problem) {
    throw InputError(problem,
                     {.file = file, .allowed = "labels 0 ... 2^32 - 1, at most 2^30 pixels"});
  };
  if (array.rows() == 0 || array.columns() == 0 || array.rows() > max_pixels / array.columns())
    fail(fmt::format("{} x {} pixels", array.columns(), array.rows()));
  LabelImage image{
      static_cast<std::uint32_t>(array.columns()), static_cast<std::uint32_t>(array.rows()), {}};
  image.labels.reserve(array.rows() * array.columns());
  for (std::size_t y = 0; y < array.rows(); ++y)
    for (std::size_t x = 0; x < array.columns(); ++x) {
      const double value = array.at(y, x);
      const double label = std::isnan(value) ? 0.0 : value;  // NaN is background
      if (!(label >= 0.0 && label <= std::numeric_limits<std::uint32_t>::max()))
        fail(fmt::format("label {} at offset {}{}", label, array.offset(y, x),
                         label == -1.0 ? " (if -1 is the background, add 1 to all)" : ""));
      if (label != std::floor(label))
        array.fail(fmt::format("{} x {} real numbers", array.rows(), array.columns()),
                   array.offset(y, x));
      image.labels.push_back(static_cast<std::uint32_t>(label));
    }
  return nuclei_of_labels(image, file);
}

NucleiTable read_npy(std::string_view bytes, const std::string& file, const TableOptions& options) {
  const NpyArray array(bytes, file, std::string(npy_allowed));
  if (array.columns() == 2) return points_of(array, options.npy_order);
  if (array.columns() == 3)  // a label image is wider
    array.fail(fmt::format("{} x 3 numbers: three-dimensional points?", array.rows()),
               array.offset(0, 0));
  if (array.rows() == 2)
    array.fail(fmt::format("2 x {} numbers: points in columns? Save the transpose (N x 2).",
                           array.columns()),
               array.offset(0, 0));
  return labels_of(array, file);
}

}  // namespace

NucleiTable nuclei_of_labels(const LabelImage& image, const std::string& file) {
  NucleiTable table{.labelled = true};
  for (const Nucleus& nucleus : centroids(image, file)) {
    add(table.nuclei, nucleus.x_px, nucleus.y_px, nucleus.area_px, unknown);
    table.labels.push_back(nucleus.label);
  }
  return table;
}

bool is_npy(const std::filesystem::path& file) {
  return ending_of(file) == ".npy" || start_of(file).starts_with(npy_start);
}

bool is_nuclei_table(const std::filesystem::path& file) {
  const std::string ending = ending_of(file);
  if (ending == ".csv" || ending == ".tsv" || ending == ".txt" || is_npy(file)) return true;
  if (is_image(file)) return false;
  const std::string start = start_of(file);
  const std::string_view line = std::string_view(start).substr(0, start.find_first_of("\r\n"));
  return start.find('\0') == std::string::npos &&
         line.find_first_of(",;\t") != std::string_view::npos;
}

NucleiTable read_nuclei_table(const std::filesystem::path& file, const TableOptions& options) {
  std::string bytes = read_file(file);
  if (!bytes.starts_with(npy_start) && ending_of(file) != ".npy")
    return TextTable(file, options).read(table_text(std::move(bytes), file.string()));
  NucleiTable table = read_npy(bytes, file.string(), options);
  if (options.pixel_um && !table.labelled)
    table.pixel_um_unused = "points of an array are taken in px";
  if (table.nuclei.size() == 0)
    throw InputError("no nuclei", {.file = file.string(), .allowed = "1 or more"});
  return table;
}

std::string to_csv(const Nuclei& nuclei) {
  std::string text = "x,y,area_px,mean_intensity,label\n";
  for (std::size_t i = 0; i < nuclei.size(); ++i)
    text += fmt::format("{},{},{},{},{}\n", nuclei.x_px[i], nuclei.y_px[i], nuclei.area_px[i],
                        nuclei.mean_intensity[i], i + 1);
  return text;
}

}  // namespace nucreg
