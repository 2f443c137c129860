// What a search leaves of its budgets to the one that continues from what it finds: a tenth, of
// evaluations at most 50, which are enough for any of them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// The request of a search that another one follows, with its evaluations.
[[nodiscard]] inline SolveRequest search_request(const Objective& f, const SolveRequest& request) {
  const std::int64_t left = request.max_evaluations - f.function_evaluations();
  SolveRequest search = request;
  search.max_evaluations -= std::clamp<std::int64_t>(left / 10, 1, 50);
  return search;
}

/// While it lives, the time of the objective ends that much earlier.
class SearchTime {
 public:
  explicit SearchTime(Objective& f) : objective_(f), part_(f.time_part()) {
    objective_.set_time_part(0.9 * part_);
  }
  ~SearchTime() { objective_.set_time_part(part_); }
  SearchTime(const SearchTime&) = delete;
  SearchTime& operator=(const SearchTime&) = delete;

 private:
  Objective& objective_;
  double part_;
};

}  // namespace nucreg
