#include "nucreg/fit/pairs_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/table_input.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"

namespace nucreg {
namespace {

constexpr std::array<std::string_view, 4> names{"x10", "y10", "x40", "y40"};

std::array<std::vector<double>*, 4> columns_of(PointPairs& pairs) {
  return {&pairs.x10, &pairs.y10, &pairs.x40, &pairs.y40};
}

PointPairs parse_csv(std::string_view text, const std::string& file) {
  PointPairs pairs;
  std::vector<std::vector<double>*> columns;  // of each cell; null for those that are ignored
  for (const TextLine& line : lines_of(text)) {
    const std::vector<std::string_view> cells = cells_of(line.text, ',');
    const auto fail = [&](const std::string& problem, std::string_view key,
                          const std::string& allowed) {
      throw InputError(
          problem,
          {.file = file, .line = line.number, .key = std::string(key), .allowed = allowed});
    };
    if (columns.empty()) {
      columns.assign(cells.size(), nullptr);
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (std::ranges::count(cells, names[i]) != 1)
          fail("unknown header", {}, "x10,y10,x40,y40, each once; more columns are ignored");
        columns[static_cast<std::size_t>(std::ranges::find(cells, names[i]) - cells.begin())] =
            columns_of(pairs)[i];
      }
      continue;
    }
    if (cells.size() != columns.size())
      fail(counted(cells.size(), "cell"), {},
           fmt::format("{} cells as in the header", columns.size()));
    for (std::size_t j = 0; j < cells.size(); ++j) {
      if (columns[j] == nullptr) continue;
      const std::optional<double> value = parse_number<double>(cells[j]);
      if (!value || !std::isfinite(*value))
        fail(fmt::format("\"{}\"", cells[j]), fmt::format("column {}", j + 1), "finite numbers");
      columns[j]->push_back(*value);
    }
  }
  if (columns.empty())
    throw InputError("empty file", {.file = file, .allowed = "a header x10,y10,x40,y40 and rows"});
  return pairs;
}

PointPairs parse_npy(std::string_view bytes, const std::string& file) {
  const NpyArray array(bytes, file, "an N x 4 array of float32 or float64");
  if (array.whole_numbers())
    array.fail(fmt::format("elements of type {}", array.type()), array.offset(0, 0));
  if (array.columns() != names.size())
    array.fail(fmt::format("shape ({}, {})", array.rows(), array.columns()), array.offset(0, 0));
  PointPairs pairs;
  pairs.resize(array.rows());
  for (std::size_t column = 0; column < names.size(); ++column)
    for (std::size_t row = 0; row < array.rows(); ++row) {
      array.check_finite(row, column, names[column]);
      (*columns_of(pairs)[column])[row] = array.at(row, column);
    }
  return pairs;
}

}  // namespace

PointPairs read_pairs(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  PointPairs pairs =
      file.extension() == ".npy" ? parse_npy(text, file.string()) : parse_csv(text, file.string());
  if (pairs.size() == 0)
    throw InputError("no pairs", {.file = file.string(), .allowed = "1 or more"});
  return pairs;
}

}  // namespace nucreg
