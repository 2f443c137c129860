// One column of a file: a dataset of one value per row, or of `width` values per row; and small
// tables: a group per table, a dataset per column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hdf5.hpp"
#include "nucreg/core/table.hpp"

namespace nucreg::hdf5 {

/// Rows of a chunk of /trials; larger tables and appended blocks are cut at its multiples.
inline constexpr std::uint64_t chunk_rows = 16384;

/// HDF5 notes when an object was made; without, the same content is the same bytes.
void no_times(hid_t options, const std::string& path);

/// A group whose members keep their order.
void make_group(hid_t file, const std::string& path);

/// All functions throw Failure naming the path.
class Dataset {
 public:
  /// A new dataset of rows (width 0) or rows x width, compressed and with its units.
  static Dataset create(hid_t file, const std::string& path, const std::string& units, Handle type,
                        std::uint64_t rows, std::size_t width);
  static Dataset open(hid_t file, const std::string& path);

  /// A chunk as it lies in the file.
  struct Chunk {
    std::uint64_t first = 0;  // row
    std::vector<std::byte> stored;
  };
  /// The chunk that begins at row `first`, past HDF5's filters: theirs take longer than all else
  /// that writing a file takes. Calls nothing of the library, so that any thread may pack.
  [[nodiscard]] Chunk packed(std::uint64_t first, const std::byte* values) const;
  void write(const Chunk& chunk);
  /// Rows first ... first + count, as the type of this dataset.
  void write(std::uint64_t first, std::uint64_t count, const void* values);
  /// Rows after those that append() had before; what fills no chunk waits for more, or the last.
  void append(std::uint64_t count, const void* values);
  void read(std::uint64_t first, std::uint64_t count, hid_t memory_type, void* values) const;
  /// All rows of a dataset of strings.
  [[nodiscard]] std::vector<std::string> strings() const;
  /// The attribute `units`, empty if there is none.
  [[nodiscard]] std::string units() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] hid_t type() const { return type_.get(); }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::size_t width() const { return width_; }  ///< 0: one-dimensional
  void close() { dataset_.close("H5Dclose", path_); }

 private:
  /// The selections of file and memory for these rows.
  [[nodiscard]] std::pair<Handle, Handle> select(std::uint64_t first, std::uint64_t count) const;

  std::string path_;
  Handle dataset_, type_;
  std::uint64_t rows_ = 0;
  std::size_t width_ = 0;
  // For a dataset that was created:
  std::uint64_t chunk_rows_ = 0;
  std::size_t value_bytes_ = 0, row_bytes_ = 0;
  std::uint64_t appended_ = 0;      // rows that append() has written
  std::vector<std::byte> waiting_;  // rows after these
};

/// All throw Failure naming the path; columns may differ in length.
void write_table(hid_t file, const Table& table);
/// Columns in the order in which they were written if the file knows it, with their units.
[[nodiscard]] Table read_table(hid_t file, const std::string& name);
[[nodiscard]] bool has_link(hid_t file, const std::string& path);

}  // namespace nucreg::hdf5
