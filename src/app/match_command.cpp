// The command that says which nucleus at 10x is which at 40x.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/nuclei/nuclei_file.hpp"
#include "nucreg/report/image_overview.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {
namespace {

// What was read of one side.
struct ReadSide {
  Points points;
  std::vector<std::uint64_t> labels;  // of the points: of the file, or numbers of rows
  std::optional<Tile> image;          // none: a table
  bool in_um = false;                 // a table that needs --pixel-um
  std::string pixel_um_unused;        // why it has no effect, and what would give it one
};

// An input that is at fault, and no match as well.
struct TooFewNuclei : InputError {
  using InputError::InputError;
};

// Options of one side that only an image has.
std::string image_options(const MatchSide& side, const std::string& name) {
  std::string given;
  for (const auto& [option, there] : {std::pair{"channel", side.channel.has_value()},
                                      {"frame", side.frame.has_value()},
                                      {"diameter", side.diameter_px.has_value()}})
    if (there) given += fmt::format("{}--{}-{}", given.empty() ? "" : ", ", option, name);
  return given;
}

// What the command says of one side, or of both.
NucleiFileOptions file_options(const MatchCommand& command, const MatchSide& side,
                               const std::string& name) {
  const auto either = [](const auto& own, const auto& both) { return own ? own : both; };
  NucleiFileOptions options{.channel = either(side.channel, command.channel).value_or("0"),
                            .frame = either(side.frame, command.frame).value_or(0),
                            .diameter_px = side.diameter_px};
  const auto option = [&](const char* text, bool own) {
    return own ? fmt::format("--{}-{}", text, name) : fmt::format("--{}", text);
  };
  const NucleiReading &own = side.reading, &both = command.reading;
  options.as = either(own.as, both.as);
  if (const auto& columns = either(own.columns, both.columns))
    options.table.columns =
        parse_table_columns(*columns, option("columns", own.columns.has_value()));
  options.table.npy_order = either(own.npy_order, both.npy_order).value_or(NpyOrder::yx);
  options.table.pixel_um = either(own.pixel_um, both.pixel_um);
  return options;
}

std::string unused_pixel_um(const NucleiTable& table, const std::string& name) {
  if (table.pixel_um_unused.empty()) return {};
  return fmt::format("has no effect: {}{}", table.pixel_um_unused,
                     table.columns_in_um.empty() ? "; micrometres have to be divided by it before"
                                                 : fmt::format("; if they are micrometres, add "
                                                               "--columns-{} \"{}\"",
                                                               name, table.columns_in_um));
}

ReadSide read_side(const MatchCommand& command, bool is_ten, NucleusCounts& counts) {
  const MatchSide& side = is_ten ? command.ten : command.forty;
  const std::string file = side.file.string(), name = is_ten ? "10x" : "40x";
  NucleiFile found = read_nuclei_file(side.file, file_options(command, side, name));
  if (const std::string given = image_options(side, name); !found.open && !given.empty())
    throw JobError(file + " is a table", {.key = given, .allowed = "with an image"});
  // It might be read in another way.
  print_error("nucreg: {}", to_text(found, file));
  Nuclei& nuclei = found.table.nuclei;
  (is_ten ? counts.ten : counts.forty) = nuclei.size();
  if (nuclei.size() < 2)
    throw TooFewNuclei(nuclei.size() == 0 ? "no nuclei" : "one nucleus",
                       {.file = file, .allowed = "an image or a table of several nuclei"});
  ReadSide read{.points = {std::move(nuclei.x_px), std::move(nuclei.y_px)},
                .labels = std::move(found.table.labels),
                .in_um = found.kind == NucleiKind::table && found.table.pixel_um_unused.empty(),
                .pixel_um_unused = unused_pixel_um(found.table, name)};
  if (found.open)
    read.image = tile_of(file, found.open->info(), found.frame, found.channel, is_ten);
  return read;
}

[[noreturn]] void refuse(const char* option, const char* allowed) {
  throw JobError("has no meaning here", {.key = option, .allowed = allowed});
}

// What the user says comes before what the files say.
std::optional<StagePrior> prior_of(const MatchCommand& command, const ReadSide& ten,
                                   const ReadSide& forty) {
  if (!command.near.empty()) {
    const auto middle = [](const std::vector<double>& values) {
      const auto [low, high] = std::ranges::minmax(values);
      return 0.5 * (low + high);
    };
    return StagePrior{{middle(forty.points.x), middle(forty.points.y)},
                      {{command.near[0], command.near[1]}},
                      command.near[2]};
  }
  if (!ten.image || !forty.image) return std::nullopt;
  const auto prior = stage_prior(ten.image->place, forty.image->place,
                                 command.stage_error_um.value_or(standard_stage_error_um));
  if (command.stage_error_um.value_or(0.0) > 0.0 && !prior)
    refuse("--stage-error", "with images that both carry stage positions, at 10x a pixel size too");
  return prior;
}

// What is for images only and none is there for is a mistake, and not to be passed over.
void demand_images(const MatchCommand& command, bool ten_is_image, bool forty_is_image) {
  if (!ten_is_image && !forty_is_image) {
    if (command.channel) refuse("--channel", "with an image");
    if (command.frame) refuse("--frame", "with an image");
  }
  if (command.stage_error_um && !(ten_is_image && forty_is_image))
    refuse("--stage-error", "with two images; --near with tables");
}

// A size of pixels that changes nothing was meant to: the map would be that of other units.
void demand_use_of_pixel_um(const MatchCommand& command, const ReadSide& ten,
                            const ReadSide& forty) {
  for (const auto& [given, read, other, name] :
       {std::tuple(&command.ten, &ten, &forty, "--pixel-um-10x"),
        std::tuple(&command.forty, &forty, &ten, "--pixel-um-40x")}) {
    if (read->pixel_um_unused.empty()) continue;
    const bool own = given->reading.pixel_um.has_value();
    if (own || !other->in_um)
      throw JobError(read->pixel_um_unused,
                     {.file = given->file.string(), .key = own ? name : "--pixel-um"});
    print_error("nucreg: warning: {}: --pixel-um {}\n", given->file.string(),
                read->pixel_um_unused);
  }
}

// What a user most often has to change, as the rest of a reason; empty if nothing of it helps.
std::string usual_cause(const ReadSide& ten, const ReadSide& forty, const MatchOptions& options) {
  const std::optional<OtherMatch> found = other_match(ten.points, forty.points, options);
  const auto [low, high] = options.magnification;
  if (!found)
    return fmt::format(
        "; magnifications {} to {} were tried, and none from {} to {} matches, nor do the files "
        "exchanged",
        low, high, widest_magnification[0], widest_magnification[1]);
  const double m = found->magnification;
  const std::string exchanged =
      found->exchanged ? " with the files exchanged: the 10x file comes first" : "";
  if (found->exchanged && m > 0.9 * low && m < 1.1 * high) return "; they match" + exchanged;
  const bool tables = !ten.image || !forty.image;
  return fmt::format(
      "; they match{} at {:.3g} 40x px per 10x px, outside of {} to {}: if that is right, "
      "--magnification {:.3g} {:.3g}{}",
      found->exchanged ? exchanged + "," : "", m, low, high, 0.8 * m, 1.25 * m,
      tables
          ? "; if a table is in micrometres, --columns x=NAME,y=NAME,unit=um and --pixel-um SIZE "
            "(for one side alone: --columns-10x, --pixel-um-10x or -40x)"
          : "");
}

// What needs no look into a file, which may take minutes.
void check(const MatchCommand& command) {
  if (!command.near.empty() && !(command.near[2] > 0.0))
    throw JobError(fmt::format("an uncertainty of {} px", command.near[2]),
                   {.key = "--near", .allowed = "X,Y,UNCERTAINTY, the last one above 0"});
  demand_images(command, !is_nuclei_table(command.ten.file), !is_nuclei_table(command.forty.file));
  if (command.pairs.empty()) return;
  check_not_input(command.pairs, {command.ten.file, command.forty.file}, "--pairs");
  check_output(command.pairs, command.force, "--force to overwrite it");
}

}  // namespace

ExitStatus match_command(const MatchCommand& command) {
  const std::optional<Model> model = value_of<Model>(command.model);
  if (!model)
    throw JobError("\"" + command.model + "\"", {.key = "--model", .allowed = "trs, affine"});
  MatchOptions options{.magnification = {command.magnification[0], command.magnification[1]},
                       .model = *model,
                       .significance = command.significance};
  check(command);
  NucleusCounts counts;
  const auto print = [&](const MatchResult& result) {
    print_result(command.json ? to_json(result, counts) + "\n" : to_text(result, counts));
  };
  ReadSide ten, forty;
  try {
    ten = read_side(command, true, counts);
    forty = read_side(command, false, counts);
  } catch (const TooFewNuclei& e) {
    print({.no_match = NoMatch::too_few, .reason = e.problem() + " in " + e.fields().file});
    throw;
  }
  demand_images(command, ten.image.has_value(), forty.image.has_value());
  demand_use_of_pixel_um(command, ten, forty);
  options.stage = prior_of(command, ten, forty);
  MatchResult result = match_nuclei(ten.points, forty.points, options);
  if (result.no_match == NoMatch::not_significant)
    result.reason += usual_cause(ten, forty, options);
  if (!command.pairs.empty() && result.matched())
    write_pairs_csv(command.pairs, result, {ten.points, ten.labels}, {forty.points, forty.labels},
                    command.force);
  print(result);
  if (!command.pairs.empty() && result.matched())
    print_error("nucreg: {} in {}\n", counted(result.ten.size(), "pair"), command.pairs.string());
  return ExitStatus::done;
}

}  // namespace nucreg
