#include "nucreg/core/table_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

std::string_view trimmed(std::string_view cell) {
  constexpr std::string_view no_break = "\xc2\xa0";  // U+00A0
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!cell.empty())
    if (blank(cell.front()))
      cell.remove_prefix(1);
    else if (cell.starts_with(no_break))
      cell.remove_prefix(no_break.size());
    else
      break;
  while (!cell.empty())
    if (blank(cell.back()))
      cell.remove_suffix(1);
    else if (cell.ends_with(no_break))
      cell.remove_suffix(no_break.size());
    else
      break;
  return cell;
}

// Where the cell ends that a line begins with: not between quotation marks (RFC 4180).
std::size_t end_of_cell(std::string_view line, char separator) {
  const auto end = line.find(separator);
  const auto first = line.find_first_not_of(" \t");
  if (first >= end || line[first] != '"') return end;
  auto mark = line.find('"', first + 1);
  while (mark != std::string_view::npos && line.substr(mark + 1).starts_with('"'))
    mark = line.find('"', mark + 2);
  return mark == std::string_view::npos ? end : line.find(separator, mark);
}

std::string_view without_sign(std::string_view cell) {
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  return cell;
}

// "1,234": one to three digits and three more.
bool may_be_thousands(std::string_view cell, char mark) {
  cell = without_sign(cell);
  const std::size_t at = cell.find(mark);
  return cell.size() - at == 4 && at >= 1 && at <= 3 && cell[0] != '0';
}

// A header of more than any program writes is refused before each name is looked at.
void demand_few_columns(std::string_view text, const std::string& file) {
  constexpr std::uint64_t max_columns = 100'000;
  constexpr int lines_looked_at = 20;
  for (int number = 1; number <= lines_looked_at && !text.empty(); ++number) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    for (const char separator : {',', ';', '\t', '|', ' '})
      if (std::ranges::count(text.substr(0, end), separator) >=
          static_cast<std::ptrdiff_t>(max_columns))
        throw InputError(fmt::format("more than {} columns", count_text(max_columns)),
                         {.file = file,
                          .line = number,
                          .allowed = fmt::format("up to {}", count_text(max_columns))});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string table_text(std::string bytes, const std::string& file) {
  const auto refuse = [&](std::string_view kind) {
    const bool picture = kind.ends_with("picture");
    throw InputError(fmt::format("is {}, not a table as text", kind),
                     {.file = file,
                      .allowed = picture ? "images as TIFF or ND2, tables as CSV"
                                         : "the same saved as CSV, UTF-8"});
  };
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kinds{
      {{"\xD0\xCF\x11\xE0", "a spreadsheet (.xls)"},
       {"PK\x03\x04", "a spreadsheet (.xlsx, .ods) or another ZIP archive"},
       {"\x1F\x8B", "compressed by gzip"},
       {"\x89HDF", "an HDF5 file"},
       {"PAR1", "a Parquet file"},
       {"\x89PNG", "a PNG picture"},
       {"\xFF\xD8\xFF", "a JPEG picture"},
       {"%PDF", "a PDF"}}};
  for (const auto& [start, kind] : kinds)
    if (bytes.starts_with(start)) refuse(kind);
  if (bytes.starts_with("\xFE\xFF"))
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) std::swap(bytes[i], bytes[i + 1]);
  if (bytes.starts_with("\xFF\xFE"))
    bytes = utf8_of_utf16(std::as_bytes(std::span(bytes)).subspan(2));
  else if (bytes.find('\0') != std::string::npos)
    refuse("binary, or UTF-16 without a byte order mark");
  demand_few_columns(bytes, file);
  return bytes;
}

std::vector<TextLine> lines_of(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // of Excel's
  std::vector<TextLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
    if (line.find_first_not_of(" \t\"") != std::string_view::npos) lines.push_back({number, line});
  }
  return lines;
}

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  if (separator == ' ') line = trimmed(line);
  while (true) {
    const auto end = end_of_cell(line, separator);
    std::string_view cell = trimmed(line.substr(0, end));
    if (cell.size() > 1 && cell.front() == '"' && cell.back() == '"')
      cell = trimmed(cell.substr(1, cell.size() - 2));
    cells.push_back(cell);
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
    if (separator == ' ') line = trimmed(line);
  }
}

std::string text_in(std::string_view cell) {
  std::string text;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    text += cell[i];
    if (cell.substr(i).starts_with("\"\"")) ++i;
  }
  return text;
}

std::optional<double> number_in(std::string_view cell) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos) return parse_number<double>(cell);
  if (cell.find('.') != std::string_view::npos) return std::nullopt;
  std::string text(cell);
  text[comma] = '.';
  return parse_number<double>(text);
}

void NumberForms::add(std::string_view cell, std::size_t column) {
  const auto first_of = [&](std::string& kept) {
    if (kept.empty()) kept = one_line(cell, 60);
  };
  if (cell.find(',') != std::string_view::npos) {
    if (may_be_thousands(cell, ',')) {
      ++grouped_;
      grouped_cell_ = one_line(cell, 60);
    } else {
      ++commas_;
      first_of(comma_cell_);
    }
    return;
  }
  // With points between thousands, coordinates of less than 100,000 are "99.999" at most; decimals
  // are spread over all the sizes that whole numbers beside them have.
  constexpr std::size_t max_digits = 2;
  Column& of = columns_[column];
  const std::size_t point = without_sign(cell).find('.');
  const std::size_t digits = without_sign(cell).size();
  if (point != std::string_view::npos) {
    ++points_;
    first_of(point_cell_);
    ++of.grouped;
    first_of(of.cell);
    of.ordinary = of.ordinary || point > max_digits || !may_be_thousands(cell, '.');
  } else {
    ++whole_;
    if (digits == 3) ++of.hundreds;
    of.ordinary = of.ordinary || digits > 3;
  }
}

std::string NumberForms::doubt() const {
  constexpr std::size_t several = 3;  // fewer may have three decimals by chance
  const std::string& comma = commas_ > 0 ? comma_cell_ : grouped_cell_;
  if (points_ > 0 && !comma.empty())
    return fmt::format("both commas and points in numbers: \"{}\" and \"{}\"", comma, point_cell_);
  if (grouped_ >= several && whole_ > 0 && commas_ == 0)
    return fmt::format("\"{}\" next to whole numbers may be thousands or a decimal comma",
                       grouped_cell_);
  for (const auto& [column, of] : columns_)
    if (of.grouped >= several && of.hundreds > 0 && !of.ordinary)
      return fmt::format("\"{}\" next to whole numbers may be thousands or a decimal point",
                         of.cell);
  return {};
}

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
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || !text.starts_with('(') || !text.ends_with(')'))
    return false;
  std::string_view second = text.substr(comma + 1, text.size() - comma - 2);
  if (second.starts_with(' ')) second.remove_prefix(1);
  const auto first = parse_number<std::size_t>(text.substr(1, comma - 1));
  const auto last = parse_number<std::size_t>(second);
  rows = first.value_or(0);
  columns = last.value_or(0);
  return first && last;
}

template <class T>
double value(const char* at, bool big_endian) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), at, sizeof(T));
  if (big_endian) std::ranges::reverse(bytes);
  return static_cast<double>(std::bit_cast<T>(bytes));
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
  const bool known = type.size() == 5 &&
                     std::string_view("<>|").find(type[1]) != std::string_view::npos &&
                     std::string_view("fiub").find(type[2]) != std::string_view::npos &&
                     std::string_view(type[2] == 'f'   ? "48"
                                      : type[2] == 'b' ? "1"
                                                       : "1248")
                             .find(type[3]) != std::string_view::npos;
  if (!known)
    fail(fmt::format("elements of type {}: save it with array.astype('<f8')", type), header_start);
  kind_ = type[2] == 'b' ? 'u' : type[2];
  big_endian_ = type[1] == '>';
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
      return kind_ == 'i' ? value<std::int8_t>(here, big_endian_)
                          : value<std::uint8_t>(here, big_endian_);
    case 2:
      return kind_ == 'i' ? value<std::int16_t>(here, big_endian_)
                          : value<std::uint16_t>(here, big_endian_);
    case 4:
      return kind_ == 'f'   ? value<float>(here, big_endian_)
             : kind_ == 'i' ? value<std::int32_t>(here, big_endian_)
                            : value<std::uint32_t>(here, big_endian_);
    default:
      return kind_ == 'f'   ? value<double>(here, big_endian_)
             : kind_ == 'i' ? value<std::int64_t>(here, big_endian_)
                            : value<std::uint64_t>(here, big_endian_);
  }
}

}  // namespace nucreg
