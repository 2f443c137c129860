// What columns of tables mean where name and unit leave it open: above all which image's pixels.
#pragma once

#include <string>
#include <string_view>

namespace nucreg::hdf5 {

/// One line for the attribute `description`; empty if there is nothing to add.
[[nodiscard]] std::string column_description(std::string_view table, std::string_view column);

}  // namespace nucreg::hdf5
