// Values that are right alone but do not go together.
#pragma once

#include "nucreg/plan/plan.hpp"

namespace nucreg::plan_checks {

/// What can be seen before the product is formed. Throws JobError.
void check_job(const Job& job);
/// What depends on the values that meet in one configuration. Throws JobError.
void check_configuration(const Job& job, const Configuration& configuration);

}  // namespace nucreg::plan_checks
