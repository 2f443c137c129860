// Which solvers a job can name, and their making.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/job/job.hpp"
#include "nucreg/solve/solver.hpp"

namespace nucreg {

/// One key of a `[[solver]]` section of some kind.
struct SolverOption {
  std::string name;
  OptionValue standard;  ///< default; its type is the type allowed
  double min = 0.0;      ///< of numbers
  std::string doc;
};

/// Options of one solver, every key present.
using SolverOptions = std::map<std::string, OptionValue>;

/// One kind of solver: a row of `nucreg solvers`.
struct SolverKind {
  std::string name;
  std::string summary;
  std::vector<SolverOption> options;
  /// Makes a solver. Throws JobError without file and line; the registry adds them.
  std::function<std::unique_ptr<Solver>(const SolverOptions&)> make;
  /// Throws JobError if the solver cannot do what the job asks of it; may be empty.
  std::function<void(const SolverOptions&, const FitOptions&)> check = {};
  /// Estimated seconds of one fit of n pairs, for plans and for handing out big trials first.
  std::function<double(double pairs)> seconds;
};

class SolverRegistry {
 public:
  void add(SolverKind kind);
  [[nodiscard]] const std::vector<SolverKind>& kinds() const { return kinds_; }

  /// The kind of a spec. Throws JobError (line, the kinds that exist).
  [[nodiscard]] const SolverKind& kind(const SolverSpec& spec, const std::string& file) const;
  /// Options with defaults filled in. Throws JobError on unknown keys, types and ranges.
  [[nodiscard]] SolverOptions options(const SolverSpec& spec, const std::string& file) const;
  /// The solver of a spec, checked against the job's fit.
  [[nodiscard]] std::unique_ptr<Solver> make(const SolverSpec& spec, const Job& job) const;

 private:
  std::vector<SolverKind> kinds_;
};

/// All kinds that nucreg ships.
[[nodiscard]] SolverRegistry standard_solvers();

// One function per kind, each in its own file; standard_solvers() adds them.
[[nodiscard]] SolverKind nlopt_kind();
[[nodiscard]] SolverKind eigen_lm_kind();
[[nodiscard]] SolverKind lm_kind();
[[nodiscard]] SolverKind closed_form_kind();
[[nodiscard]] SolverKind irls_kind();
[[nodiscard]] SolverKind consensus_kind();
[[nodiscard]] SolverKind process_kind();
[[nodiscard]] SolverKind ceres_kind();
[[nodiscard]] SolverKind gsl_kind();

/// Names of all algorithms that the NLopt library knows, as a job writes them.
[[nodiscard]] std::vector<std::string> nlopt_algorithms();

/// The option `evaluation` of kinds that minimise through Objective alone: "points" or "moments".
[[nodiscard]] SolverOption evaluation_option();
/// Whether it asks for moments (Objective::use_moments). Throws JobError on any other word.
[[nodiscard]] bool by_moments(const SolverOptions& options);

/// "key = value, ..." for /solvers/options.
[[nodiscard]] std::string options_text(const SolverOptions& options);

}  // namespace nucreg
