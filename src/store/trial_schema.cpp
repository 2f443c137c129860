#include "trial_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "hdf5.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

template <class E>
std::vector<std::string> members() {
  return {Spelling<E>::names.begin(), Spelling<E>::names.end()};
}
template <>
std::vector<std::string> members<bool>() {
  return {"FALSE", "TRUE"};
}

template <auto Member>
TrialField field(std::string name, std::string units, std::string description,
                 bool required = true) {
  using T = std::remove_cvref_t<decltype(std::declval<Record>().*Member)>;
  TrialField made;
  made.name = std::move(name);
  made.units = std::move(units);
  made.description = std::move(description);
  made.required = required;
  made.per_parameter = std::is_class_v<T>;
  made.value = [](const Record& row, [[maybe_unused]] std::size_t parameter) -> TrialValue {
    if constexpr (std::is_enum_v<T>)
      return name_of(row.*Member);
    else if constexpr (std::is_class_v<T>)
      return (row.*Member)[parameter];
    else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, bool>)
      return row.*Member;
    else
      return std::int64_t{row.*Member};
  };
  if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
    made.members = members<T>();
    made.value_bytes = sizeof(std::int8_t);
    made.type = [] { return hdf5::enum_type(members<T>()); };
    made.store = [](const Record& row, std::byte* values, std::size_t) {
      *values = static_cast<std::byte>(row.*Member);
    };
    made.load = [](Record& row, const std::byte* values, std::size_t) {
      row.*Member = static_cast<T>(*values);
    };
  } else {
    using Value = std::conditional_t<std::is_class_v<T>, double, T>;
    made.value_bytes = sizeof(Value);
    made.type = &hdf5::type_of<Value>;
    made.store = [](const Record& row, std::byte* values, std::size_t bytes) {
      std::memcpy(values, &(row.*Member), bytes);
    };
    made.load = [](Record& row, const std::byte* values, std::size_t bytes) {
      std::memcpy(&(row.*Member), values, bytes);
    };
  }
  return made;
}

TrialField message_field() {
  TrialField made;
  made.name = "message";
  made.units = "1";
  made.description = "why the solve failed or stalled, or what it ignored";
  made.required = false;
  made.text = true;
  made.value = [](const Record& row, std::size_t) -> TrialValue { return row.message; };
  made.store = [](const Record& row, std::byte* values, std::size_t bytes) {
    const std::string line = one_line(row.message, bytes);
    std::memset(values, 0, bytes);
    std::memcpy(values, line.data(), line.size());
  };
  made.load = [](Record& row, const std::byte* values, std::size_t bytes) {
    const auto* text = reinterpret_cast<const char*>(values);
    row.message.assign(text, strnlen(text, bytes));
  };
  return made;
}

}  // namespace

const std::vector<TrialField>& trial_fields() {
  // param_error and the parameters mix pixels, degrees and pure numbers.
  static const std::vector<TrialField> fields{
      field<&Record::configuration>("configuration", "1", "row of /configurations"),
      field<&Record::trial>("trial", "1", "number within its configuration"),
      field<&Record::solver>("solver", "1", "row of /solvers"),
      field<&Record::rank>("rank", "1", "MPI rank that solved it"),
      field<&Record::status>("status", "1", "how the solve ended"),
      field<&Record::rmsd_px>(
          "rmsd_px", "px", "root mean square distance of all pairs under the fitted map, 40x px"),
      field<&Record::param_error>("param_error", "mixed",
                                  "Euclidean norm of fitted minus true parameters"),
      field<&Record::tre_px>("tre_px", "px",
                             "root mean square distance of fitted and true map over corners and "
                             "centre of the 10x field, 40x px"),
      field<&Record::objective>("objective", "px^2", "sum of the loss, 40x px squared"),
      field<&Record::gap>("gap", "1", "(objective - best known) / best known"),
      field<&Record::wall_seconds>("wall_s", "s", "time of one solve"),
      field<&Record::cpu_seconds>("cpu_s", "s", "processor time of one solve"),
      field<&Record::repeats>("repeats", "1", "solves that the times are the mean of"),
      field<&Record::peak_bytes>("peak_bytes", "B", "most heap memory that the solve held"),
      field<&Record::iterations>("iterations", "1",
                                 "as the library counts them; -1: it does not say"),
      field<&Record::function_evaluations>("function_evaluations", "1",
                                           "passes for a value or the residuals"),
      field<&Record::jacobian_evaluations>("jacobian_evaluations", "1",
                                           "passes for a gradient or Jacobian"),
      field<&Record::timing_valid>("timing_valid", "1", "the solve had a processor to itself"),
      field<&Record::pairs>("pairs", "1", "of nuclei that were fitted", false),
      field<&Record::bounds>("bounds", "1", "what became of bounds", false),
      field<&Record::heldout_rmsd_px>(
          "heldout_rmsd_px", "px", "rmsd_px of pairs that were held out of the fit, 40x px", false),
      field<&Record::stationarity>(
          "stationarity", "1", "part of the objective that a Gauss-Newton step would still gain",
          false),
      field<&Record::loss_scale_px>("loss_scale_px", "px", "of a robust loss, 40x px", false),
      field<&Record::native_code>("native_code", "1", "the library's own code of its end", false),
      field<&Record::arrived>(
          "arrived", "1", "1 if the map gives each nucleus its own partner, 0 if not or not known",
          false),
      field<&Record::arrival_px>("arrival_px", "px", "error up to which a map has arrived, 40x px",
                                 false),
      message_field(),
      field<&Record::params>(
          "params", "mixed",
          "of the fitted map, in the order of the model that nucreg models prints; the rest NaN"),
      field<&Record::true_params>("true_params", "mixed", "of the true map, as params"),
  };
  return fields;
}

const std::vector<TrialColumn>& trial_columns() {
  static const std::vector<TrialColumn> columns(trial_fields().begin(), trial_fields().end());
  return columns;
}

using hdf5::Dataset;
using hdf5::type_of;

namespace {

std::string path_of(const char* column) {
  return std::string("/trace/") + column;
}

template <class T>
void write_values(Dataset& column, std::uint64_t first, std::span<const TracePoint> points,
                  T TracePoint::*member) {
  std::vector<T> values;
  values.reserve(points.size());
  for (const TracePoint& point : points) values.push_back(point.*member);
  column.write(first, values.size(), values.data());
}

template <class T>
std::vector<T> read_values(const Dataset& column, std::uint64_t first, std::uint64_t count) {
  std::vector<T> values(count);
  column.read(first, count, type_of<T>().get(), values.data());
  return values;
}

Dataset open_column(hid_t file, const char* name, const hdf5::Handle& type) {
  Dataset column = Dataset::open(file, path_of(name));
  if (hdf5::check(H5Tequal(column.type(), type.get()), "H5Tequal", column.path()) == 0 ||
      column.width() != 0)
    throw hdf5::Failure("type", "is of another type than nucreg writes", column.path());
  return column;
}

}  // namespace

TraceWriter::TraceWriter(hid_t file, std::uint64_t rows, std::uint64_t points)
    : rows_(rows), points_(points) {
  hdf5::make_group(file, "/trace");
  const auto create = [&](const char* name, const char* units, hdf5::Handle type,
                          std::uint64_t length) {
    return Dataset::create(file, path_of(name), units, std::move(type), length, 0);
  };
  offsets_ = create("offsets", "1", type_of<std::int64_t>(), rows + 1);
  evaluation_ = create("evaluation", "1", type_of<std::int64_t>(), points);
  objective_ = create("objective", "px^2", type_of<double>(), points);
  time_ = create("time_s", "s", type_of<double>(), points);
}

void TraceWriter::append(std::span<const Record> rows) {
  std::vector<std::int64_t> offsets;
  for (const Record& row : rows) {
    offsets.push_back(static_cast<std::int64_t>(points_appended_));
    points_appended_ += row.trace.size();
    if (points_appended_ > points_) throw std::logic_error("more trace points than were announced");
    waiting_.insert(waiting_.end(), row.trace.begin(), row.trace.end());
  }
  offsets_.write(rows_written_, offsets.size(), offsets.data());
  rows_written_ += rows.size();
  write_points(waiting_.size() - waiting_.size() % hdf5::chunk_rows);
}

// Rows of those that wait; whole chunks but for the last.
void TraceWriter::write_points(std::uint64_t count) {
  const std::uint64_t first = points_appended_ - waiting_.size();
  const auto points = std::span(waiting_).first(count);
  write_values(evaluation_, first, points, &TracePoint::evaluation);
  write_values(objective_, first, points, &TracePoint::objective);
  write_values(time_, first, points, &TracePoint::seconds);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
}

void TraceWriter::finish() {
  if (rows_written_ != rows_ || points_appended_ != points_)
    throw std::logic_error("fewer trace points than were announced");
  write_points(waiting_.size());
  const auto end = static_cast<std::int64_t>(points_);
  offsets_.write(rows_, 1, &end);
  for (Dataset* column : {&offsets_, &evaluation_, &objective_, &time_}) column->close();
}

TraceReader::TraceReader(hid_t file, std::uint64_t rows)
    : offsets_(open_column(file, "offsets", type_of<std::int64_t>())),
      evaluation_(open_column(file, "evaluation", type_of<std::int64_t>())),
      objective_(open_column(file, "objective", type_of<double>())),
      time_(open_column(file, "time_s", type_of<double>())) {
  if (offsets_.rows() != rows + 1)
    throw hdf5::Failure("shape",
                        "has " + std::to_string(offsets_.rows()) + " rows where /trials has " +
                            std::to_string(rows) + " and one more belongs",
                        offsets_.path());
  for (const Dataset* column : {&objective_, &time_})
    if (column->rows() != evaluation_.rows())
      throw hdf5::Failure("shape", "has another length than /trace/evaluation", column->path());
}

void TraceReader::read(std::uint64_t first, std::span<Record> rows) const {
  const auto offsets = read_values<std::int64_t>(offsets_, first, rows.size() + 1);
  if (first == 0 && offsets.front() != 0)
    throw hdf5::Failure("offsets", "do not begin at 0", offsets_.path());
  if (first + rows.size() + 1 == offsets_.rows() &&
      offsets.back() != static_cast<std::int64_t>(evaluation_.rows()))
    throw hdf5::Failure("offsets", "do not end where the points do", offsets_.path());
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (offsets[i] < 0 || offsets[i + 1] < offsets[i] ||
        static_cast<std::uint64_t>(offsets[i + 1]) > evaluation_.rows())
      throw hdf5::Failure("offsets", "row " + std::to_string(first + i) + " is no range of points",
                          offsets_.path());
  const auto begin = static_cast<std::uint64_t>(offsets.front());
  const auto count = static_cast<std::uint64_t>(offsets.back()) - begin;
  const auto evaluation = read_values<std::int64_t>(evaluation_, begin, count);
  const auto objective = read_values<double>(objective_, begin, count);
  const auto time = read_values<double>(time_, begin, count);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].trace.clear();
    for (auto at = static_cast<std::uint64_t>(offsets[i]) - begin;
         at < static_cast<std::uint64_t>(offsets[i + 1]) - begin; ++at)
      rows[i].trace.push_back({evaluation[at], objective[at], time[at]});
  }
}

}  // namespace nucreg

namespace nucreg::hdf5 {
namespace {

using Text = std::pair<std::string_view, std::string_view>;

constexpr std::array of_configurations{
    Text{"points", "nuclei of a trial"},
    Text{"field_width_px", "of the 10x field, 10x px"},
    Text{"field_height_px", "of the 10x field, 10x px"},
    Text{"min_distance_px", "between any two nuclei at least, 10x px"},
    Text{"noise_px", "standard deviation of each coordinate, 40x px"},
    Text{"outliers", "fraction of pairs that are wrong"},
    Text{"missing", "fraction of nuclei seen at one magnification only"},
    Text{"magnification", "nominal, 40x px per 10x px"},
    Text{"true_dx_px", "shift of the true map, 10x px"},
    Text{"true_dy_px", "shift of the true map, 10x px"},
    Text{"true_tx_px", "shift of the true map, 40x px"},
    Text{"true_ty_px", "shift of the true map, 40x px"},
    Text{"true_angle_deg", "rotation of the true map"},
    Text{"loss_scale_px", "d of the loss, 40x px; NaN: drawn, or from the data of each trial"},
    Text{"start_turn_deg", "rotation of the start away from where fit.start puts it"},
    Text{"start_shift_px", "shift of the start away from where fit.start puts it, 10x px"},
    Text{"start_scale", "error of the magnification at the start, as a fraction"},
};

constexpr std::array statistics{
    Text{"_count", "finite values"},    Text{"_mean", "mean"},
    Text{"_std", "standard deviation"}, Text{"_median", "median"},
    Text{"_p05", "5 % quantile"},       Text{"_p95", "95 % quantile"},
};

std::string of_configuration(std::string_view column) {
  std::string prefix;
  for (const auto& [suffix, words] :
       {Text{"_min", "lower end of what is drawn: "}, Text{"_max", "upper end of what is drawn: "}})
    if (column.ends_with(suffix)) {
      prefix = words;
      column.remove_suffix(suffix.size());
    }
  const auto* const found = std::ranges::find(of_configurations, column, &Text::first);
  return found == of_configurations.end() ? "" : prefix + std::string(found->second);
}

std::string of_summary(std::string_view column) {
  for (const auto& [suffix, words] : statistics) {
    if (!column.ends_with(suffix)) continue;
    column.remove_suffix(suffix.size());
    const auto field = std::ranges::find(trial_fields(), column, &TrialField::name);
    if (field != trial_fields().end()) return fmt::format("{} of {}", words, field->description);
  }
  return {};
}

}  // namespace

std::string column_description(std::string_view table, std::string_view column) {
  if (table == "configurations") return of_configuration(column);
  if (table == "summary") return of_summary(column);
  return {};
}

}  // namespace nucreg::hdf5
