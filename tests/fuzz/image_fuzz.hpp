// What every fuzz target for images does with its input: all that a user could.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nucreg {

/// Opens the bytes as a file and reads planes of it; only an InputError may come out.
void read_all_of(const std::uint8_t* data, std::size_t size);

}  // namespace nucreg
