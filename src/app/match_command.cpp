// The command that says which nucleus at 10x is which at 40x.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <new>

#include "nucreg/app/commands.hpp"
#include "nucreg/app/terminal.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/image/image.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/match/match.hpp"
#include "nucreg/nuclei/nuclei_table.hpp"
#include "nucreg/nuclei/segment.hpp"
#include "nucreg/report/image_overview.hpp"
#include "nucreg/tiles/tiles.hpp"

namespace nucreg {
namespace {

// What was read of one side.
struct ReadSide {
  Points points;
  std::optional<Tile> image;  // none: a table or labels
};

// An input that is at fault, and no match as well.
struct TooFewNuclei : InputError {
  using InputError::InputError;
};

// A TIFF of whole numbers may hold labels; if it does not look like it, it is an image.
std::optional<Nuclei> as_labels(const std::filesystem::path& file) {
  try {
    return nuclei_of_labels(read_label_tiff(file), file.string()).nuclei;
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const std::bad_alloc&) {  // which what reads images tells of
    return std::nullopt;
  }
}

bool is_table(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".csv" || ending == ".tsv" || ending == ".txt" || ending == ".npy";
}

// Options of one side that only an image has.
std::string image_options(const MatchSide& side, const std::string& name) {
  std::string given;
  for (const auto& [option, there] : {std::pair{"channel", side.channel.has_value()},
                                      {"frame", side.frame.has_value()},
                                      {"diameter", side.diameter_px.has_value()}})
    if (there) given += fmt::format("{}--{}-{}", given.empty() ? "" : ", ", option, name);
  return given;
}

ReadSide read_side(const MatchCommand& command, bool is_ten, NucleusCounts& counts) {
  const MatchSide& side = is_ten ? command.ten : command.forty;
  const std::string file = side.file.string();
  const std::string given = image_options(side, is_ten ? "10x" : "40x");
  ReadSide read;
  std::optional<Nuclei> nuclei;
  if (is_table(side.file)) {
    if (!given.empty())
      throw JobError(file + " is a table", {.key = given, .allowed = "with an image"});
    nuclei = read_nuclei_table(side.file).nuclei;
  } else if (given.empty()) {  // who asks for what only an image has, has one
    nuclei = as_labels(side.file);
  }
  if (!nuclei) {
    const std::unique_ptr<ImageReader> reader = open_image(side.file);
    const ImageInfo& info = reader->info();
    const std::size_t channel =
        find_channel(info, side.channel.value_or(command.channel.value_or("0")), file);
    const std::size_t frame = side.frame.value_or(command.frame.value_or(0));
    nuclei = within_memory(info, file, [&] {
      const Plane plane = reader->read(frame, channel);
      return segment(plane.view(), {.diameter_px = side.diameter_px}).nuclei;
    });
    read.image = tile_of(file, info, frame, channel, is_ten);
  }
  (is_ten ? counts.ten : counts.forty) = nuclei->size();
  if (nuclei->size() < 2)
    throw TooFewNuclei(nuclei->size() == 0 ? "no nuclei" : "one nucleus",
                       {.file = file, .allowed = "an image or a table of several nuclei"});
  read.points = {std::move(nuclei->x_px), std::move(nuclei->y_px)};
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
                                 command.stage_error_um.value_or(ImagesOptions{}.stage_error_um));
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

// What needs no look into a file, which may take minutes.
void check(const MatchCommand& command) {
  if (!command.near.empty() && !(command.near[2] > 0.0))
    throw JobError(fmt::format("an uncertainty of {} px", command.near[2]),
                   {.key = "--near", .allowed = "X,Y,UNCERTAINTY, the last one above 0"});
  demand_images(command, !is_table(command.ten.file), !is_table(command.forty.file));
  if (command.pairs.empty()) return;
  std::error_code ignored;  // what is not there is another file
  for (const auto& input : {command.ten.file, command.forty.file})
    if (std::filesystem::equivalent(input, command.pairs, ignored))
      throw OutputError("is one of the inputs",
                        {.file = command.pairs.string(), .allowed = "another file"});
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
  demand_images(command, ten.image.has_value(), forty.image.has_value());  // labels are none
  options.stage = prior_of(command, ten, forty);
  const MatchResult result = match_nuclei(ten.points, forty.points, options);
  if (!command.pairs.empty() && result.matched())
    write_pairs_csv(command.pairs, result, ten.points, forty.points, command.force);
  print(result);
  return ExitStatus::done;
}

}  // namespace nucreg
