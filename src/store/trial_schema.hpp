// The columns of /trials: the one table that drives writing, reading and describing them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "hdf5.hpp"
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

}  // namespace nucreg
