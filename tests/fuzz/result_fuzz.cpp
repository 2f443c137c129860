// What commands do with a result file, in another process as they do it: on damaged files the
// HDF5 library crashes or walks for ever, which is no finding. What nucreg's own code does is one:
// an end by a signal or a sanitizer, no end, an exception that is no Error.
#include <dlfcn.h>
#include <execinfo.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/report/export.hpp"
#include "nucreg/report/overview.hpp"
#include "nucreg/report/well.hpp"
#include "nucreg/stats/verify.hpp"
#include "nucreg/store/map_file.hpp"
#include "result_edits.hpp"
#include "support/sample_map.hpp"
#include "support/sample_result.hpp"

// What clang counts in this process, between names of the linker, which clang declares itself where
// it has not seen them: hence the labels.
extern std::uint8_t first_counter[] __asm__("__start___sancov_cntrs");
extern std::uint8_t behind_counters[] __asm__("__stop___sancov_cntrs");
// What libFuzzer is told of the child's.
__attribute__((section("__libfuzzer_extra_counters"))) static std::uint8_t told[1 << 20];

namespace nucreg {
namespace {

namespace fs = std::filesystem;

constexpr int ours = 76, of_the_library = 77;
constexpr int most_seconds = 20;  // of processor time, for one input

/// For files of this process, in memory.
const fs::path& folder() {
  struct Folder {
    fs::path path = "/dev/shm/nucreg-fuzz-" + std::to_string(getpid());
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
  };
  static const Folder made;
  return made.path;
}

std::span<std::uint8_t> counters() {
  return {first_counter, behind_counters};
}

// In the child.

/// What fuzzer and child share.
struct Shared {
  std::uint64_t size = 0;
  std::array<std::uint8_t, std::size_t{1} << 18U> input{};
  std::array<std::uint8_t, std::size_t{1} << 20U> counters{};
};
Shared* shared = nullptr;

void give_counters() {
  std::ranges::copy(counters(), shared->counters.begin());
}

[[noreturn]] void leave(int status) {
  give_counters();
  _exit(status);
}

/// Whether the HDF5 library is among those who are at work now.
bool library_at_work() {
  std::array<void*, 256> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  for (int i = 0; i < depth; ++i) {
    Dl_info info{};
    if (dladdr(frames.at(static_cast<std::size_t>(i)), &info) != 0 && info.dli_fname &&
        std::string_view(info.dli_fname).find("libhdf5") != std::string_view::npos)
      return true;
  }
  return false;
}

void ended_by_sanitizer() {
  leave(library_at_work() ? of_the_library : ours);
}

void ended_by_signal(int number) {
  if (library_at_work()) leave(of_the_library);
  std::fprintf(stderr, "%s\n", number == SIGPROF ? "did not end" : strsignal(number));
  std::array<void*, 64> frames{};
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), static_cast<int>(frames.size())), 2);
  leave(ours);
}

void watch_over_child() {
  __sanitizer_set_death_callback(ended_by_sanitizer);
  struct sigaction action {};
  action.sa_handler = ended_by_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPROF})
    sigaction(number, &action, nullptr);
}

void begin_clock(int seconds) {
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void read_run(const fs::path& file) {
  const ResultReader reader(file);
  const bool sound = verify(reader).findings.empty();
  const Overview overview = make_overview(reader);
  static_cast<void>(to_json(overview));
  static_cast<void>(to_text(overview, {.width = 100, .max_configurations = 2}));
  for (const auto write : {export_csv, export_profiles, export_maps, export_coco}) try {
      write(reader, folder() / "export", true);
    } catch (const InputError&) {
    }
  if (!sound) return;
  // What is called sound can be merged and resumed.
  const Plan plan =
      make_plan(parse_job_text(reader.attributes().get<std::string>("job_toml"), "job_toml"));
  Bytes bytes;
  for (TrialCursor at(reader, plan.trials, plan.solvers); !at.done(); at.next())
    put_records(at.rows(), bytes);
}

void read_mapped(const fs::path& file) {
  const WellMap map = read_map(file);
  static_cast<void>(verify_map(map));
  for (const auto write : {export_well_csv, export_brieflow, export_anndata, export_napari}) try {
      write(map, folder() / "export", true);
    } catch (const InputError&) {
    }
  const WellSummary summary = summarize(map);
  static_cast<void>(to_json(summary));
  static_cast<void>(to_text(summary, 100));
}

void read_edited() {
  static int number = 0;  // no two of one name: the library keeps what it could not close
  const fs::path file = folder() / ("edited-" + std::to_string(++number) + ".h5");
  Choices choices(std::span(shared->input).first(shared->size));
  fs::copy_file(folder() / (choices.number(1) % 2 == 0 ? "run.h5" : "map.h5"), file);
  try {
    edit_file(file, choices);
    static_cast<void>(checksum_matches(file));
    if (format_of(file) == map_format)
      read_mapped(file);
    else
      read_run(file);
  } catch (const Error&) {
  }
  fs::remove(file);
}

/// Reads one input for each byte that comes, and answers each.
[[noreturn]] void serve(int from, int to) {
  watch_over_child();
  for (char byte = 0; read(from, &byte, 1) == 1;) {
    std::ranges::fill(counters(), std::uint8_t{0});
    begin_clock(most_seconds);
    try {
      read_edited();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bug: %s\n", error.what());
      leave(ours);
    }
    begin_clock(0);
    give_counters();
    if (write(to, &byte, 1) != 1) break;
  }
  _exit(0);
}

// In the fuzzer.

constexpr const char* job = R"([job]
name = "a"
trials = 4
[problem]
points = [100, 1000, 10000]
[[solver]]
name = "L-BFGS, \"bounded\""
kind = "nlopt"
[[solver]]
name = "LM"
kind = "lm"
)";

void make_sound_files() {
  std::vector<Record> rows = sample::result_rows(false);
  for (Record& row : rows) row.trace = {{1, 9.0, 1e-6}, {2, 3.0, 2e-6}};
  sample::write_result(folder() / "run.h5", rows, to_toml(parse_job_text(job, "job.toml")));
  constexpr double side_um = 200.0;
  write_map(folder() / "map.h5", sample::MapMaker(side_um).make(), true);
}

/// A child that reads inputs until one ends it.
class Child {
 public:
  Child() {
    std::array<int, 2> in{}, out{};
    if (!said_ || pipe(in.data()) != 0 || pipe(out.data()) != 0) std::abort();
    id_ = fork();
    if (id_ < 0) std::abort();
    if (id_ == 0) {
      close(in[1]);
      close(out[0]);
      dup2(fileno(said_), STDERR_FILENO);
      serve(in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Child() {
    close(to_);
    close(from_);
    std::fclose(said_);
    if (id_ > 0) waitpid(id_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The exit status that the input ended it with; nothing if it goes on.
  std::optional<int> read_input() {
    ++inputs_;
    char byte = 0;
    if (write(to_, &byte, 1) == 1 && read(from_, &byte, 1) == 1) return std::nullopt;
    int status = 0;
    waitpid(std::exchange(id_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : ours;
  }
  [[nodiscard]] int inputs() const { return inputs_; }
  void show() const {
    std::array<char, 4096> block{};
    std::rewind(said_);
    while (const std::size_t count = std::fread(block.data(), 1, block.size(), said_))
      std::fwrite(block.data(), 1, count, stderr);
  }

 private:
  std::FILE* said_ = std::tmpfile();
  pid_t id_ = -1;
  int to_ = -1, from_ = -1, inputs_ = 0;
};

void read_in_child(std::span<const std::uint8_t> input) {
  static std::unique_ptr<Child> child;
  if (!shared) {
    make_sound_files();
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || counters().size() > sizeof told) std::abort();
    shared = new (memory) Shared;
    std::signal(SIGPIPE, SIG_IGN);
  }
  shared->size = std::min(input.size(), shared->input.size());
  std::ranges::copy(input.first(shared->size), shared->input.begin());
  // What broke in a child that had read others before may be the library's doing: once more.
  constexpr int most_inputs = 500;
  for (bool again = true; again;) {
    if (!child || child->inputs() == most_inputs) child = std::make_unique<Child>();
    const std::optional<int> ended = child->read_input();
    again = ended && *ended != of_the_library && child->inputs() > 1;
    if (ended && *ended != of_the_library && !again) {
      child->show();
      std::abort();
    }
    if (ended) child.reset();
  }
  std::ranges::copy(std::span(shared->counters).first(counters().size()), told);
}

}  // namespace
}  // namespace nucreg

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nucreg::read_in_child({data, size});
  return 0;
}
