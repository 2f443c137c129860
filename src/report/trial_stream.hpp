// All rows of /trials, a block or a trial at a time.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

inline constexpr std::uint64_t stream_rows = 16384;

/// Calls `visit(rows)` with consecutive rows; where `columns` names any, with these alone.
template <class Visit>
void stream_trials(const ResultReader& reader, Visit&& visit,
                   std::span<const std::string_view> columns = {}) {
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min(stream_rows, reader.trial_rows() - first));
    reader.read_trials(first, block, columns);
    visit(std::span<const Record>(block));
  }
}

/// Calls `visit(rows)` with the rows of one trial after the other, one row per solver, with their
/// traces where the file has any. Throws InputError where they are not whole trials.
template <class Visit>
void stream_whole_trials(const ResultReader& reader, std::size_t solvers, Visit&& visit) {
  constexpr std::size_t block_rows = 2048;  // a trace is up to 6 KiB
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min<std::uint64_t>(std::max<std::size_t>(1, block_rows / solvers) * solvers,
                                         reader.trial_rows() - first));
    reader.read_trials(first, block);
    reader.read_traces(first, block);
    for (std::size_t begin = 0; begin < block.size(); begin += solvers) {
      const auto trial =
          std::span<const Record>(block).subspan(begin, std::min(solvers, block.size() - begin));
      bool whole = trial.size() == solvers;
      for (std::size_t s = 0; whole && s < solvers; ++s)
        whole = trial[s].solver == s && trial[s].trial == trial[0].trial &&
                trial[s].configuration == trial[0].configuration;
      if (!whole)
        throw InputError("rows are not whole trials of the solvers in the file",
                         {.key = "/trials"});
      visit(trial);
    }
  }
}

}  // namespace nucreg
