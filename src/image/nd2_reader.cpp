// Nikon's ND2, versions 2 and 3. What is not understood is refused, never guessed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "nd2_container.hpp"
#include "nd2_description.hpp"
#include "nucreg/image/image.hpp"
#include "readers.hpp"

namespace nucreg {
namespace {

constexpr std::uint64_t timestamp_bytes = 8;  // in front of the pixels of each frame

// One value per frame as the microscope recorded them; zeros throughout mean that it did not.
class Recorded {
 public:
  Recorded() = default;
  Recorded(std::vector<double> values, std::uint64_t frames) : values_(std::move(values)) {
    const bool any = std::any_of(values_.begin(), values_.end(),
                                 [](double v) { return std::isfinite(v) && v != 0.0; });
    if (values_.size() < frames || !any) values_.clear();
  }
  [[nodiscard]] std::optional<double> at(std::size_t frame) const {
    if (frame >= values_.size() || !std::isfinite(values_[frame])) return {};
    return values_[frame];
  }

 private:
  std::vector<double> values_;
};

std::optional<double> first_of(std::optional<double> a, std::optional<double> b,
                               std::optional<double> c) {
  return a ? a : b ? b : c;
}

class Nd2Reader : public ImageReader {
 public:
  explicit Nd2Reader(const std::filesystem::path& path) : file_(path) {
    read_attributes();
    const auto picture = file_.metadata("ImageMetadataSeq", "|0!");
    const auto calibration = file_.metadata("ImageCalibration", "|0!");
    const Nd2Picture facts =
        read_nd2_picture(picture ? &picture->root : nullptr,
                         calibration ? &calibration->root : nullptr, attributes_.components);
    const Nd2Experiment experiment = read_experiment();
    info_.format = "ND2 " + file_.version();
    info_.width_px = attributes_.width_px;
    info_.height_px = attributes_.height_px;
    info_.significant_bits = attributes_.significant_bits;
    info_.type = attributes_.bits == 8    ? PixelType::u8
                 : attributes_.bits == 16 ? PixelType::u16
                                          : PixelType::f32;
    info_.channels = facts.channels;
    info_.loops = experiment.loops;
    info_.pixel_size_um = facts.pixel_size_um;
    info_.pixel_height_um = facts.pixel_height_um;
    info_.z_step_um = experiment.z_step_um;
    info_.objective = facts.objective;
    for (const Nd2Point& point : experiment.points) info_.position_names.push_back(point.name);
    read_frames(experiment, facts);
  }

  [[nodiscard]] const ImageInfo& info() const override { return info_; }

  [[nodiscard]] Plane read(std::size_t frame, std::size_t channel) override {
    check_asked_for(info_, file_.file().path(), frame, channel);
    const auto chunk = file_.find_frame(frame);
    if (!chunk)
      throw ImageError(fmt::format("frame {} is missing: planned, but never taken", frame),
                       {file_.file().path(), "missing-frame"});
    if (chunk->size < timestamp_bytes)
      file_.fail("frame-too-short", fmt::format("has {} bytes", chunk->size), *chunk);
    return attributes_.compressed ? read_compressed(*chunk, channel) : read_plain(*chunk, channel);
  }

  [[nodiscard]] std::optional<double> time_ms(std::size_t frame) override {
    check_frame(info_, file_.file().path(), frame);
    if (const auto listed = listed_times_.at(frame)) return listed;
    const auto stamp = stamp_of(frame);
    if (!stamp || *stamp != 0.0) return stamp;
    // The clock's start, unless it stands still in all frames: then nobody looked at it.
    if (!clock_ran_) clock_ran_ = any_clock_ran();
    return *clock_ran_ ? stamp : std::nullopt;
  }

 private:
  void read_attributes() {
    const auto metadata = file_.metadata("ImageAttributes", "!");
    if (!metadata)
      throw ImageError("has no description of its pixels",
                       {file_.file().path(), "missing-attributes", "ImageAttributesLV!"});
    try {
      attributes_ = read_nd2_attributes(metadata->root);
    } catch (const Nd2AttributeError& error) {
      file_.fail(error.code, error.problem, metadata->chunk);
    }
  }

  Nd2Experiment read_experiment() {
    const auto metadata = file_.metadata("ImageMetadata", "!");
    if (!metadata) return {};  // one frame
    try {
      return read_nd2_experiment(metadata->root);
    } catch (const Nd2ExperimentError& error) {
      file_.fail(error.code, error.problem, metadata->chunk);
    }
  }

  void read_frames(const Nd2Experiment& experiment, const Nd2Picture& facts) {
    const std::uint64_t planned = experiment.frames();
    const std::uint64_t taken =
        attributes_.sequence_count.value_or(std::min(file_.frame_end(), max_frames));
    const std::uint64_t count = std::max(planned, taken);
    if (file_.frame_end() > count)
      throw ImageError(fmt::format("frame {} of {}", file_.frame_end() - 1, count),
                       {file_.file().path(), "frame-index-out-of-range", "chunk map"});
    const auto recorded = [&](const char* id) { return Recorded(file_.custom_doubles(id), taken); };
    const Recorded x = recorded("X"), y = recorded("Y"), z = recorded("Z");
    listed_times_ = recorded("AcqTimesCache");
    info_.frames.resize(count);
    for (std::size_t n = 0; n < count; ++n) {
      ImageFrame& frame = info_.frames[n];
      if (n < planned) place_in_loops(n, frame);
      frame.missing = !file_.has_frame(n);
      const Nd2Point* point =
          frame.p && *frame.p < experiment.points.size() ? &experiment.points[*frame.p] : nullptr;
      // What the file says of its first frame is where all are, unless the stage was sent around.
      const bool stays = experiment.points.empty();
      frame.x_um =
          first_of(x.at(n), point ? point->x_um : std::nullopt, stays ? facts.x_um : std::nullopt);
      frame.y_um =
          first_of(y.at(n), point ? point->y_um : std::nullopt, stays ? facts.y_um : std::nullopt);
      frame.z_um = first_of(z.at(n), point ? point->z_um : std::nullopt, facts.z_um);
    }
  }

  // As in front of the pixels of a frame; unknown if that cannot be read.
  [[nodiscard]] std::optional<double> stamp_of(std::size_t frame) const try {
    if (!file_.has_frame(frame)) return {};
    const auto chunk = file_.find_frame(frame);
    if (!chunk || chunk->size < timestamp_bytes) return {};
    const auto stamp =
        load_little<double>(file_.file().copy(chunk->data_offset, timestamp_bytes).data());
    return std::isfinite(stamp) ? std::optional(stamp) : std::nullopt;
  } catch (const ImageError&) {
    return {};  // reading its pixels reports it
  }

  [[nodiscard]] bool any_clock_ran() const {
    for (std::uint64_t n = 0; n < file_.frame_end(); ++n)
      if (stamp_of(n).value_or(0.0) != 0.0) return true;
    return false;
  }

  void place_in_loops(std::size_t n, ImageFrame& frame) const {
    for (auto loop = info_.loops.rbegin(); loop != info_.loops.rend(); ++loop) {
      const auto index = static_cast<std::uint32_t>(n % loop->count);
      n /= loop->count;
      if (loop->axis == 'T') frame.t = index;
      if (loop->axis == 'P') frame.p = index;
      if (loop->axis == 'Z') frame.z = index;
    }
  }

  Plane read_plain(const Nd2Chunk& chunk, std::size_t channel) const {
    if (chunk.size - timestamp_bytes < attributes_.frame_bytes())
      file_.fail("frame-too-short",
                 fmt::format("{} bytes of pixels, {} wanted", chunk.size - timestamp_bytes,
                             attributes_.frame_bytes()),
                 chunk);
    NewPlane plane(info_);
    const std::uint64_t value_bytes = attributes_.value_bytes();
    file_.file().gather({.offset = chunk.data_offset + timestamp_bytes + channel * value_bytes,
                         .rows = attributes_.height_px,
                         .width = attributes_.width_px,
                         .row_bytes = attributes_.row_bytes,
                         .pixel_bytes = attributes_.components * value_bytes,
                         .value_bytes = value_bytes},
                        plane.bytes());
    return plane.finish();
  }

  Plane read_compressed(const Nd2Chunk& chunk, std::size_t channel) const {
    const std::uint64_t size = chunk.size - timestamp_bytes;
    if (!may_inflate_to(size, attributes_.frame_bytes()))
      file_.fail("frame-too-short",
                 fmt::format("{} compressed bytes cannot be a frame of {}", size,
                             attributes_.frame_bytes()),
                 chunk);
    const auto deflated = file_.file().copy(chunk.data_offset + timestamp_bytes, size);
    NewPlane plane(info_);
    const std::size_t value_bytes = attributes_.value_bytes();
    const std::size_t pixel_bytes = attributes_.components * value_bytes;
    std::byte* to = plane.bytes();
    std::vector<std::byte> row(attributes_.row_bytes);
    const std::string problem =
        inflate_pieces(deflated, attributes_.frame_bytes(), row, [&](std::size_t got) {
          if (got < row.size()) return;  // a torn end, which is an error below
          const std::byte* from = row.data() + channel * value_bytes;
          for (std::size_t px = 0; px < info_.width_px;
               ++px, from += pixel_bytes, to += value_bytes)
            std::memcpy(to, from, value_bytes);
        });
    if (!problem.empty()) file_.fail("frame-inflate", problem, chunk);
    return plane.finish();
  }

  Nd2Container file_;
  Nd2Attributes attributes_;
  ImageInfo info_;
  Recorded listed_times_;
  std::optional<bool> clock_ran_;  // nothing: not looked at yet
};

}  // namespace

std::unique_ptr<ImageReader> open_nd2(const std::filesystem::path& path) {
  return std::make_unique<Nd2Reader>(path);
}

}  // namespace nucreg
