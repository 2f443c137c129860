#include "nucreg/app/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "nucreg/core/build_info.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/report/part_attribute.hpp"

namespace nucreg {
namespace {

std::string build_line(const std::string& version, const std::string& revision,
                       const std::string& compiler) {
  return fmt::format("nucreg {} ({}, {})", version, revision, compiler);
}

class Fnv1a {
 public:
  void add(const void* from, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(from);
    for (std::size_t i = 0; i < size; ++i) value_ = (value_ ^ bytes[i]) * 0x100000001b3u;
  }
  template <class Container>
  void add(const Container& numbers) {
    add(numbers.data(), numbers.size() * sizeof(numbers[0]));
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The [section] of each line, itself included.
std::vector<std::string> sections_of(const std::vector<std::string>& lines) {
  std::vector<std::string> sections;
  std::string section;
  for (const std::string& line : lines) {
    if (line.starts_with('[')) section = line;
    sections.push_back(section);
  }
  return sections;
}

std::string identity_with(const Attributes& attributes, const Part& part) {
  const auto text = [&](const char* name) {
    const auto at = attributes.find(name);
    const auto* value = at == attributes.end() ? nullptr : std::get_if<std::string>(&at->second);
    if (!value) throw InputError("attribute is missing", {.key = name});
    return *value;
  };
  return run_identity(build_line(text("nucreg_version"), text("git_revision"), text("compiler")),
                      part, text("inputs"), text("job_toml"));
}

}  // namespace

std::string run_identity(const std::string& build, const Part& part, const std::string& inputs,
                         const std::string& job_toml) {
  return fmt::format("build {}\n{}{}{}", build,
                     part.whole() ? "" : fmt::format("part {}\n", part.text()), inputs, job_toml);
}

std::string run_identity(const Attributes& attributes) {
  return identity_with(attributes, part_of(attributes));
}

std::string whole_identity(const Attributes& attributes) {
  return identity_with(attributes, {});
}

Part part_of_identity(const std::string& identity) {
  for (const std::string& line : lines_of(identity)) {
    if (line.starts_with("part ")) return parse_part(line.substr(5));
    if (line.starts_with("[")) break;
  }
  return {};
}

std::string job_of_identity(const std::string& identity) {
  // Facts of one line each come before the first [section] of the job.
  const std::size_t at = identity.find("\n[");
  return at == std::string::npos ? "" : identity.substr(at + 1);
}

std::string describe_inputs(const std::vector<InputFile>& inputs) {
  std::string text;
  for (const InputFile& input : inputs) {
    Fnv1a sum;
    for (const auto* column : {&input.pairs.x10, &input.pairs.y10, &input.pairs.x40,
                               &input.pairs.y40, &input.points.x, &input.points.y})
      sum.add(*column);
    sum.add(input.field_px);
    text += fmt::format("input {}: {} points, checksum {:016x}\n", input.path,
                        std::max(input.pairs.size(), input.points.size()), sum.value());
  }
  return text;
}

std::string build_identity() {
  const BuildInfo& info = build_info();
  return build_line(info.version, info.git_revision, info.compiler);
}

std::string difference(const std::string& theirs, const std::string& ours) {
  const auto a = lines_of(theirs), b = lines_of(ours);
  // length[i][j]: of the longest common subsequence of a from i and b from j.
  std::vector<std::vector<std::uint32_t>> length(a.size() + 1,
                                                 std::vector<std::uint32_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;)
    for (std::size_t j = b.size(); j-- > 0;)
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);

  std::string text, shown_section;
  const auto show = [&](char sign, const std::string& line, const std::string& section) {
    if (section != shown_section && section != line) text += "  " + section + "\n";
    shown_section = section;
    text += fmt::format("{} {}\n", sign, line);
  };
  const auto sections_a = sections_of(a), sections_b = sections_of(b);
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1])) {
      show('-', a[i], sections_a[i]);
      ++i;
    } else {
      show('+', b[j], sections_b[j]);
      ++j;
    }
  }
  return text;
}

}  // namespace nucreg
