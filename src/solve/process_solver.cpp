// A solver in another process, in any language: lines of JSON on its standard input and output
// (tools/solvers/README.md). One process per solver and rank, started at its first solve.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/solve/registry.hpp"
#include "process_answer.hpp"

namespace nucreg {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

// A process whose standard input and output are one socket. It leads a group of its own, so that
// whatever it starts ends with it.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw BrokenProcess{
          fmt::format("no socket for the solver's process: {}", std::strerror(errno))};
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t rank = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      // A rank that is killed cannot end it; one that has ended already would send no signal.
      if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != rank) _exit(127);
      setpgid(0, 0);
      dup2(ends[1], STDIN_FILENO);
      dup2(ends[1], STDOUT_FILENO);
      execvp(words[0], words.data());
      _exit(127);
    }
    close(ends[1]);
    socket_ = ends[0];
    if (pid_ < 0) {
      close(socket_);
      throw BrokenProcess{fmt::format("no process for the solver: {}", std::strerror(errno))};
    }
    fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  ~Child() {
    close(socket_);
    if (pid_ <= 0) return;
    // The end of its input is its sign to end; a process that does not see it is killed.
    for (int i = 0; i < 50; ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) return;
      usleep(2000);
    }
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Sends a line and waits for one. Throws BrokenProcess if there is none by then.
  std::string exchange(const std::string& line, Clock::time_point deadline) {
    std::size_t sent = 0;
    for (;;) {
      if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
        std::string answer = received_.substr(0, end);
        received_.erase(0, end + 1);
        return answer;
      }
      const bool writes = sent < line.size();
      wait(writes, deadline);
      if (writes) send_some(line, sent);
      receive_some();
    }
  }

 private:
  void wait(bool to_write, Clock::time_point deadline) {
    pollfd waiting{socket_, static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)), 0};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) throw BrokenProcess{"the solver's process gave no answer in time"};
    // What it has started may hold its output open when it has ended itself.
    constexpr long look_ms = 250;
    if (poll(&waiting, 1, static_cast<int>(std::min<long>(left, look_ms))) == 0 && has_ended())
      died();
  }
  [[nodiscard]] bool has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }
  void send_some(const std::string& line, std::size_t& sent) {
    const ssize_t count = send(socket_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN && errno != EINTR) died();
  }
  void receive_some() {
    char buffer[1 << 14];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) died();
    if (received_.size() > max_answer_bytes)
      throw BrokenProcess{"the solver's process answers without end"};
  }
  [[noreturn]] void died() {
    int status = 0;
    for (int i = 0; i < 100 && waitpid(pid_, &status, WNOHANG) != pid_; ++i) usleep(1000);
    const bool gone = kill(pid_, 0) != 0;
    if (gone) kill(-std::exchange(pid_, -1), SIGKILL);  // what it has started
    if (gone && WIFSIGNALED(status))
      throw BrokenProcess{fmt::format("the solver's process died of signal {}", WTERMSIG(status))};
    if (gone && WEXITSTATUS(status) == 127)
      throw BrokenProcess{"the solver's process could not be started, or ended with status 127"};
    if (gone)
      throw BrokenProcess{
          fmt::format("the solver's process ended with status {}", WEXITSTATUS(status))};
    throw BrokenProcess{"the solver's process closed its output"};
  }

  static constexpr std::size_t max_answer_bytes = std::size_t{1} << 20;
  pid_t pid_ = -1;
  int socket_ = -1;
  std::string received_;
};

json numbers(const double* begin, std::size_t count) {
  json out = json::array();
  for (std::size_t i = 0; i < count; ++i) out.push_back(begin[i]);  // not finite: null
  return out;
}

json numbers(const Params& params) {
  return numbers(params.data(), static_cast<std::size_t>(params.size()));
}

std::string question(std::int64_t number, const Objective& f, const SolveRequest& request) {
  const PairsView& pairs = f.pairs();
  const json text{{"solve", number},
                  {"model", name_of(f.model())},
                  {"loss", name_of(f.loss())},
                  {"loss_scale", f.loss_scale()},
                  {"magnification", f.magnification()},
                  {"weight", f.weight()},
                  {"shift", f.form() == ShiftForm::plain ? "plain" : "scaled"},
                  {"start", numbers(request.start)},
                  {"lower", numbers(request.box.lower)},
                  {"upper", numbers(request.box.upper)},
                  // The process counts from 0; solves before, of other starts, count as well.
                  {"max_evaluations", request.max_evaluations - f.function_evaluations()},
                  {"ftol_rel", request.ftol_rel},
                  {"xtol_rel", request.xtol_rel},
                  {"max_seconds", request.max_seconds},
                  {"seed", request.seed},
                  {"x10", numbers(pairs.x10, pairs.size)},
                  {"y10", numbers(pairs.y10, pairs.size)},
                  {"x40", numbers(pairs.x40, pairs.size)},
                  {"y40", numbers(pairs.y40, pairs.size)}};
  return text.dump() + "\n";
}

class ProcessSolver : public Solver {
 public:
  ProcessSolver(std::vector<std::string> command, bool honours_bounds, double start_seconds)
      : command_(std::move(command)),
        honours_bounds_(honours_bounds),
        start_seconds_(start_seconds) {}
  [[nodiscard]] bool honours_bounds() const override { return honours_bounds_; }
  [[nodiscard]] SolveResult solve(Objective& f, const SolveRequest& request) const override {
    constexpr double grace_seconds = 2.0;  // for the answer to come, beyond what the solve may take
    SolveResult result{.params = request.start};
    const auto begin = Clock::now();
    try {
      const bool fresh = !child_;
      if (fresh) child_ = std::make_unique<Child>(command_);
      constexpr double max_countable_seconds = 1e9;  // which a clock can count
      const double seconds = std::min(max_countable_seconds, request.max_seconds + grace_seconds +
                                                                 (fresh ? start_seconds_ : 0.0));
      const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(seconds));
      const std::int64_t number = ++solves_;
      const ProcessAnswer answer = process_answer(
          child_->exchange(question(number, f, request), deadline), number, f.parameters());
      f.count(answer.function_evaluations, answer.jacobian_evaluations);
      result = answer.result;
    } catch (const BrokenProcess& broken) {
      child_.reset();  // the next solve has a new one
      result.message = broken.problem;
      // What was waited: that it has a time also says that nobody repeats the solve to time it.
      result.own_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      return result;
    }
    if (honours_bounds_ && result.status != SolveStatus::failed) hold(result, request);
    if (result.own_seconds > request.max_seconds) result.status = SolveStatus::max_time;
    if (f.function_evaluations() > request.max_evaluations &&
        result.status == SolveStatus::converged)
      result.status = SolveStatus::max_evaluations;
    return result;
  }

 private:
  // An answer outside the bounds by more than rounding is none.
  static void hold(SolveResult& result, const SolveRequest& request) {
    const Params within = clamp(result.params, request.box);
    const bool held =
        ((result.params - within).cwiseAbs().array() <= 1e-9 * (1.0 + within.cwiseAbs().array()))
            .all();
    result.params = held ? within : request.start;
    if (held) return;
    result.status = SolveStatus::failed;
    result.message = "the solver's process answered outside the bounds, which it says it honours";
  }

  std::vector<std::string> command_;
  bool honours_bounds_;
  double start_seconds_;
  // The process keeps nothing of a solve that another could see; that it runs is no state.
  mutable std::unique_ptr<Child> child_;
  mutable std::int64_t solves_ = 0;
};

}  // namespace

SolverKind process_kind() {
  return {.name = "process",
          .summary =
              "a program in any language, spoken to in lines of JSON (tools/solvers/README.md); "
              "timed by its own clock",
          .options = {{"command", std::vector<std::string>{}, 0.0, "the program and its arguments"},
                      {"bounds", false, 0.0, "whether it honours bounds"},
                      {"start_seconds", 30.0, 0.0,
                       "that it may take to load, before its first answer"}},
          .make =
              [](const SolverOptions& options) {
                const auto& command = std::get<std::vector<std::string>>(options.at("command"));
                if (command.empty())
                  throw JobError("no program",
                                 {.key = "command", .allowed = "[\"program\", \"argument\", ...]"});
                return std::make_unique<ProcessSolver>(
                    command, std::get<bool>(options.at("bounds")),
                    std::get<double>(options.at("start_seconds")));
              },
          .seconds = [](double pairs) { return 1e-3 + 2e-6 * pairs; }};
}

}  // namespace nucreg
