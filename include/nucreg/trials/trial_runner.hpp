// One task of a run: make the trial, let every solver have it, measure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/fit/generate.hpp"
#include "nucreg/fit/pass_threads.hpp"
#include "nucreg/fit/scaled_fit.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// A solver under the name that the job gave it.
struct NamedSolver {
  std::string name;
  std::unique_ptr<Solver> solver;
  std::function<double(double pairs)> seconds;  ///< SolverKind::seconds
};

/// Runs trials of one job on one rank. Everything but times, memory, rank and timing_valid is a
/// pure function of the job and the task.
class TrialRunner {
 public:
  /// `clock_trusted` false: ranks or threads share processors, so no timing is valid.
  TrialRunner(const Job& job, const Plan& plan, std::unique_ptr<ProblemSource> source,
              std::vector<NamedSolver> solvers, int rank, bool clock_trusted);

  /// The records of a task (Plan::tasks), one per solver. A solve that fails is a record.
  [[nodiscard]] std::vector<Record> run(std::uint64_t task) const;
  /// The same as bytes at the end of `payload`.
  void run(std::uint64_t task, Bytes& payload) const;
  /// The records of a task that cannot be run, since it ends or hangs its rank: all failed, with
  /// the reason as their message.
  void give_up(std::uint64_t task, const std::string& reason, Bytes& payload) const;

 private:
  struct Prepared;
  [[nodiscard]] Prepared prepare(const Configuration& configuration, const Trial& trial) const;
  [[nodiscard]] static std::vector<TracePoint> in_px2(std::vector<TracePoint> points,
                                                      const Prepared& prepared);
  void solve(const Prepared& prepared, const NamedSolver& solver, Record& record) const;
  /// Of an answer: certificate, status, message and measures.
  void judge_answer(const Prepared& prepared, SolveResult& result, Objective::NotFinite not_finite,
                    bool refused_memory, Record& record) const;

  const Job& job_;
  const Plan& plan_;
  std::unique_ptr<ProblemSource> source_;
  std::vector<NamedSolver> solvers_;
  int rank_;
  bool clock_trusted_;
  std::unique_ptr<PassThreads> threads_;  // null if there is one only
};

}  // namespace nucreg
