#include "echo.hpp"
#include "nucreg/job/parse.hpp"

namespace nucreg {

using namespace job_fields;

std::string to_toml(const Job& job) {
  Job copy = job;  // the walk may fill in what a job made by hand left out
  Writer writer(copy.problem.source);
  writer.section("[job]");
  describe(writer, copy.job);
  writer.section("[problem]");
  describe(writer, copy.problem);
  writer.section("[fit]");
  describe(writer, copy.fit);
  for (SolverSpec& solver : copy.solvers) {
    writer.section("[[solver]]");
    describe(writer, solver);
    for (const auto& [key, value] : solver.options) writer.option(key, value);
  }
  writer.section("[run]");
  describe(writer, copy.run);
  return writer.text();
}

std::string job_reference() {
  Job job;
  Reference reference;
  reference.section("job");
  describe(reference, job.job);
  reference.section("problem");
  for (const Model model : {Model::trs, Model::similarity, Model::projective}) {
    job.problem.transform = {.model = model, .params = {}};
    describe(reference, job.problem);
  }
  reference.section("fit");
  describe(reference, job.fit);
  SolverSpec solver;
  reference.section("solver");
  describe(reference, solver);
  reference.section("run");
  describe(reference, job.run);
  return reference.text();
}

}  // namespace nucreg
