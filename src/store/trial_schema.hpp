// The columns of /trials, in the one table that drives writing, reading and describing them, those
// of /trace, and what columns of other tables mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

struct TrialField : TrialColumn {
  bool required = true;              ///< a file without it is not read; else rows keep the default
  std::vector<std::string> members;  ///< of an enumeration on int8: its legal values
  bool text = false;                 ///< UTF-8 of a fixed number of bytes that each file chooses
  std::size_t value_bytes = 0;       ///< of one value in the file; 0 for text
  hdf5::Handle (*type)() = nullptr;  ///< of one value in the file; none for text
  /// Between a row and its `bytes` bytes of this column: one value, or one per parameter.
  void (*store)(const Record& row, std::byte* values, std::size_t bytes) = nullptr;
  void (*load)(Record& row, const std::byte* values, std::size_t bytes) = nullptr;
};

/// In file order.
[[nodiscard]] const std::vector<TrialField>& trial_fields();

// /trace: how the objective fell in each solve, ragged: offsets into flat columns.

/// Writes rows in order, a chunk at a time. Throws hdf5::Failure.
class TraceWriter {
 public:
  TraceWriter(hid_t file, std::uint64_t rows, std::uint64_t points);
  void append(std::span<const Record> rows);
  /// Writes what is left and closes; std::logic_error where other points came than announced.
  void finish();

 private:
  void write_points(std::uint64_t count);

  hdf5::Dataset offsets_, evaluation_, objective_, time_;
  std::uint64_t rows_, points_;                           // announced
  std::uint64_t rows_written_ = 0, points_appended_ = 0;  // of all
  std::vector<TracePoint> waiting_;
};

/// Reads what TraceWriter wrote. Throws hdf5::Failure, also if columns do not belong together.
class TraceReader {
 public:
  /// `rows`: of /trials.
  TraceReader(hid_t file, std::uint64_t rows);
  void read(std::uint64_t first, std::span<Record> rows) const;

 private:
  hdf5::Dataset offsets_, evaluation_, objective_, time_;
};

}  // namespace nucreg

namespace nucreg::hdf5 {

/// One line for the attribute `description` of a column of another table, where name and unit leave
/// open what it means: above all which image's pixels. Empty if there is nothing to add.
[[nodiscard]] std::string column_description(std::string_view table, std::string_view column);

}  // namespace nucreg::hdf5
