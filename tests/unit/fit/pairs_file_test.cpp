#include "nucreg/fit/pairs_file.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

std::filesystem::path write(const Scratch& scratch, const std::string& text) {
  const auto file = scratch / "pairs.csv";
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

PointPairs read(const std::string& text) {
  const Scratch scratch;
  return read_pairs(write(scratch, text));
}

// The error that reading gives; its file is checked here.
InputError error_of(const std::string& text) {
  const Scratch scratch;
  const auto file = write(scratch, text);
  try {
    static_cast<void>(read_pairs(file));
  } catch (const InputError& error) {
    CHECK(error.fields().file == file.string());
    return error;
  }
  FAIL("was read: " << text);
  throw std::logic_error("unreachable");
}

void check_error(const std::string& text, int line, const std::string& key,
                 const std::string& part) {
  CAPTURE(text);
  const InputError error = error_of(text);
  CAPTURE(std::string(error.what()));
  CHECK(error.fields().line == line);
  CHECK(error.fields().key == key);
  CHECK(std::string(error.what()).find(part) != std::string::npos);
  CHECK(!error.fields().allowed.empty());
}

const std::string header = "x10,y10,x40,y40\n";

}  // namespace

TEST_CASE("pairs are read to the last bit") {
  const PointPairs pairs = read(header + "1,2,3,4\n0.1,-1e-3,1e10,4503599627370497.5\n");
  CHECK(pairs.x10 == std::vector<double>{1, 0.1});
  CHECK(pairs.y10 == std::vector<double>{2, -1e-3});
  CHECK(pairs.x40 == std::vector<double>{3, 1e10});
  CHECK(pairs.y40 == std::vector<double>{4, 4503599627370497.5});
}

TEST_CASE("what spreadsheets write is read alike") {
  const auto is_right = [](const std::string& text) {
    CAPTURE(text);
    const PointPairs pairs = read(text);
    REQUIRE(pairs.size() == 2);
    CHECK(pairs.x10 == std::vector<double>{1, 5});
    CHECK(pairs.y10 == std::vector<double>{2, 6});
    CHECK(pairs.x40 == std::vector<double>{3, 7});
    CHECK(pairs.y40 == std::vector<double>{4, 8});
  };
  is_right("x10,y10,x40,y40\n1,2,3,4\n5,6,7,8");
  is_right("x10,y10,x40,y40\r\n1,2,3,4\r\n5,6,7,8\r\n");
  is_right("\xef\xbb\xbfx10,y10,x40,y40\n1,2,3,4\n5,6,7,8\n");
  is_right("y40,x40,y10,x10\n4,3,2,1\n8,7,6,5\n");
  is_right("id,x10,y10,name,x40,y40\n9,1,2,a,3,4\n8,5,6,b,7,8\n");
  is_right(" x10 , \"y10\",\tx40,y40 \n 1, 2,3 ,\"4\"\n\n5,6,7,8\n\n\n");
}

TEST_CASE("whatever is no pair is an error with its line") {
  check_error("", 0, "", "empty file");
  check_error("\n\n", 0, "", "empty file");
  check_error("\xef\xbb\xbf", 0, "", "empty file");
  check_error(header, 0, "", "no pairs");
  check_error("1,2,3,4\n5,6,7,8\n", 1, "", "unknown header");
  check_error("x10,y10,x40\n1,2,3\n", 1, "", "unknown header");
  check_error("x10,y10,x40,y40,x10\n1,2,3,4,5\n", 1, "", "unknown header");
  check_error("x10,y10,x40,x40\n1,2,3,4\n", 1, "", "unknown header");
  check_error("X10,Y10,X40,Y40\n1,2,3,4\n", 1, "", "unknown header");
  check_error("x10;y10;x40;y40\n1;2;3;4\n", 1, "", "unknown header");
  check_error(header + "1,2,3,4\n1,2,3\n", 3, "", "3 cells");
  check_error(header + "1,2,3,4,\n", 2, "", "5 cells");
  check_error(header + "1,2,3,4,5\n", 2, "", "5 cells");
  check_error(header + "\n\n1,2,3,4\n\n1,,3,4\n", 6, "column 2", "\"\"");
  check_error(header + "1,2,nan,4\n", 2, "column 3", "\"nan\"");
  check_error(header + "1,2,3,-inf\n", 2, "column 4", "\"-inf\"");
  check_error(header + "1e999,2,3,4\n", 2, "column 1", "\"1e999\"");
  check_error(header + "1,2,3,4 px\n", 2, "column 4", "\"4 px\"");
  check_error(header + "1,2,3,0x10\n", 2, "column 4", "\"0x10\"");
  check_error(header + "one,2,3,4\n", 2, "column 1", "\"one\"");
  check_error(header + std::string("1,2,3,4\0\n", 9), 2, "column 4", "");
}

TEST_CASE("a file that is not there, and a directory, are errors that name the path") {
  const Scratch scratch;
  for (const auto& [path, reason] :
       {std::pair{scratch / "none.csv", "No such file"}, {scratch / ".", "directory"}}) {
    try {
      static_cast<void>(read_pairs(path));
      FAIL("was read");
    } catch (const InputError& error) {
      CHECK(error.fields().file == path.string());
      CHECK(error.problem().find(reason) != std::string::npos);
    }
  }
}
