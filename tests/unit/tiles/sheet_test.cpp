// Sheets of tiles: what they may hold, and what a wrong one is answered with.
#include "nucreg/tiles/sheet.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>
#include <string>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

class SheetFolder {
 public:
  SheetFolder() {
    std::filesystem::create_directory(scratch_ / "10x");
    for (const char* name : {"10x/a.csv", "10x/b.csv", "10x/c#1.csv", "10x/movie.nd2"})
      write(name, "x,y\n1,2\n");
  }
  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(scratch_ / name, std::ios::binary) << text;
    return scratch_ / name;
  }
  Sheet read(const std::string& text) { return read_sheet(write("sheet.csv", text)); }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (scratch_ / name).string();
  }
  void check(const std::string& text, int line, const std::string& key,
             const std::string& problem) {
    CAPTURE(text);
    std::optional<InputError> error;
    try {
      (void)read(text);
    } catch (const InputError& e) {
      error = e;
    }
    REQUIRE(error);
    CHECK(error->fields().file == path("sheet.csv"));
    CHECK(error->fields().line == line);
    CHECK(error->fields().key == key);
    CHECK(error->problem() == problem);
    CHECK(!error->fields().allowed.empty());
  }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("a sheet says of each tile what it knows") {
  SheetFolder folder;
  const Sheet sheet = folder.read(
      "Tile;FILE;x_um;y_um;z_um;pixel_um;well;width_px\n"
      "7;10x/a.csv;-1.5;2e3;9;0.65;A1;2304\n"
      "\n"
      "8;\"10x/b.csv\";;;;;;\n");
  REQUIRE(sheet.tiles.size() == 2);
  const SheetTile &a = sheet.tiles[0], &b = sheet.tiles[1];
  CHECK(a.file == folder.path("10x/a.csv"));
  CHECK(a.tile == "7");
  CHECK(a.well == "A1");
  CHECK(a.x_um == -1.5);
  CHECK(a.y_um == 2000.0);
  CHECK(a.pixel_um == 0.65);
  CHECK(a.width_px == 2304.0);
  CHECK(!a.height_px);
  CHECK(a.line == 2);
  CHECK(b.tile == "8");
  CHECK(b.well.empty());
  CHECK(!b.x_um);
  CHECK(b.line == 4);
  REQUIRE(sheet.notes.size() == 1);
  CHECK(sheet.notes[0].ends_with("columns without a meaning here: z_um"));
}

TEST_CASE("positions in millimetres, places in a grid and frames of a file") {
  SheetFolder folder;
  const Sheet sheet =
      folder.read("file,x_mm,y_mm,row,column\n10x/movie.nd2#12,0.5,-2,0,1\n10x/c#1.csv,,,3,-4\n");
  REQUIRE(sheet.tiles.size() == 2);
  CHECK(sheet.tiles[0].file == folder.path("10x/movie.nd2"));
  CHECK(sheet.tiles[0].frame == 12);
  CHECK(sheet.tiles[0].x_um == 500.0);
  CHECK(sheet.tiles[0].y_um == -2000.0);
  CHECK(sheet.tiles[0].column == 1);
  CHECK(sheet.tiles[1].file == folder.path("10x/c#1.csv"));
  CHECK(!sheet.tiles[1].frame);
  CHECK(sheet.tiles[1].row == 3);
  CHECK(sheet.tiles[1].column == -4);
}

TEST_CASE("one file may be listed for each of its tiles") {
  SheetFolder folder;
  CHECK(folder.read("file,tile,well\n10x/a.csv,1,A\n10x/a.csv,2,A\n10x/a.csv,1,B\n").tiles.size() ==
        3);
}

TEST_CASE("folders may be separated by backslashes, cells by blanks") {
  SheetFolder folder;
  CHECK(folder.read("file,tile\n10x\\a.csv,1\n10x\\movie.nd2#2,2\n").tiles[1].file ==
        folder.path("10x/movie.nd2"));
  const Sheet sheet = folder.read("file  tile x_um y_um\n10x/a.csv 1 2.5 3\n10x/b.csv 2 4 5\n");
  REQUIRE(sheet.tiles.size() == 2);
  CHECK(sheet.tiles[1].file == folder.path("10x/b.csv"));
  CHECK(sheet.tiles[0].x_um == 2.5);
  folder.write("10x/a b.csv", "x,y\n1,2\n");
  CHECK(folder.read("file \n10x/a b.csv\n").tiles[0].file == folder.path("10x/a b.csv"));
  CHECK(is_sheet(folder.write("blanks.txt", "tile file\n1 10x/a.csv\n")));
}

TEST_CASE("wrong sheets are refused with file, line, column and what is allowed") {
  SheetFolder folder;
  folder.check("", 0, "", "lists no tiles");
  folder.check("file,tile\n", 0, "", "lists no tiles");
  folder.check("tile,x_um,y_um\n1,2,3\n", 1, "", "the sheet has no column file");
  folder.check("file,x_um\n10x/a.csv,2\n", 1, "column x_um", "is there without y_um");
  folder.check("file,file\n10x/a.csv,2\n", 1, "column file", "two columns have this name");
  folder.check("file,x_um,y_um,pixels_um\n10x/a.csv,2,3,1\n", 1, "column pixels_um",
               "unknown column (did you mean \"pixel_um\"?)");
  folder.check("file,tile\n10x/a.csv,1\n10x/d.csv,2\n", 3, "column file",
               "the file \"" + folder.path("10x/d.csv") + "\" does not exist");
  folder.check("file,tile\n10x/a.csv#1x,1\n", 2, "column file",
               "the file \"" + folder.path("10x/a.csv#1x") + "\" does not exist");
  folder.check("file,tile\n10x,1\n", 2, "column file", "\"10x\" is a folder");
  folder.check("file,tile\n,1\n", 2, "column file", "no file");
  folder.check("file,tile\n10x/a.csv\n", 2, "", "1 cell");
  folder.check("file,x_um,y_um\n10x/a.csv,1,nan\n", 2, "column y_um", "\"nan\"");
  folder.check("file,x_um,y_um\n10x/a.csv,1e999,1\n", 2, "column x_um", "\"1e999\"");
  folder.check("file,x_um,y_um\n10x/a.csv,1,\n", 2, "column y_um",
               "one coordinate of the position is missing");
  folder.check("file,pixel_um\n10x/a.csv,0\n", 2, "column pixel_um", "0");
  folder.check("file,pixel_um\n10x/a.csv,0.65\n10x/b.csv,0.00065\n", 3, "column pixel_um",
               "0.00065 looks like mm: 0.65 um");
  folder.check("file,pixel_um\n10x/a.csv,650\n", 2, "column pixel_um",
               "650 looks like nm: 0.65 um");
  folder.check("file,pixel_um\n10x/a.csv,6.5e-7\n", 2, "column pixel_um", "6.5e-07");
  folder.check("file,row,column\n10x/a.csv,0,1.5\n", 2, "column column", "1.5");
  folder.check("file,row,column\n10x/a.csv,1e300,1\n", 2, "column row", "1e+300");
  folder.check("file,tile\n10x/a.csv,1\n10x/b.csv,1\n", 3, "column tile",
               "tile \"1\" is listed in line 2 already");
  folder.check("file,tile,well\n10x/a.csv,1,A\n10x/b.csv,1,A\n", 3, "column tile",
               "tile \"1\" of well \"A\" is listed in line 2 already");
  folder.check("file,pixel_um\n10x/a.csv,1\n10x/a.csv,1\n", 3, "column file",
               "the file is listed in line 2 already");
}

TEST_CASE("only a table with a column of files is a sheet") {
  SheetFolder folder;
  CHECK(is_sheet(folder.write("s.csv", "tile\tFile\n1\ta\n")));
  CHECK(!is_sheet(folder.write("t.csv", "label,x,y\n1,2,3\n")));
  CHECK(!is_sheet(folder.write("u.csv", "")));
}
