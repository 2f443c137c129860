// `nucreg report`: the Python program that draws a result, found beside this one.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/crash_guard.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

// bin/nucreg of an installation, build/<preset>/nucreg of a checkout.
fs::path report_program(const fs::path& self) {
  const fs::path folder = self.parent_path();
  const std::array<fs::path, 2> places{folder / "../share/nucreg/tools/report",
                                       folder / "../../tools/report"};
  for (const fs::path& place : places)
    if (fs::exists(place)) return fs::canonical(place);
  throw InputError("the report's program is missing",
                   {.file = places.front().lexically_normal().string(),
                    .allowed = "an installation by `cmake --install`, or a checkout"});
}

// Python's HDF5 would follow a damaged file anywhere.
void check_file(const fs::path& file) {
  static_cast<void>(read_apart({file}, [&] {
    if (is_map(file)) return true;
    const ResultReader reader(file);
    for (const char* count : {"trials_planned", "trials_done", "mpi_ranks"})
      static_cast<void>(reader.attributes().get<std::int64_t>(count));
    for (const char* text : {"status", "job_name", "job_toml"})
      static_cast<void>(reader.attributes().get<std::string>(text));
    return true;
  }));
}

}  // namespace

ExitStatus report_command(const ReportCommand& command) {
  check_not_input(command.output, {command.file}, "--output");
  check_file(command.file);
  const fs::path self = fs::canonical("/proc/self/exe");
  const std::string program = report_program(self).string();
  // The statistics of the page are those of this program, not of another one on the PATH.
  setenv("NUCREG", self.c_str(), 1);
  // "--": a file may begin with a dash.
  std::vector<std::string> words{program};
  if (!command.output.empty()) words.insert(words.end(), {"--output", command.output.string()});
  if (!command.plots.empty()) words.insert(words.end(), {"--plots", command.plots.string()});
  if (command.force) words.emplace_back("--force");
  words.insert(words.end(), {"--", command.file.string()});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  throw InputError(fmt::format("cannot be started: {}", std::strerror(errno)), {.file = program});
}

}  // namespace nucreg
