// What all ranks say of themselves, as the root has heard it.
#pragma once

#include <vector>

#include "monitor.hpp"
#include "vitals.hpp"

namespace nucreg {

/// For /ranks and /rank_samples, and for whoever watches the run. Of a lost rank what it said last.
class RankNews {
 public:
  explicit RankNews(int ranks) : ranks_(static_cast<std::size_t>(ranks)) {}

  /// `now` in seconds of any clock, the same for all calls.
  void note(int rank, const Vitals& vitals, double now);
  void note(int rank, const Sample& sample) { of(rank).samples.push_back(sample); }
  void note(int rank, const RankTotals& totals) { of(rank).totals = totals; }
  void lose(int rank) { of(rank).now.lost = true; }

  /// By rank.
  [[nodiscard]] std::vector<RankNow> all(double now) const;
  [[nodiscard]] Table rank_table(const std::vector<RankFacts>& facts) const;
  [[nodiscard]] Table sample_table() const;

 private:
  struct News {
    RankNow now;
    double task_since = 0.0;  ///< when it was first seen with now.task
    std::vector<Sample> samples;
    RankTotals totals;
  };
  [[nodiscard]] News& of(int rank) { return ranks_.at(static_cast<std::size_t>(rank)); }

  std::vector<News> ranks_;
};

}  // namespace nucreg
