#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <utility>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "new_file.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/store/result_file.hpp"
#include "trial_schema.hpp"

namespace nucreg {

using hdf5::Dataset;

struct ResultWriter::Body {
  std::filesystem::path target;
  std::uint64_t rows = 0, given = 0, written = 0;
  std::size_t parameters = 0, message_bytes = 1;
  hdf5::NewFile made;
  std::vector<Dataset> columns;  // as trial_fields()
  std::optional<TraceWriter> trace;
  std::vector<Record> waiting;  // less than a chunk
  // The chunk before: threads pack its columns, whichever is next, while the caller continues.
  std::vector<Record> chunk;
  std::vector<Dataset::Chunk> packed;  // as columns; of texts nothing
  std::atomic<std::size_t> next_column = 0;
  std::size_t threads = 1;
  std::vector<std::future<void>> packing;  // last: it ends before what it works on

  explicit Body(const std::filesystem::path& file) : target(file), made(file) {}
  void create();
  [[nodiscard]] std::size_t row_bytes(const TrialField& field) const {
    if (field.text) return message_bytes;
    return field.value_bytes * (field.per_parameter ? parameters : 1);
  }
  [[nodiscard]] std::vector<std::byte> values(const TrialField& field) const;
  void begin_chunk();
  void pack_columns();
  void end_chunk();
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

/// Of a column in the chunk.
std::vector<std::byte> ResultWriter::Body::values(const TrialField& field) const {
  const std::size_t bytes = row_bytes(field);
  std::vector<std::byte> stored(chunk.size() * bytes);
  for (std::size_t i = 0; i < chunk.size(); ++i)
    field.store(chunk[i], stored.data() + i * bytes, bytes);
  return stored;
}

void ResultWriter::Body::pack_columns() {
  for (std::size_t c = next_column++; c < columns.size(); c = next_column++)
    if (const TrialField& field = trial_fields()[c]; !field.text)
      packed[c] = columns[c].packed(written, values(field).data());
}

/// Of the rows that wait.
void ResultWriter::Body::begin_chunk() {
  end_chunk();
  chunk.swap(waiting);
  waiting.clear();
  packed.resize(columns.size());
  next_column = 0;
  // Deferred: by who waits for it, also if the system gives no more threads.
  const auto when =
      threads > 1 ? std::launch::async | std::launch::deferred : std::launch::deferred;
  for (std::size_t i = 0; i < threads; ++i)
    packing.push_back(std::async(when, [this] { pack_columns(); }));
}

void ResultWriter::Body::end_chunk() {
  if (packing.empty()) return;
  for (std::future<void>& thread : std::exchange(packing, {})) thread.get();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const TrialField& field = trial_fields()[c];
    if (!field.text) columns[c].write(packed[c]);
    // A chunk that is never written takes no place and reads as empty texts.
    else if (!std::ranges::all_of(chunk, &std::string::empty, &Record::message))
      columns[c].write(written, chunk.size(), values(field).data());
  }
  if (trace) trace->append(chunk);
  written += chunk.size();
}

ResultWriter::ResultWriter(const std::filesystem::path& file, std::uint64_t rows,
                           std::size_t parameters, std::size_t message_bytes,
                           std::optional<std::uint64_t> trace_points, std::size_t threads) {
  if (parameters == 0 || parameters > max_parameters)
    throw Error(ExitStatus::bug, "a result file has 1 to 8 parameters", {.file = file.string()});
  body_ = std::make_unique<Body>(file);
  body_->rows = rows;
  body_->threads = std::max<std::size_t>(threads, 1);
  body_->parameters = parameters;
  body_->message_bytes = std::clamp<std::size_t>(message_bytes, 1, max_message_bytes);
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
  if (records.size() > body.rows - body.given)
    throw Error(ExitStatus::bug, "more trials than were announced", {.file = body.target.string()});
  body.given += records.size();
  body.made.attempt([&] {
    while (!records.empty()) {
      const auto taken =
          std::min<std::size_t>(records.size(), hdf5::chunk_rows - body.waiting.size());
      body.waiting.insert(body.waiting.end(), records.begin(), records.begin() + taken);
      records = records.subspan(taken);
      if (body.waiting.size() == hdf5::chunk_rows) body.begin_chunk();
    }
  });
}

void ResultWriter::commit(bool overwrite) {
  Body& body = *body_;
  if (body.given != body.rows)
    throw Error(ExitStatus::bug, "fewer trials than were announced",
                {.file = body.target.string()});
  body.made.attempt([&] {
    if (!body.waiting.empty()) body.begin_chunk();
    body.end_chunk();
    for (Dataset& column : body.columns) column.close();
    body.columns.clear();
    if (body.trace) body.trace->finish();
    body.trace.reset();
  });
  body.made.publish(overwrite);
}

}  // namespace nucreg
