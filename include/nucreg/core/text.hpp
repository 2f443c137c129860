// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace nucreg {

/// 12.3 us, 4.56 ms, 7.89 s; "-" for NaN.
[[nodiscard]] std::string seconds_text(double seconds);
/// 12.3 s, 3 min 04 s, 1 h 02 min.
[[nodiscard]] std::string duration_text(double seconds);
/// 512 B, 1.5 MiB; "-" for NaN.
[[nodiscard]] std::string bytes_text(double bytes);
/// Three significant digits; "-" for NaN.
[[nodiscard]] std::string number_text(double value);
/// 1,234,567.
[[nodiscard]] std::string count_text(std::uint64_t count);

}  // namespace nucreg
