// The passes for the instruction set "baseline".
#define NUCREG_ISA baseline
#include "pass_impl.hpp"
