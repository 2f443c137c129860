// Terms, tables, clocks and build facts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/clock.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/core/text.hpp"

using namespace nucreg;

namespace {

template <class E>
void check_spelling(std::initializer_list<E> values) {
  REQUIRE(values.size() == Spelling<E>::names.size());
  std::set<std::string_view> seen;
  for (const E value : values) {
    const std::string name(name_of(value));
    CAPTURE(name);
    CHECK(!name.empty());
    CHECK(seen.insert(name_of(value)).second);
    CHECK(value_of<E>(name) == value);
    std::string upper = name;
    upper[0] = static_cast<char>(std::toupper(upper[0]));
    CHECK(!value_of<E>(upper));
    CHECK(!value_of<E>(name + " "));
    CHECK(all_names<E>().find(name) != std::string::npos);
  }
  CHECK(!value_of<E>(""));
}

}  // namespace

TEST_CASE("every term is spelled one way, there and back") {
  check_spelling({Model::rigid, Model::similarity, Model::trs, Model::affine, Model::projective});
  check_spelling({Loss::squared, Loss::huber, Loss::cauchy, Loss::tukey});
  check_spelling({Coordinates::normalized, Coordinates::raw});
  check_spelling({BoundsUse::none, BoundsUse::honoured, BoundsUse::ignored});
  check_spelling({SolveStatus::converged, SolveStatus::max_evaluations, SolveStatus::max_time,
                  SolveStatus::stalled, SolveStatus::failed, SolveStatus::not_applicable});
  CHECK(all_names<Loss>() == "squared, huber, cauchy, tukey");
  CHECK(name_of(Model::trs) == "trs");
}

TEST_CASE("the values stored in result files do not move") {
  CHECK(static_cast<int>(SolveStatus::converged) == 0);
  CHECK(static_cast<int>(SolveStatus::max_evaluations) == 1);
  CHECK(static_cast<int>(SolveStatus::max_time) == 2);
  CHECK(static_cast<int>(SolveStatus::stalled) == 3);
  CHECK(static_cast<int>(SolveStatus::failed) == 4);
  CHECK(static_cast<int>(SolveStatus::not_applicable) == 5);
}

TEST_CASE("models have their parameters, named once, with units") {
  CHECK(parameter_count(Model::rigid) == 3);
  CHECK(parameter_count(Model::similarity) == 4);
  CHECK(parameter_count(Model::trs) == 5);
  CHECK(parameter_count(Model::affine) == 6);
  CHECK(parameter_count(Model::projective) == max_parameters);
  for (std::size_t i = 0; i < Spelling<Model>::names.size(); ++i) {
    const auto model = static_cast<Model>(i);
    std::set<std::string_view> names;
    for (const ParameterTerm& term : model_parameters(model)) {
      CHECK(names.insert(term.name).second);
      CHECK(!term.unit.empty());
      CHECK(term.name.ends_with("_px") == (term.unit == "px"));
      CHECK(term.name.ends_with("_deg") == (term.unit == "deg"));
    }
    CHECK(model_equation(model).find("X = ") != std::string_view::npos);
  }
  CHECK(model_parameters(Model::trs)[4].name == "scale_y");
  CHECK(model_parameters(Model::affine)[2].name == "tx_px");
  CHECK(model_parameters(Model::projective)[7].unit == "1/px");
}

TEST_CASE("a table gives its columns by name and type and nothing else") {
  const Table table{"ranks",
                    {{"rank", "1", std::vector<std::int64_t>{0, 1, 2}},
                     {"busy_s", "s", std::vector<double>{0.5, 1.5, 2.5}},
                     {"host", "", std::vector<std::string>{"a", "b", "c"}},
                     {"ok", "1", std::vector<bool>{true, false, true}}}};
  CHECK(table.rows() == 3);
  CHECK(Table{}.rows() == 0);
  CHECK(table.at("busy_s").units == "s");
  CHECK(table.at("ok").rows() == 3);
  CHECK(table.get<double>("busy_s")[2] == 2.5);
  CHECK(table.get<std::string>("host")[1] == "b");
  CHECK(table.get<bool>("ok")[1] == false);
  CHECK_THROWS_WITH_AS(static_cast<void>(table.at("busy")), "/ranks/busy: is missing", InputError);
  CHECK_THROWS_AS(static_cast<void>(table.get<double>("nothing")), InputError);
  CHECK_THROWS_WITH_AS(static_cast<void>(table.get<double>("rank")),
                       "/ranks/rank: is of another type than nucreg writes", InputError);
}

TEST_CASE("clocks go forward and count what they say") {
  const double wall = wall_seconds(), cpu = thread_cpu_seconds();
  volatile double work = 0.0;
  while (thread_cpu_seconds() - cpu < 0.01) work = work + std::sqrt(work + 1.0);
  CHECK(wall_seconds() - wall >= 0.0099);  // CPU time of one thread passes no faster than time
  CHECK(wall_clock_step_seconds() > 0.0);
  CHECK(wall_clock_step_seconds() <= 1e-3);
  CHECK(wall_clock_step_seconds() == wall_clock_step_seconds());
}

TEST_CASE("now is written in ISO 8601, UTC") {
  const std::string now = utc_now();
  REQUIRE(now.size() == 20);
  const std::string pattern = "dddd-dd-ddTdd:dd:ddZ";
  for (std::size_t i = 0; i < now.size(); ++i)
    CHECK((pattern[i] == 'd' ? std::isdigit(now[i]) != 0 : now[i] == pattern[i]));
  CHECK(now >= "2024");
}

TEST_CASE("build facts are there") {
  CHECK(build_info().version.find('.') != std::string::npos);
  CHECK(!build_info().git_revision.empty());
  CHECK(build_info().compiler.find(' ') != std::string::npos);
  CHECK(!cpu_model().empty());
  CHECK(!host_name().empty());
}

TEST_CASE("one is no plural") {
  CHECK(counted(1, "trial") == "1 trial");
  CHECK(counted(0, "trial") == "0 trials");
  CHECK(counted(2000, "trial") == "2,000 trials");
}

TEST_CASE("a misspelt word is told the nearest of those that are meant") {
  const std::vector<std::string> words{"map", "run", "merge", "--version"};
  CHECK(nearest_name("mpa", words) == "map");  // two letters exchanged
  CHECK(nearest_name("rnu", words) == "run");
  CHECK(nearest_name("--verison", words) == "--version");
  CHECK(nearest_name("mreg", words) == "merge");  // and one left out
  CHECK(nearest_name("maps", words) == "map");
  CHECK(nearest_name("fly", words).empty());
  CHECK(nearest_name("pam", words).empty());
  CHECK(nearest_name("", words).empty());
}

TEST_CASE("one line of UTF-8, whatever it is made of") {
  CHECK(one_line("", 10).empty());
  CHECK(one_line("plain", 5) == "plain");
  CHECK(one_line("a\nb\tc\x7f", 10) == "a b c ");
  CHECK(one_line("a\u009b\u202eb", 10) == "a  b");
  CHECK(one_line("M\u00fcller \U0001f600", 100) == "M\u00fcller \U0001f600");
  CHECK(one_line("abcdefgh", 7) == "abcd...");
  CHECK(one_line("ab\u00b5defgh", 6) == "ab...");  // the micro sign is two bytes
  CHECK(one_line("abc", 2) == "..");
  CHECK(one_line("abc", 0).empty());
  // A lone byte, an overlong slash, a surrogate, beyond the last character, a cut one.
  CHECK(one_line("\xff|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82", 100) ==
        "?|??|???|????|??");
}

TEST_CASE("text from outside cannot act on a terminal") {
  CHECK(shown_text("plain \u00b5m\n\tmore") == "plain \u00b5m\n\tmore");
  CHECK(shown_text("\x1b[31m\a\x7f\r") == "\\u001b[31m\\u0007\\u007f\\u000d");
  CHECK(shown_text("\u009b\u202e\u2066\u200f\u061c\u2028") ==
        "\\u009b\\u202e\\u2066\\u200f\\u061c\\u2028");
  CHECK(shown_text("a\x9b\xff\xe2\x82") == "a????");
  CHECK(shown_text(std::string_view("\0", 1)) == "\\u0000");
  CHECK(shown_line("one\ntwo\tthree") == "one\\ntwo three");
}

TEST_CASE("long lines are cut, between characters") {
  CHECK(with_short_lines("abc\nabcd\n\nabcde", 4) == "abc\nabcd\n\nabcd...");
  CHECK(with_short_lines("ab\u00b5d", 3) == "ab...");
  CHECK(with_short_lines("", 3).empty());
  CHECK(with_short_lines("a\n", 3) == "a\n");
}

TEST_CASE("the number that a text begins with, and where it ends") {
  const std::string_view text = "1.5 um";
  const char* end = nullptr;
  CHECK(leading_number<double>(text, &end) == 1.5);
  CHECK(end == text.data() + 3);
  CHECK(leading_number<unsigned>("12x") == 12u);
  CHECK(leading_number<unsigned>("ffg", nullptr, 16) == 255u);
  for (const char* none : {"", "um", " 1", "-1", "4294967296"})
    CHECK_FALSE(leading_number<unsigned>(none));
}

TEST_CASE("lines, of which the last need not end") {
  using Lines = std::vector<std::string>;
  CHECK(split_lines("") == Lines{});
  CHECK(split_lines("a\n\nb") == Lines{"a", "", "b"});
  CHECK(split_lines("a\nb\n") == Lines{"a", "b"});
  CHECK(split_lines(std::string("run\0-n\0", 7), '\0') == Lines{"run", "-n"});
}
