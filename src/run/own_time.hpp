// Time as a process sees it that may be stopped.
#pragma once

#include <algorithm>

#include "nucreg/core/clock.hpp"

namespace nucreg {

/// A clock of which no step between two looks counts for more than half a second. While this
/// process was stopped, or busy with a slow disk, it could not hear the others: that is no silence
/// of theirs.
class OwnTime {
 public:
  double now() {
    const double wall = wall_seconds();
    now_ += std::min(wall - last_wall_, 0.5);
    last_wall_ = wall;
    return now_;
  }

 private:
  double last_wall_ = wall_seconds();
  double now_ = 0.0;
};

}  // namespace nucreg
