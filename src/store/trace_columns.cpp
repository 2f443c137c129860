#include "trace_columns.hpp"

#include <stdexcept>

#include "types.hpp"

namespace nucreg {

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

// Of those that wait; whole chunks but for the last.
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
