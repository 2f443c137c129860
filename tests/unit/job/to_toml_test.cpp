// The resolved job reads back as the same job, and the reference is complete.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "nucreg/job/map.hpp"
#include "nucreg/job/parse.hpp"
#include "unit/job/text.hpp"

using namespace nucreg;
using job_test::minimal;

namespace {

void check_round_trip(const Job& job) {
  const std::string text = to_toml(job);
  CAPTURE(text);
  const Job again = parse_job_text(text);
  CHECK(again.job == job.job);
  CHECK(again.problem == job.problem);
  CHECK(again.fit == job.fit);
  CHECK(again.run == job.run);
  REQUIRE(again.solvers.size() == job.solvers.size());
  for (std::size_t i = 0; i < job.solvers.size(); ++i) {
    CHECK(again.solvers[i].name == job.solvers[i].name);
    CHECK(again.solvers[i].kind == job.solvers[i].kind);
    CHECK(again.solvers[i].options == job.solvers[i].options);
  }
  CHECK(to_toml(again) == text);
}

}  // namespace

TEST_CASE("every job that is shipped reads, and reads back") {
  int jobs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(NUCREG_JOBS)) {
    if (entry.path().extension() != ".toml") continue;
    CAPTURE(entry.path().string());
    if (entry.path().stem().string().starts_with("well-")) {
      const MapJob map = parse_map(entry.path());
      CHECK(map.map.name == entry.path().stem().string());
      CHECK(to_toml(parse_map_text(to_toml(map))) == to_toml(map));
      continue;
    }
    ++jobs;
    const Job job = parse_job(entry.path());
    CHECK(job.job.name == entry.path().stem().string());
    check_round_trip(job);
  }
  CHECK(jobs >= 10);
}

TEST_CASE("jobs of every shape read back") {
  check_round_trip(parse_job_text(minimal()));
  check_round_trip(parse_job_text(minimal(R"(
points = [1, { min = 10, max = 100000000 }]
field_px = [1e16, 0.1]
noise_px = [0.1, 1e-300, 1.7976931348623157e308, { min = 0.30000000000000004, max = 0.5 }]
transform = { model = "projective", g = -1e-5, tx_px = [1, 2] }
magnification = 3.9999999999999996
)",
                                          R"(
model = ["projective", "rigid"]
loss = ["cauchy", "tukey"]
coordinates = ["raw", "normalized"]
start = ["truth", { params = [1, -2.5e-7] }, { params = [] }]
bounds = { scale = [-inf, 4.5], angle_deg = [-180, 180] }
max_seconds = [0.1, { min = 1, max = 2 }]
)")));
  check_round_trip(parse_job_text(minimal(
      "source = \"pairs\"\nfiles = [\"a \\\"b\\\" \\\\ c\", \"tab\\there\", \"\u00b5\"]\n")));
  check_round_trip(parse_job_text(
      minimal("source = \"images\"\nimages = { ten = [\"a,b.nd2\"], forty = [\"c[1].tif\"], "
              "diameter_10x_px = 9.5, channel_40x = \"DAPI\", pairs = [\"x + y\"] }")));
  check_round_trip(
      parse_job_text(minimal("source = \"images\"\nimages.sheets = [\"a.csv\", \"b\"]")));
  check_round_trip(parse_job_text(minimal("source = \"labels\"\nfiles = \"a\"\nmissing = 0.5\n")));
}

TEST_CASE("options of solvers keep their types and odd keys") {
  const Job job = parse_job_text(
      "[job]\nname = \"t\"\nseed = 9223372036854775807\n[run]\ntiming_repeats = 3\ntrace = true\n"
      "[[solver]]\nname = \"\u00fc \\\"x\\\"\"\nkind = \"k\"\n"
      "whole = 4\nreal = 4.0\nminus = -0.0\nlarge = 1e300\nyes = true\nno = false\n"
      "text = \"new\\nline \\u0001 \\u007F\"\n\"odd key\" = 1\n\"\" = 2\n");
  check_round_trip(job);
  CHECK(std::holds_alternative<double>(parse_job_text(to_toml(job)).solvers[0].options.at("real")));
}

TEST_CASE("a job made by hand is written with the transform that it means") {
  Job job;
  job.job.name = "by-hand";
  job.problem.magnification = 5.0;
  job.solvers.push_back({.name = "A", .kind = "lm"});
  const Job again = parse_job_text(to_toml(job));
  CHECK(again.problem.transform.params[3] == Axis<Draw>{Draw(5.0)});
}

TEST_CASE("keys that have no meaning for the source are not written") {
  const std::string pairs = to_toml(parse_job_text(minimal("source = \"pairs\"\nfiles = \"f\"\n")));
  for (const std::string key : {"points", "field_px", "transform", "noise_px", "missing"})
    CHECK(pairs.find(key) == std::string::npos);
  const std::string synthetic = to_toml(parse_job_text(minimal()));
  CHECK(synthetic.find("files") == std::string::npos);
  CHECK(synthetic.find("transform.scale_y = 4\n") != std::string::npos);
}

TEST_CASE("the reference has every key that a resolved job has") {
  const std::string reference = job_reference();
  for (const std::string model : {"rigid", "similarity", "trs", "affine", "projective"}) {
    std::istringstream text(
        to_toml(parse_job_text(minimal("transform.model = \"" + model + "\"\n"))));
    std::string section;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('['))
        section = line.substr(line.rfind('[') + 1, line.find(']') - line.rfind('[') - 1);
      const auto equals = line.find(" = ");
      if (equals == std::string::npos) continue;
      const std::string key = "| `" + section + "." + line.substr(0, equals) + "` ";
      CAPTURE(key);
      CHECK(reference.find(key) != std::string::npos);
    }
  }
  CHECK(reference.find("| `problem.files` ") != std::string::npos);
}

TEST_CASE("a line of the reference") {
  const std::string reference = job_reference();
  std::istringstream text(reference);
  std::string found;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("| `problem.points` ")) {
      CHECK(found.empty());
      std::unique_copy(line.begin(), line.end(), std::back_inserter(found),
                       [](char a, char b) { return a == ' ' && b == ' '; });
    }
  CHECK(found ==
        "| `problem.points` | `1000` | 1 | whole number, 1 ... 100000000; a list of such; "
        "{ min, max } | axis: nuclei in the field (source synthetic) |");
}

TEST_CASE("the documents of jobs and maps have every line of their references") {
  const auto check = [](const char* document, const std::string& text, int least) {
    std::ifstream file(std::filesystem::path(NUCREG_JOBS) / document);
    const std::string readme{std::istreambuf_iterator<char>(file), {}};
    std::istringstream reference(text);
    int lines = 0;
    for (std::string line; std::getline(reference, line); ++lines) {
      CAPTURE(line);
      CHECK(readme.find(line + "\n") != std::string::npos);
    }
    CHECK(lines > least);
  };
  check("README.md", job_reference(), 30);
  check("maps.md", map_reference(), 10);
}
