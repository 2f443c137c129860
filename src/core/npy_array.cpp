#include "nucreg/core/npy_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

static_assert(std::endian::native == std::endian::little);

// Value of a key in the header, a Python dictionary on one line.
std::string_view field(std::string_view header, std::string_view key) {
  const auto at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto end = rest.starts_with('(') ? rest.find(')') + 1 : rest.find_first_of(",}");
  return rest.substr(0, end);
}

// "(3, 4)"
bool read_shape(std::string_view text, std::size_t& rows, std::size_t& columns) {
  const char* at = text.data();
  const char* const last = at + text.size();
  const auto number = [&](std::size_t& value) {
    const auto [stop, error] = std::from_chars(at, last, value);
    at = stop;
    return error == std::errc();
  };
  const auto token = [&](std::string_view wanted) {
    if (!std::string_view(at, static_cast<std::size_t>(last - at)).starts_with(wanted))
      return false;
    at += wanted.size();
    return true;
  };
  return token("(") && number(rows) && (token(", ") || token(",")) && number(columns) &&
         token(")") && at == last;
}

template <class T>
double value(const char* at) {
  T result;
  std::memcpy(&result, at, sizeof result);
  return static_cast<double>(result);
}

}  // namespace

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3
NpyArray::NpyArray(std::string_view bytes, std::string file, std::string allowed)
    : bytes_(bytes), file_(std::move(file)), allowed_(std::move(allowed)) {
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) fail("not a .npy file", 0);
  if (bytes[6] < 1 || bytes[6] > 3) fail(fmt::format("version {} of .npy", int{bytes[6]}), 6);
  const bool wide = bytes[6] >= 2;
  std::size_t length = 0;
  for (std::size_t i = 0; i < (wide ? 4U : 2U); ++i)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  const std::size_t header_start = wide ? 12 : 10;
  if (length > bytes.size() - header_start) fail("header cut off", bytes.size());
  const std::string_view header = bytes.substr(header_start, length);
  start_ = header_start + length;

  const std::string_view type = type_ = field(header, "descr");  // '<f8', '|u1'
  const bool known =
      type.size() == 5 && (type[1] == '<' || type[1] == '|') &&
      std::string_view("fiu").find(type[2]) != std::string_view::npos &&
      std::string_view(type[2] == 'f' ? "48" : "1248").find(type[3]) != std::string_view::npos;
  if (!known) fail(fmt::format("elements of type {}", type), header_start);
  kind_ = type[2];
  element_bytes_ = static_cast<std::size_t>(type[3] - '0');
  const std::string_view order = field(header, "fortran_order");
  if (order != "True" && order != "False")
    fail(fmt::format("fortran_order {}", order), header_start);
  by_column_ = order == "True";
  const std::string_view shape = field(header, "shape");
  if (!read_shape(shape, rows_, columns_)) fail(fmt::format("shape {}", shape), header_start);
  const std::size_t elements = (bytes.size() - start_) / element_bytes_;
  if (columns_ > 0 && rows_ > elements / columns_)
    fail(fmt::format("data of shape {} cut off", shape), bytes.size());
  if (const std::size_t end = start_ + rows_ * columns_ * element_bytes_; end < bytes.size())
    fail(fmt::format("{} bytes behind the data of shape {}: another array?", bytes.size() - end,
                     shape),
         end);
}

void NpyArray::fail(const std::string& problem, std::size_t offset) const {
  throw InputError(fmt::format("{} at offset {}", problem, offset),
                   {.file = file_, .allowed = allowed_});
}

void NpyArray::check_finite(std::size_t row, std::size_t column, std::string_view name) const {
  if (const double number = at(row, column); !std::isfinite(number))
    fail(fmt::format("{} is {} in row {}", name, number, row), offset(row, column));
}

std::size_t NpyArray::offset(std::size_t row, std::size_t column) const {
  return start_ + element_bytes_ * (by_column_ ? column * rows_ + row : row * columns_ + column);
}

double NpyArray::at(std::size_t row, std::size_t column) const {
  const char* const here = bytes_.data() + offset(row, column);
  switch (element_bytes_) {
    case 1:
      return kind_ == 'i' ? value<std::int8_t>(here) : value<std::uint8_t>(here);
    case 2:
      return kind_ == 'i' ? value<std::int16_t>(here) : value<std::uint16_t>(here);
    case 4:
      return kind_ == 'f'   ? value<float>(here)
             : kind_ == 'i' ? value<std::int32_t>(here)
                            : value<std::uint32_t>(here);
    default:
      return kind_ == 'f'   ? value<double>(here)
             : kind_ == 'i' ? value<std::int64_t>(here)
                            : value<std::uint64_t>(here);
  }
}

}  // namespace nucreg
