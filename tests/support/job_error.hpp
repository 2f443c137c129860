// A wrong job is answered with file, line, key and what is allowed.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {

struct Expected {
  int line;
  std::string key, problem, allowed;
};

inline void check_error(const std::optional<JobError>& error, const Expected& expected) {
  REQUIRE(error);
  CHECK(error->status() == ExitStatus::usage);
  CHECK(error->fields().file == "job.toml");
  CHECK(error->fields().line == expected.line);
  CHECK(error->fields().key == expected.key);
  CHECK(error->problem() == expected.problem);
  CHECK(error->fields().allowed == expected.allowed);
}

}  // namespace nucreg
