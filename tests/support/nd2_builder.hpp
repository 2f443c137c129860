// Writes ND2 files for the tests, chunk by chunk.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace nucreg {

/// One item of metadata, to be written in either encoding.
struct Meta {
  using Bytes = std::vector<std::uint8_t>;
  using Value =
      std::variant<std::monostate, bool, std::int32_t, std::uint32_t, double, std::string, Bytes>;

  std::string name;  ///< ASCII; empty: element of a list
  Value value;       ///< nothing: a level
  std::vector<Meta> children;
};

inline Meta level(std::string name, std::vector<Meta> children) {
  return {std::move(name), {}, std::move(children)};
}

template <class T>
void append_bytes(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

/// UTF-16LE with its terminator.
inline std::string utf16(const std::string& ascii) {
  std::string units;
  for (const char c : ascii) units += {c, '\0'};
  return units += {'\0', '\0'};
}

inline std::string to_lite(const Meta& item) {
  constexpr std::uint8_t codes[] = {11, 1, 2, 3, 6, 8, 9};
  std::string out(1, static_cast<char>(codes[item.value.index()]));
  out += static_cast<char>(item.name.empty() ? 0 : item.name.size() + 1);
  if (!item.name.empty()) out += utf16(item.name);
  if (const auto* text = std::get_if<std::string>(&item.value)) return out + utf16(*text);
  if (const auto* bytes = std::get_if<Meta::Bytes>(&item.value)) {
    append_bytes(out, std::uint64_t{bytes->size()});
    return out.append(bytes->begin(), bytes->end());
  }
  if (!std::holds_alternative<std::monostate>(item.value)) {
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
            append_bytes(out, value);
        },
        item.value);
    return out;
  }
  std::string body, table;
  const std::uint64_t head = out.size() + 12;
  for (const Meta& child : item.children) {
    append_bytes(table, std::uint64_t{head + body.size()});
    body += to_lite(child);
  }
  append_bytes(out, static_cast<std::uint32_t>(item.children.size()));
  append_bytes(out, std::uint64_t{head + body.size()});
  return out + body + table;
}

inline std::string escaped(const std::string& text) {
  const std::map<char, std::string> entities{{'&', "&amp;"}, {'<', "&lt;"}, {'"', "&quot;"}};
  std::string out;
  for (const char c : text) out += entities.contains(c) ? entities.at(c) : std::string(1, c);
  return out;
}

inline std::string to_xml(const Meta& item, const std::string& list_name = "no_name") {
  constexpr const char* types[] = {"CLxListVariant", "bool",       "lx_int32", "lx_uint32",
                                   "double",         "CLxStringW", ""};
  const std::string name = item.name.empty() ? list_name : item.name;
  const auto start = [&](const char* type) { return "<" + name + " runtype=\"" + type + "\""; };
  if (const auto* bytes = std::get_if<Meta::Bytes>(&item.value)) {  // bools are a list here
    std::string out = start(types[0]) + ">";
    for (std::size_t i = 0; i < bytes->size(); ++i)
      out += to_xml({{}, (*bytes)[i] != 0, {}}, "_" + std::to_string(i));
    return out + "</" + name + ">";
  }
  if (std::holds_alternative<std::monostate>(item.value)) {
    std::string out = start(types[0]) + ">";
    // Parameters of a loop are wrapped once more in this encoding.
    if (item.name == "uLoopPars") out += "<no_name runtype=\"CLxListVariant\">";
    for (const Meta& child : item.children) out += to_xml(child);
    if (item.name == "uLoopPars") out += "</no_name>";
    return out + "</" + name + ">";
  }
  std::string value;
  if (const auto* flag = std::get_if<bool>(&item.value)) value = *flag ? "true" : "false";
  if (const auto* i = std::get_if<std::int32_t>(&item.value)) value = std::to_string(*i);
  if (const auto* u = std::get_if<std::uint32_t>(&item.value)) value = std::to_string(*u);
  if (const auto* d = std::get_if<double>(&item.value)) value = std::to_string(*d);
  if (const auto* text = std::get_if<std::string>(&item.value)) value = escaped(*text);
  return start(types[item.value.index()]) + " value=\"" + value + "\"/>";
}

inline std::string xml_document(Meta root) {
  root.name.clear();
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><variant version=\"1.0\">" + to_xml(root) +
         "</variant>";
}

inline std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}

inline std::string lv0z(const std::string& stream) {
  std::string out = "LV0Z";
  append_bytes(out, std::uint64_t{stream.size()});
  return out + deflated(stream);
}

/// The container: chunks in the order in which they are added, then the map.
class Nd2Chunks {
 public:
  explicit Nd2Chunks(const std::string& version = "3.0") {
    std::string data = "Ver" + version;
    data.resize(64, '\0');
    bytes_ = header("ND2 FILE SIGNATURE CHUNK NAME01!", 32, data.size()) + data;
  }

  void add(const std::string& name, const std::string& data,
           std::optional<std::uint64_t> listed_size = {}) {
    bytes_.resize((bytes_.size() + 4095) / 4096 * 4096, '\0');
    list(name, bytes_.size() + hole_, listed_size.value_or(data.size()));
    bytes_ += header(name, static_cast<std::uint32_t>(name.size() + 9), data.size()) + data;
  }

  /// What is added from here on lies that much farther behind, in a hole of the file.
  void jump(std::uint64_t bytes) {
    bytes_.resize((bytes_.size() + 4095) / 4096 * 4096, '\0');
    hole_at_ = bytes_.size();
    hole_ = bytes;
  }

  /// As finish(), with the hole.
  void write(const std::filesystem::path& file) const {
    const std::string all = finish();
    std::ofstream stream(file, std::ios::binary);
    stream << all.substr(0, hole_at_);
    stream.seekp(static_cast<std::streamoff>(hole_at_ + hole_));
    stream << all.substr(hole_at_);
    if (!stream.flush()) throw std::runtime_error("cannot write the test's file");
  }

  void list(const std::string& name, std::uint64_t offset, std::uint64_t size) {
    map_ += name;
    append_bytes(map_, offset);
    append_bytes(map_, size);
  }

  [[nodiscard]] std::string finish() const {
    const std::string end = "ND2 CHUNK MAP SIGNATURE 0000001!";
    const std::uint64_t at = bytes_.size() + hole_;
    std::string data = map_ + end;
    append_bytes(data, at);
    data += std::string(16, '\0') + end;
    append_bytes(data, at);
    return bytes_ + header("ND2 FILEMAP SIGNATURE NAME 0001!", 48, data.size()) + data;
  }

 private:
  static std::string header(const std::string& name, std::uint32_t name_size, std::uint64_t size) {
    std::string out;
    append_bytes(out, std::uint32_t{0x0abeceda});
    append_bytes(out, name_size);
    append_bytes(out, size);
    out += name;
    out.resize(16 + name_size, '\0');
    return out;
  }

  std::string bytes_, map_;
  std::uint64_t hole_at_ = 0, hole_ = 0;
};

/// A whole file with everything that the reader looks at; a test changes what it is about.
struct Nd2Spec {
  std::string version = "3.0";
  enum class Encoding { lite, lv0z, xml } encoding = Encoding::lite;
  std::uint32_t width = 5, height = 4, bits = 16, padding = 0;
  std::vector<std::string> planes = {"DAPI", "GFP"};  ///< one component each
  bool colour = false;                                ///< the first plane has three
  std::int32_t compression = 2;
  std::uint32_t frames = 1;
  std::vector<std::uint32_t> missing;
  std::optional<Meta> experiment;
  std::map<std::string, std::vector<double>> custom;
  std::map<std::uint32_t, double> times_ms;       ///< in front of a frame, in place of 100 n
  std::map<std::string, Meta::Value> attributes;  ///< in place of the right ones
  std::map<std::string, Meta::Value> picture;
  std::vector<Meta> listed_planes;  ///< in place of the right ones
  std::vector<Meta> samples;        ///< settings that planes refer to

  [[nodiscard]] std::uint32_t components() const {
    return static_cast<std::uint32_t>(planes.size()) + (colour ? 2 : 0);
  }
  [[nodiscard]] std::uint32_t row_bytes() const {
    return width * components() * bits / 8 + padding;
  }
};

/// Value of one pixel; every byte of it matters.
inline std::uint32_t nd2_value(std::uint32_t frame, std::uint32_t c, std::uint32_t y,
                               std::uint32_t x) {
  return frame * 7919u + c * 1009u + y * 131u + x * 17u + 3u;
}

inline std::string nd2_frame(const Nd2Spec& spec, std::uint32_t frame) {
  std::string pixels;
  for (std::uint32_t y = 0; y < spec.height; ++y) {
    for (std::uint32_t x = 0; x < spec.width; ++x)
      for (std::uint32_t c = 0; c < spec.components(); ++c) {
        const std::uint32_t value = nd2_value(frame, c, y, x);
        if (spec.bits == 8) append_bytes(pixels, static_cast<std::uint8_t>(value));
        if (spec.bits == 16) append_bytes(pixels, static_cast<std::uint16_t>(value));
        if (spec.bits == 32) append_bytes(pixels, static_cast<float>(value));
      }
    pixels.append(spec.padding, '\x5a');
  }
  std::string data;
  append_bytes(data, spec.times_ms.contains(frame) ? spec.times_ms.at(frame) : 100.0 * frame);
  return data + (spec.compression == 0 ? deflated(pixels) : pixels);
}

inline std::vector<Meta> replaced(std::vector<Meta> items,
                                  const std::map<std::string, Meta::Value>& with) {
  for (Meta& item : items)
    if (with.contains(item.name)) item.value = with.at(item.name);
  return items;
}

inline std::string nd2_file(const Nd2Spec& spec) {
  Nd2Chunks chunks(spec.version);
  const bool xml = spec.encoding == Nd2Spec::Encoding::xml;
  const auto add = [&](const std::string& stem, const std::string& tail, const Meta& root) {
    const std::string lite = xml ? "" : to_lite(root);
    chunks.add(stem + (xml ? "" : "LV") + tail, xml ? xml_document(root)
                                                : spec.encoding == Nd2Spec::Encoding::lv0z
                                                    ? lv0z(lite)
                                                    : lite);
  };
  add("ImageAttributes", "!",
      level("SLxImageAttributes", replaced({{"uiWidth", spec.width, {}},
                                            {"uiHeight", spec.height, {}},
                                            {"uiComp", spec.components(), {}},
                                            {"uiWidthBytes", spec.row_bytes(), {}},
                                            {"uiBpcInMemory", spec.bits, {}},
                                            {"uiBpcSignificant", spec.bits, {}},
                                            {"uiSequenceCount", spec.frames, {}},
                                            {"uiTileWidth", spec.width, {}},
                                            {"uiTileHeight", spec.height, {}},
                                            {"eCompression", spec.compression, {}}},
                                           spec.attributes)));
  if (spec.experiment) add("ImageMetadata", "!", *spec.experiment);
  std::vector<Meta> planes = spec.listed_planes;
  for (std::size_t i = 0; i < spec.planes.size() && spec.listed_planes.empty(); ++i)
    planes.push_back(level("a" + std::to_string(i),
                           {{"uiSampleIndex", std::uint32_t{0}, {}},
                            {"uiCompCount", std::uint32_t{i == 0 && spec.colour ? 3u : 1u}, {}},
                            {"sDescription", spec.planes[i], {}}}));
  std::vector<Meta> lists{level("sPlaneNew", planes)};
  if (!spec.samples.empty()) lists.push_back(level("sSampleSetting", spec.samples));
  add("ImageMetadataSeq", "|0!",
      level("SLxPictureMetadata", replaced({{"dXPos", 1000.5, {}},
                                            {"dYPos", -2000.25, {}},
                                            {"dZPos", 300.0, {}},
                                            {"dCalibration", 0.65, {}},
                                            {"dAspect", 1.0, {}},
                                            {"bCalibrated", true, {}},
                                            {"wsObjectiveName", std::string("Plan Apo 10x"), {}},
                                            {"dObjectiveMag", -1.0, {}},
                                            {"dObjectiveNA", 0.45, {}},
                                            level("sPicturePlanes", lists)},
                                           spec.picture)));
  for (const auto& [id, values] : spec.custom) {
    std::string data;
    for (const double value : values) append_bytes(data, value);
    chunks.add("CustomData|" + id + "!", data);
  }
  for (std::uint32_t f = 0; f < spec.frames; ++f) {
    bool there = true;
    for (const std::uint32_t missing : spec.missing) there = there && missing != f;
    if (there) chunks.add("ImageDataSeq|" + std::to_string(f) + "!", nd2_frame(spec, f));
  }
  return chunks.finish();
}

/// A node of an experiment with the next one inside.
inline Meta nd2_loop(std::int32_t type, std::vector<Meta> parameters,
                     std::optional<Meta> next = {}) {
  Meta node = level("SLxExperiment", {{"eType", type, {}}, level("uLoopPars", parameters)});
  if (next) {
    next->name.clear();
    node.children.push_back(level("ppNextLevelEx", {*next}));
  }
  return node;
}

inline Meta nd2_time(std::uint32_t count, std::optional<Meta> next = {}) {
  return nd2_loop(1, {{"uiCount", count, {}}, {"dPeriod", 10.0, {}}}, std::move(next));
}

inline Meta nd2_focus(std::uint32_t count, double step, std::optional<Meta> next = {}) {
  return nd2_loop(4, {{"uiCount", count, {}}, {"dZStep", step, {}}, {"dZLow", 0.0, {}}},
                  std::move(next));
}

}  // namespace nucreg
