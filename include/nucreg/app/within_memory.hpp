// Memory that a picture needs and the machine has not.
#pragma once

#include <fmt/format.h>

#include <new>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/image/image.hpp"

namespace nucreg {

/// Does `act` to a picture of `file`; where memory does not suffice, InputError says for what.
template <class Act>
auto within_memory(const ImageInfo& info, const std::string& file, Act&& act) {
  try {
    return act();
  } catch (const std::bad_alloc&) {
    throw InputError(fmt::format("not enough memory for {} x {} pixels of {}", info.width_px,
                                 info.height_px, name_of(info.type)),
                     {.file = file});
  }
}

}  // namespace nucreg
