// Fits of one problem by nucreg's solvers, by Ceres and by GSL, one at a time as asked, so that
// tools/bench/run can take them in turn with others. Reads lines from standard input:
//     load FILE [THREADS]   pairs (.npy) in normalized coordinates -> "loaded N"
//     fit SECONDS SOLVER    repeated for about so long -> "SECONDS_PER_FIT EVALUATIONS CONVERGED
//                           a b tx c d ty"
//     solvers               -> their names, separated by ", "
// Ends with the input; what it cannot do ends it with a message and status 2.
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "nucreg/core/allocation.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/fit/pairs_file.hpp"
#include "nucreg/solve/registry.hpp"
#include "solver_peers.hpp"

namespace {

using namespace nucreg;
using bench::Fit;
using bench::Fitter;

Fitter nucreg_fit(const PairsView& pairs, const SolverSpec& spec, PassThreads* threads) {
  const SolverRegistry registry = standard_solvers();
  const std::shared_ptr<const Solver> solver =
      registry.kind(spec, "").make(registry.options(spec, ""));
  SolveRequest request{.start = Eigen::Map<const Eigen::VectorXd>(bench::start.data(), 6),
                       .max_evaluations = bench::max_evaluations,
                       .ftol_rel = bench::tolerance,
                       .xtol_rel = bench::tolerance};
  request.box = box_of(Bounds{}, Model::affine);
  return [=] {
    Objective objective(pairs, Model::affine, Loss::squared, 1.0, 1.0,
                        1.0 / static_cast<double>(pairs.size), threads);
    const SolveResult result = solver->solve(objective, request);
    Fit fit{{}, objective.function_evaluations(), result.status == SolveStatus::converged};
    std::copy(result.params.begin(), result.params.end(), fit.params.begin());
    return fit;
  };
}

// The problem in hand, with its fits. Those of others keep their workspaces, which are large: they
// are made when asked for.
class Bench {
 public:
  void load(const std::string& file, std::size_t threads) {
    fits_.clear();
    pairs_ = read_pairs(file);
    threads_ = threads > 1 ? std::make_unique<PassThreads>(threads) : nullptr;
  }
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }
  [[nodiscard]] std::string names() const {
    std::string names;
    for (const auto& [name, make] : makers_) names += (names.empty() ? "" : ", ") + name;
    return names;
  }
  const Fitter& fit(const std::string& name) {
    const auto maker = makers_.find(name);
    if (maker == makers_.end())
      throw JobError(fmt::format("no solver \"{}\"", name), {.allowed = names()});
    Fitter& fitter = fits_[name];
    if (!fitter) fitter = maker->second(pairs_);
    return fitter;
  }

 private:
  std::function<Fitter(const PairsView&)> own(const std::string& kind,
                                              std::map<std::string, OptionValue> options) {
    return [this, spec = SolverSpec{kind, kind, std::move(options)}](const PairsView& pairs) {
      return nucreg_fit(pairs, spec, threads_.get());
    };
  }

  PointPairs pairs_;
  std::unique_ptr<PassThreads> threads_;
  std::map<std::string, Fitter> fits_;
  const std::string lbfgs_ = "LD_LBFGS", moments_ = "moments";
  const std::map<std::string, std::function<Fitter(const PairsView&)>> makers_{
      {"lm", own("lm", {})},
      {"lm moments", own("lm", {{"evaluation", moments_}})},
      {"eigen-lm", own("eigen-lm", {})},
      {"closed-form", own("closed-form", {})},
      {"L-BFGS", own("nlopt", {{"algorithm", lbfgs_}})},
      {"L-BFGS moments", own("nlopt", {{"algorithm", lbfgs_}, {"evaluation", moments_}})},
      {"kind ceres", own("ceres", {})},  // what a job runs, beside the library alone
      {"kind gsl", own("gsl", {})},
      {"ceres qr", [](auto& p) { return bench::ceres_fit(p, bench::Linear::qr, 1e4); }},
      {"ceres cholesky",
       [](auto& p) { return bench::ceres_fit(p, bench::Linear::normal_cholesky, 1e4); }},
      {"ceres cholesky undamped",
       [](auto& p) { return bench::ceres_fit(p, bench::Linear::normal_cholesky, 1e16); }},
      {"gsl qr", [](auto& p) { return bench::gsl_fit(p, bench::Linear::qr); }},
      {"gsl cholesky", [](auto& p) { return bench::gsl_fit(p, bench::Linear::normal_cholesky); }}};
};

std::string timed(const Fitter& fit, double seconds) {
  Fit found = fit();  // brings the points into the cache, as far as they fit
  long fits = 0;
  double took = 0.0;
  for (const double begin = wall_seconds(); fits == 0 || took < seconds;
       took = wall_seconds() - begin) {
    // As many again as were made, so that reading the clock costs nothing.
    const long more = std::max(1L, fits);
    for (long i = 0; i < more; ++i) found = fit();
    fits += more;
  }
  return fmt::format("{} {} {} {}", took / static_cast<double>(fits), found.evaluations,
                     static_cast<int>(found.converged), fmt::join(found.params, " "));
}

std::string answer(Bench& bench, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "solvers") return bench.names();
  if (command == "load") {
    std::string file;
    std::size_t threads = 1;
    words >> file >> threads;
    bench.load(file, threads);
    return fmt::format("loaded {}", bench.size());
  }
  if (command == "fit" && bench.size() > 0) {
    double seconds = 0.0;
    std::string name;
    words >> seconds >> std::ws;
    std::getline(words, name);
    return timed(bench.fit(name), seconds);
  }
  throw JobError(fmt::format("cannot do \"{}\"", line), {.allowed = "load, then fit; solvers"});
}

}  // namespace

int main() {
  try {
    keep_freed_memory();  // as the ranks of a run do
    Bench bench;
    for (std::string line; std::getline(std::cin, line);) {
      std::puts(answer(bench, line).c_str());
      std::fflush(stdout);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_solvers: %s\n", error.what());
    return 2;
  }
}
