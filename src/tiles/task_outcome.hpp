// What a task of a stage answers, written so that nothing it throws ends its rank.
#pragma once

#include <fmt/format.h>

#include <new>
#include <string>

#include "nucreg/core/bytes.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/tiles/stages.hpp"

namespace nucreg {

/// Appends the outcome that `act` returns, or what it throws as one.
template <class Act>
void append_outcome(const std::string& name, Bytes& result, Act&& act) {
  const auto outcome = [&]() -> TaskOutcome {
    try {
      return act();
    } catch (const Error& e) {
      return {.status = e.status(), .message = e.what()};
    } catch (const std::bad_alloc&) {
      return {.status = ExitStatus::input, .message = name + ": not enough memory"};
    } catch (const std::exception& e) {
      return {.status = ExitStatus::bug, .message = fmt::format("{}: bug: {}", name, e.what())};
    }
  };
  ByteWriter{result}(outcome());
}

inline void append_given_up(const std::string& name, Bytes& result) {
  ByteWriter{result}(
      TaskOutcome{.status = ExitStatus::bug,
                  .message = name + ": given up, the ranks that had it hung or died"});
}

}  // namespace nucreg
