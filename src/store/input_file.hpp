// A result file opened to read. What it refers to lies within it, and it is as large as it claims.
#pragma once

#include <filesystem>
#include <string>

#include "hdf5.hpp"

namespace nucreg::hdf5 {

/// Opens an HDF5 file and looks at each link and dataset in it before any is read. Throws
/// InputError if it is no regular file, no HDF5 file (`wanted`: what is allowed), or if something
/// in it would lead out of it or claims more values than are stored: soft and external links,
/// external storage, virtual datasets, filters of plugins. Throws Failure if the library does.
[[nodiscard]] Handle open_input(const std::filesystem::path& file, const std::string& wanted);

}  // namespace nucreg::hdf5
