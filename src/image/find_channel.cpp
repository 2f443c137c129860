#include <fmt/format.h>

#include <charconv>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {

constexpr std::size_t most_names = 2000;  // of channels, in a message

std::size_t find_channel(const ImageInfo& info, const std::string& channel,
                         const std::string& file) {
  std::string names;
  for (std::size_t i = 0; i < info.channels.size(); ++i) {
    const auto& [name, component] = info.channels[i];
    const std::string label = name + (name.empty() || component.empty() ? "" : " ") + component;
    if (!channel.empty() && (name == channel || label == channel)) return i;
    names += fmt::format("{}{}{}", i > 0 ? ", " : "", i, label.empty() ? "" : " or " + label);
  }
  std::size_t number = 0;
  const char* const last = channel.data() + channel.size();
  const auto [stop, error] = std::from_chars(channel.data(), last, number);
  if (error == std::errc() && stop == last && number < info.channels.size()) return number;
  throw InputError(fmt::format("no channel \"{}\"", channel),
                   {.file = file, .allowed = one_line(names, most_names)});
}

}  // namespace nucreg
