// OME-XML in the description of a TIFF (OME model 2010 to 2016).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <pugixml.hpp>

#include "nucreg/core/text.hpp"
#include "tiff_description.hpp"

namespace nucreg {
namespace {

using pugi::xml_node;

constexpr std::uint64_t max_planes = std::uint64_t{1} << 20;
constexpr std::string_view one_size =
    "; allowed: Images of one size and shape; Bio-Formats' bfconvert -series N makes a file of one";

// Some writers put a prefix in front of every name.
std::string_view local_name(xml_node node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::vector<xml_node> all(xml_node parent, std::string_view name) {
  std::vector<xml_node> found;
  for (const xml_node child : parent.children())
    if (local_name(child) == name) found.push_back(child);
  return found;
}

xml_node first(xml_node parent, std::string_view name) {
  for (const xml_node child : parent.children())
    if (local_name(child) == name) return child;
  return {};
}

std::optional<double> number(xml_node node, const char* attribute) {
  const auto value = parse_number<double>(node.attribute(attribute).value());
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<double> positive(xml_node node, const char* attribute) {
  const auto value = number(node, attribute);
  return value && *value > 0.0 ? value : std::nullopt;
}

// Micrometres unless the file says otherwise; units that are none of length give nothing.
std::optional<double> length_um(std::optional<double> value, xml_node node, const char* unit_name) {
  const pugi::xml_attribute unit = node.attribute(unit_name);
  const auto micrometres = unit ? micrometres_in(unit.value()) : std::optional(1.0);
  if (!value || !micrometres) return {};
  return *value * *micrometres;
}

std::optional<double> milliseconds_in(std::string_view unit) {
  if (unit == "s") return 1e3;
  if (unit == "ms") return 1.0;
  if (unit == "\u00b5s" || unit == "\u03bcs") return 1e-3;
  if (unit == "min") return 6e4;
  if (unit == "h") return 3.6e6;
  return {};
}

std::uint64_t count(xml_node node, const char* attribute, std::int64_t standard) {
  const pugi::xml_attribute found = node.attribute(attribute);
  if (!found) return static_cast<std::uint64_t>(standard);
  const std::string_view text = found.value();
  const auto value = parse_number<std::uint64_t>(text);
  if (!value || *value > max_planes)
    throw TiffDescriptionError{
        "ome-count", fmt::format("{} of {} is \"{}\"", attribute, local_name(node), text)};
  return *value;
}

/// One Image of the file: a stage position.
struct Picture {
  xml_node image, pixels;
  std::uint64_t times = 1, planes = 1, page_channels = 1;
  std::array<char, 3> order{'Z', 'C', 'T'};  // of the planes, fastest first
};

class Ome {
 public:
  Ome(xml_node root, const TiffLayout& layout, TiffDirectories directories,
      std::filesystem::path file)
      : root_(root),
        layout_(layout),
        directories_(directories),
        pages_(static_cast<std::size_t>(
            std::ranges::count_if(directories, [](const auto& page) { return page.has_value(); }))),
        file_(std::move(file)) {}

  TiffPlan plan() {
    for (const xml_node image : all(root_, "Image")) pictures_.push_back(read_picture(image));
    const Picture& leader = pictures_.front();
    checked_planes({pictures_.size(), leader.times, leader.planes, leader.page_channels});
    plan_.info.format = "OME-TIFF";
    plan_.samples = layout_.samples;
    plan_.page_channels = leader.page_channels;
    read_channels(leader);
    read_calibration(leader);
    read_objective(leader);
    lay_out_frames(plan_.info, pictures_.size(), leader.times, leader.planes);
    plan_.pages.resize(plan_.info.frames.size() * leader.page_channels);
    plan_.times_ms.resize(plan_.info.frames.size());
    renamed_ = is_renamed();
    for (std::size_t p = 0; p < pictures_.size(); ++p) {
      if (pictures_.size() > 1)
        plan_.info.position_names.push_back(
            clean_utf8(pictures_[p].image.attribute("Name").value()));
      place_planes(pictures_[p], p);
      place_stage(pictures_[p], p);
    }
    note_missing();
    return std::move(plan_);
  }

 private:
  [[noreturn]] static void fail(std::string code, std::string problem) {
    throw TiffDescriptionError{std::move(code), std::move(problem)};
  }

  Picture read_picture(xml_node image) const {
    Picture picture{.image = image, .pixels = first(image, "Pixels")};
    if (!picture.pixels) fail("ome-pixels", "an Image without Pixels");
    const xml_node pixels = picture.pixels;
    picture.times = count(pixels, "SizeT", 1);
    picture.planes = count(pixels, "SizeZ", 1);
    const std::uint64_t channels = count(pixels, "SizeC", 1);
    if (channels == 0 || channels % layout_.samples != 0)
      fail("ome-count", fmt::format("{} channels in pages of {}", channels, layout_.samples));
    picture.page_channels = channels / layout_.samples;
    if (count(pixels, "SizeX", 0) != layout_.width_px ||
        count(pixels, "SizeY", 0) != layout_.height_px)
      fail("ome-size",
           fmt::format("an Image of {} x {} pixels in pages of {} x {}",
                       pixels.attribute("SizeX").value(), pixels.attribute("SizeY").value(),
                       layout_.width_px, layout_.height_px) +
               std::string(pictures_.empty() ? "" : one_size));
    const std::string_view order = pixels.attribute("DimensionOrder").value();
    if (order.size() == 5 && order.starts_with("XY")) {
      std::string sorted(order.substr(2));
      std::sort(sorted.begin(), sorted.end());
      if (sorted != "CTZ") fail("ome-order", fmt::format("DimensionOrder is \"{}\"", order));
      std::copy(order.begin() + 2, order.end(), picture.order.begin());
    } else {
      fail("ome-order", fmt::format("DimensionOrder is \"{}\"", order));
    }
    if (!pictures_.empty() &&
        (picture.times != pictures_.front().times || picture.planes != pictures_.front().planes ||
         picture.page_channels != pictures_.front().page_channels))
      fail("ome-size",
           fmt::format("an Image of other frames or channels than the first{}", one_size));
    return picture;
  }

  void read_channels(const Picture& picture) {
    constexpr std::array<const char*, 4> colours{"R", "G", "B", "A"};
    const std::vector<xml_node> channels = all(picture.pixels, "Channel");
    for (std::size_t e = 0; e < picture.page_channels; ++e)
      for (std::size_t s = 0; s < layout_.samples; ++s) {
        ImageChannel& channel = plan_.info.channels.emplace_back();
        if (e < channels.size()) channel.name = clean_utf8(channels[e].attribute("Name").value());
        if (layout_.samples == 3 || layout_.samples == 4) channel.component = colours[s];
      }
  }

  void read_calibration(const Picture& picture) {
    const auto size = [&](const char* attribute, const char* unit) {
      return length_um(positive(picture.pixels, attribute), picture.pixels, unit);
    };
    plan_.info.pixel_size_um = size("PhysicalSizeX", "PhysicalSizeXUnit");
    plan_.info.pixel_height_um = size("PhysicalSizeY", "PhysicalSizeYUnit");
    plan_.info.z_step_um = size("PhysicalSizeZ", "PhysicalSizeZUnit");
  }

  void read_objective(const Picture& picture) {
    xml_node settings = first(picture.image, "ObjectiveSettings");
    if (!settings) settings = first(picture.image, "ObjectiveSettingsRef");
    const std::string_view wanted = settings.attribute("ID").value();
    for (const xml_node instrument : all(root_, "Instrument"))
      for (const xml_node objective : all(instrument, "Objective"))
        if (!wanted.empty() && wanted == objective.attribute("ID").value())
          plan_.info.objective = {.name = clean_utf8(objective.attribute("Model").value()),
                                  .magnification = positive(objective, "NominalMagnification"),
                                  .numerical_aperture = positive(objective, "LensNA")};
  }

  // All planes name one and the same file, which is not beside this one, and this one has as many
  // pages as they ask for: it is that file under another name. A file with a UUID needs no guess.
  bool is_renamed() const {
    if (root_.attribute("UUID")) return false;
    std::filesystem::path named;
    std::uint64_t pages = 0;
    for (const Picture& picture : pictures_)
      for (const xml_node block : all(picture.pixels, "TiffData")) {
        const std::filesystem::path name = first(block, "UUID").attribute("FileName").value();
        if (name.empty() || (!named.empty() && name != named)) return false;
        named = name;
        pages = std::max(pages, count(block, "IFD", 0) + count(block, "PlaneCount", 1));
      }
    std::error_code ignored;  // what cannot be looked at is not there
    return !named.empty() && pages <= directories_.size() &&
           !std::filesystem::exists(file_.parent_path() / named.filename(), ignored);
  }

  // An acquisition that was stopped planned more than there is; but one page at least is there.
  void note_missing() {
    bool any_here = false;
    const TiffPlace* cut_off = nullptr;
    for (std::size_t i = 0; i < plan_.pages.size(); ++i) {
      const TiffPlace& place = plan_.pages[i];
      any_here = any_here || place.in == TiffPlace::In::here;
      if (place.in == TiffPlace::In::cut_off && cut_off == nullptr) cut_off = &place;
      if (place.in != TiffPlace::In::here && place.in != TiffPlace::In::beside)
        plan_.info.frames[i / plan_.page_channels].missing = true;
    }
    if (cut_off != nullptr && !any_here)
      fail("ome-planes",
           fmt::format("TiffData leads to page {} of {}", cut_off->page, directories_.size()));
  }

  // A set of files shares one description; each names the file that holds its planes.
  TiffPlace home_of(xml_node data) {
    const xml_node uuid = first(data, "UUID");
    const std::string_view own = root_.attribute("UUID").value();
    const std::filesystem::path name =
        std::filesystem::path(uuid.attribute("FileName").value()).filename();
    if (renamed_ || !uuid || (!own.empty() && own == uuid.child_value()) ||
        (!name.empty() && name == file_.filename()))
      return {TiffPlace::In::here};
    const auto [known, is_new] = set_.try_emplace(name.string(), TiffPlace{});
    if (is_new) {
      std::error_code ignored;  // what cannot be looked at is not there
      const bool there =
          !name.empty() && std::filesystem::is_regular_file(file_.parent_path() / name, ignored);
      known->second = {there ? TiffPlace::In::beside : TiffPlace::In::absent, 0,
                       static_cast<std::uint32_t>(plan_.set.size())};
      plan_.set.push_back({name.string(), uuid.child_value()});
    }
    return known->second;
  }

  void place_planes(const Picture& picture, std::size_t position) {
    std::vector<xml_node> blocks = all(picture.pixels, "TiffData");
    const std::uint64_t total = picture.times * picture.planes * picture.page_channels;
    if (blocks.empty()) fail("ome-planes", "Pixels without TiffData");
    std::uint64_t placed = 0;
    for (const xml_node block : blocks) {
      const bool has_page = static_cast<bool>(block.attribute("IFD"));
      const std::uint64_t start = linear(picture, count(block, "FirstC", 0) / layout_.samples,
                                         count(block, "FirstZ", 0), count(block, "FirstT", 0));
      const std::uint64_t directory = count(block, "IFD", 0);
      const std::uint64_t planes =
          count(block, "PlaneCount", has_page ? 1 : static_cast<std::int64_t>(total - start));
      if (planes > total - start)
        fail("ome-planes",
             fmt::format("TiffData of {} planes where {} are left", planes, total - start));
      // Blocks may overlap, but not so often that placing them takes forever.
      if ((placed += planes) > max_planes) fail("ome-planes", "TiffData of too many planes");
      TiffPlace at = home_of(block);
      const bool own = at.in == TiffPlace::In::here;
      for (std::uint64_t i = 0; i < planes; ++i) {
        at.page = static_cast<std::uint32_t>(directory + i);
        if (own) at = own_page(at.page, has_page);
        place(picture, position, start + i, at);
      }
    }
  }

  TiffPlace own_page(std::uint32_t number, bool is_directory) const {
    if (number >= (is_directory ? directories_.size() : pages_))
      return {TiffPlace::In::cut_off, number};
    return {TiffPlace::In::here, is_directory ? page_at(number) : number};
  }

  // IFD counts all directories of the file, also reduced copies, which are no planes.
  std::uint32_t page_at(std::uint32_t directory) const {
    if (!directories_[directory])
      fail("ome-planes",
           fmt::format("TiffData leads to directory {}, a reduced copy or a mask", directory));
    return *directories_[directory];
  }

  /// Place of a plane in the order of the file.
  static std::uint64_t linear(const Picture& picture, std::uint64_t c, std::uint64_t z,
                              std::uint64_t t) {
    if (c >= picture.page_channels || z >= picture.planes || t >= picture.times)
      fail("ome-planes", fmt::format("TiffData of channel {}, plane {}, time {}", c, z, t));
    std::uint64_t place = 0, step = 1;
    for (const char axis : picture.order) {
      place += step * (axis == 'C' ? c : axis == 'Z' ? z : t);
      step *= size_of(picture, axis);
    }
    return place;
  }

  static std::uint64_t size_of(const Picture& picture, char axis) {
    return axis == 'C' ? picture.page_channels : axis == 'Z' ? picture.planes : picture.times;
  }

  void place(const Picture& picture, std::size_t position, std::uint64_t rest,
             const TiffPlace& page) {
    std::uint64_t c = 0, z = 0, t = 0;
    for (const char axis : picture.order) {
      (axis == 'C' ? c : axis == 'Z' ? z : t) = rest % size_of(picture, axis);
      rest /= size_of(picture, axis);
    }
    plan_.pages[frame_of(picture, position, t, z) * plan_.page_channels + c] = page;
  }

  static std::uint64_t frame_of(const Picture& picture, std::size_t position, std::uint64_t t,
                                std::uint64_t z) {
    return (position * picture.times + t) * picture.planes + z;
  }

  void place_stage(const Picture& picture, std::size_t position) {
    for (const xml_node plane : all(picture.pixels, "Plane")) {
      const std::uint64_t t = count(plane, "TheT", 0), z = count(plane, "TheZ", 0);
      if (t >= picture.times || z >= picture.planes)
        fail("ome-planes", fmt::format("a Plane at time {}, focus {}", t, z));
      const std::uint64_t n = frame_of(picture, position, t, z);
      ImageFrame& frame = plan_.info.frames[n];
      std::optional<double>& time_ms = plan_.times_ms[n];
      const auto place = [&](std::optional<double>& to, const char* attribute, const char* unit) {
        if (!to) to = length_um(number(plane, attribute), plane, unit);
      };
      place(frame.x_um, "PositionX", "PositionXUnit");
      place(frame.y_um, "PositionY", "PositionYUnit");
      place(frame.z_um, "PositionZ", "PositionZUnit");
      if (const auto delta = number(plane, "DeltaT"); delta && !time_ms)
        if (const auto unit_ms = milliseconds_in(plane.attribute("DeltaTUnit").as_string("s")))
          time_ms = *delta * *unit_ms;
    }
  }

  xml_node root_;
  const TiffLayout& layout_;
  TiffDirectories directories_;
  std::size_t pages_;
  std::filesystem::path file_;
  bool renamed_ = false;
  std::map<std::string, TiffPlace> set_;  // the other files, by name
  std::vector<Picture> pictures_;
  TiffPlan plan_;
};

}  // namespace

std::string uuid_of_ome(const std::string& description) {
  const auto start = description.find('<');
  if (start == std::string::npos) return {};
  pugi::xml_document document;
  document.load_buffer(description.data() + start, description.size() - start, pugi::parse_default,
                       pugi::encoding_utf8);
  return first(document.root(), "OME").attribute("UUID").value();
}

std::optional<TiffPlan> plan_of_ome(const std::string& description, const TiffLayout& layout,
                                    TiffDirectories directories,
                                    const std::filesystem::path& file) {
  const auto start = description.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start == std::string::npos || description[start] != '<' ||
      description.find("OME", start) == std::string::npos)
    return {};
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(description.data() + start, description.size() - start,
                           pugi::parse_default, pugi::encoding_utf8);
  const xml_node root = first(document.root(), "OME");
  if (!parsed && (root || description.find("<OME", start) != std::string::npos))
    throw TiffDescriptionError{
        "ome-xml", fmt::format("OME-XML: {} at its byte {}", parsed.description(), parsed.offset)};
  // Some other XML, or a description that is kept in another file.
  if (!root || !first(root, "Image")) return {};
  return Ome(root, layout, directories, file).plan();
}

}  // namespace nucreg
