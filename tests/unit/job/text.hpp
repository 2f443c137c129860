// Job texts for tests.
#pragma once

#include <string>

namespace job_test {

/// The least job that is right, with lines put into [problem] and [fit].
inline std::string minimal(const std::string& problem = {}, const std::string& fit = {}) {
  return "[job]\nname = \"t\"\n[[solver]]\nname = \"A\"\nkind = \"lm\"\n[problem]\n" + problem +
         "\n[fit]\n" + fit + "\n";
}

/// What is allowed for numbers of points.
inline const std::string count = "whole number, 1 ... 100000000; a list of such; { min, max }";

}  // namespace job_test
