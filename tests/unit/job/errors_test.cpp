// What a wrong job is answered with: always file, line, key and what is allowed.
#include <doctest/doctest.h>

#include <filesystem>
#include <optional>

#include "nucreg/job/parse.hpp"
#include "support/job_error.hpp"
#include "unit/job/text.hpp"

using namespace nucreg;

namespace {

std::optional<JobError> error_of(const std::string& text) {
  try {
    (void)parse_job_text(text, "job.toml");
  } catch (const JobError& error) {
    return error;
  }
  return std::nullopt;
}

void check(const std::string& text, const Expected& expected) {
  CAPTURE(text);
  check_error(error_of(text), expected);
}

const std::string head = "[job]\nname = \"t\"\n[[solver]]\nname = \"A\"\nkind = \"lm\"\n";

/// A line of [problem], which is line 7 of the file.
void check_problem(const std::string& line, const std::string& key, const std::string& problem,
                   const std::string& allowed) {
  check(head + "[problem]\n" + line + "\n", {7, "problem." + key, problem, allowed});
}
void check_fit(const std::string& line, const std::string& key, const std::string& problem,
               const std::string& allowed) {
  check(head + "[fit]\n" + line + "\n", {7, "fit." + key, problem, allowed});
}

const std::string not_negative = "number >= 0; a list of such; { min, max }";
const std::string a_part = "number >= 0, < 1; a list of such; { min, max }";
const std::string transform_keys = "model, dx_px, dy_px, angle_deg, scale_x, scale_y";
const std::string starts =
    "nominal, identity, truth, closed-form, { params = [numbers in the model's order] }";

}  // namespace

TEST_CASE("the job of these tests is right but for what each adds") {
  CHECK_FALSE(error_of(head));
  CHECK_FALSE(error_of(head + "[problem]\n[fit]\n[run]\n"));
}

TEST_CASE("the message has everything in it") {
  const auto error = error_of(head + "[problem]\nnoise_px = -1\n");
  REQUIRE(error);
  CHECK(std::string(error->what()) ==
        "job.toml:7: problem.noise_px: -1 is out of range; allowed: " + not_negative);
}

TEST_CASE("unknown keys") {
  check("jobb = 1\n" + head, {1, "jobb", "unknown key (did you mean \"job\"?)",
                              "[job], [problem], [fit], [[solver]], [run]"});
  check("[job]\nname = \"t\"\ntrails = 3\n",
        {3, "job.trails", "unknown key (did you mean \"trials\"?)", "name, seed, trials"});
  check("[job]\nname = \"t\"\nxyz = 3\n", {3, "job.xyz", "unknown key", "name, seed, trials"});
  check_problem("nois_px = 1", "nois_px", "unknown key (did you mean \"noise_px\"?)",
                "source, points, field_px, min_distance_px, border_px, magnification, noise_px, "
                "outliers, missing, layout, noise_kind, outlier_kind, transform");
  check_fit("bounds = { size = [1, 2] }", "bounds.size", "unknown key",
            "scale, angle_deg, dx_px, dy_px");
  check(
      head + "[run]\nmonitor = 3\n",
      {7, "run.monitor", "unknown key",
       "monitor_seconds, threads_per_rank, timing_repeats, max_solve_bytes, hang_seconds, trace"});
}

TEST_CASE("transform keys that the model does not have") {
  check_problem("transform = { model = \"trs\", scale = 4 }", "transform.scale",
                "unknown key (did you mean \"scale_x\"?)", transform_keys);
  check_problem("transform.tx_px = 4", "transform.tx_px", "unknown key (did you mean \"dx_px\"?)",
                transform_keys);
  check_problem("transform = { model = \"affine\", angle_deg = 4 }", "transform.angle_deg",
                "unknown key", "model, a, b, tx_px, c, d, ty_px");
}

TEST_CASE("wrong types") {
  check("[job]\nname = 3\n", {2, "job.name", "wrong type (integer)",
                              "1 to 100 of A-Z a-z 0-9 . _ + -, the first a letter or a digit"});
  check("[job]\nname = \"t\"\ntrials = 2.0\n",
        {3, "job.trials", "wrong type (float)", "whole number, 1 ... 4294967295"});
  check("[job]\nname = \"t\"\nseed = \"one\"\n",
        {3, "job.seed", "wrong type (string)", "whole number >= 0"});
  check_problem("points = \"many\"", "points", "wrong type (string)", job_test::count);
  check_problem("points = true", "points", "wrong type (boolean)", job_test::count);
  check_problem("points = 2024-01-01", "points", "wrong type (date or time)", job_test::count);
  check_problem("points = [[1]]", "points", "wrong type (list)", job_test::count);
  check_problem("magnification = [4]", "magnification", "wrong type (list)", "number > 0");
  check_problem("source = [\"pairs\"]", "source", "wrong type (list)",
                "synthetic, pairs, labels, images");
  check_problem("transform = \"trs\"", "transform", "wrong type (string)", "one table of keys");
  check_problem("transform = [{}, {}]", "transform", "wrong type (list)", "one table of keys");
  check_fit("model = 3", "model", "wrong type (integer)",
            "rigid, similarity, trs, affine, projective");
  check("job = 3\n", {1, "job", "wrong type (integer)", "one table of keys"});
  check(head + "[[fit]]\n", {6, "fit", "wrong type (list)", "one table of keys"});
}

TEST_CASE("unknown words") {
  const std::string models = "rigid, similarity, trs, affine, projective";
  check_problem("source = \"movies\"", "source", "unknown source \"movies\"",
                "synthetic, pairs, labels, images");
  check_problem("transform.model = \"afine\"", "transform.model",
                "unknown model \"afine\" (did you mean \"affine\"?)", models);
  check_fit("model = \"TRS\"", "model", "unknown model \"TRS\"", models);
  check_fit("loss = \"l1\"", "loss", "unknown loss \"l1\"", "squared, huber, cauchy, tukey");
  check_fit("coordinates = \"pixels\"", "coordinates", "unknown coordinates \"pixels\"",
            "normalized, raw");
  check_fit("start = \"zero\"", "start", "unknown start \"zero\"", starts);
}

TEST_CASE("out of range") {
  check("[job]\nname = \"t\"\ntrials = 0\n",
        {3, "job.trials", "0 is out of range", "whole number, 1 ... 4294967295"});
  check("[job]\nname = \"t\"\nseed = -1\n",
        {3, "job.seed", "-1 is out of range", "whole number >= 0"});
  check_problem("points = 0", "points", "0 is out of range", job_test::count);
  check_problem("points = 2.5", "points", "2.5 is out of range", job_test::count);
  check_problem("points = 100_000_001", "points", "100000001 is out of range", job_test::count);
  check_problem("points = { min = 0, max = 9 }", "points", "0 is out of range", job_test::count);
  check_problem("noise_px = [0, -0.5]", "noise_px", "-0.5 is out of range", not_negative);
  check_problem("min_distance_px = -1", "min_distance_px", "-1 is out of range", not_negative);
  check_problem("border_px = -1", "border_px", "-1 is out of range", "number >= 0");
  check_problem("outliers = 1", "outliers", "1 is out of range", a_part);
  check_problem("missing = { min = 0, max = 1 }", "missing", "1 is out of range", a_part);
  check_problem("field_px = [0, 100]", "field_px", "0 is out of range",
                "[width, height], each number > 0");
  check_problem("magnification = 0", "magnification", "0 is out of range", "number > 0");
  check_problem("transform.scale_x = 0", "transform.scale_x", "0 is out of range",
                "number, not 0; a list of such; { min, max }");
  check_problem("transform.angle_deg = 181", "transform.angle_deg", "181 is out of range",
                "number, -180 ... 180; a list of such; { min, max }");
  check_fit("loss_scale_px = 0", "loss_scale_px", "0 is out of range",
            "\"auto\" or number > 0; a list of such; { min, max }");
  check_fit("max_evaluations = 0", "max_evaluations", "0 is out of range",
            "whole number, 1 ... 2147483647; a list of such; { min, max }");
  check_fit("ftol_rel = -1e-3", "ftol_rel", "-0.001 is out of range", a_part);
  check_fit("xtol_rel = 1", "xtol_rel", "1 is out of range", a_part);
  check_fit("max_seconds = 0", "max_seconds", "0 is out of range",
            "number > 0; a list of such; { min, max }");
  check(head + "[run]\nmonitor_seconds = 0\n",
        {7, "run.monitor_seconds", "0 is out of range", "number > 0"});
  const std::string repeats = "\"auto\" or whole number, 1 ... 1000000000";
  check(head + "[run]\ntiming_repeats = 0\n",
        {7, "run.timing_repeats", "0 is out of range", repeats});
  const std::string bytes = "\"off\" or whole number, 1 ... 9007199254740992";
  check(head + "[run]\nmax_solve_bytes = 0\n",
        {7, "run.max_solve_bytes", "0 is out of range", bytes});
  check(head + "[run]\nmax_solve_bytes = 1e9\n",
        {7, "run.max_solve_bytes", "wrong type (float)", bytes});
  check(head + "[run]\nhang_seconds = 0\n",
        {7, "run.hang_seconds", "0 is out of range", "number > 0"});
  check(head + "[run]\ntrace = 1\n", {7, "run.trace", "wrong type (integer)", "true, false"});
  check(head + "[run]\ntiming_repeats = \"often\"\n",
        {7, "run.timing_repeats", "unknown word \"often\"", repeats});
}

TEST_CASE("numbers that are none") {
  check_problem("noise_px = nan", "noise_px", "not a finite number", not_negative);
  check_problem("noise_px = [1, +inf]", "noise_px", "not a finite number", not_negative);
  check_problem("noise_px = { min = 0, max = inf }", "noise_px", "not a finite number",
                not_negative);
  check_problem("field_px = [nan, 1]", "field_px", "not a finite number",
                "[width, height], each number > 0");
  check_fit("start = { params = [nan] }", "start", "not a finite number", starts);
  check_fit("bounds.scale = [nan, 1]", "bounds.scale", "not a finite number",
            "[min, max], min < max, each number or infinite");
}

TEST_CASE("axes") {
  check_problem("noise_px = []", "noise_px", "empty list", not_negative);
  check_fit("model = []", "model", "empty list", "rigid, similarity, trs, affine, projective");
  check_fit("start = []", "start", "empty list", starts);
  check_problem("noise_px = [1, 2, 1.0]", "noise_px", "1 is twice in the list", not_negative);
  check_problem("noise_px = [{ min = 1, max = 2 }, { max = 2, min = 1 }]", "noise_px",
                "{ min = 1, max = 2 } is twice in the list", not_negative);
  check_fit("loss = [\"huber\", \"huber\"]", "loss", "\"huber\" is twice in the list",
            "squared, huber, cauchy, tukey");
}

TEST_CASE("the line is that of the value in a list of many lines") {
  check(head + "[problem]\nnoise_px = [\n  1,\n  -2,\n]\n",
        {9, "problem.noise_px", "-2 is out of range", not_negative});
}

TEST_CASE("drawn numbers") {
  const std::string keys = "a drawn number has the keys min and max";
  check_problem("noise_px = { min = 1 }", "noise_px", keys, not_negative);
  check_problem("noise_px = { min = 1, max = 2, mean = 1 }", "noise_px", keys, not_negative);
  check_problem("noise_px = { min = 2, max = 1 }", "noise_px", "min is above max", not_negative);
  check_problem("noise_px = { min = \"a\", max = 1 }", "noise_px", "wrong type (string)",
                not_negative);
}

TEST_CASE("pairs, starts and bounds") {
  const std::string field = "[width, height], each number > 0";
  check_problem("field_px = 1024", "field_px", "wrong type (integer)", field);
  check_problem("field_px = [1, 2, 3]", "field_px", "3 values where 2 belong", field);
  check_fit("start = { params = 3 }", "start", "a start in numbers has the one key params", starts);
  check_fit("start = { params = [1], more = 2 }", "start",
            "a start in numbers has the one key params", starts);
  check_fit("start = { params = [\"a\"] }", "start", "wrong type (string)", starts);
  check_fit("start = \"params\"", "start", "\"params\" without numbers", starts);
  check_fit("start = 3", "start", "wrong type (integer)", starts);
  const std::string interval = "[min, max], min < max, each number or infinite";
  check_fit("bounds = [1, 2]", "bounds", "wrong type (list)", "one table of keys");
  check_fit("bounds.scale = 4", "bounds.scale", "wrong type (integer)", interval);
  check_fit("bounds.scale = [4]", "bounds.scale", "1 values where 2 belong", interval);
  check_fit("bounds.scale = [4, 4]", "bounds.scale", "min is not below max", interval);
  check_fit("bounds.angle_deg = [-181, 0]", "bounds.angle_deg", "-181 is out of range",
            "[min, max], min < max, each number, -180 ... 180 or infinite");
}

TEST_CASE("keys that have no meaning for the source") {
  for (const std::string key :
       {"points = 3", "min_distance_px = 3", "border_px = 1", "field_px = [9, 9]"})
    for (const std::string source : {"pairs", "labels"})
      check(head + "[problem]\nsource = \"" + source + "\"\nfiles = \"f\"\n" + key + "\n",
            {9, "problem." + key.substr(0, key.find(' ')),
             "has no meaning with source \"" + source + "\"", "with source synthetic"});
  for (const std::string key :
       {"noise_px = 3", "outliers = 0.1", "missing = 0.1", "transform = {}"})
    check(head + "[problem]\nsource = \"pairs\"\nfiles = \"f\"\n" + key + "\n",
          {9, "problem." + key.substr(0, key.find(' ')), "has no meaning with source \"pairs\"",
           "with source synthetic, labels"});
  check_problem("files = \"a.csv\"", "files", "has no meaning with source \"synthetic\"",
                "with source pairs, labels");
}

TEST_CASE("files") {
  check(head + "[problem]\nsource = \"pairs\"\n",
        {6, "problem.files", "is missing", "path of a file"});
  check(head + "[problem]\nsource = \"labels\"\nfiles = []\n",
        {8, "problem.files", "empty list", "path of a file"});
  check(head + "[problem]\nsource = \"labels\"\nfiles = [\"a\", \"\"]\n",
        {8, "problem.files", "\"\" cannot be used", "path of a file"});
}

TEST_CASE("names of jobs") {
  const std::string rule = "1 to 100 of A-Z a-z 0-9 . _ + -, the first a letter or a digit";
  for (const std::string name : {"", ".hidden", "../up", "a/b", "a b", "-n", "\u00e4"})
    check("[job]\nname = \"" + name + "\"\n",
          {2, "job.name", "\"" + name + "\" cannot be used", rule});
  check("[job]\nname = \"" + std::string(101, 'a') + "\"\n",
        {2, "job.name", "\"" + std::string(101, 'a') + "\" cannot be used", rule});
  check("[[solver]]\nname = \"A\"\nkind = \"lm\"\n", {0, "job.name", "is missing", rule});
  check("\n[job]\nseed = 1\n", {2, "job.name", "is missing", rule});
}

TEST_CASE("solvers") {
  const std::string sections = "one [[solver]] section per solver, with name and kind";
  const std::string job = "[job]\nname = \"t\"\n", rule = "1 to 64 printable characters";
  check(job, {0, "solver", "is missing", sections});
  check("solver = []\n" + job, {1, "solver", "is no list of sections", sections});
  check(job + "[solver]\nname = \"A\"\n", {3, "solver", "is no list of sections", sections});
  check(job + "[[solver]]\nkind = \"lm\"\n", {3, "solver.name", "is missing", rule});
  check(job + "[[solver]]\nname = \"A\"\n", {3, "solver.kind", "is missing", rule});
  check(job + "[[solver]]\nname = \"\"\n", {4, "solver.name", "\"\" cannot be used", rule});
  check(job + "[[solver]]\nname = \"a\\tb\"\n",
        {4, "solver.name", "\"a\\u0009b\" cannot be used", rule});
  check(
      head + "[[solver]]\nkind = \"lm\"\nname = \"A\"\n",
      {8, "solver.name", "there are two solvers named \"A\"", "a name of its own for each solver"});
  const std::string option = "boolean, finite number, string, or a list of such";
  check(head + "x = [[1]]\n", {6, "solver.x", "wrong type (list)", option});
  check(head + "x = []\n", {6, "solver.x", "empty list", option});
  check(head + "x = [1, 1]\n", {6, "solver.x", "1 is twice in the list", option});
  check(head + "command = [\"a\", 1]\n", {6, "solver.command", "wrong type (integer)", option});
  check_fit("loss_scale_px = \"automatic\"", "loss_scale_px", "unknown word \"automatic\"",
            "\"auto\" or number > 0; a list of such; { min, max }");
  check(head + "x = { a = 1 }\n", {6, "solver.x", "wrong type (table)", option});
  check(head + "x = 2024-01-01\n", {6, "solver.x", "wrong type (date or time)", option});
  check(head + "x = nan\n", {6, "solver.x", "not a finite number", option});
}

TEST_CASE("text that is not TOML names its line") {
  struct Case {
    const char* text;
    int line;
  };
  for (const Case& wrong : {Case{"[job]\nname = \n", 2},
                            {"[job]\nname = \"t\"\nname = \"t\"\n", 3},
                            {"[job]\nseed = 9223372036854775808\n", 2},
                            {"[job\n", 1},
                            {"[job]\n\nname = \"\xff\"\n", 3}}) {
    CAPTURE(wrong.text);
    const auto error = error_of(wrong.text);
    REQUIRE(error);
    CHECK(error->fields().file == "job.toml");
    CHECK(error->fields().line == wrong.line);
    CHECK(error->problem().starts_with("not valid TOML: "));
  }
}

TEST_CASE("files that cannot be read") {
  const auto check_file = [](const std::string& file, const std::string& reason) {
    try {
      (void)parse_job(file);
      FAIL("no error");
    } catch (const JobError& error) {
      CHECK(error.fields().file == file);
      CHECK(error.problem() == "the job file cannot be read: " + reason);
    }
  };
  check_file("/nonexistent/job.toml", "No such file or directory");
  check_file(std::filesystem::temp_directory_path().string(), "is a directory");
}
