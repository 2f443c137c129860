// The result file (HDF5): its writer and its reader. The only room that knows HDF5.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/plan/plan.hpp"
#include "nucreg/solve/record.hpp"

namespace nucreg {

/// Attributes of `/`, by name. `trials_planned` and `trials_done` count trials over all
/// configurations, so that trials_done * solvers = rows of /trials.
class Attributes {
 public:
  using Value = std::variant<std::int64_t, double, std::string>;
  using Map = std::map<std::string, Value>;

  Attributes() = default;
  Attributes(Map values) : values_(std::move(values)) {}  // NOLINT: what a file holds is meant
  Attributes(std::initializer_list<Map::value_type> values) : values_(values) {}

  [[nodiscard]] bool contains(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] Value& operator[](const std::string& name) { return values_[name]; }
  [[nodiscard]] Map::const_iterator begin() const { return values_.begin(); }
  [[nodiscard]] Map::const_iterator end() const { return values_.end(); }
  void erase(const std::string& name) { values_.erase(name); }
  void clear() { values_.clear(); }
  [[nodiscard]] bool operator==(const Attributes&) const = default;

  /// The value as a T (std::int64_t, double or std::string); nothing if it is missing or of another
  /// type.
  template <class T>
  [[nodiscard]] const T* find(const std::string& name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : std::get_if<T>(&at->second);
  }
  /// The same; throws InputError naming the attribute.
  template <class T>
  [[nodiscard]] const T& get(const std::string& name) const {
    const T* value = find<T>(name);
    if (!value) refuse(name);
    return *value;
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = {}) const {
    const auto* value = find<std::string>(name);
    return value ? *value : otherwise;
  }
  [[nodiscard]] std::int64_t count(const std::string& name, std::int64_t otherwise = 0) const {
    const auto* value = find<std::int64_t>(name);
    return value ? *value : otherwise;
  }
  /// An attribute of any type as text; "?" if it is missing.
  [[nodiscard]] std::string shown(const std::string& name) const;

 private:
  [[noreturn]] void refuse(const std::string& name) const;

  Map values_;
};

/// Which part of its job a file holds: what the attribute `part` says, the whole without one.
/// Throws InputError if it says nothing sensible.
[[nodiscard]] Part part_of(const Attributes& attributes);

inline constexpr std::int64_t result_format_version = 1;
/// The one column of a table that may be of another length than the others: where the rows of each
/// part begin, and at last where they end. It comes last.
inline constexpr std::string_view offsets_column = "offsets";

/// A result file in the making: a temporary file beside `file`, renamed by commit(). A writer
/// that is destroyed without commit() leaves nothing. All members throw OutputError (path, column,
/// call, reason), after which only destruction is left. Not thread-safe, as the HDF5 library.
class ResultWriter {
 public:
  /// `parameters` is the number P of columns of params and true_params, 1 to max_parameters;
  /// `rows` the exact number of rows of /trials to come, of which only those under way are held in
  /// memory; `message_bytes` what the longest message takes, 0 to max_message_bytes;
  /// `trace_points` the exact number of points of all traces to come, none: no /trace; `threads`
  /// compress, which leaves the file as it is. The directory must exist. Writes the attributes
  /// format and format_version.
  ResultWriter(const std::filesystem::path& file, std::uint64_t rows, std::size_t parameters,
               std::size_t message_bytes = max_message_bytes,
               std::optional<std::uint64_t> trace_points = std::nullopt, std::size_t threads = 1);
  ~ResultWriter();
  ResultWriter(const ResultWriter&) = delete;
  ResultWriter& operator=(const ResultWriter&) = delete;

  /// Sets attributes of `/`; those of the same name are replaced. Strings are UTF-8 of any length.
  void set_attributes(const Attributes& attributes);
  /// Writes `/<table.name>/<column>`; chunked, compressed, with a `units` attribute.
  void write_table(const Table& table);
  /// Adds rows to /trials, and their traces if there is /trace, in their final order. Messages
  /// that are longer than was announced are cut.
  void append_trials(std::span<const Record> records);
  /// Closes, syncs and renames. `overwrite` false: an existing file is an error.
  void commit(bool overwrite);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

/// Reads a result file. Throws InputError (path, column, what is missing, damaged or not ours).
class ResultReader {
 public:
  explicit ResultReader(const std::filesystem::path& file);
  ~ResultReader();
  ResultReader(const ResultReader&) = delete;
  ResultReader& operator=(const ResultReader&) = delete;

  [[nodiscard]] const Attributes& attributes() const;
  /// A whole small table: configurations, solvers, ranks, rank_samples, summary. Columns in the
  /// order in which they were written.
  [[nodiscard]] Table table(const std::string& name) const;
  [[nodiscard]] bool has_table(const std::string& name) const;
  [[nodiscard]] std::uint64_t trial_rows() const;
  [[nodiscard]] std::size_t parameters() const;
  /// Units of columns of /trials, as trial_columns(); nothing if the file lacks one.
  [[nodiscard]] std::vector<std::optional<std::string>> trial_units() const;
  /// Rows first ... first + out.size() of /trials; columns that the file lacks keep the defaults of
  /// Record (pairs, bounds, native_code, message) and parameters beyond P are NaN. Throws
  /// InputError also if an enumeration holds an illegal value, std::out_of_range for rows beyond
  /// the end.
  /// Where `columns` names any, the others are not read and keep their defaults too.
  void read_trials(std::uint64_t first, std::span<Record> out,
                   std::span<const std::string_view> columns = {}) const;

  /// Whether the file has /trace: the points of row i are offsets[i] ... offsets[i + 1] - 1 of
  /// evaluation, objective and time_s.
  [[nodiscard]] bool has_traces() const;
  /// Fills Record::trace of rows first ... first + rows.size(); nothing if there is no /trace.
  /// Throws InputError if /trace is damaged, std::out_of_range for rows beyond the end.
  void read_traces(std::uint64_t first, std::span<Record> rows) const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

/// Whether each byte of a result, or of a map, is as nucreg wrote it; nothing if the file has no
/// checksum (0.1). Throws InputError if it cannot be read.
[[nodiscard]] std::optional<bool> checksum_matches(const std::filesystem::path& file);

/// One value of a row of /trials; enumerations by name.
using TrialValue = std::variant<double, std::int64_t, bool, std::string_view>;

/// One column of /trials.
struct TrialColumn {
  std::string name, units;
  std::string description;     ///< one line, in the file beside its units
  bool per_parameter = false;  ///< rows x P instead of rows
  /// What a row holds; `parameter` counts if per_parameter.
  TrialValue (*value)(const Record& row, std::size_t parameter) = nullptr;
};
/// All columns, in file order.
[[nodiscard]] const std::vector<TrialColumn>& trial_columns();

// The rows of /trials in the order of the file: a trial or a block at a time.

/// Trials of a file one after the other, with their traces if the file has any.
class TrialCursor {
 public:
  /// `trials` per configuration, `solvers` per trial. Throws InputError, as next() does, if rows
  /// are not whole trials of these solvers.
  TrialCursor(const ResultReader& reader, std::uint64_t trials, std::size_t solvers);
  /// Number of the current trial (Plan::tasks); nothing at the end.
  [[nodiscard]] std::optional<std::uint64_t> task() const {
    if (at_ == block_.size()) return std::nullopt;
    return block_[at_].configuration * trials_ + block_[at_].trial;
  }
  [[nodiscard]] bool done() const { return at_ == block_.size(); }
  /// Its rows, one per solver, until next() is called.
  [[nodiscard]] std::span<Record> rows() { return std::span(block_).subspan(at_, solvers_); }
  void next();

 private:
  void read_block();
  void demand_whole() const;

  const ResultReader* reader_;
  std::uint64_t trials_;
  std::size_t solvers_;
  std::uint64_t read_ = 0;  // rows
  std::size_t at_ = 0;      // in block_
  std::vector<Record> block_;
};

/// Rows that are read at once.
inline constexpr std::uint64_t stream_rows = 16384;

/// Calls `visit(rows)` with consecutive rows, without traces; only `columns` are read if it names
/// any.
template <class Visit>
void stream_trials(const ResultReader& reader, Visit&& visit,
                   std::span<const std::string_view> columns = {}) {
  std::vector<Record> block;
  for (std::uint64_t first = 0; first < reader.trial_rows(); first += block.size()) {
    block.resize(std::min(stream_rows, reader.trial_rows() - first));
    reader.read_trials(first, block, columns);
    visit(std::span<const Record>(block));
  }
}

}  // namespace nucreg
