// What a stretch of code holds allocated at most, and may hold.
#pragma once

#include <cstddef>
#include <limits>

namespace nucreg {

/// Counts heap memory of the calling thread from construction to destruction: the largest sum of
/// live blocks allocated by this thread since construction, in bytes as the allocator rounds them
/// (at least what was asked for). Works for every allocation of the process by malloc or new,
/// libraries included. Meters do not nest. Costs a few nanoseconds per allocation while one lives.
///
/// With a limit, what would take the sum beyond it is refused: malloc and its like return null with
/// errno ENOMEM, new throws std::bad_alloc. Memory that is mapped without malloc, and that of other
/// threads, is not seen.
class AllocationMeter {
 public:
  explicit AllocationMeter(std::size_t limit_bytes = std::numeric_limits<std::size_t>::max());
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  /// Counts and refuses nothing more; what was counted stays.
  void stop();
  [[nodiscard]] std::size_t peak_bytes() const;
  /// Whether the limit was met.
  [[nodiscard]] bool refused() const;

  /// Whether limits hold: under AddressSanitizer, whose allocator refuses nothing, they do not.
  [[nodiscard]] static bool can_refuse();
};

/// From here on the process keeps what it frees, up to 64 MiB, instead of giving it back to the
/// kernel: memory that a solve took would else be paged in again by the next one, within its time.
/// All threads share one heap, which is paged in 2 MiB at a time where the kernel does that. Call
/// it before there are other threads. Nothing if the allocator is not glibc's.
void keep_freed_memory();

/// What the process has kept goes back to the kernel, and from here on so does what it frees, but
/// for a few MiB of each thread: blocks of 1 MiB and more are mapped by themselves where no gap has
/// room. For columns that come and go: in memory that is kept, those that stay leave gaps between
/// them. Undone by keep_freed_memory().
void give_back_freed_memory();

}  // namespace nucreg
