// The files that a job names, read once by the root and sent to the other ranks.
#pragma once

#include <vector>

#include "nucreg/fit/generate.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/plan/plan.hpp"

namespace nucreg {

/// Reads problem.files, in order; empty for synthetic problems. The field of pairs is the bounding
/// box from the origin of their 10x points. Throws InputError.
[[nodiscard]] std::vector<InputFile> read_inputs(const Job& job);

/// Fills Configuration::points with what was read.
void fill_counts(Plan& plan, const std::vector<InputFile>& inputs);

}  // namespace nucreg
