#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "input_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/store/map_file.hpp"
#include "nucreg/store/result_file.hpp"
#include "trial_schema.hpp"

namespace nucreg {

std::string Attributes::shown(const std::string& name) const {
  const auto at = values_.find(name);
  if (at == values_.end()) return "?";
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, at->second);
}

void Attributes::refuse(const std::string& name) const {
  throw InputError(
      contains(name) ? "attribute is of another type than nucreg writes" : "attribute is missing",
      {.key = name});
}

Part part_of(const Attributes& attributes) {
  if (!attributes.contains("part")) return {};
  try {
    return parse_part(attributes.text("part"));
  } catch (const JobError& e) {
    throw InputError("is no part of a job", {.key = "part", .allowed = e.fields().allowed});
  }
}

using hdf5::check;
using hdf5::Dataset;
using hdf5::Handle;

struct ResultReader::Body {
  std::filesystem::path path;
  Handle file;
  Attributes attributes;
  std::vector<std::optional<Dataset>> columns;  // as trial_fields(); none if the file has none
  std::optional<TraceReader> trace;
  std::uint64_t rows = 0;
  std::size_t parameters = 0;

  [[noreturn]] void fail(const std::string& problem, const std::string& key = {},
                         const std::string& allowed = {}) const {
    throw InputError(problem, {.file = path.string(), .key = key, .allowed = allowed});
  }

  void open();
  void check_format() const;
  void open_trials();
  void check_column(const TrialField& field, const Dataset& column);
  [[nodiscard]] bool has(const std::string& link) const { return hdf5::has_link(file.get(), link); }
};

void ResultReader::Body::open() {
  file = hdf5::open_input(path, "a result of nucreg run or map");
  attributes = hdf5::read_attributes(file.get());
  check_format();
  open_trials();
}

void ResultReader::Body::check_format() const {
  const std::string format = attributes.text("format");
  if (format == map_format)
    fail("is the map of a well (nucreg map) and not the result of a run", {},
         "results of nucreg run");
  const auto* version = attributes.find<std::int64_t>("format_version");
  if (format != result_format || !version)
    fail("is an HDF5 file, but no result of nucreg", "format");
  const std::int64_t number = *version;
  if (number < 1 || number > result_format_version)
    fail("is of format version " + std::to_string(number), "format_version",
         "1 to " + std::to_string(result_format_version) + " with this nucreg");
}

void ResultReader::Body::open_trials() {
  if (!has("/trials")) fail("is missing", "/trials");
  std::string missing;
  for (const TrialField& field : trial_fields()) {
    const std::string name = "/trials/" + field.name;
    auto& column = columns.emplace_back();
    if (has(name))
      column = Dataset::open(file.get(), name);
    else if (field.required)
      missing += (missing.empty() ? "" : ", ") + field.name;
  }
  if (!missing.empty()) fail("columns are missing: " + missing, "/trials");
  rows = columns.front()->rows();
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c]) check_column(trial_fields()[c], *columns[c]);
  if (has("/trace")) trace.emplace(file.get(), rows);
}

void ResultReader::Body::check_column(const TrialField& field, const Dataset& column) {
  const Handle expected = field.text ? hdf5::string_type(H5Tget_size(column.type())) : field.type();
  if (check(H5Tequal(column.type(), expected.get()), "H5Tequal", column.path()) == 0)
    fail("is of another type than nucreg writes", column.path());
  if (column.rows() != rows)
    fail("has " + std::to_string(column.rows()) + " rows, but /trials/configuration has " +
             std::to_string(rows),
         column.path());
  if (!field.per_parameter) {
    if (column.width() != 0) fail("has two dimensions", column.path(), "one");
    return;
  }
  if (column.width() == 0 || column.width() > max_parameters)
    fail("has " + std::to_string(column.width()) + " parameters in a row", column.path(),
         "1 to " + std::to_string(max_parameters));
  if (parameters != 0 && column.width() != parameters)
    fail("has " + std::to_string(column.width()) + " parameters in a row, but params has " +
             std::to_string(parameters),
         column.path());
  parameters = column.width();
}

ResultReader::ResultReader(const std::filesystem::path& file) : body_(std::make_unique<Body>()) {
  body_->path = file;
  hdf5::rethrow_as<InputError>(file, [&] { body_->open(); });
}

ResultReader::~ResultReader() = default;

const Attributes& ResultReader::attributes() const {
  return body_->attributes;
}

std::uint64_t ResultReader::trial_rows() const {
  return body_->rows;
}

std::size_t ResultReader::parameters() const {
  return body_->parameters;
}

std::vector<std::optional<std::string>> ResultReader::trial_units() const {
  return hdf5::rethrow_as<InputError>(body_->path, [&] {
    std::vector<std::optional<std::string>> units;
    for (const auto& column : body_->columns)
      units.push_back(column ? std::optional(column->units()) : std::nullopt);
    return units;
  });
}

bool ResultReader::has_table(const std::string& name) const {
  return hdf5::rethrow_as<InputError>(body_->path, [&] { return body_->has("/" + name); });
}

bool ResultReader::has_traces() const {
  return body_->trace.has_value();
}

void ResultReader::read_traces(std::uint64_t first, std::span<Record> rows) const {
  if (first > body_->rows || rows.size() > body_->rows - first)
    throw std::out_of_range("rows beyond the end of /trials");
  if (!body_->trace) return;
  hdf5::rethrow_as<InputError>(body_->path, [&] { body_->trace->read(first, rows); });
}

Table ResultReader::table(const std::string& name) const {
  const std::string group = "/" + name;
  return hdf5::rethrow_as<InputError>(body_->path, [&] {
    if (!body_->has(group)) body_->fail("is missing", group);
    Table table = hdf5::read_table(body_->file.get(), name);
    for (const Column& column : table.columns)
      if (column.rows() != table.rows() && column.name != offsets_column)
        body_->fail("has " + std::to_string(column.rows()) + " rows, but " +
                        table.columns.front().name + " has " + std::to_string(table.rows()),
                    group + "/" + column.name);
    return table;
  });
}

void ResultReader::read_trials(std::uint64_t first, std::span<Record> out,
                               std::span<const std::string_view> columns) const {
  if (first > body_->rows || out.size() > body_->rows - first)
    throw std::out_of_range("rows beyond the end of /trials");
  std::fill(out.begin(), out.end(), Record{});
  std::vector<std::byte> values;
  hdf5::rethrow_as<InputError>(body_->path, [&] {
    for (std::size_t c = 0; c < body_->columns.size(); ++c) {
      if (!body_->columns[c]) continue;
      const Dataset& column = *body_->columns[c];
      const TrialField& field = trial_fields()[c];
      if (!columns.empty() && std::ranges::find(columns, field.name) == columns.end()) continue;
      const std::size_t bytes =
          field.text ? H5Tget_size(column.type())
                     : field.value_bytes * (field.per_parameter ? body_->parameters : 1);
      values.resize(out.size() * bytes);
      column.read(first, out.size(), column.type(), values.data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::byte* value = values.data() + i * bytes;
        if (!field.members.empty() && std::to_integer<std::size_t>(*value) >= field.members.size())
          body_->fail("row " + std::to_string(first + i) + " holds " +
                          std::to_string(static_cast<std::int8_t>(*value)),
                      column.path(), "0 to " + std::to_string(field.members.size() - 1));
        field.load(out[i], value, bytes);
      }
    }
  });
}

TrialCursor::TrialCursor(const ResultReader& reader, std::uint64_t trials, std::size_t solvers)
    : reader_(&reader), trials_(trials), solvers_(solvers) {
  read_block();
}

void TrialCursor::next() {
  at_ += solvers_;
  if (at_ == block_.size())
    read_block();
  else
    demand_whole();
}

void TrialCursor::read_block() {
  constexpr std::size_t rows_at_once = 2048;  // a trace is up to 6 KiB
  const std::size_t trials_at_once = std::max<std::size_t>(1, rows_at_once / solvers_);
  block_.resize(std::min<std::uint64_t>(trials_at_once * solvers_, reader_->trial_rows() - read_));
  if (!block_.empty()) {
    reader_->read_trials(read_, block_);
    reader_->read_traces(read_, block_);
  }
  read_ += block_.size();
  at_ = 0;
  if (!block_.empty()) demand_whole();
}

void TrialCursor::demand_whole() const {
  bool whole = block_.size() - at_ >= solvers_;
  for (std::size_t s = 0; whole && s < solvers_; ++s) {
    const Record &row = block_[at_ + s], &first = block_[at_];
    whole = row.solver == s && row.trial == first.trial && row.configuration == first.configuration;
  }
  if (!whole)
    throw InputError("rows are not whole trials of the solvers in the file", {.key = "/trials"});
}

}  // namespace nucreg
