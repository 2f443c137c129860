// What ranks say to each other, and how they wait for it.
#pragma once

#include <algorithm>
#include <chrono>

#include "nucreg/core/clock.hpp"
#include "nucreg/run/communicator.hpp"

namespace nucreg {

namespace tag {

inline constexpr int facts = 1;          ///< rank -> root, first of all
inline constexpr int setup = 2;          ///< root -> rank: the bytes of share_setup
inline constexpr int refusal = 3;        ///< root -> rank: exit status
inline constexpr int refusal_heard = 4;  ///< rank -> root
inline constexpr int batch = 10;         ///< root -> rank: (first, count) ...
inline constexpr int results = 11;       ///< rank -> root: (task, length, payload) ...
inline constexpr int sample = 12;        ///< rank -> root: Sample
inline constexpr int failure = 13;       ///< rank -> root: exit status, text
inline constexpr int finish = 14;        ///< root -> rank: drop what is queued, then say goodbye
inline constexpr int totals = 15;        ///< rank -> root: RankTotals, its last message
inline constexpr int release = 16;       ///< root -> rank: it is over; (gone rank, pid to end) ...
inline constexpr int alive = 17;         ///< both ways, each heartbeat; rank -> root: Vitals

}  // namespace tag

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

/// Says to all other ranks, this often, that the root lives, and moves on what is being sent.
class Heartbeat {
 public:
  explicit Heartbeat(Communicator& communicator, double seconds = standard_heartbeat_seconds)
      : communicator_(communicator), seconds_(seconds) {}
  void beat() {
    if (clock_.now() - last_ >= seconds_) {
      last_ = clock_.now();
      for (int rank = 1; rank < communicator_.size(); ++rank)
        communicator_.send(rank, tag::alive, {});
    }
    (void)communicator_.unsent();
  }

 private:
  Communicator& communicator_;
  double seconds_;
  OwnTime clock_;
  double last_ = -seconds_;
};

/// A main thread often shares its processor with the worker of its rank: each look at MPI takes a
/// solve off the processor for some microseconds and spoils its timing. The wait doubles while
/// nothing happens, so that an answer comes late by no more than the pause before the question.
class Patience {
 public:
  /// `busy`: the worker computes, and will wake the main thread when it is done.
  [[nodiscard]] std::chrono::microseconds next(bool busy = false) {
    const auto now = std::min(wait_, busy ? longest_busy : longest_idle);
    wait_ = std::min(2 * wait_, longest_busy);
    return now;
  }
  void reset() { wait_ = shortest; }

 private:
  static constexpr std::chrono::microseconds shortest{50}, longest_idle{1000}, longest_busy{8000};
  std::chrono::microseconds wait_ = shortest;
};

}  // namespace nucreg
