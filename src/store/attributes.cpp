#include "nucreg/store/attributes.hpp"

#include <fmt/format.h>

#include "nucreg/core/error.hpp"

namespace nucreg {

std::string Attributes::shown(const std::string& name) const {
  const auto at = values_.find(name);
  if (at == values_.end()) return "?";
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, at->second);
}

void Attributes::refuse(const std::string& name) const {
  throw InputError(
      contains(name) ? "attribute is of another type than nucreg writes" : "attribute is missing",
      {.key = name});
}

Part part_of(const Attributes& attributes) {
  if (!attributes.contains("part")) return {};
  try {
    return parse_part(attributes.text("part"));
  } catch (const JobError& e) {
    throw InputError("is no part of a job", {.key = "part", .allowed = e.fields().allowed});
  }
}

}  // namespace nucreg
