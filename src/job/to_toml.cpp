// The table of fields turned around: a job as text, and the reference of all keys.
#include <algorithm>
#include <array>

#include "nucreg/job/parse.hpp"
#include "value_text.hpp"

namespace nucreg {
namespace {

using namespace job_fields;

class Writer {
 public:
  explicit Writer(Source source) : source_(source) {}

  void section(std::string_view header) { text_ += fmt::format("\n{}\n", header); }
  void option(std::string_view key, const OptionValue& value) {
    text_ += fmt::format("{} = {}\n", key_text(key), toml_text(value));
  }
  template <class T>
  void operator()(const Field& field, const T& value) {
    if (field.applies(source_))
      text_ += fmt::format("{}{} = {}\n", prefix_, field.name, toml_text(value, field));
  }
  template <class Walk>
  void table(const Field& field, Walk&& walk) {
    if (!field.applies(source_)) return;
    prefix_ = field.name + ".";
    walk(*this);
    prefix_.clear();
  }
  [[nodiscard]] std::string text() const { return text_.substr(1); }

 private:
  Source source_;
  std::string prefix_;
  std::string text_;
};

/// Columns of the reference.
using Row = std::array<std::string, 5>;

class Reference {
 public:
  void section(std::string_view name) { prefix_ = fmt::format("{}.", name); }

  template <class T>
  void operator()(const Field& field, const T& value) {
    std::string doc = field.doc;
    const SourceSet sources = field.sources & sources_;
    if (sources != every_source) doc += fmt::format(" (source {})", names_of(sources));
    Row row{"`" + prefix_ + field.name + "`",
            field.required ? "required" : "`" + toml_text(value, field) + "`", field.unit,
            allowed<T>(field), doc};
    // The parameters of the transform come once per model that has them.
    if (std::ranges::none_of(rows_, [&](const Row& other) { return other[0] == row[0]; }))
      rows_.push_back(std::move(row));
  }
  template <class Walk>
  void table(const Field& field, Walk&& walk) {
    const std::string outer = prefix_;
    prefix_ += field.name + ".";
    sources_ = field.sources;
    walk(*this);
    sources_ = every_source;
    prefix_ = outer;
  }
  [[nodiscard]] std::string text() const {
    std::array<std::size_t, 5> widths{};
    for (const Row& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t i = 0; i < widths.size(); ++i)
        text += fmt::format("| {:<{}} ", rows_[r][i], widths[i]);
      text += "|\n";
      if (r > 0) continue;
      for (const std::size_t width : widths) text += fmt::format("|{:-<{}}", "", width + 2);
      text += "|\n";
    }
    return text;
  }

 private:
  static std::string names_of(SourceSet sources) {
    std::string text;
    for (std::size_t i = 0; i < Spelling<Source>::names.size(); ++i)
      if (sources & only(static_cast<Source>(i)))
        text += fmt::format("{}{}", text.empty() ? "" : ", ", Spelling<Source>::names[i]);
    return text;
  }
  std::string prefix_;
  SourceSet sources_ = every_source;
  std::vector<Row> rows_{{"key", "default", "unit", "allowed", "meaning"}};
};

}  // namespace

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
