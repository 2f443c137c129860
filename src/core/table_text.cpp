#include "nucreg/core/table_text.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

std::string_view trimmed(std::string_view cell) {
  constexpr std::string_view around = " \t\r\"";
  const auto first = cell.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(around) - first + 1);
}

}  // namespace

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw InputError(stream ? "is a directory" : std::strerror(errno), {.file = file.string()});
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<TextLine> lines_of(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // of Excel's
  std::vector<TextLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!trimmed(line).empty()) lines.push_back({number, line});
  }
  return lines;
}

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  while (true) {
    const auto at = line.find(separator);
    cells.push_back(trimmed(line.substr(0, at)));
    if (at == std::string_view::npos) return cells;
    line.remove_prefix(at + 1);
  }
}

std::optional<double> number_in(std::string_view cell) {
  double value = 0.0;
  const char* const last = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), last, value);
  if (error != std::errc() || stop != last) return std::nullopt;
  return value;
}

}  // namespace nucreg
