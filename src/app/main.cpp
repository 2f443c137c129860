#include "nucreg/app/program.hpp"

int main(int argc, char** argv) {
  return nucreg::run_program(argc, argv, nucreg::standard_solvers());
}
