// Tables of nuclei: ours, and those that other programs write.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/terms.hpp"
#include "nucreg/nuclei/segment.hpp"

namespace nucreg {

/// Beyond, squares of coordinates and their sums are not exact enough.
inline constexpr double max_coordinate_px = 1e9;

/// Which column of an N x 2 array comes first.
enum class NpyOrder : std::uint8_t {
  yx,  ///< row, column: scikit-image, StarDist, Cellpose, napari
  xy,
};
template <>
struct Spelling<NpyOrder> {
  static constexpr std::array<std::string_view, 2> names{"yx", "xy"};
};

/// Columns by the names that a table gives them; empty: the known names are tried.
struct TableColumns {
  std::string x, y, label, area, intensity, tile, well;
  std::string unit;  ///< "px" or "um" of x and y, whatever the header says; empty: as it says
};

/// Reads "x=NAME,y=NAME,label=NAME"; keys are the members of TableColumns. Throws JobError with the
/// key `option` on anything else.
[[nodiscard]] TableColumns parse_table_columns(std::string_view text, const std::string& option);

struct TableOptions {
  TableColumns columns;
  NpyOrder npy_order = NpyOrder::yx;
  std::optional<double> pixel_um;  ///< of the image; needed if coordinates are micrometres
  bool tiles = false;              ///< fill `tiles` and `wells`, if the table has such columns
};

struct NucleiTable {
  Nuclei nuclei;                      ///< px; area_px and mean_intensity are NaN if unknown
  std::vector<std::uint64_t> labels;  ///< of each nucleus; else the number of its row, from 1
  bool labelled = false;              ///< whether `labels` come from the file
  std::vector<int> lines;             ///< of each nucleus, in a table as text; else empty
  std::vector<std::string> tiles;     ///< of each nucleus; empty: no such column, or not asked for
  std::vector<std::string> wells;     ///< the same
  std::size_t tile_count = 0;         ///< different values in the column of tiles; 0 without one
  std::vector<std::string> notes;     ///< how the file was read, a sentence each
  std::vector<std::string> warnings;  ///< what was left out
  std::string pixel_um_unused;        ///< why `pixel_um` was given for nothing; else empty
  std::string columns_in_um;          ///< what TableColumns would read it in micrometres then
};

/// Whether a file is to be read as a table: it is named like one (.csv, .tsv, .txt, .npy) or, under
/// a name that says nothing, begins like text in cells or an array of NumPy. An image is none.
[[nodiscard]] bool is_nuclei_table(const std::filesystem::path& file);
/// Whether that is an array of NumPy, by its name or its first bytes.
[[nodiscard]] bool is_npy(const std::filesystem::path& file);

/// Reads a table by its content: text (UTF-8, UTF-16 with a byte order mark, Latin-1; any line
/// ends; cells separated by commas, semicolons, tabs, `|` or blanks; decimal commas, between
/// separating commas in quotation marks; R's names of rows, which the header does not name) or an
/// array of NumPy (.npy): N x 2 numbers are points, an image of whole numbers is one of labels.
/// Knows the columns of CellProfiler, QuPath, ImageJ, scikit-image, Cellpose, napari, brieflow,
/// TrackMate and Imaris (see tables in CONTRIBUTING); other columns are ignored. The centre of the
/// first pixel is taken as 0, 0. Rows without a centroid are skipped with a warning. Throws
/// InputError (path, line or offset, column, what is allowed; for an unknown header the columns
/// that are there), also on centroids in three dimensions, micrometres without `pixel_um`, two
/// columns that could be meant and a table without nuclei.
[[nodiscard]] NucleiTable read_nuclei_table(const std::filesystem::path& file,
                                            const TableOptions& options = {});

/// The nuclei of a label image, unweighted; throws InputError as `centroids` does.
[[nodiscard]] NucleiTable nuclei_of_labels(const LabelImage& image, const std::string& file);

/// `x,y,area_px,mean_intensity,label`, a row per nucleus, labels from 1 as in the label image of a
/// Segmentation; read_nuclei_table reads it back to the last bit.
[[nodiscard]] std::string to_csv(const Nuclei& nuclei);

}  // namespace nucreg
