// Solvers in other processes: what they answer, and what they may do wrong without harm.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "unit/solve/problems.hpp"

using namespace nucreg;

namespace {

std::unique_ptr<Solver> process_solver_of(std::vector<std::string> command) {
  SolverSpec spec{.name = "S", .kind = "process"};
  spec.options["command"] = std::move(command);
  spec.options["start_seconds"] = 20.0;
  return standard_solvers().make(spec, Job{});
}

// A program that reads questions `q` and, for each, runs the statements that print an answer.
std::vector<std::string> python(const std::string& statements) {
  return {NUCREG_PYTHON, "-c",
          "import sys, json, os, time\n"
          "for line in sys.stdin:\n"
          "    q = json.loads(line)\n"
          "    good = {'solve': q['solve'], 'params': q['start'], 'status': 'stalled',\n"
          "            'seconds': 0.25, 'function_evaluations': 3, 'jacobian_evaluations': 2}\n" +
              statements + "\n    sys.stdout.flush()\n"};
}

const std::string answers = "    print(json.dumps(good))";

SolveResult solve(const Solver& solver, double max_seconds = 5.0) {
  ScaledProblem problem(solve_test::pairs(30, 1.0), Model::affine, Loss::huber, 3.0, 4.0);
  problem.request.max_seconds = max_seconds;
  Objective objective = problem.objective();
  return solver.solve(objective, problem.request);
}

}  // namespace

TEST_CASE("a process is asked, its answer, counts and time are taken as they are") {
  ScaledProblem problem(solve_test::pairs(30, 1.0), Model::trs, Loss::huber, 3.0, 4.0);
  const auto solver = process_solver_of(python(
      "    ok = (q['model'] == 'trs' and q['loss'] == 'huber' and len(q['x10']) == 30 and\n"
      "          q['shift'] == 'plain' and q['lower'] == [None] * 5 and len(q['start']) == 5)\n"
      "    good['message'] = 'as asked' if ok else line\n" +
      answers));
  for (int i = 0; i < 3; ++i) {
    Objective objective = problem.objective();
    const SolveResult result = solver->solve(objective, problem.request);
    CHECK(result.status == SolveStatus::stalled);
    CHECK(result.message == "as asked");
    CHECK(result.params == problem.request.start);
    CHECK(result.own_seconds == 0.25);
    CHECK(objective.function_evaluations() == 3);
    CHECK(objective.jacobian_evaluations() == 2);
  }
  problem.request.max_evaluations = 2;  // it says itself that it took 3
  Objective objective = problem.objective();
  static_cast<void>(solver->solve(objective, problem.request));
  CHECK(objective.function_evaluations() == 3);
}

TEST_CASE("what a process does wrong costs its row, with the reason, and no later one") {
  struct Misdeed {
    std::string statements, reason;
  };
  // Wrong at its first question, right at all others: a new process begins to count anew, so the
  // second question is told by its number.
  const std::string first = "    if q['solve'] == 1:\n        ";
  for (const Misdeed& misdeed :
       {Misdeed{"os._exit(3)", "status 3"}, Misdeed{"os.kill(os.getpid(), 9)", "signal 9"},
        Misdeed{"print('hello', flush=True); continue", "no JSON object"},
        Misdeed{"print('[1]', flush=True); continue", "no JSON object"},
        Misdeed{"good['solve'] = 7", "another solve"},
        Misdeed{"good['params'] = [1, 2]", "not 6 numbers"},
        Misdeed{"good['params'] = ['a'] * 6", "not 6 numbers"},
        Misdeed{"good['status'] = 'splendid'", "\"status\""},
        Misdeed{"good['seconds'] = -1", "\"seconds\""},
        Misdeed{"good['function_evaluations'] = 'many'", "no count"},
        Misdeed{"os.close(1); os.close(0); time.sleep(3)", "closed its output"}}) {
    CAPTURE(misdeed.statements);
    const auto solver = process_solver_of(python(first + misdeed.statements + "\n" + answers));
    const SolveResult wrong = solve(*solver);
    CAPTURE(wrong.message);
    CHECK(wrong.status == SolveStatus::failed);
    CHECK(wrong.message.find(misdeed.reason) != std::string::npos);
    CHECK(wrong.params.allFinite());
    CHECK(solve(*solver).status == SolveStatus::stalled);
  }
}

TEST_CASE("a process that honours bounds is held to it") {
  SolverSpec spec{.name = "S", .kind = "process"};
  spec.options["start_seconds"] = 20.0;
  spec.options["bounds"] = true;
  ScaledProblem problem(solve_test::pairs(30, 1.0), Model::trs, Loss::huber, 3.0, 4.0,
                        Coordinates::normalized, solve_test::whole_box());
  const auto answer = [&](const std::string& statement) {
    spec.options["command"] = python("    " + statement + "\n" + answers);
    Objective objective = problem.objective();
    return standard_solvers().make(spec, Job{})->solve(objective, problem.request);
  };
  CHECK(answer("good['params'] = q['upper']").status == SolveStatus::stalled);
  const SolveResult rounded = answer("good['params'] = [u * (1 + 1e-15) for u in q['upper']]");
  CHECK(rounded.status == SolveStatus::stalled);
  CHECK(solve_test::within(rounded.params, problem.request.box));
  const SolveResult outside = answer("good['params'][2] = 2 * q['upper'][2]");
  CHECK(outside.status == SolveStatus::failed);
  CHECK(outside.message.find("outside the bounds") != std::string::npos);
  CHECK(solve_test::within(outside.params, problem.request.box));
  spec.options["bounds"] = false;
  CHECK(answer("good['params'][2] = 2 * q['upper'][2]").status == SolveStatus::stalled);
}

TEST_CASE("starts of a process share its budgets, and its time is that of all") {
  SolverSpec spec{.name = "S", .kind = "process"};
  spec.options["command"] =
      python("    good['function_evaluations'] = q['max_evaluations']\n" + answers);
  spec.options["start_seconds"] = 20.0;
  spec.options["starts"] = std::int64_t{4};
  const auto solver = standard_solvers().make(spec, Job{});
  ScaledProblem problem(solve_test::pairs(30, 1.0), Model::affine, Loss::huber, 3.0, 4.0);
  problem.request.max_evaluations = 41;
  problem.request.max_seconds = 5.0;
  Objective all = problem.objective();
  const SolveResult result = solver->solve(all, problem.request);
  CHECK(result.own_seconds == 1.0);
  CHECK(all.function_evaluations() == 41);  // nothing is left, and no more than that is taken

  problem.request.max_seconds = 0.6;  // the third is over it
  Objective some = problem.objective();
  const SolveResult late = solver->solve(some, problem.request);
  CHECK(late.status == SolveStatus::max_time);
  CHECK(late.own_seconds == 0.75);
}

TEST_CASE("a drawn start takes the middle of the points to the middle of their partners") {
  SolverSpec spec{.name = "S", .kind = "process"};
  spec.options["command"] = python(answers);  // the start as it is
  spec.options["start_seconds"] = 20.0;
  spec.options["starts"] = std::int64_t{2};
  const auto solver = standard_solvers().make(spec, Job{});
  for (const Model model : fit_test::all_models) {
    CAPTURE(name_of(model));
    ScaledProblem problem(solve_test::pairs(30, 1.0), model, Loss::squared, 3.0, 4.0,
                          Coordinates::raw);
    problem.start_at({Model::trs, (Params(5) << 1e7, 0, 0, 4, 4).finished(), 4});
    Objective objective = problem.objective();
    const SolveResult result = solver->solve(objective, problem.request);
    CHECK(result.params != problem.request.start);
    const Centroids middle = centroids(problem.pairs_px());
    const auto there = apply(problem.map_of(result), middle.x10, middle.y10);
    CHECK(there[0] == doctest::Approx(middle.x40).epsilon(1e-9));
    CHECK(there[1] == doctest::Approx(middle.y40).epsilon(1e-9));
  }
}

TEST_CASE("a very long limit of time is none") {
  CHECK(solve(*process_solver_of(python(answers)), 1e300).status == SolveStatus::stalled);
}

TEST_CASE("a process that hangs is ended in time, one that is not there says so") {
  const auto late =
      process_solver_of(python("    if q['solve'] == 2: time.sleep(1000)\n" + answers));
  CHECK(solve(*late).status == SolveStatus::stalled);
  const SolveResult hung = solve(*late, 0.1);
  CHECK(hung.status == SolveStatus::failed);
  CHECK(hung.message.find("in time") != std::string::npos);
  CHECK(solve(*late).status == SolveStatus::stalled);
  const SolveResult absent = solve(*process_solver_of({"no-such-program-anywhere"}));
  CHECK(absent.status == SolveStatus::failed);
  CHECK(absent.message.find("could not be started") != std::string::npos);
}

TEST_CASE("a process that has ended is noticed, though another holds its output") {
  const auto solver = process_solver_of(
      python("    import subprocess; subprocess.Popen(['sleep', '30']); os._exit(3)"));
  const auto begin = std::chrono::steady_clock::now();
  const SolveResult ended = solve(*solver, 15.0);
  CHECK(ended.message.find("status 3") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(14));
}

TEST_CASE("a process ends with the rank that it works for") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t rank = fork();
  if (rank == 0) {
    close(ends[0]);
    // The process keeps the pipe open as long as it lives.
    static_cast<void>(solve(
        *process_solver_of(python(fmt::format("    os.write({}, b'.'); time.sleep(60)", ends[1]))),
        50.0));
    _exit(0);
  }
  close(ends[1]);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1);  // it is at work
  kill(rank, SIGKILL);
  waitpid(rank, nullptr, 0);
  pollfd ended{ends[0], POLLIN, 0};
  CHECK(poll(&ended, 1, 20'000) == 1);
  CHECK(read(ends[0], &byte, 1) == 0);
  close(ends[0]);
}

TEST_CASE("SciPy's solvers reach what lm reaches, for every model and loss") {
  if (std::system(NUCREG_PYTHON " -c 'import scipy.optimize' 2>/dev/null") != 0) {
    MESSAGE("skipped: no SciPy");
    return;
  }
  const std::string script = NUCREG_SOURCE_DIR "/tools/solvers/scipy_solver.py";
  for (const std::string method : {"L-BFGS-B", "lm", "trf"}) {
    const auto solver = process_solver_of({NUCREG_PYTHON, script, method});
    for (const Model model : fit_test::all_models)
      for (const Loss loss : fit_test::all_losses) {
        CAPTURE(method);
        CAPTURE(name_of(model));
        CAPTURE(name_of(loss));
        ScaledProblem problem(solve_test::pairs(60, 1.0), model, loss,
                              loss == Loss::tukey ? 500.0 : 30.0, 4.0);
        Objective own = problem.objective(), other = problem.objective();
        const double least = problem.value_px(make_solver("lm")->solve(own, problem.request));
        const SolveResult result = solver->solve(other, problem.request);
        CAPTURE(result.message);
        CHECK(result.status != SolveStatus::failed);
        CHECK(problem.value_px(result) == doctest::Approx(least).epsilon(1e-7));
        CHECK(other.function_evaluations() > 0);
        CHECK(result.own_seconds > 0.0);
      }
  }
}
