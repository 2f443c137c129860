// The commonest messages of solves: why they failed, stalled or did not apply.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Solves of one solver that ended with one status and one message.
struct MessageCount {
  std::uint32_t solver = 0;
  SolveStatus status = SolveStatus::failed;
  std::string message;
  std::uint64_t count = 0;
  std::uint32_t configuration = 0, trial = 0;  ///< of the first one
};

/// As many as an overview tells.
inline constexpr std::size_t most_messages = 20;

/// Counts the messages of rows. Memory does not grow with the rows: beyond `most_different`
/// messages, those not yet seen are only counted.
class MessageTally {
 public:
  explicit MessageTally(std::size_t most_different = 1000) : most_different_(most_different) {}
  void add(std::span<const Record> rows);
  /// The commonest first; of equally common ones the first to come.
  [[nodiscard]] std::vector<MessageCount> commonest(std::size_t most) const;
  /// Rows whose message was not kept apart.
  [[nodiscard]] std::uint64_t others() const { return others_; }

 private:
  std::size_t most_different_;
  std::map<std::tuple<std::uint32_t, SolveStatus, std::string>, std::size_t> places_;
  std::vector<MessageCount> counts_;  // in the order of their first row
  std::uint64_t others_ = 0;
};

}  // namespace nucreg
