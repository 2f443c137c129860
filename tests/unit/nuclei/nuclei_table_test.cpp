#include "nucreg/nuclei/nuclei_table.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

class Folder {
 public:
  [[nodiscard]] std::filesystem::path write(const std::string& name,
                                            const std::string& text) const {
    std::ofstream(scratch_ / name, std::ios::binary) << text;
    return scratch_ / name;
  }

 private:
  Scratch scratch_;
};

template <class T>
std::string npy(const std::string& type, const std::string& shape, const std::vector<T>& values,
                bool by_column = false) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type,
                                   by_column ? "True" : "False", shape);
  header.resize(117, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\0", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

std::string refusal(const std::filesystem::path& file) {
  try {
    static_cast<void>(read_nuclei(file));
  } catch (const InputError& e) {
    return e.what();
  }
  return "accepted";
}

void check_refused(const std::filesystem::path& file, const std::vector<std::string>& needles) {
  const std::string message = refusal(file);
  for (const std::string& needle : needles) {
    CAPTURE(message);
    CHECK(message.find(needle) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a table is read back to the last bit") {
  const Folder folder;
  const Nuclei nuclei{{1.0 / 3.0, 1e-300, 2304.0625},
                      {-0.1, 7.0, 1e5 + 1.0 / 7.0},
                      {12.0, 1.0, 4000.0},
                      {100.0 / 3.0, 65535.0, 0.0},
                      {false, false, false}};
  const Nuclei back = read_nuclei(folder.write("a.csv", to_csv(nuclei)));
  CHECK(back.x_px == nuclei.x_px);
  CHECK(back.y_px == nuclei.y_px);
  CHECK(back.area_px == nuclei.area_px);
  CHECK(back.mean_intensity == nuclei.mean_intensity);
  CHECK(to_csv(nuclei).starts_with("x,y,area_px,mean_intensity\n"));
}

TEST_CASE("tables of other programs") {
  const Folder folder;
  const Nuclei regionprops = read_nuclei(folder.write(
      "a.csv",
      "\xef\xbb\xbflabel,centroid-0,centroid-1,area\r\n1,10.5,20.25,77\r\n\r\n2,3,4,5\r\n"));
  CHECK(regionprops.x_px == std::vector{20.25, 4.0});
  CHECK(regionprops.y_px == std::vector{10.5, 3.0});
  CHECK(regionprops.area_px == std::vector{77.0, 5.0});
  CHECK(std::isnan(regionprops.mean_intensity[0]));
  const Nuclei weighted = read_nuclei(folder.write(
      "b.tsv", "centroid-0\tcentroid-1\tcentroid_weighted-0\tcentroid_weighted-1\n1\t2\t3\t4\n"));
  CHECK(weighted.x_px[0] == 4.0);
  CHECK(weighted.y_px[0] == 3.0);
  const Nuclei imagej = read_nuclei(folder.write("c.txt", " ;\"Area\";\"Y\";\"X\"\n1;9;2;1\n"));
  CHECK(imagej.x_px[0] == 1.0);
  CHECK(imagej.y_px[0] == 2.0);
  CHECK(imagej.area_px[0] == 9.0);
  const Nuclei named = read_nuclei(folder.write("d.csv", "name,x,y\n\"left, top\",1,2\n"));
  CHECK(named.x_px[0] == 1.0);
}

TEST_CASE("arrays of NumPy") {
  const Folder folder;
  const std::vector<double> points{1, 2, 3, 4, 5, 6};  // (row, column)
  const Nuclei by_row = read_nuclei(folder.write("a.npy", npy("<f8", "(3, 2)", points)));
  CHECK(by_row.y_px == std::vector{1.0, 3.0, 5.0});
  CHECK(by_row.x_px == std::vector{2.0, 4.0, 6.0});
  const Nuclei by_column = read_nuclei(folder.write("b.npy", npy("<f8", "(3, 2)", points, true)));
  CHECK(by_column.y_px == std::vector{1.0, 2.0, 3.0});
  const std::vector<std::int32_t> labels{0, 1, 1, 0, 0, 0, 7, 0, 0, 0, 7, 0};
  const Nuclei drawn = read_nuclei(folder.write("c.npy", npy("<i4", "(3, 4)", labels)));
  CHECK(drawn.x_px == std::vector{1.5, 2.0});
  CHECK(drawn.y_px == std::vector{0.0, 1.5});
  CHECK(drawn.area_px == std::vector{2.0, 2.0});
}

TEST_CASE("what is no table is refused") {
  const Folder folder;
  check_refused(folder.write("a.csv", ""), {"a.csv", "empty file", "x and y"});
  check_refused(folder.write("a.csv", "x,y\n"), {"a.csv", "no nuclei"});
  check_refused(folder.write("a.csv", "1,2\n3,4\n"), {"a.csv:1", "no column x"});
  check_refused(folder.write("a.csv", "x,area\n3,4\n"), {"a.csv:1", "no column y"});
  check_refused(folder.write("a.csv", "x,x,y\n3,4,5\n"), {"a.csv:1", "two columns"});
  check_refused(folder.write("a.csv", "x,y\n1,2\n1\n"), {"a.csv:3", "1 cell", "2 as in"});
  check_refused(folder.write("a.csv", "x,y\n1,nan\n"), {"a.csv:2", "column y", "nan", "finite"});
  check_refused(folder.write("a.csv", "x,y\n1e999,1\n"), {"a.csv:2", "column x"});
  check_refused(folder.write("a.csv", "x,y,area\n1,2,big\n"), {"a.csv:2", "column area", "big"});
  check_refused(folder.write("a.csv", "x,y\n,2\n"), {"a.csv:2", "column x"});
  check_refused("/nowhere/a.csv", {"/nowhere/a.csv", "No such file"});
  check_refused(std::filesystem::temp_directory_path(), {"directory"});

  const std::vector<double> two{1, 2};
  const std::string whole = npy("<f8", "(1, 2)", two);
  CHECK(refusal(folder.write("a.npy", whole)) == "accepted");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    CHECK(refusal(folder.write("a.npy", whole.substr(0, size))) != "accepted");
  check_refused(folder.write("a.npy", npy("<f8", "(1, 3)", std::vector<double>{1, 2, 3})),
                {"1 x 3 real numbers"});
  check_refused(folder.write("a.npy", npy("<f8", "(2,)", two)), {"shape (2,)"});
  check_refused(folder.write("a.npy", npy(">f8", "(1, 2)", two)), {"'>f8'"});
  check_refused(folder.write("a.npy", npy("|O8", "(1, 2)", two)), {"'|O8'"});
  check_refused(folder.write("a.npy", npy("<f8", "(9223372036854775807, 2)", two)), {"cut off"});
  check_refused(folder.write("a.npy", npy("<f8", "(0, 2)", std::vector<double>{})), {"no nuclei"});
  check_refused(folder.write("a.npy", npy("<f8", "(1, 2)", std::vector{1.0, HUGE_VAL})),
                {"inf in row 0 at offset", "finite"});
  check_refused(folder.write("a.npy", npy("<i4", "(2, 2)", std::vector<std::int32_t>{0, 1, -2, 0})),
                {"label -2 at offset"});
  check_refused(folder.write("a.npy", npy("<i4", "(1, 2)", std::vector<std::int32_t>{0, 1})),
                {"one nucleus"});
}
