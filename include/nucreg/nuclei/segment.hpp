// From one image to the nuclei in it: of stained nuclei, or of their labels; and a picture of both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nucreg/image/image.hpp"
#include "nucreg/image/write_image.hpp"

namespace nucreg {

/// All lengths within follow from one that a user knows.
struct SegmentOptions {
  /// Diameter of a typical nucleus, px, 3 to 1000; estimated from the image if not given.
  std::optional<double> diameter_px;
};

/// Nuclei as columns of equal length; pixel centres at integers, x right, y down.
struct Nuclei {
  std::vector<double> x_px, y_px;      ///< centroid, weighted by the intensity above background
  std::vector<double> area_px;         ///< number of its pixels; NaN if a table did not say
  std::vector<double> mean_intensity;  ///< of its pixels, as in the image; NaN if unknown
  std::vector<bool> touches_border;    ///< cut by the edge of the image: its centroid is biased

  [[nodiscard]] std::size_t size() const { return x_px.size(); }
};

struct Segmentation {
  Nuclei nuclei;             ///< nucleus i has label i + 1
  LabelImage labels;         ///< as large as the image; 0 = background
  double diameter_px = 0.0;  ///< given or estimated; 0 if nothing stands out
  bool one_value = false;    ///< of all pixels, which then have no nuclei
};

/// Nuclei brighter than what is around them, whatever the unit, offset and gain of the image; order
/// by label, which is the order of their first pixels row by row (in the smaller image that large
/// nuclei are looked for in). NaN counts as the lowest value, an infinity as the lowest or highest.
/// An image without contrast (empty, one colour, white noise) has no nuclei, which is no error. The
/// same bits each time on processors of one kind.
/// Throws JobError on a diameter out of range, InputError on more than 2^30 pixels and
/// std::bad_alloc if memory does not suffice.
[[nodiscard]] Segmentation segment(const PlaneView& image, const SegmentOptions& options = {});

/// Keeps OpenCV to one thread in this process, since the ranks of a run share its processors. For
/// `main`, before the first segment().
void use_one_image_thread();

/// Pixels of an image along each side of a pixel of its overlay: 1 up to 2^25 pixels.
[[nodiscard]] std::size_t overlay_factor(std::size_t width_px, std::size_t height_px);

/// The image in grey, from its 1 % to its 99.7 % quantile and brightened in the dark, with the
/// outline of each label in orange. Image and labels are of one size; the picture is smaller by
/// overlay_factor(): means of brightness, and every outline.
[[nodiscard]] RgbPicture overlay(const PlaneView& image, const LabelImage& labels);

/// One nucleus of a label image; pixel centres at integers.
struct Nucleus {
  std::uint32_t label = 0;
  double x_px = 0.0, y_px = 0.0;  ///< mean of its pixels
  double area_px = 0.0;           ///< number of its pixels
};

/// The nuclei of a label image by rising label. Throws InputError naming `file` where the image
/// cannot be one of labels: fewer than two nuclei (a mask of 0 and 255 is none), no background,
/// many of hardly more than a pixel, values in many pieces each as levels of brightness are, or
/// scattered over the image as intensities are (bounding boxes that together cover the image
/// several times).
[[nodiscard]] std::vector<Nucleus> centroids(const LabelImage& image, const std::string& file);

}  // namespace nucreg
