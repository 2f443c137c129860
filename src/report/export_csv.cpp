#include "nucreg/report/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>

#include "export_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/stats/comparison.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

/// The columns that describe what was run, looked up by configuration and solver.
class Context {
 public:
  explicit Context(const ResultReader& reader)
      : configurations_(reader.table("configurations")), solvers_(reader.table("solvers")) {
    std::vector<std::string> wanted{"points", "noise_px", "outliers",   "missing",
                                    "model",  "loss",     "coordinates"};
    for (const std::string& axis : varying_axes(configurations_))
      if (std::ranges::find(wanted, axis) == wanted.end()) wanted.push_back(axis);
    for (const std::string& name : wanted)
      for (const char* drawn : {"", "_min", "_max"})
        if (configurations_.find(name + drawn)) names_.push_back(name + drawn);
    (void)solvers_.get<std::string>("name");
  }

  void header(CsvLine& line) const {
    line << "solver_name";
    for (const std::string& name : names_) line << name;
  }
  void fields(CsvLine& line, std::uint64_t configuration, std::uint64_t solver) const {
    if (solver >= solvers_.rows())
      throw InputError(fmt::format("solver {} is not in /solvers", solver));
    if (configuration >= configurations_.rows())
      throw InputError(fmt::format("configuration {} is not in /configurations", configuration));
    line << cell_text(solvers_.at("name"), solver);
    for (const std::string& name : names_)
      line << cell_text(configurations_.at(name), configuration);
  }

 private:
  Table configurations_, solvers_;
  std::vector<std::string> names_;
};

/// Calls visit(column, parameter) for each field of a row.
template <class Visit>
void for_each_field(std::size_t parameters, Visit&& visit) {
  for (const TrialColumn& column : trial_columns())
    for (std::size_t p = 0; p < (column.per_parameter ? parameters : 1); ++p) visit(column, p);
}

void write_trials(const ResultReader& reader, const Context& context, TextFile& file) {
  CsvLine line;
  for_each_field(reader.parameters(), [&](const TrialColumn& column, std::size_t p) {
    if (!column.per_parameter)
      line << column.name;
    else
      line << fmt::format("{}p{}", column.name == "params" ? "" : "true_", p);
  });
  context.header(line);
  file.write(line.take());
  stream_trials(reader, [&](std::span<const Record> rows) {
    for (const Record& row : rows) {
      for_each_field(reader.parameters(), [&](const TrialColumn& column, std::size_t p) {
        std::visit([&](const auto& value) { line << value; }, column.value(row, p));
      });
      context.fields(line, row.configuration, row.solver);
      file.write(line.take());
    }
  });
}

/// A table as it is; `context` (if any) adds to each row.
void write_table(const Table& table, const Context* context, TextFile& file) {
  CsvLine line;
  for (const Column& column : table.columns) line << column.name;
  if (context) context->header(line);
  file.write(line.take());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (const Column& column : table.columns) line << cell_text(column, row);
    if (context)
      context->fields(line, table.get<std::int64_t>("configuration")[row],
                      table.get<std::int64_t>("solver")[row]);
    file.write(line.take());
  }
}

}  // namespace

std::vector<std::filesystem::path> export_csv(const ResultReader& reader,
                                              const std::filesystem::path& directory,
                                              bool overwrite) {
  std::vector<const char*> names{"trials.csv", "summary.csv", "ranks.csv"};
  std::vector<const char*> verdicts;
  for (const auto& [table, name] :
       {std::pair("verdict", "verdict.csv"), {"fit_verdict", "fit_verdict.csv"}}) {
    if (!reader.has_table(table)) continue;
    verdicts.push_back(table);
    names.push_back(name);
  }
  const auto paths = export_paths(directory, names, overwrite);
  const Context context(reader);
  std::deque<TextFile> files;
  for (const auto& path : paths) files.emplace_back(path);
  write_trials(reader, context, files[0]);
  write_table(reader.table("summary"), &context, files[1]);
  write_table(reader.table("ranks"), nullptr, files[2]);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    write_table(reader.table(verdicts[i]), nullptr, files[3 + i]);
  for (TextFile& file : files) file.publish(overwrite);
  return paths;
}

}  // namespace nucreg
