// Solvers that no program should have to bear.
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "nucreg/app/program.hpp"

namespace nucreg {
namespace {

SolveResult answers_nan(Objective&, const SolveRequest& request) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {.params = Params::Constant(request.start.size(), nan), .status = SolveStatus::converged};
}

SolveResult throws_exception(Objective&, const SolveRequest&) {
  throw std::runtime_error("as badly as I can");
}

SolveResult throws_number(Objective&, const SolveRequest&) {
  throw 42;
}

// As a library in C may: it looks at what malloc gives it and gives up.
SolveResult gives_up_without_memory(Objective&, const SolveRequest& request) {
  std::vector<std::unique_ptr<void, void (*)(void*)>> blocks;
  blocks.reserve(1000);
  SolveResult result{.params = request.start, .reason = "no memory"};
  while (blocks.size() < 1000) {
    blocks.emplace_back(std::malloc(std::size_t{1} << 20), std::free);
    if (!blocks.back()) return result;
  }
  result.status = SolveStatus::converged;
  return result;
}

// Never asks whether it is out of time.
SolveResult never_returns(Objective&, const SolveRequest&) {
  while (true) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

SolveResult allocates_without_end(Objective&, const SolveRequest&) {
  std::vector<std::vector<double>> blocks;
  while (true) blocks.emplace_back(std::size_t{1} << 23, 1.0);
}

// Spends its time off the processor like a solve that others were preferred to. It has not moved
// from the start, and says so: what it called converged would be taken from it.
SolveResult naps(Objective&, const SolveRequest& request) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return {.params = request.start, .status = SolveStatus::stalled};
}

// Every fifth time it has an answer: with four repeats, the first time in each trial.
SolveResult answers_once(Objective&, const SolveRequest& request) {
  static int calls = 0;
  if (calls++ % 5 == 0) return {.params = request.start, .status = SolveStatus::stalled};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {.params = Params::Constant(request.start.size(), nan), .status = SolveStatus::max_time};
}

using Misdeed = SolveResult (*)(Objective&, const SolveRequest&);

class MisbehavingSolver final : public Solver {
 public:
  explicit MisbehavingSolver(Misdeed misdeed) : misdeed_(misdeed) {}
  [[nodiscard]] bool honours_bounds() const override { return true; }
  [[nodiscard]] SolveResult solve(Objective& objective,
                                  const SolveRequest& request) const override {
    return misdeed_(objective, request);
  }

 private:
  Misdeed misdeed_;
};

SolverKind kind_of(const char* name, Misdeed misdeed) {
  return {.name = name,
          .summary = "misbehaves",
          .options = {},
          .make = [misdeed](const SolverOptions&) -> std::unique_ptr<Solver> {
            return std::make_unique<MisbehavingSolver>(misdeed);
          },
          .seconds = [](double) { return 1e-3; }};
}

SolverRegistry solvers() {
  SolverRegistry registry = standard_solvers();
  registry.add(kind_of("answers-nan", answers_nan));
  registry.add(kind_of("throws-exception", throws_exception));
  registry.add(kind_of("throws-number", throws_number));
  registry.add(kind_of("naps", naps));
  registry.add(kind_of("answers-once", answers_once));
  registry.add(kind_of("never-returns", never_returns));
  registry.add(kind_of("allocates-without-end", allocates_without_end));
  registry.add(kind_of("gives-up-without-memory", gives_up_without_memory));
  return registry;
}

}  // namespace
}  // namespace nucreg

int main(int argc, char** argv) {
  return nucreg::run_program(argc, argv, nucreg::solvers());
}
