#include "nucreg/report/overview.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "nucreg/core/error.hpp"
#include "nucreg/stats/verdict.hpp"
#include "support/sample_result.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

Overview sample_overview() {
  const Scratch scratch;
  sample::write_result(scratch / "r.h5");
  return make_overview(ResultReader(scratch / "r.h5"));
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

/// An overview of `count` configurations: points takes 10 values, noise_px the rest.
Overview wide_overview(std::size_t count) {
  Overview view = sample_overview();
  std::vector<double> points, noise;
  SummaryBuilder summary(sample::solvers);
  for (std::size_t c = 0; c < count; ++c) {
    points.push_back(static_cast<double>(c / (count / 10)));
    noise.push_back(static_cast<double>(c % (count / 10)));
    for (std::uint32_t s = 0; s < sample::solvers; ++s) {
      const Record row = sample::result_row(static_cast<std::uint32_t>(c), 0, s);
      summary.add({&row, 1});
    }
  }
  view.configurations = {"configurations", {{"points", "1", points}, {"noise_px", "px", noise}}};
  view.summary = summary.finish();
  return view;
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    longest = std::max(longest, static_cast<std::size_t>(std::ranges::count_if(line, [](char c) {
                         return (c & 0xC0) != 0x80;  // characters of UTF-8
                       })));
  return longest;
}

}  // namespace

TEST_CASE("the text shows what varies, medians, failures and ranks") {
  const std::string text = to_text(sample_overview(), {.width = 100});
  INFO(text);
  CHECK(contains(text, "12 of 12 trials"));
  CHECK(contains(text, "3 configurations, 2 solvers, 24 solves on 2 ranks"));
  CHECK(contains(text, " points  noise_px  solver"));
  CHECK(contains(text, "1000000    1..2.5  LM"));
  CHECK(contains(text,
                 "commonest messages\n1 x LM, failed: objective was NaN at evaluation 3 (first: "
                 "configuration 0 trial 0)\n1 x LM, not_applicable: has no answer (first"));
  CHECK_FALSE(contains(text, "outliers"));
  CHECK_FALSE(contains(text, "noise_px_min"));
  CHECK(contains(text, "10.0 us"));
  CHECK(contains(text, "1 of 4"));
  CHECK(contains(text, "0 of 3"));  // one of four was not applicable
  CHECK(contains(text, "LM is 3 times as fast as L-BFGS"));
  CHECK(contains(text, "node-b"));
  CHECK(contains(text, "250 ms"));
  CHECK(contains(text, "1.5 MiB"));
}

TEST_CASE("tables fit into the width and name what they leave out") {
  Overview view = sample_overview();
  view.attributes["cpu_model"] = std::string(150, 'x');
  for (const bool unicode : {false, true}) {
    for (const std::size_t width : {20U, 30U, 40U, 50U, 60U, 80U, 200U}) {
      const std::string text = to_text(view, {.width = width, .unicode = unicode});
      INFO(text);
      CHECK(longest_line(text) <= width);
      CHECK(contains(text, "solver"));
      if (width >= 40) CHECK(contains(text, "10.0 us"));
      // Bars are the first to go: a number tells more.
      CHECK(contains(text, "evals  failed") == (width >= 80));
      CHECK(contains(text, "\u2588") == (unicode && width > 80));
      CHECK(contains(text, "##") == (!unicode && width > 80));
    }
  }
  const std::string narrow = to_text(view, {.width = 40});
  CHECK(contains(narrow, "for: evals"));
}

TEST_CASE("times without a valid timing are marked, and what is left out is counted") {
  const std::string valid = to_text(sample_overview());
  CHECK_FALSE(contains(valid, "*"));
  CHECK_FALSE(contains(valid, "left out"));

  Overview view = sample_overview();
  SummaryBuilder summary(sample::solvers);
  for (Record row : sample::result_rows(false)) {
    // All of LM in configuration 0, one of L-BFGS in configuration 1, none else.
    const bool lm = row.configuration == 0 && row.solver == 1;
    const bool bfgs = row.configuration == 1 && row.solver == 0 && row.trial == 2;
    row.timing_valid = !lm && !bfgs;
    if (lm) row.wall_seconds = 7e-3;
    summary.add({&row, 1});
  }
  view.summary = summary.finish();
  const std::string text = to_text(view, {.width = 120});
  INFO(text);
  CHECK(contains(text, "7.00 ms*"));
  CHECK(std::ranges::count(text, '*') == 2);  // the time and the note
  CHECK(contains(text, "5 of 23 timings are not valid; left out where there are others"));
  CHECK(contains(text, "* of all solves: none has a valid timing"));

  // Of a group the configurations count that have a valid timing, if any has one.
  const std::string grouped = to_text(view, {.width = 120, .max_configurations = 2});
  INFO(grouped);
  CHECK_FALSE(contains(grouped, "7.00 ms"));
  CHECK(contains(grouped, "10.0 us "));
}

TEST_CASE("many configurations are grouped by the leading axes") {
  const std::string text = to_text(wide_overview(200), {.width = 120});
  INFO(text);
  CHECK(contains(text, "200 configurations; each number is the median over a group; all of them:"));
  CHECK(contains(text, "nucreg export"));
  CHECK_FALSE(contains(text, "noise_px  solver"));
  CHECK(contains(text, "points  solver"));
  CHECK(contains(text, "0 of 20"));
  // points 0 has configurations 0 to 19: rmsd_px of LM is 0.1 (2 + 8 c), median at c = 9.5.
  CHECK(contains(text, "7.8"));
  CHECK_FALSE(contains(to_text(wide_overview(40)), "group"));
}

TEST_CASE("a solver that is never applicable and many ranks") {
  Overview view = sample_overview();
  SummaryBuilder summary(2);
  for (std::uint32_t s = 0; s < 2; ++s) {
    Record row = sample::result_row(0, 0, s);
    if (s == 1) row.status = SolveStatus::not_applicable;
    summary.add({&row, 1});
  }
  view.summary = summary.finish();
  CHECK(contains(to_text(view), "n/a"));
  CHECK(contains(to_text(view, {.max_ranks = 1}), "(1 more; all of them: nucreg export"));
  view.ranks = {"ranks", {}};
  view.attributes.clear();
  CHECK_FALSE(contains(to_text(view), "\nranks\n"));
}

TEST_CASE("a summary that names what is not there is refused") {
  Overview view = sample_overview();
  view.solvers.columns.clear();
  CHECK_THROWS_AS((void)to_text(view), InputError);
}

TEST_CASE("JSON holds it all, with null for what is not finite") {
  Overview view = sample_overview();
  view.attributes["job_name"] = std::string("broken \xff text");
  view.attributes["big"] = std::int64_t{1} << 62;
  const auto json = nlohmann::json::parse(to_json(view));
  CHECK(json["records"] == 24);
  CHECK(json["attributes"]["seed"] == 7);
  CHECK(json["attributes"]["big"] == std::int64_t{1} << 62);
  CHECK(json["attributes"]["job_name"] == "broken \xEF\xBF\xBD text");
  CHECK(json["solvers"][0]["name"] == "L-BFGS, \"bounded\"");
  CHECK(json["configurations"][2]["noise_px"].is_null());
  CHECK(json["summary"].size() == 6);
  CHECK(json["summary"][1]["failures"] == 1);
  CHECK(json["summary"][0]["iterations_mean"].is_null());
  CHECK(json["ranks"][1]["busy_s"] == 12.0);
  CHECK(json["verdict"] == make_verdict(view.comparison).sentence());
  CHECK(json["sentences"] == make_verdict(view.comparison).sentences);
  CHECK(json["comparisons"].size() == view.comparison.regions.size());
  CHECK(json["comparisons"][0]["scope"] == "overall");
  CHECK(json["comparisons"][0]["solver_b"] == "LM");
  CHECK(json["comparisons"][0]["time_ratio"].get<double>() == doctest::Approx(3.0));
}
