#include <algorithm>
#include <optional>

#include "attribute.hpp"
#include "dataset.hpp"
#include "new_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/store/result_file.hpp"
#include "table_columns.hpp"
#include "trace_columns.hpp"
#include "trial_schema.hpp"
#include "types.hpp"

namespace nucreg {

using hdf5::Dataset;

struct ResultWriter::Body {
  std::filesystem::path target;
  std::uint64_t rows = 0, written = 0;
  std::size_t parameters = 0, message_bytes = 1;
  hdf5::NewFile made;
  std::vector<Dataset> columns;  // as trial_fields()
  std::optional<TraceWriter> trace;
  std::vector<Record> waiting;  // less than a chunk
  std::vector<std::byte> values;

  explicit Body(const std::filesystem::path& file) : target(file), made(file) {}
  void create();
  [[nodiscard]] std::size_t row_bytes(const TrialField& field) const {
    if (field.text) return message_bytes;
    return field.value_bytes * (field.per_parameter ? parameters : 1);
  }
  void write_chunk(std::span<const Record> records);
};

void ResultWriter::Body::create() {
  const hid_t file = made.id();
  hdf5::write_attribute(file, "format", "nucreg", "/");
  hdf5::write_attribute(file, "format_version", result_format_version, "/");
  hdf5::make_group(file, "/trials");
  for (const TrialField& field : trial_fields()) {
    columns.push_back(Dataset::create(file, "/trials/" + field.name, field.units,
                                      field.text ? hdf5::string_type(message_bytes) : field.type(),
                                      rows, field.per_parameter ? parameters : 0));
    hdf5::describe(file, "/trials/" + field.name, field.description);
  }
}

void ResultWriter::Body::write_chunk(std::span<const Record> records) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const TrialField& field = trial_fields()[c];
    // A chunk that is never written takes no place and reads as empty texts.
    if (field.text && std::ranges::all_of(records, &std::string::empty, &Record::message)) continue;
    const std::size_t bytes = row_bytes(field);
    values.resize(records.size() * bytes);
    for (std::size_t i = 0; i < records.size(); ++i)
      field.store(records[i], values.data() + i * bytes, bytes);
    columns[c].write(written, records.size(), values.data());
  }
  if (trace) trace->append(records);
  written += records.size();
}

ResultWriter::ResultWriter(const std::filesystem::path& file, std::uint64_t rows,
                           std::size_t parameters, std::size_t message_bytes,
                           std::optional<std::uint64_t> trace_points) {
  if (parameters == 0 || parameters > max_parameters)
    throw Error(ExitStatus::bug, "a result file has 1 to 8 parameters", {.file = file.string()});
  body_ = std::make_unique<Body>(file);
  body_->rows = rows;
  body_->parameters = parameters;
  body_->message_bytes = std::clamp<std::size_t>(message_bytes, 1, most_message_bytes);
  body_->made.seal();
  body_->made.attempt([&] {
    body_->create();
    if (trace_points) body_->trace.emplace(body_->made.id(), rows, *trace_points);
  });
}

ResultWriter::~ResultWriter() = default;

void ResultWriter::set_attributes(const Attributes& attributes) {
  body_->made.attempt([&] {
    for (const auto& [name, value] : attributes)
      hdf5::write_attribute(body_->made.id(), name, value, "/");
  });
}

void ResultWriter::write_table(const Table& table) {
  for (const Column& column : table.columns)
    if (column.rows() != table.rows() && column.name != offsets_column)
      throw Error(ExitStatus::bug, "columns of unequal length",
                  {.file = body_->target.string(), .key = "/" + table.name + "/" + column.name});
  body_->made.attempt([&] { hdf5::write_table(body_->made.id(), table); });
}

void ResultWriter::append_trials(std::span<const Record> records) {
  Body& body = *body_;
  if (records.size() > body.rows - body.written - body.waiting.size())
    throw Error(ExitStatus::bug, "more trials than were announced", {.file = body.target.string()});
  body.made.attempt([&] {
    while (!records.empty()) {
      const auto taken =
          std::min<std::size_t>(records.size(), hdf5::chunk_rows - body.waiting.size());
      body.waiting.insert(body.waiting.end(), records.begin(), records.begin() + taken);
      records = records.subspan(taken);
      if (body.waiting.size() < hdf5::chunk_rows) return;
      body.write_chunk(body.waiting);
      body.waiting.clear();
    }
  });
}

void ResultWriter::commit(bool overwrite) {
  Body& body = *body_;
  if (body.written + body.waiting.size() != body.rows)
    throw Error(ExitStatus::bug, "fewer trials than were announced",
                {.file = body.target.string()});
  body.made.attempt([&] {
    body.write_chunk(body.waiting);
    body.waiting.clear();
    for (Dataset& column : body.columns) column.close();
    body.columns.clear();
    if (body.trace) body.trace->finish();
    body.trace.reset();
  });
  body.made.publish(overwrite);
}

}  // namespace nucreg
