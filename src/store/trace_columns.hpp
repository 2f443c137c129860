// /trace: how the objective fell in each solve, ragged: offsets into flat columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataset.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

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

/// Reads what TraceWriter wrote. Throws hdf5::Failure, also where columns do not belong together.
class TraceReader {
 public:
  /// `rows`: of /trials.
  TraceReader(hid_t file, std::uint64_t rows);
  void read(std::uint64_t first, std::span<Record> rows) const;

 private:
  hdf5::Dataset offsets_, evaluation_, objective_, time_;
};

}  // namespace nucreg
