// Proves that a result file is whole and consistent.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// Findings of one kind are counted and shown once, by their first example.
class Findings {
 public:
  void add(const std::string& kind, const std::string& example = {}, std::uint64_t times = 1) {
    for (Kind& known : kinds_) {
      if (known.text != kind) continue;
      known.times += times;
      return;
    }
    kinds_.push_back({kind, example, times});
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const Kind& kind : kinds_) {
      std::string line = kind.text;
      if (kind.times > 1) line += fmt::format(", {} times", kind.times);
      if (!kind.example.empty()) line += (kind.times > 1 ? ", first " : ": ") + kind.example;
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  struct Kind {
    std::string text, example;
    std::uint64_t times;
  };
  std::vector<Kind> kinds_;
};

struct Verification {
  std::vector<std::string> findings;  ///< damage, one line each; empty = sound
  std::vector<std::string> notes;     ///< what is no damage: a partial file and what it lacks
  std::uint64_t configurations = 0;
  std::uint64_t trials = 0;  ///< planned, per configuration
  std::uint64_t solvers = 0;
  std::uint64_t records = 0;  ///< rows of /trials
};

/// Checks that configurations x trials x solvers = records, sorted, none twice, none missing; that
/// attributes, tables, summary and rows agree; that enumerations are legal and numbers finite where
/// they must be. A partial file may lack whole trials. Streams /trials, of which no more than one
/// configuration is in memory. What cannot be read is a finding too.
[[nodiscard]] Verification verify(const ResultReader& reader);

}  // namespace nucreg
