#include "nucreg/app/inputs.hpp"

#include <algorithm>

#include "nucreg/fit/pairs_file.hpp"
#include "nucreg/image/label_image.hpp"
#include "nucreg/nuclei/centroids.hpp"

namespace nucreg {
namespace {

InputFile read_pairs_input(const std::string& path) {
  InputFile input{.path = path, .pairs = read_pairs(path)};
  const auto largest = [](const std::vector<double>& values) {
    return std::max(0.0, *std::max_element(values.begin(), values.end()));
  };
  input.field_px = {largest(input.pairs.x10), largest(input.pairs.y10)};
  return input;
}

InputFile read_labels_input(const std::string& path) {
  const LabelImage image = read_label_tiff(path);
  InputFile input{.path = path};
  for (const Nucleus& nucleus : centroids(image, path)) {
    input.points.x.push_back(nucleus.x_px);
    input.points.y.push_back(nucleus.y_px);
  }
  input.field_px = {static_cast<double>(image.width), static_cast<double>(image.height)};
  return input;
}

}  // namespace

std::vector<InputFile> read_inputs(const Job& job) {
  std::vector<InputFile> inputs;
  for (const std::string& path : job.problem.files)
    inputs.push_back(job.problem.source == Source::pairs ? read_pairs_input(path)
                                                         : read_labels_input(path));
  return inputs;
}

void fill_counts(Plan& plan, const std::vector<InputFile>& inputs) {
  for (Configuration& c : plan.configurations)
    for (const InputFile& input : inputs)
      if (input.path == c.file) {
        c.points = static_cast<double>(std::max(input.pairs.size(), input.points.size()));
        c.field_px = input.field_px;
      }
}

}  // namespace nucreg
