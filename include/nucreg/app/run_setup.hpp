// What a rank must know to do its share: the job, its inputs, and whether its clock can be trusted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nucreg/app/trial_runner.hpp"
#include "nucreg/fit/generate.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/plan/part.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

/// The same on every rank; travels as bytes.
struct RunSetup {
  std::string job_toml;  ///< resolved
  std::string build;     ///< of the root: ranks of another build would not give the same bits
  std::string output;    ///< result file, absolute: logs lie beside it
  std::vector<InputFile> inputs;
  std::vector<bool> clock_trusted;  ///< by rank

  [[nodiscard]] Bytes to_bytes() const;
  [[nodiscard]] static RunSetup from_bytes(const Bytes& bytes);
};

/// The solvers of a job, in its order. Throws JobError.
[[nodiscard]] std::vector<NamedSolver> make_solvers(const Job& job);

/// Estimated seconds of one trial with all its solvers and timing repeats.
[[nodiscard]] double trial_seconds(const SolverRegistry& registry, const Job& job,
                                   const Configuration& configuration);

/// Blocks of the tasks of a part that are not done, the most expensive configurations first. `done`
/// is by task; empty: none is.
[[nodiscard]] TaskList task_list(const Job& job, const Plan& plan, const Part& part,
                                 const std::vector<bool>& done);

/// What root and other ranks must agree on, with a lease that no trial can outlast whose solvers
/// keep to max_seconds.
[[nodiscard]] DispatchOptions dispatch_options(const Job& job, const Plan& plan);

/// "configuration 3: trials 4-9, 12; configuration 5: trial 1", cut off where it gets long.
[[nodiscard]] std::string trials_text(const std::vector<TaskList::Block>& tasks, const Plan& plan);

}  // namespace nucreg
