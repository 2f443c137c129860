// The clocks of the program, and what it has used.
#pragma once

#include <cstdint>
#include <string>

namespace nucreg {

/// Seconds of a monotonic clock; only differences mean something.
[[nodiscard]] double wall_seconds();
/// CPU seconds that the calling thread has used.
[[nodiscard]] double thread_cpu_seconds();
/// CPU seconds that all threads of this process have used.
[[nodiscard]] double process_cpu_seconds();
/// Most memory that this process has had resident.
[[nodiscard]] std::int64_t max_rss_bytes();
/// Smallest step of wall_seconds() seen on this machine, measured once.
[[nodiscard]] double wall_clock_step_seconds();
/// What the kernel takes the time from, such as "tsc"; empty if it does not say.
[[nodiscard]] std::string clock_source();
/// Now, as 2026-01-31T12:34:56Z.
[[nodiscard]] std::string utc_now();

}  // namespace nucreg
