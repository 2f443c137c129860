#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "nucreg/core/error.hpp"
#include "nucreg/report/export.hpp"
#include "support/sample_result.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("existing files are kept, unless overwriting was asked for") {
  const Scratch scratch;
  sample::write_result(scratch / "r.h5");
  const ResultReader reader(scratch / "r.h5");
  std::filesystem::create_directory(scratch / "out");
  const auto ranks = (scratch / "out") / "ranks.csv";
  std::ofstream(ranks) << "precious";
  CHECK_THROWS_WITH_AS(export_csv(reader, scratch / "out", false),
                       doctest::Contains("ranks.csv: already exists"), OutputError);
  CHECK(read_text(ranks) == "precious");
  CHECK_FALSE(std::filesystem::exists((scratch / "out") / "trials.csv"));
  CHECK(export_csv(reader, scratch / "out", true).size() == 3);
  CHECK(read_text(ranks) ==
        "rank,host,solves,busy_s,max_rss_bytes\n"
        "0,node-a,12,0.25,1048576\n"
        "1,node-b,12,12,1572864\n");
}

TEST_CASE("directories are made, and a place that cannot be one is named") {
  const Scratch scratch;
  sample::write_result(scratch / "r.h5");
  const ResultReader reader(scratch / "r.h5");
  export_csv(reader, (scratch / "a") / "b", false);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator((scratch / "a") / "b"))
    files += entry.path().filename().string().starts_with(".") ? 100 : 1;
  CHECK(files == 3);
  CHECK_THROWS_WITH_AS(export_csv(reader, (scratch / "r.h5") / "below", false),
                       doctest::Contains("r.h5"), OutputError);
}

TEST_CASE("text is quoted as RFC 4180 asks") {
  const Scratch scratch;
  sample::write_result(scratch / "r.h5");
  export_csv(ResultReader(scratch / "r.h5"), scratch / "out", false);
  const std::string text = read_text((scratch / "out") / "trials.csv");
  CHECK(text.find(",\"L-BFGS, \"\"bounded\"\"\",100,0.5,0.5,0.5,0,affine,squared\n") !=
        std::string::npos);
  CHECK(text.find(",not_applicable,nan,nan,nan,") != std::string::npos);
}
