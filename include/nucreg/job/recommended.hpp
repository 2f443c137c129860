// What a recommendation changes in a job and in a map. It is a job itself (`nucreg recommend
// --to`).
#pragma once

#include "nucreg/job/job.hpp"
#include "nucreg/job/map.hpp"

namespace nucreg {

/// Gives a job the loss, its scale, the start and the solvers of the recommended one.
void take_fit(Job& job, const Job& recommended);

/// Gives a map the loss of the recommended job, and the solver of the same method as its first one.
/// Throws JobError if the fit of all tiles has none of that method.
void take_fit(MapJob& map, const Job& recommended);

}  // namespace nucreg
