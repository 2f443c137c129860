#include "nucreg/tiles/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view known_columns =
    "file, tile, well, x_um, y_um (or x_mm, y_mm), pixel_um, width_px, height_px, row, column";
constexpr std::array<std::string_view, 12> column_names{"file",     "tile",      "well", "x_um",
                                                        "y_um",     "x_mm",      "y_mm", "pixel_um",
                                                        "width_px", "height_px", "row",  "column"};

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

char separator_of(std::string_view header) {
  for (const char candidate : {',', ';', '\t'})
    if (header.find(candidate) != std::string_view::npos) return candidate;
  return cells_of(header, ' ').size() > 1 ? ' ' : ',';
}

// A name of this many letters is not taken for another misspelt: `z_um` is not `x_um`.
bool looks_misspelt(const std::string& name, std::string& meant) {
  constexpr std::size_t shortest = 5;
  if (name.size() < shortest) return false;
  meant = nearest_name(name, {column_names.begin(), column_names.end()});
  return !meant.empty() && meant.size() >= shortest && name.front() == meant.front();
}

class SheetReader {
 public:
  explicit SheetReader(const fs::path& file)
      : file_(file), text_(table_text(read_file(file), file.string())) {}

  Sheet read() {
    for (const TextLine& line : lines_of(text_)) {
      line_ = line.number;
      if (columns_.empty())
        read_header(line.text);
      else
        read_row(line.text);
    }
    if (sheet_.tiles.empty())
      throw InputError("lists no tiles", {.file = file_.string(),
                                          .allowed = "a header with a column file, and a row for "
                                                     "each tile"});
    refuse_repeats();
    line_ = 0;
    if (const std::string doubt = forms_.doubt(); !doubt.empty())
      fail(doubt, "", "numbers without separators of thousands");
    return std::move(sheet_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& column,
                         const std::string& allowed) const {
    throw InputError(problem, {.file = file_.string(),
                               .line = line_,
                               .key = column.empty() ? "" : "column " + column,
                               .allowed = allowed});
  }

  void read_header(std::string_view text) {
    separator_ = separator_of(text);
    std::string ignored;
    for (const std::string_view cell : cells_of(text, separator_)) {
      const std::string name = lower(text_in(cell));
      const std::size_t number = cell_count_++;
      if (std::ranges::find(column_names, name) == column_names.end()) {
        std::string meant;
        if (looks_misspelt(name, meant))
          fail(fmt::format("unknown column (did you mean \"{}\"?)", meant), name,
               std::string(known_columns));
        if (!name.empty()) ignored += (ignored.empty() ? "" : ", ") + name;
      } else if (!columns_.emplace(name, number).second) {
        fail("two columns have this name", name, "one");
      }
    }
    if (!ignored.empty())
      sheet_.notes.push_back(
          fmt::format("{}: columns without a meaning here: {}", file_.string(), ignored));
    if (!has("file")) fail("the sheet has no column file", "", std::string(known_columns));
    demand_partner("x_um", "y_um");
    demand_partner("x_mm", "y_mm");
    demand_partner("row", "column");
    if (has("x_um") && has("x_mm")) fail("positions are given twice", "x_mm", "x_um or x_mm");
  }
  void demand_partner(const char* one, const char* other) const {
    if (has(one) == has(other)) return;
    fail(fmt::format("is there without {}", has(one) ? other : one), has(one) ? one : other,
         "both or none");
  }
  [[nodiscard]] bool has(const std::string& column) const { return columns_.contains(column); }

  void read_row(std::string_view text) {
    const std::vector<std::string_view> cells = cells_of(text, separator_);
    if (cells.size() != cell_count_)
      fail(counted(cells.size(), "cell"), "",
           fmt::format("{} as in the header; names with separators in double quotes", cell_count_));
    SheetTile tile{.line = line_};
    const auto word = [&](const char* column) {
      return has(column) ? text_in(cells[columns_.at(column)]) : std::string();
    };
    const auto number = [&](const char* column) -> std::optional<double> {
      const std::string cell = word(column);
      if (cell.empty()) return std::nullopt;
      forms_.add(cell, columns_.at(column));
      const std::optional<double> value = number_in(cell);
      if (!value || !std::isfinite(*value))
        fail(fmt::format("\"{}\"", cell), column, "finite numbers, or nothing if it is unknown");
      return value;
    };
    const auto positive = [&](const char* column) {
      const std::optional<double> value = number(column);
      if (value && !(*value > 0.0)) fail(fmt::format("{}", *value), column, "numbers > 0");
      return value;
    };
    const auto whole = [&](const char* column) -> std::optional<std::int64_t> {
      const std::optional<double> value = number(column);
      constexpr double most = 1e9;
      if (value && (*value != std::floor(*value) || std::abs(*value) > most))
        fail(fmt::format("{}", *value), column, fmt::format("whole numbers up to {:.0f}", most));
      return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
    };
    set_file(tile, word("file"));
    tile.tile = word("tile");
    tile.well = word("well");
    const double um = has("x_mm") ? 1000.0 : 1.0;
    tile.x_um = number(has("x_mm") ? "x_mm" : "x_um");
    tile.y_um = number(has("y_mm") ? "y_mm" : "y_um");
    if (tile.x_um.has_value() != tile.y_um.has_value())
      fail("one coordinate of the position is missing", tile.x_um ? "y_um" : "x_um",
           "both or none");
    if (tile.x_um) *tile.x_um *= um, *tile.y_um *= um;
    tile.pixel_um = pixel_um(positive("pixel_um"));
    tile.width_px = positive("width_px");
    tile.height_px = positive("height_px");
    tile.row = whole("row");
    tile.column = whole("column");
    if (tile.row.has_value() != tile.column.has_value())
      fail("one half of the place in the grid is missing", tile.row ? "column" : "row",
           "both or none");
    sheet_.tiles.push_back(std::move(tile));
  }

  // No microscope has other pixels, but many a sheet other units: a search for the map of such
  // sides would not end.
  [[nodiscard]] std::optional<double> pixel_um(std::optional<double> um) const {
    constexpr double least = 0.005, most = 100.0;
    if (!um || (*um >= least && *um <= most)) return um;
    const double in_um = *um < least ? 1000.0 * *um : *um / 1000.0;
    const bool plausible = in_um >= least && in_um <= most;
    fail(fmt::format("{}{}", *um,
                     plausible
                         ? fmt::format(" looks like {}: {} um", *um < least ? "mm" : "nm", in_um)
                         : ""),
         "pixel_um", fmt::format("micrometres, {} to {}", least, most));
  }

  // `name#3` is frame 3 of the file `name`, unless there is a file of the whole name. Sheets of a
  // microscope's own computer separate folders by backslashes.
  void set_file(SheetTile& tile, const std::string& name) {
    if (name.empty()) fail("no file", "file", "a file for each tile");
    const fs::path folder = file_.parent_path();
    std::error_code unreadable;
    tile.file = (folder / name).string();
    if (fs::is_regular_file(tile.file, unreadable)) return;
    if (fs::is_directory(tile.file, unreadable))
      fail(fmt::format("\"{}\" is a folder", name), "file", "files");
    if (fs::exists(tile.file, unreadable))
      fail(fmt::format("\"{}\" is not a regular file", name), "file", "files");
    const std::size_t mark = name.rfind('#');
    if (mark != std::string::npos) {
      const auto frame = parse_number<std::size_t>(std::string_view(name).substr(mark + 1));
      const std::string whole = (folder / name.substr(0, mark)).string();
      if (frame && fs::is_regular_file(whole, unreadable)) {
        tile.file = whole;
        tile.frame = *frame;
        return;
      }
    }
    if (name.find('\\') != std::string::npos) {
      std::string with_slashes = name;
      std::ranges::replace(with_slashes, '\\', '/');
      return set_file(tile, with_slashes);
    }
    fail(fmt::format("the file \"{}\" does not exist", tile.file), "file",
         "existing files, relative to the folder of the sheet");
  }

  void refuse_repeats() {
    std::map<std::pair<std::string, std::string>, int> names;  // well, tile
    std::map<std::pair<std::string, std::size_t>, const SheetTile*> files;
    for (const SheetTile& tile : sheet_.tiles) {
      line_ = tile.line;
      if (!tile.tile.empty()) {
        const auto [known, is_new] = names.emplace(std::pair(tile.well, tile.tile), tile.line);
        if (!is_new)
          fail(fmt::format("tile \"{}\"{} is listed in line {} already", tile.tile,
                           tile.well.empty() ? "" : fmt::format(" of well \"{}\"", tile.well),
                           known->second),
               "tile", "each tile once");
      }
      // A long table may be listed for each tile that it has.
      constexpr std::size_t whole_file = std::string::npos;
      const auto [known, is_new] =
          files.emplace(std::pair(tile.file, tile.frame.value_or(whole_file)), &tile);
      if (!is_new && (tile.tile.empty() || known->second->tile.empty()))
        fail(fmt::format("the file is listed in line {} already", known->second->line), "file",
             "each file once, or a column tile that says which of its tiles is meant");
    }
  }

  const fs::path file_;
  const std::string text_;
  int line_ = 0;
  char separator_ = ',';
  std::size_t cell_count_ = 0;
  std::map<std::string, std::size_t> columns_;
  NumberForms forms_;
  Sheet sheet_;
};

}  // namespace

bool is_sheet(const fs::path& file) {
  const std::string text = table_text(read_file(file), file.string());
  const std::vector<TextLine> lines = lines_of(text);
  if (lines.empty()) return false;
  const auto cells = cells_of(lines.front().text, separator_of(lines.front().text));
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(cells, [&](std::string_view cell) { return lower(cell) == name; });
  };
  // Of tiles, though what is needed most was forgotten.
  return has("file") || (has("pixel_um") && has("width_px") && !has("label"));
}

Sheet read_sheet(const fs::path& file) {
  return SheetReader(file).read();
}

}  // namespace nucreg
