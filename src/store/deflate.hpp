// What HDF5's filters shuffle and deflate make of a chunk, made faster.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nucreg::hdf5 {

/// The bytes of a chunk as the library's pipeline of shuffle and deflate would store them, for
/// H5Dwrite_chunk: any reader of HDF5 undoes both. `value_bytes`: of one value; divides the chunk.
/// Throws std::bad_alloc.
[[nodiscard]] std::vector<std::byte> shuffled_and_deflated(std::span<const std::byte> chunk,
                                                           std::size_t value_bytes);

}  // namespace nucreg::hdf5
