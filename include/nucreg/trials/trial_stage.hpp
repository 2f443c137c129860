// The trials of a run: its inputs, its solvers, and the stage that runs them over ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/fit/generate.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/stage.hpp"
#include "nucreg/solve/registry.hpp"
#include "nucreg/trials/trial_runner.hpp"

namespace nucreg {

/// Reads problem.files, in order; empty for synthetic problems. The field of pairs is the bounding
/// box from the origin of their 10x points. Throws InputError.
[[nodiscard]] std::vector<InputFile> read_inputs(const Job& job);
/// Fills Configuration::points with what was read.
void fill_counts(Plan& plan, const std::vector<InputFile>& inputs);

/// The solvers of a job, in its order. Throws JobError.
[[nodiscard]] std::vector<NamedSolver> make_solvers(const SolverRegistry& registry, const Job& job);

/// Throw what is wrong with solvers and problems of a job before it runs.
void check_solvers(const SolverRegistry& registry, const Job& job);
void check_problems(const Job& job, const Plan& plan, const std::vector<InputFile>& inputs);

/// Estimated seconds of one trial with all its solvers and timing repeats.
[[nodiscard]] double trial_seconds(const SolverRegistry& registry, const Job& job,
                                   const Configuration& configuration);
/// Blocks of the tasks of a part, the most expensive configurations first.
[[nodiscard]] TaskList task_list(const SolverRegistry& registry, const Job& job, const Plan& plan,
                                 const Part& part);
/// "configuration 3: trials 4-9, 12; configuration 5: trial 1", cut off if it gets long.
[[nodiscard]] std::string trials_text(const std::vector<TaskList::Block>& tasks, const Plan& plan);

/// What a rank must know to run trials.
struct TrialSetup {
  std::string job_toml;  ///< resolved
  std::string output;    ///< result file, absolute: logs lie next to it
  std::vector<InputFile> inputs;
  std::vector<bool> clock_trusted;  ///< by rank: no ranks or threads share processors there
};

/// A task is a trial with all its solvers (Plan::tasks); results are put_records. Limits: a lease
/// that no trial can outlast whose solvers keep to max_seconds.
class TrialStage final : public Stage {
 public:
  static constexpr const char* kind = "trials";
  /// On rank `rank`. On the root `part` and `identity` (run_identity) count.
  TrialStage(TrialSetup setup, const SolverRegistry& registry, int rank, const Part& part = {},
             std::string identity = {});
  /// On another rank, whose log it opens.
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader,
                                                         const SolverRegistry& registry, int rank);

  [[nodiscard]] StageName name() const override { return {kind, "running", "trial"}; }
  [[nodiscard]] TaskList tasks() const override;
  [[nodiscard]] StageLimits limits() const override;
  void write(ByteWriter& writer) const override;
  void run(std::uint64_t task, Bytes& result) const override { runner_->run(task, result); }
  void give_up(std::uint64_t task, Bytes& result) const override;
  [[nodiscard]] std::string describe(const std::vector<TaskList::Block>& tasks) const override {
    return trials_text(tasks, plan_);
  }
  [[nodiscard]] std::string identity() const override { return identity_; }

 private:
  const TrialSetup setup_;
  const SolverRegistry& registry_;
  const Part part_;
  const std::string identity_;
  const Job job_;
  const Plan plan_;
  std::unique_ptr<const TrialRunner> runner_;
};

}  // namespace nucreg
