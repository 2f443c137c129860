#include "nucreg/app/crash_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

#include "nucreg/app/on_ranks.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

/// Processor time that no command needs for sound files of that size: the slowest reads some
/// megabytes a second.
rlim_t seconds_for(const std::vector<fs::path>& files) {
  if (const char* given = std::getenv("NUCREG_READ_SECONDS"))
    if (const long seconds = std::atol(given); seconds > 0) return static_cast<rlim_t>(seconds);
  constexpr rlim_t base_seconds = 30;
  constexpr std::uintmax_t bytes_per_second = std::uintmax_t{256} << 10;
  rlim_t seconds = base_seconds;
  for (const fs::path& file : files) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(file, error);
    if (!error) seconds += bytes / bytes_per_second;
  }
  return seconds;
}

/// In the child: it ends with its parent, after `seconds` of processor time, by any signal, and
/// leaves no core file.
void become_reader(pid_t parent, rlim_t seconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) std::_Exit(static_cast<int>(ExitStatus::bug));
  // A launcher's library reports crashes; those that stop a run wait for its tasks.
  for (const int number :
       {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU})
    std::signal(number, SIG_DFL);
  rlimit limit{};
  if (getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur > seconds) {
    limit.rlim_cur = seconds;
    setrlimit(RLIMIT_CPU, &limit);
  }
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

/// How a child ended that did not end by itself.
struct Ended {
  int number = 0;  // of the signal
  [[nodiscard]] bool crashed() const {
    return number == SIGSEGV || number == SIGBUS || number == SIGABRT || number == SIGFPE;
  }
};

/// Waits for the child; nothing if it left by itself, with `status`.
std::optional<Ended> wait_for(pid_t child, int& status) {
  int ended = 0;
  while (waitpid(child, &ended, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(ended)) return Ended{WTERMSIG(ended)};
  status = WEXITSTATUS(ended);
  return std::nullopt;
}

/// Throws InputError unless somebody has ended the child.
void throw_if_file_is_at_fault(const std::vector<fs::path>& files, rlim_t seconds, Ended ended) {
  if (!ended.crashed() && ended.number != SIGXCPU) return;
  std::string names;
  for (const fs::path& file : files) names += (names.empty() ? "" : " or ") + file.string();
  throw InputError(
      ended.crashed()
          ? fmt::format("reading it crashed (SIG{}), as the HDF5 library does if a file is damaged",
                        sigabbrev_np(ended.number))
          : fmt::format("reading it did not end in {} s of processor time, as if it is damaged",
                        seconds),
      {.file = names,
       .allowed =
           ended.crashed() ? "" : "NUCREG_READ_SECONDS=N for a sound file that takes longer"});
}

enum class Sent : std::uint8_t { piece, failure };

/// What the child's exception was.
struct Failed {
  ExitStatus status = ExitStatus::bug;
  std::string problem;
  std::string file, key, allowed;
  int line = 0;
};
void fields(auto& archive, MaybeConst<Failed> auto& failed) {
  archive(failed.status, failed.problem, failed.file, failed.key, failed.allowed, failed.line);
}

Failed failure_in_flight() {
  try {
    throw;
  } catch (const Error& e) {
    const ErrorFields& f = e.fields();
    return {e.status(), e.problem(), f.file, f.key, f.allowed, f.line};
  } catch (const std::bad_alloc&) {
    return {ExitStatus::input, "there is not enough memory to read it", {}, {}, {}, 0};
  } catch (const std::exception& e) {
    return {ExitStatus::bug, e.what(), {}, {}, {}, 0};
  }
}

[[noreturn]] void rethrow(const Failed& failed) {
  const ErrorFields fields{failed.file, failed.line, failed.key, failed.allowed};
  if (failed.status == ExitStatus::usage) throw JobError(failed.problem, fields);
  if (failed.status == ExitStatus::input) throw InputError(failed.problem, fields);
  if (failed.status == ExitStatus::output) throw OutputError(failed.problem, fields);
  if (failed.status == ExitStatus::bug) throw std::runtime_error(failed.problem);
  throw Error(failed.status, failed.problem, fields);
}

/// Messages of a child, each behind its length.
class Pipe {
 public:
  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
      throw Error(ExitStatus::bug, fmt::format("pipe: {}", std::strerror(errno)));
    out_ = Descriptor(ends[0]);
    in_ = Descriptor(ends[1]);
  }
  void close_in() { in_ = Descriptor(); }
  void send(Sent kind, std::span<const std::byte> bytes) const {
    const Bytes head = to_bytes(std::uint64_t{bytes.size()}, kind);
    for (const auto part : {std::span<const std::byte>(head), bytes})
      if (write_some(in_, {reinterpret_cast<const char*>(part.data()), part.size()}) < part.size())
        std::_Exit(static_cast<int>(ExitStatus::bug));  // the parent is gone
  }
  /// The next message; nothing once the child has closed its end, or if `stop()` says so.
  template <class Stop>
  [[nodiscard]] std::optional<Sent> receive(Bytes& bytes, Stop&& stop) {
    Bytes head(sizeof(std::uint64_t) + sizeof(Sent));
    if (!fill(head, stop)) return std::nullopt;
    ByteReader reader(head);
    bytes.resize(reader.read<std::uint64_t>());
    const auto kind = reader.read<Sent>();
    if (!fill(bytes, stop)) return std::nullopt;
    return kind;
  }

 private:
  template <class Stop>
  [[nodiscard]] bool fill(Bytes& bytes, Stop&& stop) const {
    for (std::size_t filled = 0; filled < bytes.size();) {
      pollfd waiting{.fd = out_.get(), .events = POLLIN, .revents = 0};
      if (stop()) return false;
      if (poll(&waiting, 1, 100) <= 0) continue;
      const ssize_t count = read(out_.get(), bytes.data() + filled, bytes.size() - filled);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      filled += static_cast<std::size_t>(count);
    }
    return true;
  }

  Descriptor out_, in_;
};

[[noreturn]] void read_and_send(const Pipe& pipe,
                                const std::function<void(const TakeBytes& send)>& read) {
  try {
    read([&](std::span<const std::byte> bytes) { pipe.send(Sent::piece, bytes); });
  } catch (...) {
    pipe.send(Sent::failure, to_bytes(failure_in_flight()));
  }
  std::_Exit(0);
}

/// Ends a child that is not waited for.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    if (id_ < 0) return;
    kill(id_, SIGKILL);
    int status = 0;
    static_cast<void>(nucreg::wait_for(id_, status));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] std::optional<Ended> wait() {
    int status = 0;
    return nucreg::wait_for(std::exchange(id_, -1), status);
  }

 private:
  pid_t id_;
};

}  // namespace

void read_in_child(const std::vector<fs::path>& files) {
  const rlim_t seconds = seconds_for(files);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return;  // then without this protection
  if (child == 0) return become_reader(parent, seconds);
  int status = 0;
  const std::optional<Ended> ended = wait_for(child, status);
  if (!ended) std::_Exit(status);
  throw_if_file_is_at_fault(files, seconds, *ended);
  std::signal(ended->number, SIG_DFL);  // somebody has ended it: the parent goes the same way
  std::raise(ended->number);
  std::_Exit(static_cast<int>(ExitStatus::bug));
}

void read_apart(const std::vector<fs::path>& files,
                const std::function<void(const TakeBytes& send)>& read, const TakeBytes& take) {
  const rlim_t seconds = seconds_for(files);
  Pipe pipe;
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id < 0) throw Error(ExitStatus::bug, fmt::format("fork: {}", std::strerror(errno)));
  if (id == 0) {
    become_reader(parent, seconds);
    read_and_send(pipe, read);
  }
  Child child(id);
  pipe.close_in();
  const auto stopped = [] { return stop_signal() != 0; };  // also by one that came before
  Bytes bytes;
  while (const std::optional<Sent> kind = pipe.receive(bytes, stopped)) {
    if (*kind == Sent::failure) rethrow(from_bytes<Failed>(bytes));
    take(bytes);
  }
  const std::optional<Ended> ended = stopped() ? std::nullopt : child.wait();
  if (ended) throw_if_file_is_at_fault(files, seconds, *ended);
  if (ended || stopped())
    throw Error(ExitStatus::stopped, "stopped while earlier results were read");
}

}  // namespace nucreg
