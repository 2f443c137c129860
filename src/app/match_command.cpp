// The command that says which nucleus at 10x is which at 40x.
#include <fmt/format.h>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/segment_image.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/report/match_overview.hpp"

namespace nucreg {
namespace {

Nuclei segmented(const std::filesystem::path& file, const std::string& channel,
                 std::optional<double> diameter_px) {
  const std::unique_ptr<ImageReader> reader = open_image(file);
  const Plane plane = reader->read(0, find_channel(reader->info(), channel, file.string()));
  return segment(plane.view(), {.diameter_px = diameter_px}).nuclei;
}

// A TIFF of whole numbers may hold labels; if it does not look like it, it is an image.
std::optional<Nuclei> as_labels(const std::filesystem::path& file) {
  try {
    return nuclei_of_labels(read_label_tiff(file), file.string());
  } catch (const InputError&) {
    return std::nullopt;
  }
}

bool is_table(const std::filesystem::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".csv" || ending == ".tsv" || ending == ".txt" || ending == ".npy";
}

// An input that is at fault, and no match as well.
struct TooFewNuclei : InputError {
  using InputError::InputError;
};

Points read_side(const std::filesystem::path& file, const std::string& channel,
                 std::optional<double> diameter_px) {
  std::optional<Nuclei> nuclei;
  if (is_table(file))
    nuclei = read_nuclei(file);
  else if (!diameter_px)  // who gives a diameter has an image
    nuclei = as_labels(file);
  if (!nuclei) nuclei = segmented(file, channel, diameter_px);
  if (nuclei->size() < 2)
    throw TooFewNuclei(nuclei->size() == 0 ? "no nuclei" : "one nucleus",
                       {.file = file.string(), .allowed = "an image or a table of several nuclei"});
  return {std::move(nuclei->x_px), std::move(nuclei->y_px)};
}

}  // namespace

ExitStatus match_command(const MatchCommand& command) {
  const std::optional<Model> model = value_of<Model>(command.model);
  if (!model)
    throw JobError("\"" + command.model + "\"", {.key = "--model", .allowed = "trs, affine"});
  const MatchOptions options{.magnification = {command.magnification[0], command.magnification[1]},
                             .model = *model,
                             .significance = command.significance};
  if (!command.pairs.empty() && !command.force && std::filesystem::exists(command.pairs))
    throw OutputError("exists",
                      {.file = command.pairs.string(), .allowed = "--force overwrites it"});
  Points ten, forty;
  const auto print = [&](const MatchResult& result) {
    print_result(command.json ? to_json(result, ten, forty) + "\n" : to_text(result, ten, forty));
  };
  try {
    ten = read_side(command.ten, command.channel, command.diameter_10x_px);
    forty = read_side(command.forty, command.channel, command.diameter_40x_px);
  } catch (const TooFewNuclei& e) {
    print({.no_match = NoMatch::too_few, .reason = e.problem() + " in " + e.fields().file});
    throw;
  }
  const MatchResult result = match_nuclei(ten, forty, options);
  if (!command.pairs.empty() && result.matched())
    write_pairs_csv(command.pairs, result, ten, forty, command.force);
  print(result);
  return ExitStatus::done;
}

}  // namespace nucreg
