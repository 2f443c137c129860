// `nucreg doctor`: what of this machine will hurt a run, before the run.
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/fit/kernels.hpp"
#include "nucreg/run/communicator.hpp"
#include "nucreg/run/dispatch.hpp"
#include "nucreg/run/launcher.hpp"
#include "nucreg/run/machine.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

/// One line of the answer; `cure` is empty if all is well.
struct Check {
  std::string what, found, cure;
};

// The output of a command of the shell, both streams; its exit status, -1 if it did not start.
int shell(const std::string& command, std::string& output) {
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return -1;
  char part[4096];
  while (const std::size_t size = std::fread(part, 1, sizeof part, pipe)) output.append(part, size);
  const int ended = pclose(pipe);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string first_line(const std::string& text) {
  return one_line(std::string_view(text).substr(0, text.find('\n')), 200);
}

bool root_without_leave() {
  return geteuid() == 0 &&
         !(std::getenv("OMPI_ALLOW_RUN_AS_ROOT") && std::getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"));
}

// Starts two ranks of this very program, which say how they are bound.
std::vector<Check> check_mpi() {
  std::string version;
  if (shell("mpirun --version", version) != 0)
    return {{"MPI", "no mpirun on the PATH",
             "install openmpi-bin, or `module load` an Open MPI 4.1; without it every run uses one "
             "rank"}};
  std::vector<Check> checks{{"mpirun", first_line(version), ""}};
  if (root_without_leave()) {
    checks.push_back({"MPI start", "not tried: this is root",
                      "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or use "
                      "another user"});
    return checks;
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const double begin = wall_seconds();
  std::string said;
  const int status = shell("timeout 60 mpirun --oversubscribe -n 2 " + quoted(self.string()) +
                               " doctor --ranks </dev/null",
                           said);
  if (status != 0)
    checks.push_back({"MPI start", fmt::format("two ranks did not start (status {})", status),
                      "the launcher says:\n" + said});
  else
    checks.push_back(
        {"MPI start", fmt::format("two ranks in {}", seconds_text(wall_seconds() - begin)), ""});
  return checks;
}

Check check_clock() {
  const std::string source = clock_source();
  const double step = wall_clock_step_seconds();
  const RankFacts here = this_rank_facts(0);
  const std::vector<std::string> warnings = machine_warnings({here});
  return {
      "clock",
      fmt::format("{}, step {}", source.empty() ? "unknown source" : source, seconds_text(step)),
      warnings.empty() ? "" : warnings.front()};
}

Check check_processors() {
  const RankFacts here = this_rank_facts(0);
  const long all = sysconf(_SC_NPROCESSORS_ONLN);
  return {"processors",
          fmt::format("{} of {} ({}), instruction set {}", here.cpus.size(), all,
                      cpu_list(here.cpus), kernel_instruction_set()),
          ""};
}

// Asked for before anything is started here, which would count.
Check check_load() {
  double load = 0.0;
  if (getloadavg(&load, 1) != 1) return {"load", "unknown", ""};
  const auto processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  const bool busy = load > std::max(0.5, 0.1 * processors);
  return {
      "load",
      fmt::format("{:.1f} on {}", load,
                  counted(static_cast<std::uint64_t>(processors), "processor")),
      busy ? "times will not be valid: wait until the machine is idle, or use a node of your own "
             "(sbatch --exclusive)"
           : ""};
}

Check check_memory() {
  const double total =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  const bool bounded = limit.rlim_cur != RLIM_INFINITY;
  return {"memory",
          bytes_text(total) +
              (bounded ? ", limited to " + bytes_text(static_cast<double>(limit.rlim_cur)) : ""),
          bounded && static_cast<double>(limit.rlim_cur) < 1e9
              ? "a rank needs address space for its libraries: ulimit -v unlimited"
              : ""};
}

Check check_shared_memory() {
  struct statvfs room {};
  if (statvfs("/dev/shm", &room) != 0)
    return {"/dev/shm", "missing",
            "ranks of a node speak through it: mount it (containers: "
            "--ipc=host)"};
  const double free = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
  constexpr double enough = 64e6;
  return {"/dev/shm", bytes_text(free) + " free",
          free < enough ? "Open MPI needs some 4 MB per rank there: free it, or export "
                          "OMPI_MCA_btl=self,tcp"
                        : ""};
}

Check check_open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto files = static_cast<std::uint64_t>(limit.rlim_cur);
  constexpr std::uint64_t enough = 1024;
  return {"open files", count_text(files),
          files < enough ? "mpirun needs some 10 per rank: ulimit -n 4096" : ""};
}

// What the system says against it; empty: nothing.
std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const OutputError& error) {
    return error.problem();
  }
  return {};
}

// Where the result will lie: can be written, locked, synced, and has room.
std::vector<Check> check_folder(const fs::path& folder) {
  const std::string what = "folder " + folder.string();
  struct statvfs room {};
  if (statvfs(folder.c_str(), &room) != 0)
    return {{what, std::strerror(errno), "name a folder that exists: nucreg doctor FOLDER"}};
  std::vector<Check> checks;
  const fs::path file = temporary_beside(folder / "nucreg-doctor");
  Descriptor opened;
  const std::string closed = refusal([&] { opened = open_to_write(file, Opened::empty); });
  if (!closed.empty()) return {{what, closed, "choose a folder that you may write with -o"}};
  const double begin = wall_seconds();
  const std::string unsynced = refusal([&] {
    if (write_some(opened, "x") < 1) throw OutputError(std::strerror(errno), {});
    sync_data(opened, file);
  });
  const double seconds = wall_seconds() - begin;
  // Not by lock(), which takes file systems without locks, too.
  const bool locked = flock(opened.get(), LOCK_EX | LOCK_NB) == 0;
  const int lock_error = errno;
  remove_quietly(file);

  const double free = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
  constexpr double enough = 1e9, slow_seconds = 1.0;
  checks.push_back({what, bytes_text(free) + " free",
                    free < enough ? "a run of a million solves writes some 200 MB" : ""});
  checks.push_back({"locks there", locked ? "work" : std::strerror(lock_error),
                    locked ? ""
                           : "two runs on one output cannot be told apart, and HDF5 refuses to "
                             "open: use another file system, or export HDF5_USE_FILE_LOCKING=FALSE "
                             "for readers"});
  checks.push_back({"sync there", unsynced.empty() ? seconds_text(seconds) : unsynced,
                    !unsynced.empty() ? "finished trials would not survive a power failure"
                    : seconds > slow_seconds
                        ? "a slow disk delays the journal; results are not affected"
                        : ""});
  return checks;
}

void print_ranks(Communicator& communicator) {
  if (communicator.rank() != 0) {
    static_cast<void>(receive_setup(communicator));
    return;
  }
  const std::vector<RankFacts> facts =
      share_setup(communicator, [](const std::vector<RankFacts>&) { return Bytes{}; });
  std::string text;
  for (const RankFacts& rank : facts)
    text +=
        fmt::format("rank {} on {}: processors {}\n", rank.rank, rank.host, cpu_list(rank.cpus));
  for (const std::string& warning : machine_warnings(facts)) text += warning + "\n";
  print_result(text);
}

void look_at_ranks() {
  if (!started_by_launcher()) return run_local(1, print_ranks);
  MpiSession session;
  print_ranks(session.communicator());
  session.leave_with(static_cast<int>(ExitStatus::done));
}

}  // namespace

ExitStatus doctor_command(const DoctorCommand& command) {
  if (command.ranks) {
    look_at_ranks();
    return ExitStatus::done;
  }
  if (launched_rank() != 0) return ExitStatus::done;
  const Check load = check_load();
  std::vector<Check> checks = check_mpi();
  for (Check check : {check_processors(), load, check_clock(), check_memory(),
                      check_shared_memory(), check_open_files()})
    checks.push_back(std::move(check));
  for (Check& check : check_folder(command.folder)) checks.push_back(std::move(check));

  std::size_t width = 0, hurts = 0;
  for (const Check& check : checks) width = std::max(width, places(check.what));
  std::string text;
  for (const Check& check : checks) {
    const bool well = check.cure.empty();
    hurts += well ? 0 : 1;
    text += fmt::format("{} {:<{}}  {}\n", well ? "ok  " : "HURT", check.what, width, check.found);
    if (!well) text += fmt::format("       {}\n", check.cure);
  }
  text += hurts == 0 ? "nothing here will hurt a run\n"
                     : fmt::format("{} will hurt; the lines below each HURT say what to do\n",
                                   counted(hurts, "thing"));
  print_result(text);
  return ExitStatus::done;
}

}  // namespace nucreg
