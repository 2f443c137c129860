#include "nucreg/nuclei/nuclei_table.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
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

Nuclei read_nuclei(const std::filesystem::path& file) {
  return read_nuclei_table(file).nuclei;
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
  CHECK(to_csv(nuclei).starts_with("x,y,area_px,mean_intensity,label\n"));
}

TEST_CASE("blanks separate where nothing else does, several as one") {
  const Folder folder;
  for (const char* text :
       {"x y label\n1.5  2.25 7\n 3 4\t 8\n", "# x y label\n1.500e+00 2.250e+00 7\n3 4 8\n",
        "made by hand\nlabel  y x \n7 2,25 1,5\n8 4 3\n"}) {
    CAPTURE(text);
    const NucleiTable table = read_nuclei_table(folder.write("a.txt", text));
    CHECK(table.nuclei.x_px == std::vector{1.5, 3.0});
    CHECK(table.nuclei.y_px == std::vector{2.25, 4.0});
    CHECK(table.labels == std::vector<std::uint64_t>{7, 8});
  }
  check_refused(folder.write("a.txt", "x y\n1 2\n3 4 5\n"), {"a.txt:3", "3 cells", "2 as in"});
  check_refused(folder.write("a.txt", "u v\n1 2\n"), {"a.txt:1", "no column x", "of: u v"});
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
  check_refused(folder.write("a.csv", "x,y\n1,inf\n"), {"a.csv:2", "column y", "inf", "finite"});
  check_refused(folder.write("a.csv", "x,y\n1,nan\n"), {"a.csv", "no row has a centroid"});
  check_refused(folder.write("a.csv", "x,y\n1e999,1\n"), {"a.csv:2", "column x"});
  check_refused(folder.write("a.csv", "x,y,area\n1,2,big\n"), {"a.csv:2", "column area", "big"});
  check_refused(folder.write("a.csv", "x,y\none,2\n"), {"a.csv:2", "column x", "one"});
  check_refused("/nowhere/a.csv", {"/nowhere/a.csv", "No such file"});
  check_refused(std::filesystem::temp_directory_path(), {"directory"});

  const std::vector<double> two{1, 2};
  const std::string whole = npy("<f8", "(1, 2)", two);
  CHECK(refusal(folder.write("a.npy", whole)) == "accepted");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    CHECK(refusal(folder.write("a.npy", whole.substr(0, size))) != "accepted");
  check_refused(folder.write("a.npy", npy("<f8", "(1, 3)", std::vector<double>{1, 2, 3})),
                {"1 x 3 numbers", "three-dimensional"});
  check_refused(folder.write("a.npy", npy("<f8", "(1, 4)", std::vector<double>{1, 2.5, 3, 4})),
                {"1 x 4 real numbers"});
  check_refused(folder.write("a.npy", npy("<f8", "(2,)", two)), {"shape (2,)"});
  check_refused(folder.write("a.npy", npy(">f2", "(1, 2)", two)), {"'>f2'"});
  check_refused(folder.write("a.npy", npy("|O8", "(1, 2)", two)), {"'|O8'"});
  check_refused(folder.write("a.npy", npy("<f8", "(9223372036854775807, 2)", two)), {"cut off"});
  check_refused(folder.write("a.npy", npy("<f8", "(0, 2)", std::vector<double>{})), {"no nuclei"});
  check_refused(folder.write("a.npy", npy("<f8", "(1, 2)", std::vector{1.0, HUGE_VAL})),
                {"inf in row 0 at offset", "finite"});
  check_refused(folder.write("a.npy", npy("<i4", "(1, 4)", std::vector<std::int32_t>{0, 1, -2, 0})),
                {"label -2 at offset"});
  check_refused(folder.write("a.npy", npy("<i4", "(1, 4)", std::vector<std::int32_t>{0, 1, -1, 0})),
                {"label -1 at offset", "add 1 to all"});
  check_refused(folder.write("a.npy", whole + whole),
                {fmt::format("{} bytes behind the data of shape (1, 2)", whole.size()),
                 fmt::format("at offset {}", whole.size())});
  check_refused(folder.write("a.npy", npy("<i4", "(2, 4)", std::vector<std::int32_t>(8, 1))),
                {"2 x 4 numbers", "transpose"});
  check_refused(folder.write("a.npy", npy("<f8", "(1, 2)", two).replace(6, 1, "\x07")),
                {"version 7", "offset 6"});
  check_refused(folder.write("a.npy", npy("<i4", "(1, 4)", std::vector<std::int32_t>{0, 1, 1, 0})),
                {"one nucleus"});
}

namespace {

// Three nuclei, the second without an area, and the label and row of each.
void check_three(const NucleiTable& table, bool labelled = true) {
  CHECK(table.nuclei.x_px == std::vector{10.5, 20.25, 30.0});
  CHECK(table.nuclei.y_px == std::vector{1.5, 2.0, 3.125});
  CHECK(table.labelled == labelled);
  CHECK(table.labels ==
        (labelled ? std::vector<std::uint64_t>{7, 9, 12} : std::vector<std::uint64_t>{1, 2, 3}));
  CHECK(table.notes.size() == 1);
}

}  // namespace

TEST_CASE("the tables of programs are read as they are") {
  const Folder folder;
  const auto read = [&](const std::string& text, const TableOptions& options = {}) {
    CAPTURE(text);
    return read_nuclei_table(folder.write("table.csv", text), options);
  };
  SUBCASE("CellProfiler") {
    check_three(
        read("ImageNumber,ObjectNumber,AreaShape_Center_X,AreaShape_Center_Y,AreaShape_Area,"
             "Location_Center_X,Location_Center_Y,Location_Center_Z,Metadata_Well\n"
             "1,7,10,1,50,10.5,1.5,0,A01\n1,9,20,2,,20.25,2,0,A01\n1,12,30,3,7,30,3.125,0,A01\n"));
    check_three(
        read("Nuclei_ObjectNumber,Nuclei_AreaShape_Center_X,Nuclei_AreaShape_Center_Y,"
             "Cells_AreaShape_Center_X,Cells_AreaShape_Center_Y\n"
             "7,10.5,1.5,0,0\n9,20.25,2,0,0\n12,30,3.125,0,0\n"));
  }
  SUBCASE("QuPath: tabs, units, UTF-8 and Latin-1") {
    const TableOptions half{.pixel_um = 0.5};
    for (const std::string micro : {"\xc2\xb5", "\xce\xbc", "\xb5", "u"}) {
      const std::string text = "Image\tObject ID\tCentroid X " + micro + "m\tCentroid Y " + micro +
                               "m\tNucleus: Area " + micro +
                               "m^2\na.tif\tab-1\t5.25\t0.75\t3\na.tif\tab-2\t10.125\t1\t\n"
                               "a.tif\tab-3\t15\t1.5625\t5\n";
      const NucleiTable table = read(text, half);
      check_three(table, false);
      CHECK(table.nuclei.area_px[0] == 12.0);
      CHECK(std::isnan(table.nuclei.area_px[1]));
      check_refused(folder.write("table.csv", text), {"lengths, not pixels", "--pixel-um"});
    }
    check_three(read("Name\tCentroid X px\tCentroid Y px\tCentroid X \xc2\xb5m\tCentroid Y "
                     "\xc2\xb5m\nA\t10.5\t1.5\t5\t1\nB\t20.25\t2\t5\t1\nC\t30\t3.125\t5\t1\n"),
                false);
  }
  SUBCASE("ImageJ") {
    check_three(
        read(" \tArea\tMean\tX\tY\n1\t4\t9\t10.5\t1.5\n2\t4\t9\t20.25\t2\n3\t4\t9\t30\t3.125"
             "\n"),
        false);
  }
  SUBCASE("scikit-image and napari: the row comes first") {
    check_three(read(",label,centroid-0,centroid-1\n0,7,1.5,10.5\n1,9,2,20.25\n2,12,3.125,30\n"));
    check_three(read("index,axis-0,axis-1\n0,1.5,10.5\n1,2,20.25\n2,3.125,30\n"), false);
  }
  SUBCASE("brieflow: i is the row; tiles and wells") {
    const NucleiTable table = read(
        "well,tile,label,i,j,area\nA1,5,7,1.5,10.5,1\nA1,5,9,2.0,20.25,1\nA1,6,12,3.125,30,1\n",
        {.tiles = true});
    check_three(table);
    CHECK(table.tiles == std::vector<std::string>{"5", "5", "6"});
    CHECK(table.wells == std::vector<std::string>{"A1", "A1", "A1"});
    CHECK(table.tile_count == 2);
  }
  SUBCASE("TrackMate: four lines of names") {
    const std::string text =
        "LABEL,ID,TRACK_ID,POSITION_X,POSITION_Y,POSITION_Z\nLabel,Spot ID,Track ID,X,Y,Z\n"
        "Label,Spot ID,Track ID,X,Y,Z\n,,,(micron),(micron),(micron)\n"
        "ID7,7,,5.25,0.75,0.0\nID9,9,1,10.125,1,0.0\nID12,12,1,15,1.5625,0\n";
    check_three(read(text, {.pixel_um = 0.5}));
    check_refused(folder.write("table.csv", text), {"lengths, not pixels", "--pixel-um"});
  }
  SUBCASE("TrackMate: areas are in the unit that is said below their name") {
    const NucleiTable table = read(
        "LABEL,ID,TRACK_ID,POSITION_X,POSITION_Y,AREA\nLabel,Spot ID,Track ID,X,Y,Area\n"
        "Label,Spot ID,Track ID,X,Y,Area\n,,,(micron),(micron),(micron^2)\n"
        "ID7,7,,5.25,0.75,100\n",
        {.pixel_um = 0.5});
    CHECK(table.nuclei.area_px[0] == 400.0);
  }
  SUBCASE("areas in micrometres beside coordinates in pixels are used where pixels have a size") {
    const std::string text =
        "label,x,y,Area \xc2\xb5m^2\n7,10.5,1.5,25\n9,20.25,2,25\n12,30,3.125,25\n";
    const NucleiTable without = read(text);
    check_three(without);
    CHECK(std::isnan(without.nuclei.area_px[0]));
    CHECK(without.warnings.size() == 1);
    CHECK(read(text, {.pixel_um = 0.5}).nuclei.area_px[0] == 100.0);
  }
  SUBCASE("Imaris: a title above the header, the unit in each row") {
    check_three(
        read("\n\nPosition\n ==================== \nPosition X,Position Y,Position Z,Unit,ID,\n"
             "5.25,0.75,0,um,7,\n10.125,1,0,um,9,\n15,1.5625,0,um,12,\n",
             {.pixel_um = 0.5}));
  }
  SUBCASE("semicolons or tabs with decimal commas, CR LF, a byte order mark") {
    check_three(read("\xef\xbb\xbflabel;x;y\r\n7;10,5;1,5\r\n9;20,25;2\r\n12;30;3,125\r\n"));
    check_three(read("label\tx\ty\r\n7\t10,5\t1,5\r\n9\t20,25\t2\r\n12\t30\t3,125\r\n"));
    check_three(read("label,x,y\n7,\"10,5\",\"1,5\"\n9,\"20,25\",2\n12,30,\"3,125\"\n"));
    check_refused(folder.write("table.csv", "x,y\n\"10,5.1\",2\n"), {"table.csv:2", "10,5.1"});
  }
  SUBCASE("UTF-16, lines that end with CR, a header behind #") {
    const std::string plain = "label,x,y\n7,10.5,1.5\n9,20.25,2\n12,30,3.125\n";
    std::string little("\xff\xfe"), big("\xfe\xff"), old_mac = plain;
    for (const char c : plain) {
      little += {c, '\0'};
      big += {'\0', c};
    }
    std::replace(old_mac.begin(), old_mac.end(), '\n', '\r');
    for (const std::string& text : {little, big, old_mac, "# " + plain, "# made today\n" + plain})
      check_three(read(text));
  }
  SUBCASE("columns that the user names") {
    const std::string text = "id;a, left;b\n7;10.5;1.5\n9;20.25;2\n12;30;3.125\n";
    check_refused(folder.write("table.csv", text), {"no column x", "id, a, left, b", "--columns"});
    check_three(read(text, {.columns = parse_table_columns("x=a, left,y=b", "--columns")}));
    check_three(
        read(text, {.columns = parse_table_columns("x=A, LEFT,label=id,y=b", "--columns")}));
    const TableColumns in_um{.x = "a, left", .y = "b", .unit = "um"};
    CHECK(read(text, {.columns = in_um, .pixel_um = 0.25}).nuclei.x_px[0] == 42.0);
    CHECK_THROWS_AS(static_cast<void>(parse_table_columns("x", "--columns")), JobError);
    CHECK_THROWS_AS(static_cast<void>(parse_table_columns("x=1,z=2,x=4", "--columns")), JobError);
    CHECK_THROWS_AS(static_cast<void>(parse_table_columns("x=,y=b", "--columns")), JobError);
    CHECK_THROWS_AS(static_cast<void>(parse_table_columns("unit=inch", "--columns")), JobError);
    CHECK_THROWS_WITH_AS(static_cast<void>(read(text, {.columns = {.x = "a,left", .y = "bb"}})),
                         doctest::Contains("did you mean \"b\"?"), InputError);
    CHECK_THROWS_AS(static_cast<void>(read(text, {.columns = {.x = "b"}})), InputError);
  }
}

TEST_CASE("rows without a centroid are skipped and counted") {
  const Folder folder;
  const NucleiTable table = read_nuclei_table(
      folder.write("a.csv", "x,y,area\n1,2,3\nnan,4,1\n,,\n5,6,\n7,NA,2\n8,9,nan\n"));
  CHECK(table.nuclei.x_px == std::vector{1.0, 5.0, 8.0});
  CHECK(table.labels == std::vector<std::uint64_t>{1, 4, 6});
  CHECK(std::isnan(table.nuclei.area_px[1]));
  REQUIRE(table.warnings.size() == 1);
  CHECK(table.warnings[0] == "3 rows without a centroid skipped, the first in line 3");
}

TEST_CASE("the summary that ImageJ appends is no nucleus") {
  const Folder folder;
  const NucleiTable table =
      read_nuclei_table(folder.write("Results.csv",
                                     " ,Label,Area,X,Y\n1,a.tif,9,1,2\n2,a.tif,9,3,4\n"
                                     "3,Mean,9,2,3\n4,SD,0,1,1\n5,Min,9,1,2\n6,Max,9,3,4\n"));
  CHECK(table.nuclei.x_px == std::vector{1.0, 3.0});
  REQUIRE(table.warnings.size() == 1);
  CHECK(table.warnings[0] == "4 rows of a summary (Mean, SD, Min, Max) skipped");
  CHECK(read_nuclei(folder.write("a.csv", ",X,Y\n1,5,6\nMean,5,6\nSD,NaN,NaN\n")).size() == 1);
}

TEST_CASE("a table of several times says that it is taken for one image") {
  const Folder folder;
  const auto warnings = [&](const std::string& text) {
    return read_nuclei_table(folder.write("a.csv", text)).warnings;
  };
  CHECK(warnings("ID,POSITION_X,POSITION_Y,FRAME\n1,2,3,0\n2,2,3,0\n").empty());
  for (const std::string name : {"FRAME", "Time", "Slice", "Timepoint"}) {
    const auto found = warnings("ID,x,y," + name + "\n1,2,3,0\n2,2,3,1\n3,2,3,1\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0] == "column " + name + " has 2 values, whose rows are taken for one image");
  }
}

TEST_CASE("units of lengths, and what is none") {
  const Folder folder;
  const TableOptions half{.pixel_um = 0.5};
  for (const auto& [unit, scale] : std::initializer_list<std::pair<std::string, double>>{
           {"nm", 1e-3}, {"um", 1.0}, {"mm", 1e3}, {"cm", 1e4}, {"inch", 25400.0}, {"m", 1e6}}) {
    const auto file = folder.write("a.csv", fmt::format("x [{}],y [{}]\n1,2\n", unit, unit));
    CHECK(read_nuclei_table(file, half).nuclei.x_px[0] == doctest::Approx(2.0 * scale));
    check_refused(file, {"a.csv:1", "lengths, not pixels", "--pixel-um"});
  }
  check_refused(folder.write("a.csv", "x [furlong],y [furlong]\n1,2\n"),
                {"a.csv:1", "the unit of column \"x [furlong]\" is not known", "unit=px"});
  CHECK(refusal(folder.write("a.csv", "Position (x),Position (y)\n1,2\n")) == "accepted");
}

TEST_CASE("coordinates that no match can take are refused where they are") {
  const Folder folder;
  check_refused(folder.write("a.csv", "x,y\n1,2\n3,-1e300\n"),
                {"a.csv:3", "column y", "-1e300", "at most 1e+09 px"});
  check_refused(folder.write("a.npy", npy("<f8", "(2, 2)", std::vector{1.0, 2.0, 3.0, 1e300})),
                {"a.npy", "x is 1e+300 in row 1", "at offset"});
}

TEST_CASE("labels that are there more than once are told") {
  const Folder folder;
  const auto warnings = [&](const std::string& text) {
    return read_nuclei_table(folder.write("a.csv", text)).warnings;
  };
  const auto one = warnings("label,x,y\n7,1,2\n8,3,4\n7,5,6\n");
  REQUIRE(one.size() == 1);
  CHECK(one[0] == "label 7 is in lines 2 and 4: a label does not name one nucleus");
  const auto two = warnings("label,x,y\n7,1,2\n8,3,4\n7,5,6\n8,5,6\n8,1,1\n");
  REQUIRE(two.size() == 1);
  CHECK(two[0].find("; 2 labels are there more than once: ") != std::string::npos);
  CHECK(warnings("tile,label,x,y\n1,7,1,2\n2,7,3,4\n").empty());
  CHECK(warnings("x,y\n1,2\n1,2\n").empty());
  const auto dropped = warnings("label,x,y\n7,1,2\n-1,3,4\n");
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0] == "line 3: column label holds \"-1\", no whole number: it is not used");
  for (const std::string cell : {"1.5", "-1", "nan", ""}) {
    const auto first = warnings("label,x,y\n" + cell + ",1,2\n8,3,4\n");
    REQUIRE(first.size() == 1);
    CHECK(first[0] ==
          "line 2: column label holds \"" + cell + "\", no whole number: it is not used");
  }
  CHECK(warnings("label,x,y\ncell A,1,2\ncell B,3,4\n").empty());  // a name, as QuPath's are
  CHECK(warnings("label,x,y,id\n,1,2,3\n,3,4,4\n").empty());
}

TEST_CASE("labels are whole numbers or none") {
  const Folder folder;
  const auto read = [&](const std::string& text) {
    return read_nuclei_table(folder.write("a.csv", text));
  };
  CHECK(read("x,y,label\n1,2,3.0\n1,2,18446744073709551615\n").labels ==
        std::vector<std::uint64_t>{3, ~std::uint64_t{0}});
  CHECK_FALSE(read("x,y,label\n1,2,3\n1,2,b\n").labelled);
  CHECK(read("x,y,label,id\n1,2,a,3\n1,2,b,4\n").labels == std::vector<std::uint64_t>{3, 4});
  CHECK_THROWS_AS(static_cast<void>(read_nuclei_table(folder.write("a.csv", "x,y,n\n1,2,b\n"),
                                                      {.columns = {.label = "n"}})),
                  InputError);
}

TEST_CASE("what could be read in two ways is refused") {
  const Folder folder;
  check_refused(folder.write("a.csv", "label,centroid-0,centroid-1,centroid-2\n1,2,3,4\n"),
                {"a.csv:1", "three-dimensional", "centroid-2", "--columns"});
  check_refused(folder.write("a.csv", "axis-0,axis-1,axis-2\n1,2,3\n"), {"three-dimensional"});
  check_refused(folder.write("a.csv", "x,y,z\n1,2,3\n1,2,4\n"),
                {"a.csv:3", "three-dimensional", "z is 3 and 4"});
  CHECK(refusal(folder.write("a.csv", "x,y,z\n1,2,3\n1,2,3.0\n1,2,\n")) == "accepted");
  check_refused(folder.write("a.csv", "Centroid X um,Centroid Y px\n1,2\n"), {"different units"});
  check_refused(folder.write("a.csv", "Cells_Center_X,Cells_Center_Y\n1,2\n"),
                {"no column x", "--columns \"x=Cells_Center_X,y=Cells_Center_Y\""});
  check_refused(folder.write("a.csv",
                             "index,shape-type,vertex-index,axis-0,axis-1\n"
                             "0,polygon,0,1,2\n0,polygon,1,1,4\n"),
                {"a.csv:1", "corners of shapes", "vertex-index"});
  check_refused(folder.write("a.csv", "x\ty\n404\t1,250\n1,111\t2,050\n"),
                {"\"2,050\"", "thousands or a decimal comma"});
  CHECK(read_nuclei(folder.write("a.csv", "x;y\n404;1,25\n1,111;2,050\n3,125;0\n")).x_px[1] ==
        1.111);
  check_refused(folder.write("a.csv", "x,y,area\n1.5,2.5,\"1,250\"\n"),
                {"a.csv", "both commas and points", "\"1,250\" and \"1.5\"", "thousands"});
  check_refused(folder.write("a.csv", "PK\x03\x04..."), {"spreadsheet", "CSV"});
  for (const char* start : {"\x89PNG\r\n", "\xFF\xD8\xFF\xE0"})
    check_refused(folder.write("a.png", start), {"picture", "images as TIFF or ND2"});
  check_refused(folder.write("a.xls", "\xD0\xCF\x11\xE0..."), {".xls", "CSV"});
  check_refused(folder.write("a.csv", std::string("x\0,\0y\0\n\0", 8)), {"UTF-16"});
}

TEST_CASE("a size of pixels that nothing needs says why") {
  const Folder folder;
  const auto read = [&](const char* text, const TableColumns& columns = {}) {
    return read_nuclei_table(folder.write("a.csv", text), {.columns = columns, .pixel_um = 0.5});
  };
  const NucleiTable plain = read("x_centroid,y_centroid\n1,2\n3,4\n");
  CHECK(plain.pixel_um_unused == "columns x_centroid and y_centroid name no unit");
  CHECK(plain.columns_in_um == "x=x_centroid,y=y_centroid,unit=um");
  CHECK(read("x [px],y [px]\n1,2\n").pixel_um_unused == "columns x [px] and y [px] are in px");
  CHECK(read("x_um,y_um\n1,2\n").pixel_um_unused.empty());
  CHECK(read("x [px],y [px],Area um^2\n1,2,3\n").pixel_um_unused.empty());
  CHECK(read("x,y\n1,2\n", {.x = "x", .y = "y", .unit = "um"}).pixel_um_unused.empty());
  CHECK(read_nuclei_table(folder.write("b.csv", "x,y\n1,2\n")).pixel_um_unused.empty());
  const std::vector<double> points{1, 2, 3, 4};
  CHECK(!read_nuclei_table(folder.write("a.npy", npy("<f8", "(2, 2)", points)), {.pixel_um = 0.5})
             .pixel_um_unused.empty());
}

TEST_CASE("rows may have names without a name for these, as R writes them") {
  const Folder folder;
  for (const char* text :
       {"\"x\" \"y\"\n\"1\" 10.5 2\n\"b\" 30 4.5\n", "x,y\n1,10.5,2\n3,30,4.5\n"}) {
    CAPTURE(text);
    const NucleiTable table = read_nuclei_table(folder.write("a.txt", text));
    CHECK(table.nuclei.x_px == std::vector{10.5, 30.0});
    CHECK(table.nuclei.y_px == std::vector{2.0, 4.5});
    CHECK(table.notes.front().find("taken for its name") != std::string::npos);
  }
  check_refused(folder.write("a.csv", "x,y\n1,10.5,2\n30,4.5\n"), {"a.csv:2", "3 cells"});
  CHECK(read_nuclei(folder.write("a.csv", "x,y\n1,2,\n3,4,\n")).x_px == std::vector{1.0, 3.0});
}

TEST_CASE("a cell between quotation marks may hold line breaks") {
  const Folder folder;
  const NucleiTable table = read_nuclei_table(folder.write(
      "a.csv",
      "name,x,y,note\n\"a\nb, \"\"c\"\"\",1,2,\n\"d\",3,4,\"two\r\n\r\nlines\"\n5\",5,6,\n"));
  CHECK(table.nuclei.x_px == std::vector{1.0, 3.0, 5.0});
  CHECK(table.lines == std::vector{2, 4, 7});
  CHECK(read_nuclei(folder.write("a.csv", "x,y,n\n1,2,5\"\n3,4,6\"\n")).x_px.size() == 2);
  CHECK(read_nuclei(folder.write("a.csv", "x,y,n\n1,2,\"5\n3,4,\"6\n")).x_px.size() == 2);
  check_refused(folder.write("a.csv", "n,x,y\n\"a\n,1,2\n"), {"a.csv:2", "1 cell"});
}

TEST_CASE("numbers as spreadsheets leave them") {
  const Folder folder;
  const NucleiTable table = read_nuclei_table(
      folder.write("a.csv", "x,y\n+1.5,\xc2\xa0+2,\n#N/A,#DIV/0!\n3\xc2\xa0 ,4\n"));
  CHECK(table.nuclei.x_px == std::vector{1.5, 3.0});
  CHECK(table.nuclei.y_px == std::vector{2.0, 4.0});
  for (const char* text : {"x,y\n\"1,123.0176\",2\n", "x;y\n1.123,0176;2\n", "x;y\n1'123;2\n"})
    check_refused(folder.write("a.csv", text), {"a.csv:2", "without separators of thousands"});
  check_refused(folder.write("a.csv", "x;y\n1.230;1.731\n1.507;494\n632;1.687\n1.111;5\n"),
                {"a.csv", "thousands or a decimal point"});
  CHECK(read_nuclei(folder.write("a.csv", "x,y\n123.456,99.100\n250,17.125\n1.500,633\n1.250,2\n"))
            .x_px[0] == 123.456);
}

TEST_CASE("bars separate, and MATLAB's names of centroids are told") {
  const Folder folder;
  CHECK(read_nuclei(folder.write("a.csv", "x|y\n1.5|2\n")).x_px == std::vector{1.5});
  check_refused(folder.write("a.csv", "Area,Centroid_1,Centroid_2\n3,1,2\n"),
                {"MATLAB", "--columns \"x=Centroid_1,y=Centroid_2\""});
}

TEST_CASE("arrays in another byte order, and those that are to be saved otherwise") {
  const Folder folder;
  std::vector<double> points{1.5, 2.0, 3.0, 4.25};
  for (double& value : points) {
    std::array<char, sizeof(double)> bytes;
    std::memcpy(bytes.data(), &value, sizeof value);
    std::ranges::reverse(bytes);
    std::memcpy(&value, bytes.data(), sizeof value);
  }
  const auto big = npy(">f8", "(2, 2)", points);
  CHECK(read_nuclei(folder.write("a.npy", big)).y_px == std::vector{1.5, 3.0});
  CHECK(read_nuclei(folder.write("a.npy", big)).x_px == std::vector{2.0, 4.25});
  check_refused(folder.write("a.npy", npy("<f2", "(1, 2)", points)),
                {"'<f2'", "array.astype('<f8')", "float32 or float64"});
}

TEST_CASE("arrays of two columns are points, whatever their numbers") {
  const Folder folder;
  const std::vector<std::int64_t> peaks{0, 2, 3, 4, 5, 6};
  const auto file = folder.write("a.npy", npy("<i8", "(3, 2)", peaks));
  const NucleiTable rows_first = read_nuclei_table(file);
  CHECK(rows_first.nuclei.x_px == std::vector{2.0, 4.0, 6.0});
  CHECK(rows_first.nuclei.y_px == std::vector{0.0, 3.0, 5.0});
  REQUIRE(rows_first.notes.size() == 1);
  CHECK(rows_first.notes[0].find("--npy-order xy") != std::string::npos);
  const NucleiTable x_first = read_nuclei_table(file, {.npy_order = NpyOrder::xy});
  CHECK(x_first.nuclei.x_px == rows_first.nuclei.y_px);
  CHECK(x_first.nuclei.y_px == rows_first.nuclei.x_px);
  const std::vector<float> labels{0, 1, 1, 0, 0, 0, 7, 0, 0, 0, 7, 0};
  const NucleiTable drawn = read_nuclei_table(folder.write("c.NPY", npy("<f4", "(3, 4)", labels)));
  CHECK(drawn.nuclei.x_px == std::vector{1.5, 2.0});
  CHECK(drawn.labels == std::vector<std::uint64_t>{1, 7});
}
