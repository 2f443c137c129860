// Lines, cells and numbers of tables as text.
#include "nucreg/core/table_input.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

using namespace nucreg;

namespace {

using Cells = std::vector<std::string_view>;

}  // namespace

TEST_CASE("cells are without the blanks and quotation marks around them") {
  CHECK(cells_of("", ',') == Cells{""});
  CHECK(cells_of("a,b", ',') == Cells{"a", "b"});
  CHECK(cells_of(" a\t, ,b c\r", ',') == Cells{"a", "", "b c"});
  CHECK(cells_of("a\t\t b", '\t') == Cells{"a", "", "b"});
  CHECK(cells_of("\"a\" ; \" b \";\"\"", ';') == Cells{"a", "b", ""});
  CHECK(cells_of("a\tb,c", ',') == Cells{"a\tb", "c"});
  CHECK(cells_of("  a   b\t \"c d\" e ", ' ') == Cells{"a", "b", "c d", "e"});
}

TEST_CASE("a separator between quotation marks is part of the cell") {
  CHECK(cells_of("\"DAPI,GFP.tif\",40x.tif", ',') == Cells{"DAPI,GFP.tif", "40x.tif"});
  CHECK(cells_of("a, \"b,c\" ,\"d,\"\r", ',') == Cells{"a", "b,c", "d,"});
  CHECK(cells_of("\t\"a,b\",c", ',') == Cells{"a,b", "c"});
  CHECK(cells_of("\"a\tb\"\t\"c", '\t') == Cells{"a\tb", "\"c"});
  // Two marks are one that is part of it.
  const auto marked = cells_of("\"the \"\"first, best\"\"\",b", ',');
  REQUIRE(marked.size() == 2);
  CHECK(text_in(marked[0]) == "the \"first, best\"");
  CHECK(text_in("plain") == "plain");
  CHECK(text_in("") == "");
}

TEST_CASE("quotation marks that do not pair up hide nothing") {
  CHECK(cells_of("\"a,b", ',') == Cells{"\"a", "b"});
  CHECK(cells_of("5\",6\"", ',') == Cells{"5\"", "6\""});
  CHECK(cells_of("\"a\"b,c", ',') == Cells{"\"a\"b", "c"});
  CHECK(cells_of("\"\"\",b", ',') == Cells{"\"", "b"});
  CHECK(cells_of("\"", ',') == Cells{"\""});
}

TEST_CASE("lines that are not blank, with their numbers") {
  const auto lines = lines_of("\xef\xbb\xbfx,y\r\n \t\r\n\"\"\n1,2\n\n3,4");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].text == "x,y");
  CHECK((lines[0].number == 1 && lines[1].number == 4 && lines[2].number == 6));
  CHECK(lines[2].text == "3,4");
  CHECK(lines_of("").empty());
  const auto old_mac = lines_of("x,y\r1,2\r\r3,4\r");
  REQUIRE(old_mac.size() == 3);
  CHECK((old_mac[1].text == "1,2" && old_mac[2].text == "3,4" && old_mac[2].number == 4));
}

TEST_CASE("a number has a decimal point or a decimal comma") {
  CHECK(number_in("405.89") == 405.89);
  CHECK(number_in("405,89") == 405.89);
  CHECK(number_in("-1,5e3") == -1500.0);
  for (const char* cell : {"", "1,234.5", "1.234,5", "1,234,567", "1, 5", "one"})
    CHECK(!number_in(cell));
}

TEST_CASE("commas between thousands are told from decimal commas by all numbers of a table") {
  const auto doubt = [](std::initializer_list<const char*> cells) {
    NumberForms forms;
    for (const char* cell : cells) forms.add(cell, 0);
    return forms.doubt();
  };
  CHECK(doubt({}).empty());
  CHECK(doubt({"405,89", "12", "1,234", "1,111", "2,222"}).empty());
  CHECK(doubt({"405,123", "1234,567", "-12,345", "12"}).empty());
  CHECK(doubt({"405.89", "12", "1234.5"}).empty());
  CHECK(doubt({"1,111", "1,234", "1,250", "404"}).find("\"1,250\" next to whole") == 0);
  CHECK(doubt({"1,234", "987.5"}).find("\"1,234\" and \"987.5\"") != std::string::npos);
  CHECK(doubt({"40,5", "40.5"}).find("both commas and points") == 0);
}

TEST_CASE("points between thousands are told from decimal points by the numbers of a column") {
  const auto doubt = [](std::initializer_list<const char*> x,
                        std::initializer_list<const char*> y) {
    NumberForms forms;
    for (const char* cell : x) forms.add(cell, 0);
    for (const char* cell : y) forms.add(cell, 1);
    return forms.doubt();
  };
  CHECK(doubt({"1.230", "1.507", "632", "1.687"}, {}).find("\"1.230\" next to whole") == 0);
  CHECK(doubt({}, {"-12.230", "+1.507", "632", "1.687"}).find("decimal point") !=
        std::string::npos);
  CHECK(doubt({"123.456", "99.100", "42.000", "512"}, {}).empty());  // as ImageJ writes whole ones
  CHECK(doubt({"12.456", "1230", "14.500", "99.100"}, {}).empty());
  CHECK(doubt({"0.456", "632", "14.500", "99.100"}, {}).empty());
  CHECK(doubt({"12.45", "632", "14.500", "99.100", "1.234"}, {}).empty());
  CHECK(doubt({"12.450", "14.500", "99.100"}, {"632", "512"}).empty());
  CHECK(doubt({"12.450", "14.500", "99.100", "63"}, {}).empty());
}

TEST_CASE("a header of more columns than any program writes is refused before it is looked at") {
  const auto table = [](std::size_t columns, char separator) {
    const std::string header = "x" + std::string(columns - 1, separator);
    return header + "\n1\n";
  };
  for (const char separator : {',', ';', '\t', '|', ' '}) {
    CHECK(table_text(table(100'000, separator), "a.csv") == table(100'000, separator));
    const std::string wider = "title\n" + table(100'001, separator);
    CHECK_THROWS_WITH_AS(static_cast<void>(table_text(wider, "a.csv")),
                         "a.csv:2: more than 100,000 columns; allowed: up to 100,000", InputError);
  }
}

TEST_CASE("a number is all of its cell") {
  CHECK(parse_number<double>("-1.5e3") == -1500.0);
  CHECK(std::isnan(parse_number<double>("nan").value()));
  CHECK(std::isinf(parse_number<double>("inf").value()));
  for (const char* cell : {"", "1 ", " 1", "1,5", "0x", "1e999", "one"})
    CHECK(!parse_number<double>(cell));
}
