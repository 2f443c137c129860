#include "table_columns.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "dataset.hpp"
#include "types.hpp"

namespace nucreg::hdf5 {
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
  for (const Column& column : table.columns) write_column(file, group + "/" + column.name, column);
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
