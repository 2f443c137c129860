#include "nucreg/fit/pairs_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

constexpr std::array<std::string_view, 4> names{"x10", "y10", "x40", "y40"};

std::array<std::vector<double>*, 4> columns_of(PointPairs& pairs) {
  return {&pairs.x10, &pairs.y10, &pairs.x40, &pairs.y40};
}

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw InputError(stream ? "is a directory" : std::strerror(errno), {.file = file.string()});
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string_view trimmed(std::string_view cell) {
  const auto first = cell.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(" \t\r\"") - first + 1);
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const auto comma = line.find(',');
    cells.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

PointPairs parse_csv(std::string_view text, const std::string& file) {
  PointPairs pairs;
  std::array<std::vector<double>*, 4> columns{};
  int number = 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark of Excel's
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (trimmed(line).empty()) continue;
    const std::vector<std::string_view> cells = cells_of(line);
    const auto fail = [&](const std::string& problem, std::string_view key,
                          const std::string& allowed) {
      throw InputError(problem,
                       {.file = file, .line = number, .key = std::string(key), .allowed = allowed});
    };
    if (!columns[0]) {
      for (std::size_t i = 0; i < names.size(); ++i)
        for (std::size_t j = 0; j < cells.size() && cells.size() == names.size(); ++j)
          if (cells[j] == names[i]) columns[j] = columns_of(pairs)[i];
      const bool each_once =
          std::is_permutation(columns.begin(), columns.end(), columns_of(pairs).begin());
      if (!each_once) fail("unknown header", {}, "x10,y10,x40,y40");
      continue;
    }
    if (cells.size() != columns.size())
      fail(fmt::format("{} cells", cells.size()), {}, "4 cells as in the header");
    for (std::size_t j = 0; j < cells.size(); ++j) {
      double value = 0.0;
      const char* last = cells[j].data() + cells[j].size();
      const auto [stop, error] = std::from_chars(cells[j].data(), last, value);
      if (error != std::errc() || stop != last || !std::isfinite(value))
        fail(fmt::format("\"{}\"", cells[j]), fmt::format("column {}", j + 1), "finite numbers");
      columns[j]->push_back(value);
    }
  }
  if (!columns[0])
    throw InputError("empty file", {.file = file, .allowed = "a header x10,y10,x40,y40 and rows"});
  return pairs;
}

// Value of a key in the header of a .npy file, a Python dictionary on one line.
std::string_view npy_field(std::string_view header, std::string_view key) {
  const auto at = header.find("'" + std::string(key) + "':");
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto end = rest.starts_with('(') ? rest.find(')') + 1 : rest.find_first_of(",}");
  return rest.substr(0, end);
}

template <class T>
double element(std::string_view data, std::size_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

// NumPy's format, version 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format
PointPairs parse_npy(std::string_view bytes, const std::string& file) {
  const auto fail = [&](const std::string& problem, std::size_t offset) {
    throw InputError(
        fmt::format("{} at offset {}", problem, offset),
        {.file = file, .allowed = "an N x 4 array of little-endian float32 or float64"});
  };
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) fail("not a .npy file", 0);
  const bool wide = bytes[6] >= 2;
  std::size_t length = 0;
  for (std::size_t i = 0; i < (wide ? 4u : 2u); ++i)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  const std::size_t start = wide ? 12 : 10;
  if (length > bytes.size() - start) fail("header cut off", bytes.size());
  const std::string_view header = bytes.substr(start, length);
  const std::string_view data = bytes.substr(start + length);

  const std::string_view type = npy_field(header, "descr");
  const bool is_double = type == "'<f8'";
  if (!is_double && type != "'<f4'") fail(fmt::format("elements of type {}", type), start);
  const bool by_column = npy_field(header, "fortran_order") == "True";
  const std::string_view shape = npy_field(header, "shape");
  std::uint64_t rows = 0;
  const auto [stop, error] =
      std::from_chars(shape.data() + (shape.empty() ? 0 : 1), shape.data() + shape.size(), rows);
  const std::string_view rest(stop, static_cast<std::size_t>(shape.data() + shape.size() - stop));
  if (error != std::errc() || (rest != ", 4)" && rest != ",4)"))
    fail(fmt::format("shape {}", shape), start);
  const std::size_t element_bytes = is_double ? 8 : 4;
  if (rows > data.size() / (4 * element_bytes)) fail("data cut off", bytes.size());

  PointPairs pairs;
  pairs.resize(rows);
  for (std::size_t column = 0; column < 4; ++column)
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t i = by_column ? column * rows + row : 4 * row + column;
      const double value = is_double ? element<double>(data, i) : element<float>(data, i);
      if (!std::isfinite(value))
        fail(fmt::format("{} is {} in row {}", names[column], value, row),
             start + length + i * element_bytes);
      (*columns_of(pairs)[column])[row] = value;
    }
  return pairs;
}

}  // namespace

PointPairs read_pairs(const std::filesystem::path& file) {
  static_assert(std::endian::native == std::endian::little);
  const std::string text = read_whole(file);
  PointPairs pairs =
      file.extension() == ".npy" ? parse_npy(text, file.string()) : parse_csv(text, file.string());
  if (pairs.size() == 0)
    throw InputError("no pairs", {.file = file.string(), .allowed = "1 or more"});
  return pairs;
}

}  // namespace nucreg
