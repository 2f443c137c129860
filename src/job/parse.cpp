#include "nucreg/job/parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "echo.hpp"
#include "nucreg/disk/files.hpp"
#include "value_reader.hpp"

namespace nucreg {
namespace {

using namespace job_fields;

constexpr std::string_view letters_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool consists_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return letters_digits.find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  });
}

constexpr int max_names = 16;

/// Finds the keys of a document, as far as it must to count their names: a bare name, a text, and
/// dots between such.
class KeyNames {
 public:
  explicit KeyNames(std::string_view text) : rest_(text) {}

  /// The line of the first key of more names than `max_names`; 0: there is none.
  [[nodiscard]] int too_deep() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"' || c == '\'') {
        name(end_of_text());
      } else if (consists_of({&c, 1}, "_-+")) {
        name(std::min(rest_.find_first_not_of(bare), rest_.size()));
      } else {
        if (c == '.')
          dot_ = true;
        else if (c != ' ' && c != '\t')
          names_ = 0;
        pass(c == '#' ? std::min(rest_.find('\n'), rest_.size()) : 1);
      }
      if (names_ > max_names) return line_;
    }
    return 0;
  }

 private:
  void name(std::size_t bytes) {
    names_ = dot_ ? names_ + 1 : 1;
    dot_ = false;
    pass(bytes);
  }
  void pass(std::size_t bytes) {
    line_ += static_cast<int>(std::ranges::count(rest_.substr(0, bytes), '\n'));
    rest_.remove_prefix(bytes);
  }
  // Bytes of the text that begins here, its marks included; one that does not end is an error of
  // the document at its beginning.
  [[nodiscard]] std::size_t end_of_text() const {
    const char mark = rest_.front();
    const std::string three(3, mark);
    const bool lines = rest_.starts_with(three);
    const std::string end = lines ? three : std::string(1, mark);
    for (std::size_t at = end.size(); at < rest_.size(); ++at) {
      if (mark == '"' && rest_[at] == '\\')
        ++at;
      else if (!lines && rest_[at] == '\n')
        return at;
      else if (rest_.substr(at).starts_with(end))
        return std::min(lines ? rest_.find_first_not_of(mark, at) : at + 1, rest_.size());
    }
    return rest_.size();
  }

  static constexpr std::string_view bare =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+";
  std::string_view rest_;
  int line_ = 1, names_ = 0;
  bool dot_ = false;
};

// The parser makes a table of each name, and takes tables within tables apart by recursion.
toml::table parse_bounded(std::string_view text, const std::string& source) {
  if (const int line = KeyNames(text).too_deep(); line > 0)
    throw JobError("a key has too many names",
                   {.file = source,
                    .line = source.starts_with("--set ") ? 0 : line,
                    .allowed = fmt::format("up to {} names with dots between them", max_names)});
  return toml::parse(text, source);
}

// 2^63 and 1e999 are numbers, not words.
bool is_beyond_toml(const std::string& text) {
  constexpr double beyond_whole = 0x1p63;
  const char* const first = text.data() + (text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  const char* const last = text.data() + text.size();
  double value = 0.0;
  const auto [stop, error] = std::from_chars(first, last, value);
  if (stop != last) return false;
  return error == std::errc::result_out_of_range ||
         (value >= beyond_whole && text.find_first_of(".eE") == std::string::npos &&
          std::isfinite(value));
}

toml::table parse_assignment(const std::string& key, const std::string& value,
                             const std::string& source) {
  const std::string text = key + " = " + value;
  try {
    return parse_bounded(text, source);
  } catch (const toml::parse_error& error) {
    if (is_beyond_toml(value))
      reject({.file = source}, key, "out of range",
             "whole numbers up to 9223372036854775807, others up to 1.797e308; a name in quotes");
    // A word without quotes, as a shell hands it over.
    if (consists_of(value, "_-./+")) return parse_bounded(key + " = \"" + value + "\"", source);
    reject({.file = source}, key, std::string(error.description()),
           "a TOML value, quoted for the shell, such as --set 'fit.model=[\"trs\", \"affine\"]'");
  }
}

// Walks down the tables that the dots of the key made; an inline table is a value.
void merge(toml::table& into, toml::table&& from, const std::string& prefix) {
  for (auto&& [key, node] : from) {
    toml::table* step = node.as_table();
    if (!step || step->is_inline()) {
      into.insert_or_assign(key, std::move(node));
      continue;
    }
    const std::string dotted = prefix + std::string(key.str());
    toml::node* there = into.get(key);
    if (!there) {
      into.insert(key, std::move(node));
    } else if (toml::table* table = there->as_table()) {
      merge(*table, std::move(*step), dotted + ".");
    } else {
      reject(origin_of(*step), dotted, "is not a table that has keys",
             there->is_array() ? "the whole list, or an edit of the job file" : "a value for it");
    }
  }
}

// Sets one `dotted.key=TOML value` in `document`; new nodes bear `--set dotted.key=value` as their
// source path.
void apply_override(toml::table& document, const std::string& assignment) {
  const std::string source = "--set " + assignment;
  const auto equals = assignment.find('=');
  const std::string key = assignment.substr(0, equals);
  const bool good_key = consists_of(key, "_-.") && key.front() != '.' && key.back() != '.' &&
                        key.find("..") == std::string::npos;
  if (equals == std::string::npos || !good_key ||
      assignment.find_first_of("\r\n") != std::string::npos)
    reject({.file = source}, "", "cannot be understood", "dotted.key=value on one line");
  merge(document, parse_assignment(key, assignment.substr(equals + 1), source), "");
}

/// Reads the sections of one document into one job.
class JobReader {
 public:
  JobReader(const toml::table& document, Job& job) : document_(document), job_(job) {}

  void read_all() {
    refuse_unknown_sections();
    section("job", job_.job);
    section("problem", job_.problem);
    section("fit", job_.fit);
    read_solvers();
    section("run", job_.run);
  }

 private:
  void refuse_unknown_sections() {
    if (document_.contains("map") && !document_.contains("job"))
      throw JobError("is a map file, not a job; use: nucreg map " + job_.file, {.file = job_.file});
    const std::vector<std::string> known{"job", "problem", "fit", "solver", "run"};
    for (const auto& [key, node] : document_)
      if (std::ranges::find(known, key.str()) == known.end())
        reject(origin_of(node), std::string(key.str()),
               "unknown key" + suggestion(key.str(), known),
               "[job], [problem], [fit], [[solver]], [run]");
  }

  template <class Options>
  void section(const std::string& name, Options& options) {
    const toml::node* node = document_.get(name);
    if (node && !node->is_table()) TableReader::reject_section(*node, name);
    TableReader reader(node ? node->as_table() : nullptr,
                       node ? origin_of(*node) : Origin{.file = job_.file}, name,
                       job_.problem.source, job_.origins);
    describe(reader, options);
    reader.refuse_others();
  }

  void read_solvers() {
    const std::string allowed = "one [[solver]] section per solver, with name and kind";
    const toml::node* node = document_.get("solver");
    if (!node) reject({.file = job_.file}, "solver", "is missing", allowed);
    const toml::array* list = node->as_array();
    if (!list || !list->is_array_of_tables())
      reject(origin_of(*node), "solver", "is no list of sections", allowed);
    for (const toml::node& one : *list) read_solver(*one.as_table());
  }

  void read_solver(const toml::table& table) {
    SolverSpec solver;
    std::map<std::string, Origin> origins;
    TableReader reader(&table, origin_of(table), "solver", job_.problem.source, origins);
    describe(reader, solver);
    solver.line = origin_of(table).line;
    for (const std::string key : {"name", "kind"})
      solver.option_lines[key] = origins.at("solver." + key).line;
    std::vector<std::pair<std::string, std::vector<OptionValue>>> axes;
    reader.others([&](const std::string& key, const toml::node& node) {
      const Field any{.name = key};
      const Slot slot{&node, "solver." + key, "boolean, finite number, string, or a list of such",
                      &any};
      solver.option_lines[key] = origin_of(node).line;
      if (!node.is_array()) return read(slot, solver.options[key]);
      if (key == command_key) return read_command(slot, solver.options[key]);
      axes.emplace_back(key, std::vector<OptionValue>{});
      read(slot, axes.back().second);
    });
    for (SolverSpec& one : combinations(std::move(solver), axes)) {
      for (const SolverSpec& other : job_.solvers)
        if (other.name == one.name)
          reject(origins.at("solver.name"), "solver.name",
                 fmt::format("there are two solvers named {}", toml_string(one.name)),
                 "a name of its own for each solver");
      job_.solvers.push_back(std::move(one));
    }
  }

  // Words of a command line: the one option whose list is a value and no axis.
  static constexpr std::string_view command_key = "command";
  static void read_command(const Slot& slot, OptionValue& value) {
    std::vector<std::string> words;
    for (const toml::node& part : *slot.node->as_array()) {
      const auto word = part.value_exact<std::string>();
      if (!word) slot.item(part).wrong_type();
      words.push_back(*word);
    }
    value = std::move(words);
  }

  // A solver for each combination of listed options, named after them.
  static std::vector<SolverSpec> combinations(
      SolverSpec solver,
      const std::vector<std::pair<std::string, std::vector<OptionValue>>>& axes) {
    std::vector<SolverSpec> all{std::move(solver)};
    for (const auto& [key, values] : axes) {
      std::vector<SolverSpec> longer;
      for (const SolverSpec& one : all)
        for (const OptionValue& value : values) {
          SolverSpec next = one;
          next.options[key] = value;
          const auto* text = std::get_if<std::string>(&value);
          next.name += fmt::format(" {} {}", key, text ? *text : toml_text(value));
          longer.push_back(std::move(next));
        }
      all = std::move(longer);
    }
    return all;
  }

  const toml::table& document_;
  Job& job_;
};

}  // namespace

namespace job_fields {

std::string read_job_file(const std::filesystem::path& file) {
  try {
    std::string text = read_file(file);
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
      throw JobError("is UTF-16", {.file = file.string(), .allowed = "the same saved as UTF-8"});
    return text;
  } catch (const InputError& error) {
    throw JobError(
        "the job file cannot be read: " + error.problem(),
        {.file = file.string(),
         .allowed = "a TOML file, such as those in jobs/ or, installed, PREFIX/share/nucreg/jobs"});
  }
}

toml::table parse_document(std::string_view text, const std::string& file,
                           const std::vector<std::string>& overrides) {
  toml::table document;
  try {
    document = parse_bounded(text, file);
  } catch (const toml::parse_error& error) {
    const std::string ending = std::filesystem::path(file).extension().string();
    if (ending == ".csv" || ending == ".tsv")
      throw JobError("is a table or sheet, not a job; for tiles: nucreg map TEN FORTY",
                     {.file = file});
    throw JobError(fmt::format("not valid TOML: {}", error.description()),
                   {.file = file, .line = static_cast<int>(error.source().begin.line)});
  }
  for (const std::string& assignment : overrides) apply_override(document, assignment);
  return document;
}

}  // namespace job_fields

Job parse_job_text(std::string_view text, const std::string& file,
                   const std::vector<std::string>& overrides) {
  Job job{.file = file};
  const toml::table document = parse_document(text, file, overrides);
  JobReader(document, job).read_all();
  return job;
}

Job parse_job(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return parse_job_text(read_job_file(file), file.string(), overrides);
}

std::string to_toml(const Job& job) {
  Job copy = job;  // the walk may fill in what a job made by hand left out
  Writer writer(copy.problem.source);
  writer.section("[job]");
  describe(writer, copy.job);
  writer.section("[problem]");
  describe(writer, copy.problem);
  writer.section("[fit]");
  describe(writer, copy.fit);
  for (SolverSpec& solver : copy.solvers) {
    writer.section("[[solver]]");
    describe(writer, solver);
    for (const auto& [key, value] : solver.options) writer.option(key, value);
  }
  writer.section("[run]");
  describe(writer, copy.run);
  return writer.text();
}

std::string job_reference() {
  Job job;
  Reference reference;
  reference.section("job");
  describe(reference, job.job);
  reference.section("problem");
  for (const Model model : {Model::trs, Model::similarity, Model::projective}) {
    job.problem.transform = {.model = model, .params = {}};
    describe(reference, job.problem);
  }
  reference.section("fit");
  describe(reference, job.fit);
  SolverSpec solver;
  reference.section("solver");
  describe(reference, solver);
  reference.section("run");
  describe(reference, job.run);
  return reference.text();
}

}  // namespace nucreg
