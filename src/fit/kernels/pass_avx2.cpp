// The passes for the instruction set "avx2".
#define NUCREG_ISA avx2
#include "pass_impl.hpp"
