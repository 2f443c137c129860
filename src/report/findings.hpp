// Findings of one kind are counted and shown once, by their first example.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nucreg {

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

}  // namespace nucreg
