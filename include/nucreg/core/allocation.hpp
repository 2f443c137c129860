// What a stretch of code holds allocated at most.
#pragma once

#include <cstddef>

namespace nucreg {

/// Counts heap memory of the calling thread from construction to destruction: the largest sum of
/// live blocks allocated by this thread since construction, in bytes as the allocator rounds them
/// (at least what was asked for). Works for every allocation of the process by malloc or new,
/// libraries included. Meters do not nest. Costs a few nanoseconds per allocation while one lives.
class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  [[nodiscard]] std::size_t peak_bytes() const;
};

}  // namespace nucreg
