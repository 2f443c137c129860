#include "tiles_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "nucreg/core/text.hpp"
#include "table_access.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

std::string percent(double part) {
  return std::isnan(part) ? "-" : fmt::format("{:.1f}", 100.0 * part);
}

}  // namespace

std::string tiles_text(const Overview& view, const TextOptions& options) {
  if (view.matches.columns.empty()) return {};
  const auto& file = need<std::string>(view.images, "file");
  const auto& nuclei = need<std::int64_t>(view.images, "nuclei");
  const auto& matched = need<bool>(view.matches, "matched");
  std::int64_t all = 0;
  for (const std::int64_t count : nuclei) all += count;
  const auto matches = static_cast<std::uint64_t>(std::ranges::count(matched, true));
  std::string text =
      fmt::format("images: {} with {} nuclei; {} of {} tried match\n", counted(file.size(), "tile"),
                  count_text(static_cast<std::uint64_t>(all)), count_text(matches),
                  counted(matched.size(), "pair"));

  const auto tile = [&](const char* side, std::size_t row) {
    const auto at = static_cast<std::size_t>(need<std::int64_t>(view.matches, side)[row]);
    if (at >= file.size())
      throw InputError(fmt::format("row {} names what is not in the file", row),
                       {.key = "/matches"});
    return at;
  };
  constexpr int always = 100;
  std::vector<TextColumn> columns{
      {"10x", false, 7},     {"40x", false, always},   {"at 10x", true, 5},
      {"at 40x", true, 5},   {"pairs", true, always},  {"rate %", true, 9},
      {"chance %", true, 8}, {"held-out px", true, 9}, {"stage off um", true, 6}};
  std::size_t shown = 0;
  for (std::size_t row = 0; row < matched.size() && shown < options.most_configurations; ++row) {
    if (!matched[row]) continue;
    ++shown;
    const auto number = [&](const char* name) { return need<double>(view.matches, name)[row]; };
    const std::size_t ten = tile("ten", row), forty = tile("forty", row);
    const std::vector<std::string> cells{
        file[ten],
        file[forty],
        fmt::format("{}", nuclei.at(ten)),
        fmt::format("{}", nuclei.at(forty)),
        fmt::format("{}", need<std::int64_t>(view.matches, "pairs")[row]),
        percent(number("match_rate")),
        percent(number("chance_rate")),
        number_text(number("heldout_rmsd_px")),
        find_column(view.matches, "stage_error_um") ? number_text(number("stage_error_um")) : "-"};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  text += render(std::move(columns), options.width);
  if (shown < matches)
    text += fmt::format("({} more; all of them: /matches of the file)\n", matches - shown);
  return text + "\n";
}

}  // namespace nucreg
