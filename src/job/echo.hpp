// The table of fields turned around: options as TOML text, and the reference of all keys.
#pragma once

#include <algorithm>
#include <array>

#include "value_text.hpp"

namespace nucreg::job_fields {

/// A visitor that writes each key with its value.
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

/// A visitor that describes each key in a row of a Markdown table.
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

}  // namespace nucreg::job_fields
