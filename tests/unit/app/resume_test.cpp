// What belongs together.
#include "nucreg/app/resume.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"

using namespace nucreg;

TEST_CASE("inputs differ if any value read differs") {
  InputFile input{.path = "a.csv"};
  input.pairs = {{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}, {7.0, 8.0}};
  const std::string before = describe_inputs({input});
  CHECK(before.starts_with("input a.csv: 2 points, checksum "));
  CHECK(before == describe_inputs({input}));
  for (auto* column : {&input.pairs.x10, &input.pairs.y10, &input.pairs.x40, &input.pairs.y40}) {
    const double value = column->back();
    column->back() = std::nextafter(value, 0.0);
    CHECK(before != describe_inputs({input}));
    column->back() = value;
  }
  input.field_px[1] = 9.0;
  CHECK(before != describe_inputs({input}));
  CHECK(describe_inputs({}).empty());
}

TEST_CASE("a result file tells the identity of the run that made it") {
  Attributes attributes{{"nucreg_version", "0.2.0"}, {"git_revision", "abc"},
                        {"compiler", "GNU"},         {"build_identity", build_identity()},
                        {"inputs", "input a: 1\n"},  {"job_toml", "[job]\n"}};
  CHECK(run_identity(attributes) == run_identity(build_identity(), {}, "input a: 1\n", "[job]\n"));
  attributes["git_revision"] = "another";  // the same for all edits of a tree
  CHECK(run_identity(attributes) == run_identity(build_identity(), {}, "input a: 1\n", "[job]\n"));
  attributes["build_identity"] = "another";
  CHECK(run_identity(attributes) != run_identity(build_identity(), {}, "input a: 1\n", "[job]\n"));
  attributes.erase("inputs");
  CHECK_THROWS_AS(static_cast<void>(run_identity(attributes)), InputError);
}

TEST_CASE("a result of 0.1 is known by what git said") {
  const Attributes attributes{{"nucreg_version", "0.1.0"},
                              {"git_revision", "abc"},
                              {"compiler", "GNU"},
                              {"inputs", ""},
                              {"job_toml", "[job]\n"}};
  CHECK(run_identity(attributes) == "build nucreg 0.1.0 (abc, GNU)\n[job]\n");
}

TEST_CASE("a part of a job is an identity of its own") {
  const std::string whole = run_identity("b", {}, "input a: 1\n", "[job]\nname = 1\n");
  const std::string part = run_identity("b", {2, 8}, "input a: 1\n", "[job]\nname = 1\n");
  CHECK(difference(whole, part) == "+ part 2/8\n");
  CHECK(job_of_identity(whole) == "[job]\nname = 1\n");
  CHECK(job_of_identity(part) == "[job]\nname = 1\n");
  CHECK(job_of_identity("build b\n") == "");
  CHECK(part_of_identity(part).text() == "2/8");
  CHECK(part_of_identity(whole).whole());
  CHECK(part_of_identity(run_identity("b", {}, "", "[job]\npart 3/4\n")).whole());
}
