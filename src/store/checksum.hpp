// A checksum of a whole file within it: it covers metadata and gaps, too, which HDF5's own
// (fletcher32, and that of deflate) do not.
#pragma once

#include <cstdint>
#include <filesystem>

#include "hdf5.hpp"

namespace nucreg::hdf5 {

/// Adds the dataset /checksum, four bytes, and the attribute that says what it is; returns where in
/// the file they will lie. Throws Failure.
[[nodiscard]] std::uint64_t add_checksum(hid_t file);
/// Fills those bytes of a file that is closed: the CRC-32 of all others, these taken as zeros. The
/// file is not durable yet. Throws OutputError naming `name`, which it will have, or InputError.
void fill_checksum(const std::filesystem::path& file, std::uint64_t at,
                   const std::filesystem::path& name);

}  // namespace nucreg::hdf5
