#include "nucreg/report/match_overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

double rmsd_px(const MatchResult& result) {
  double sum = 0.0;
  for (const double r : result.residual_px) sum += r * r;
  return std::sqrt(sum / static_cast<double>(result.residual_px.size()));  // NaN without pairs
}

}  // namespace

std::string to_json(const MatchResult& result, const NucleusCounts& nuclei) {
  const bool matched = result.matched();
  const auto if_known = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  const auto if_matched = [&](auto value) { return matched ? Json(value) : Json(nullptr); };
  const auto& [a, b, tx, c, d, ty] = result.affine;
  Json json;
  json["status"] = matched ? "matched" : "no match";
  json["reason"] = matched ? Json(nullptr) : Json(result.reason);
  json["affine_10x_to_40x"] = matched ? Json{{a, b, tx}, {c, d, ty}} : Json(nullptr);
  json["trs"] = matched ? Json{{"dx_px", result.trs[0]},
                               {"dy_px", result.trs[1]},
                               {"angle_deg", result.trs[2]},
                               {"scale_x", result.trs[3]},
                               {"scale_y", result.trs[4]}}
                        : Json(nullptr);
  json["mirrored"] = if_matched(result.mirrored);
  json["matched"] = result.ten.size();
  json["match_rate"] = if_matched(result.match_rate);
  json["chance_rate"] = if_matched(result.chance_rate);
  json["significance"] = std::pow(10.0, result.log10_significance);
  json["log10_significance"] = result.log10_significance;
  json["heldout_rmsd_px"] = if_matched(result.heldout_rmsd_px);
  json["rmsd_px"] = if_matched(rmsd_px(result));
  json["match_radius_px"] = if_matched(result.match_radius_px);
  json["noise_px"] = if_matched(result.noise_px);
  json["nuclei_10x"] = if_known(nuclei.ten);
  json["nuclei_40x"] = if_known(nuclei.forty);
  json["in_overlap_10x"] = if_matched(result.ten_in_overlap);
  json["in_overlap_40x"] = if_matched(result.forty_in_overlap);
  json["hypotheses"] = result.hypotheses;
  json["stage_error_px"] = result.stage_error_px;  // NaN: null
  return json.dump(2);
}

std::string to_text(const MatchResult& result, const NucleusCounts& nuclei) {
  std::string text = result.matched() ? "matched" : "no match";
  const char* before = "; nuclei: ";
  for (const auto& [count, side] : {std::pair{nuclei.ten, "10x"}, {nuclei.forty, "40x"}}) {
    if (!count) continue;
    text += fmt::format("{}{} at {}", before, count_text(*count), side);
    before = ", ";
  }
  text += "\n";
  const std::string chance =
      fmt::format("10^{:.1f} that chance gives a map as good, over {} hypotheses",
                  result.log10_significance, count_text(result.hypotheses));
  if (!result.matched()) {
    text += fmt::format("  reason        {}\n", result.reason);
    if (result.hypotheses > 0) text += fmt::format("  significance  {}\n", chance);
    return text;
  }
  const auto& [a, b, tx, c, d, ty] = result.affine;
  const auto& [dx, dy, angle, sx, sy] = result.trs;
  text += fmt::format("  map           X = {:.6f} x {:+.6f} y {:+.3f}   (10x px to 40x px)\n", a, b,
                      tx);
  text += fmt::format("                Y = {:.6f} x {:+.6f} y {:+.3f}{}\n", c, d, ty,
                      result.mirrored ? "   mirrored" : "");
  text += fmt::format(
      "  trs           dx {:.3f} px, dy {:.3f} px, angle {:.4f} deg, scales {:.5f} and {:.5f}\n",
      dx, dy, angle, sx, sy);
  text += fmt::format(
      "  pairs         {} of {} nuclei at 10x and {} at 40x in the overlap, each used once\n",
      count_text(result.ten.size()), count_text(result.ten_in_overlap),
      count_text(result.forty_in_overlap));
  text +=
      fmt::format("  match rate    {:.1f} %; by chance {:.1f} % within {:.2f} px\n",
                  100.0 * result.match_rate, 100.0 * result.chance_rate, result.match_radius_px);
  text += fmt::format("  significance  {}\n", chance);
  text += fmt::format("  residuals     {:.3f} px root mean square, {:.3f} px on held-out pairs\n",
                      rmsd_px(result), result.heldout_rmsd_px);
  if (std::isfinite(result.stage_error_px))
    text += fmt::format("  stage         {:.1f} px at 10x from where it was said to be\n",
                        result.stage_error_px);
  return text;
}

void write_pairs_csv(const std::filesystem::path& file, const MatchResult& result,
                     const Points& ten, const Points& forty, bool overwrite) {
  TextFile csv(file);
  csv.write("x10,y10,x40,y40\n");
  for (std::size_t i = 0; i < result.ten.size(); ++i) {
    const std::uint32_t j = result.ten[i], k = result.forty[i];
    csv.write(fmt::format("{},{},{},{}\n", ten.x[j], ten.y[j], forty.x[k], forty.y[k]));
  }
  csv.publish(overwrite);
}

}  // namespace nucreg
