#include "nucreg/core/build_info.hpp"

#include <unistd.h>

#include <array>
#include <fstream>

#include "nucreg_build_facts.hpp"  // written by tools/cmake/git_revision.cmake at each build

namespace nucreg {

const BuildInfo& build_info() {
  static const BuildInfo info{NUCREG_VERSION, NUCREG_GIT_REVISION, NUCREG_COMPILER, NUCREG_SOURCES};
  return info;
}

std::string build_identity() {
  const BuildInfo& info = build_info();
  return "nucreg " + info.version + " (sources " + info.sources + ", " + info.compiler + ")";
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name") && !line.starts_with("Model")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace nucreg
