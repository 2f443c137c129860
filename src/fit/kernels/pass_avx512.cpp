// The passes for the instruction set "avx512".
#define NUCREG_ISA avx512
#include "pass_impl.hpp"
