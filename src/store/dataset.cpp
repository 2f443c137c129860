#include "dataset.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "hdf5.hpp"
#include "new_file.hpp"
#include "trial_schema.hpp"

namespace nucreg::hdf5 {
namespace {

// The first bytes of all values, then the second ones: those of a column resemble each other.
std::vector<std::byte> shuffled(std::span<const std::byte> chunk, std::size_t value_bytes) {
  std::vector<std::byte> out(chunk.size());
  const std::size_t values = chunk.size() / value_bytes;
  for (std::size_t byte = 0; byte < value_bytes; ++byte)
    for (std::size_t i = 0; i < values; ++i) out[byte * values + i] = chunk[i * value_bytes + byte];
  return out;
}

struct Free {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

/// The bytes of a chunk as the library's pipeline of shuffle and deflate would store them, for
/// H5Dwrite_chunk: any reader of HDF5 undoes both. `value_bytes`: of one value; divides the chunk.
std::vector<std::byte> shuffled_and_deflated(std::span<const std::byte> chunk,
                                             std::size_t value_bytes) {
  constexpr int fastest = 1;
  const std::unique_ptr<libdeflate_compressor, Free> compressor(
      libdeflate_alloc_compressor(fastest));
  if (!compressor) throw std::bad_alloc();
  const std::vector<std::byte> bytes = shuffled(chunk, value_bytes);
  std::vector<std::byte> out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()));
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(),
                                      out.size()));
  return out;
}

// Big enough to compress and to read fast, small enough that a few of them are nothing.
constexpr std::uint64_t max_chunk_bytes = std::uint64_t{1} << 24;

hsize_t rows_per_chunk(std::uint64_t rows, std::size_t row_bytes) {
  return std::min({chunk_rows, rows, std::max<std::uint64_t>(max_chunk_bytes / row_bytes, 1)});
}

}  // namespace

void no_times(hid_t options, const std::string& path) {
  check(H5Pset_obj_track_times(options, false), "H5Pset_obj_track_times", path);
}

void make_group(hid_t file, const std::string& path) {
  const Handle options(H5Pcreate(H5P_GROUP_CREATE), "H5Pcreate");
  check(H5Pset_link_creation_order(options.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
        "H5Pset_link_creation_order");
  no_times(options.get(), path);
  const Handle group(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, options.get(), H5P_DEFAULT),
                     "H5Gcreate2", path);
}

Dataset Dataset::create(hid_t file, const std::string& path, const std::string& units, Handle type,
                        std::uint64_t rows, std::size_t width) {
  Dataset made;
  made.path_ = path;
  made.rows_ = rows;
  made.width_ = width;
  const int dimensions = width == 0 ? 1 : 2;
  const std::array<hsize_t, 2> extent{rows, width};
  const Handle space(H5Screate_simple(dimensions, extent.data(), nullptr), "H5Screate_simple",
                     path);
  const Handle options(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate");
  no_times(options.get(), path);
  if (rows > 0) {  // the library refuses chunks larger than the extent
    made.value_bytes_ = H5Tget_size(type.get());
    const std::size_t row_bytes = made.value_bytes_ * std::max<std::size_t>(width, 1);
    const std::array<hsize_t, 2> chunk{rows_per_chunk(rows, row_bytes), width};
    made.chunk_rows_ = chunk[0];
    made.row_bytes_ = row_bytes;
    check(H5Pset_chunk(options.get(), dimensions, chunk.data()), "H5Pset_chunk", path);
    check(H5Pset_shuffle(options.get()), "H5Pset_shuffle", path);
    check(H5Pset_deflate(options.get(), 1), "H5Pset_deflate", path);
  }
  // No chunk cache: chunks are written whole, and an error belongs to the call that caused it.
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS), "H5Pcreate");
  check(H5Pset_chunk_cache(access.get(), 0, 0, 0.0), "H5Pset_chunk_cache", path);
  made.dataset_ = Handle(H5Dcreate2(file, path.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                    options.get(), access.get()),
                         "H5Dcreate2", path);
  made.type_ = std::move(type);
  write_attribute(made.dataset_.get(), "units", units.empty() ? "1" : units, path);
  return made;
}

Dataset Dataset::open(hid_t file, const std::string& path) {
  Dataset opened;
  opened.path_ = path;
  opened.dataset_ = Handle(H5Dopen2(file, path.c_str(), H5P_DEFAULT), "H5Dopen2", path);
  opened.type_ = Handle(H5Dget_type(opened.dataset_.get()), "H5Dget_type", path);
  const Handle space(H5Dget_space(opened.dataset_.get()), "H5Dget_space", path);
  const int dimensions = H5Sget_simple_extent_ndims(space.get());
  if (dimensions != 1 && dimensions != 2)
    throw Failure("shape", "a column has one or two dimensions", path);
  std::array<hsize_t, 2> extent{0, 0};
  check(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), "H5Sget_simple_extent_dims",
        path);
  opened.rows_ = extent[0];
  opened.width_ = extent[1];
  return opened;
}

std::pair<Handle, Handle> Dataset::select(std::uint64_t first, std::uint64_t count) const {
  Handle file(H5Dget_space(dataset_.get()), "H5Dget_space", path_);
  const std::array<hsize_t, 2> start{first, 0};
  const std::array<hsize_t, 2> size{count, width_};
  check(
      H5Sselect_hyperslab(file.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr),
      "H5Sselect_hyperslab", path_);
  Handle memory(H5Screate_simple(width_ == 0 ? 1 : 2, size.data(), nullptr), "H5Screate_simple",
                path_);
  return {std::move(file), std::move(memory)};
}

Dataset::Chunk Dataset::packed(std::uint64_t first, const std::byte* values) const {
  std::vector<std::byte> padded;  // a chunk is stored whole, also if rows end within it
  const std::uint64_t count = std::min(chunk_rows_, rows_ - first);
  if (count < chunk_rows_) {
    padded.resize(chunk_rows_ * row_bytes_);
    std::memcpy(padded.data(), values, count * row_bytes_);
    values = padded.data();
  }
  return {first, shuffled_and_deflated({values, chunk_rows_ * row_bytes_}, value_bytes_)};
}

void Dataset::write(const Chunk& chunk) {
  const std::array<hsize_t, 2> offset{chunk.first, 0};
  check(H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, 0, offset.data(), chunk.stored.size(),
                       chunk.stored.data()),
        "H5Dwrite_chunk", path_);
}

void Dataset::write(std::uint64_t first, std::uint64_t count, const void* values) {
  const auto* bytes = static_cast<const std::byte*>(values);
  while (count > 0 && chunk_rows_ > 0 && first % chunk_rows_ == 0 &&
         (count >= chunk_rows_ || first + count == rows_)) {
    const std::uint64_t written = std::min(count, chunk_rows_);
    write(packed(first, bytes));
    first += written;
    count -= written;
    bytes += written * row_bytes_;
  }
  if (count == 0) return;
  const auto [file, memory] = select(first, count);
  check(H5Dwrite(dataset_.get(), type_.get(), memory.get(), file.get(), H5P_DEFAULT, bytes),
        "H5Dwrite", path_);
}

void Dataset::append(std::uint64_t count, const void* values) {
  const auto* bytes = static_cast<const std::byte*>(values);
  waiting_.insert(waiting_.end(), bytes, bytes + count * row_bytes_);
  std::uint64_t rows = waiting_.size() / row_bytes_;
  if (appended_ + rows < rows_) rows -= rows % chunk_rows_;
  write(appended_, rows, waiting_.data());
  appended_ += rows;
  waiting_.erase(waiting_.begin(),
                 waiting_.begin() + static_cast<std::ptrdiff_t>(rows * row_bytes_));
}

void Dataset::read(std::uint64_t first, std::uint64_t count, hid_t memory_type,
                   void* values) const {
  if (count == 0) return;
  const auto [file, memory] = select(first, count);
  check(H5Dread(dataset_.get(), memory_type, memory.get(), file.get(), H5P_DEFAULT, values),
        "H5Dread", path_);
}

std::vector<std::string> Dataset::strings() const {
  const Handle space(H5Dget_space(dataset_.get()), "H5Dget_space", path_);
  return read_strings(type_.get(), space.get(),
                      [&](void* buffer) { read(0, rows_, type_.get(), buffer); });
}

std::string Dataset::units() const {
  const auto units = read_attribute(dataset_.get(), "units", path_);
  return units && std::holds_alternative<std::string>(*units) ? std::get<std::string>(*units) : "";
}

namespace {

void write_column(hid_t file, const std::string& path, const Column& column) {
  const auto write = [&](Handle type, const void* data) {
    Dataset::create(file, path, column.units, std::move(type), column.rows(), 0)
        .write(0, column.rows(), data);
  };
  if (const auto* numbers = std::get_if<std::vector<double>>(&column.values)) {
    write(type_of<double>(), numbers->data());
  } else if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values)) {
    write(type_of<std::int64_t>(), counts->data());
  } else if (const auto* truths = std::get_if<std::vector<bool>>(&column.values)) {
    const std::vector<std::int8_t> bytes(truths->begin(), truths->end());
    write(type_of<bool>(), bytes.data());
  } else {
    const auto& texts = std::get<std::vector<std::string>>(column.values);
    std::size_t width = 1;
    for (const std::string& text : texts) width = std::max(width, text.size());
    std::string padded;
    padded.reserve(width * texts.size());
    for (const std::string& text : texts) padded.append(text).append(width - text.size(), '\0');
    write(string_type(width), padded.data());
  }
}

template <class T>
std::vector<T> read_all(const Dataset& column) {
  std::vector<T> values(column.rows());
  column.read(0, column.rows(), type_of<T>().get(), values.data());
  return values;
}

std::vector<bool> read_truths(const Dataset& column) {
  if (check(H5Tequal(column.type(), type_of<bool>().get()), "H5Tequal", column.path()) == 0)
    throw Failure("type", "is an enumeration, but not of FALSE and TRUE", column.path());
  std::vector<std::int8_t> bytes(column.rows());
  column.read(0, column.rows(), column.type(), bytes.data());
  return {bytes.begin(), bytes.end()};
}

Column::Values read_values(const Dataset& column) {
  if (column.width() != 0) throw Failure("shape", "has two dimensions", column.path());
  switch (H5Tget_class(column.type())) {
    case H5T_INTEGER:
      return read_all<std::int64_t>(column);
    case H5T_FLOAT:
      return read_all<double>(column);
    case H5T_STRING:
      return column.strings();
    case H5T_ENUM:
      return read_truths(column);
    default:
      throw Failure("type", "is no number, string or truth value", column.path());
  }
}

std::vector<std::string> column_names(hid_t file, const std::string& path) {
  const Handle group(H5Gopen2(file, path.c_str(), H5P_DEFAULT), "H5Gopen2", path);
  const Handle options(H5Gget_create_plist(group.get()), "H5Gget_create_plist", path);
  unsigned order = 0;
  check(H5Pget_link_creation_order(options.get(), &order), "H5Pget_link_creation_order", path);
  const auto index = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  const auto add_name = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  check(H5Literate(group.get(), index, H5_ITER_INC, nullptr, add_name, &names), "H5Literate", path);
  return names;
}

}  // namespace

void write_table(hid_t file, const Table& table) {
  const std::string group = "/" + table.name;
  make_group(file, group);
  for (const Column& column : table.columns) {
    const std::string path = group + "/" + column.name;
    write_column(file, path, column);
    if (const std::string text = column_description(table.name, column.name); !text.empty())
      describe(file, path, text);
  }
}

Table read_table(hid_t file, const std::string& name) {
  const std::string group = "/" + name;
  Table table{.name = name};
  for (const std::string& column_name : column_names(file, group)) {
    const Dataset column = Dataset::open(file, group + "/" + column_name);
    table.columns.push_back({column_name, column.units(), read_values(column)});
  }
  return table;
}

bool has_link(hid_t file, const std::string& path) {
  return check(H5Lexists(file, path.c_str(), H5P_DEFAULT), "H5Lexists", path) > 0;
}

}  // namespace nucreg::hdf5
