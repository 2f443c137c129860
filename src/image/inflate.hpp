// zlib streams whose length is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace nucreg {

/// Whether zlib could make `inflated` bytes of `deflated`: it never makes more than 1032 of one.
[[nodiscard]] bool may_inflate_to(std::uint64_t deflated, std::uint64_t inflated);

/// Inflates one zlib stream in pieces of `piece.size()` bytes (the last may be shorter), each
/// handed to `take`. Empty where the stream gave exactly `total` bytes and ended; else what was
/// wrong.
[[nodiscard]] std::string inflate_pieces(std::span<const std::byte> deflated, std::uint64_t total,
                                         std::span<std::byte> piece,
                                         const std::function<void(std::size_t size)>& take);

}  // namespace nucreg
