#include "nucreg/store/anndata_file.hpp"

#include <algorithm>
#include <array>

#include "dataset.hpp"
#include "hdf5.hpp"
#include "new_file.hpp"
#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

using hdf5::check;
using hdf5::Dataset;
using hdf5::Handle;

/// Attributes of an element by which a reader knows what it is.
void mark(hid_t object, const std::string& path, const char* type, const char* version) {
  hdf5::write_attribute(object, "encoding-type", std::string(type), path);
  hdf5::write_attribute(object, "encoding-version", std::string(version), path);
}

Handle open_object(hid_t file, const std::string& path) {
  return {H5Oopen(file, path.c_str(), H5P_DEFAULT), "H5Oopen", path};
}

Handle make_group(hid_t file, const std::string& path, const char* type, const char* version) {
  hdf5::make_group(file, path);
  Handle group = open_object(file, path);
  mark(group.get(), path, type, version);
  return group;
}

template <class T>
void write_array(hid_t file, const std::string& path, const std::vector<T>& values,
                 std::size_t width = 0) {
  const std::size_t rows = values.size() / std::max<std::size_t>(width, 1);
  Dataset dataset = Dataset::create(file, path, "1", hdf5::type_of<T>(), rows, width);
  dataset.write(0, rows, values.data());
  dataset.close();
  mark(open_object(file, path).get(), path, "array", "0.2.0");
}

/// Strings of variable length, as the format demands.
void write_strings(hid_t file, const std::string& path, const std::vector<std::string>& texts) {
  const Handle type = hdf5::string_type(H5T_VARIABLE);
  const std::array<hsize_t, 1> extent{texts.size()};
  const Handle space(H5Screate_simple(1, extent.data(), nullptr), "H5Screate_simple", path);
  const Handle dataset(H5Dcreate2(file, path.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                  H5P_DEFAULT, H5P_DEFAULT),
                       "H5Dcreate2", path);
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  if (!texts.empty())
    check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   static_cast<const void*>(pointers.data())),
          "H5Dwrite", path);
  mark(dataset.get(), path, "string-array", "0.2.0");
}

void write_order(hid_t group, const std::string& path, const std::vector<AnnColumn>& columns) {
  const Handle type = hdf5::string_type(H5T_VARIABLE);
  const std::array<hsize_t, 1> extent{columns.size()};
  const Handle space(H5Screate_simple(1, extent.data(), nullptr), "H5Screate_simple", path);
  const Handle attribute(
      H5Acreate2(group, "column-order", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
      "H5Acreate2", path);
  std::vector<const char*> pointers;
  for (const AnnColumn& column : columns) pointers.push_back(column.name.c_str());
  if (!columns.empty())
    check(H5Awrite(attribute.get(), type.get(), static_cast<const void*>(pointers.data())),
          "H5Awrite", path);
}

void write_flag(hid_t object, const std::string& path, const char* name, bool value) {
  const Handle type = hdf5::type_of<bool>();
  const Handle space(H5Screate(H5S_SCALAR), "H5Screate", path);
  const Handle attribute(
      H5Acreate2(object, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), "H5Acreate2",
      path);
  const std::int8_t byte = value ? 1 : 0;
  check(H5Awrite(attribute.get(), type.get(), &byte), "H5Awrite", path);
}

void write_column(hid_t file, const std::string& path, const AnnColumn& column) {
  if (const auto* numbers = std::get_if<std::vector<double>>(&column.values)) {
    write_array(file, path, *numbers);
  } else if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values)) {
    write_array(file, path, *counts);
  } else {
    const auto& words = std::get<Categories>(column.values);
    const Handle group = make_group(file, path, "categorical", "0.2.0");
    write_flag(group.get(), path, "ordered", false);
    write_array(file, path + "/codes", words.codes);
    write_strings(file, path + "/categories", words.names);
  }
}

void write_frame(hid_t file, const std::string& path, const std::vector<std::string>& index,
                 const std::vector<AnnColumn>& columns) {
  const Handle group = make_group(file, path, "dataframe", "0.2.0");
  hdf5::write_attribute(group.get(), "_index", std::string("_index"), path);
  write_order(group.get(), path, columns);
  write_strings(file, path + "/_index", index);
  for (const AnnColumn& column : columns) write_column(file, path + "/" + column.name, column);
}

std::size_t rows_of(const AnnColumn& column) {
  if (const auto* words = std::get_if<Categories>(&column.values)) return words->codes.size();
  if (const auto* counts = std::get_if<std::vector<std::int64_t>>(&column.values))
    return counts->size();
  return std::get<std::vector<double>>(column.values).size();
}

}  // namespace

void write_anndata(const std::filesystem::path& file, const AnnTable& table, bool overwrite) {
  for (const AnnColumn& column : table.columns)
    if (rows_of(column) != table.index.size())
      throw Error(ExitStatus::bug, "columns of unequal length",
                  {.file = file.string(), .key = column.name});
  hdf5::NewFile made(file);
  made.attempt([&] {
    mark(open_object(made.id(), "/").get(), "/", "anndata", "0.1.0");
    write_frame(made.id(), "/obs", table.index, table.columns);
    write_frame(made.id(), "/var", {}, {});
    for (const char* mapping : {"/layers", "/obsm", "/obsp", "/uns", "/varm", "/varp"})
      make_group(made.id(), mapping, "dict", "0.1.0");
    if (!table.spatial.empty()) write_array(made.id(), "/obsm/spatial", table.spatial, 2);
  });
  made.publish(overwrite);
}

}  // namespace nucreg
