// Small tables in a file: a group per table, a dataset per column.
#pragma once

#include <string>

#include "hdf5.hpp"
#include "nucreg/core/table.hpp"

namespace nucreg::hdf5 {

/// All throw Failure naming the path; columns may differ in length.
void write_table(hid_t file, const Table& table);
/// Columns in the order in which they were written if the file knows it, with their units.
[[nodiscard]] Table read_table(hid_t file, const std::string& name);
[[nodiscard]] bool has_link(hid_t file, const std::string& path);

}  // namespace nucreg::hdf5
