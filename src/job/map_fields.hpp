// The fields of a map file, in the one table that parsing, checks, echo and reference walk.
#pragma once

#include "fields.hpp"
#include "nucreg/job/map.hpp"

namespace nucreg::job_fields {

template <class Visitor>
void describe(Visitor& visit, MapInputs& o) {
  visit(Field{.name = "name",
              .doc = "name of the map; the output is results/NAME.h5; none: that of the folder "
                     "that `ten` lies in",
              .text = {file_name.words,
                       [](std::string_view text) { return text.empty() || is_file_name(text); }}},
        o.name);
  constexpr TextRule input{"a sheet of tiles, a folder, a file or a glob", path.accepts};
  visit(Field{.name = "ten",
              .doc = "10x: sheet of tiles (CSV), folder that `segment` wrote, or glob of images, "
                     "label images or tables; a list of such",
              .text = input,
              .required = true},
        o.ten);
  visit(Field{.name = "forty", .doc = "40x: the same", .text = input, .required = true}, o.forty);
  visit(Field{.name = "wells",
              .doc = "the wells that are mapped; none: all",
              .text = label,
              .may_be_empty = true},
        o.wells);
  visit(Field{.name = "seed",
              .doc = "seed of all random numbers",
              .range = {.min = 0.0, .whole = true}},
        o.seed);
}

template <class Visitor>
void describe(Visitor& visit, MapImages& o) {
  constexpr TextRule channel{"name of a channel, or its number from 0, in quotes", path.accepts};
  constexpr Range diameter{.min = min_diameter_px, .max = max_diameter_px};
  visit(Field{.name = "channel_10x", .doc = "channel to segment", .text = channel}, o.channel_10x);
  visit(Field{.name = "channel_40x", .doc = "channel to segment", .text = channel}, o.channel_40x);
  visit(Field{.name = "diameter_10x_px",
              .unit = "10x px",
              .doc = "of a typical nucleus; auto: estimated from each image",
              .range = diameter,
              .zero_word = "auto"},
        o.diameter_10x_px);
  visit(Field{.name = "diameter_40x_px",
              .unit = "40x px",
              .doc = "the same at 40x",
              .range = diameter,
              .zero_word = "auto"},
        o.diameter_40x_px);
}

template <class Visitor>
void describe(Visitor& visit, MapPlace& o) {
  visit(Field{.name = "stage", .doc = "use stage positions, if there are any"}, o.stage);
  visit(Field{.name = "pixel_10x_um",
              .unit = "um",
              .doc = "size of a 10x pixel; auto: what the inputs say",
              .range = above_zero,
              .zero_word = "auto"},
        o.pixel_10x_um);
  visit(Field{.name = "pixel_40x_um",
              .unit = "um",
              .doc = "size of a 40x pixel",
              .range = above_zero,
              .zero_word = "auto"},
        o.pixel_40x_um);
  visit(Field{.name = "magnification",
              .unit = "40x px per 10x px",
              .doc = "lowest and highest that is considered; [0, 0]: the ratio of the pixel "
                     "sizes, give or take a tenth, or 3 to 5 if these are unknown",
              .range = at_least_zero,
              .allowed = "[lowest, highest], each number > 0, or [0, 0]"},
        o.magnification);
}

template <class Visitor>
void describe(Visitor& visit, MapFit& o) {
  visit(Field{.name = "solver",
              .doc = "of the fit of all tiles: reweighted least squares, Levenberg-Marquardt or "
                     "L-BFGS; each begins with a wide loss"},
        o.solver);
  visit(Field{.name = "loss", .doc = "of that fit; its scale is 3 deviations"}, o.loss);
  visit(Field{.name = "compare_solvers",
              .doc = "run LM and L-BFGS on the fit of all tiles, too, a minute each at most, and "
                     "keep a row "
                     "for each"},
        o.compare_solvers);
}

template <class Visitor>
void describe(Visitor& visit, MapRun& o) {
  visit(Field{.name = "monitor_seconds",
              .unit = "s",
              .doc = "time between two lines of progress",
              .range = above_zero},
        o.monitor_seconds);
}

}  // namespace nucreg::job_fields
