// Which part of its job a result file holds.
#pragma once

#include "nucreg/plan/part.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

/// What the attribute `part` says; the whole where there is none. Throws InputError where it says
/// nothing sensible.
[[nodiscard]] Part part_of(const Attributes& attributes);

}  // namespace nucreg
