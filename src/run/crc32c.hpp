// CRC-32C (Castagnoli), the checksum of iSCSI and ext4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nucreg {

/// Checksum of `bytes`; `before` is that of what came before them. By the instruction of the
/// processor where it has one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// The same on any processor.
[[nodiscard]] std::uint32_t crc32c_by_table(std::span<const std::byte> bytes,
                                            std::uint32_t before = 0);

}  // namespace nucreg
