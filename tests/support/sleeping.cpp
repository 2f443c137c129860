// A solver that sleeps and answers its start: a run of any length that leaves the processors alone.
#include <sys/prctl.h>

#include <chrono>
#include <memory>
#include <thread>

#include "nucreg/app/program.hpp"

namespace nucreg {
namespace {

class SleepingSolver final : public Solver {
 public:
  explicit SleepingSolver(double seconds) : seconds_(seconds) {}
  [[nodiscard]] bool honours_bounds() const override { return true; }
  [[nodiscard]] SolveResult solve(Objective&, const SolveRequest& request) const override {
    // Else Linux lets every sleep last 50 us more.
    [[maybe_unused]] thread_local const int exact = prctl(PR_SET_TIMERSLACK, 1);
    if (seconds_ > 0.0) std::this_thread::sleep_for(std::chrono::duration<double>(seconds_));
    return {.params = request.start, .status = SolveStatus::stalled, .reason = ""};
  }

 private:
  double seconds_;
};

SolverRegistry solvers() {
  SolverRegistry registry = standard_solvers();
  registry.add({.name = "sleep",
                .summary = "sleeps",
                .options = {{.name = "seconds", .standard = 0.0, .doc = "of each solve"}},
                .make = [](const SolverOptions& options) -> std::unique_ptr<Solver> {
                  return std::make_unique<SleepingSolver>(std::get<double>(options.at("seconds")));
                },
                .seconds = [](double) { return 1e-3; }});
  return registry;
}

}  // namespace
}  // namespace nucreg

int main(int argc, char** argv) {
  return nucreg::run_program(argc, argv, nucreg::solvers());
}
