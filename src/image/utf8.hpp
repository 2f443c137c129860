// Text of a file, made fit to print.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nucreg {

/// UTF-16LE as UTF-8; an unpaired surrogate becomes U+FFFD. Size even.
[[nodiscard]] std::string utf8_of_utf16(std::span<const std::byte> units);
/// As it is, but every byte that is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string clean_utf8(std::string_view text);

}  // namespace nucreg
