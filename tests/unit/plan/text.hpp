// Jobs for tests of plans.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"

namespace plan_test {

/// A job of two solvers with lines put into [problem] and [fit].
inline nucreg::Job job_with(const std::string& problem = {}, const std::string& fit = {},
                            std::int64_t trials = 1) {
  return nucreg::parse_job_text(
      "[job]\nname = \"t\"\ntrials = " + std::to_string(trials) +
          "\n[[solver]]\nname = \"A\"\nkind = \"lm\"\n[[solver]]\nname = \"B\"\nkind = \"lm\"\n"
          "[problem]\n" +
          problem + "\n[fit]\n" + fit + "\n",
      "job.toml");
}

/// What make_plan says against it, if anything.
inline std::optional<nucreg::JobError> plan_error(const std::string& problem,
                                                  const std::string& fit) {
  const nucreg::Job job = job_with(problem, fit);
  try {
    (void)nucreg::make_plan(job);
  } catch (const nucreg::JobError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace plan_test
