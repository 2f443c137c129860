#include "nucreg/report/part_attribute.hpp"

#include "nucreg/core/error.hpp"

namespace nucreg {

Part part_of(const Attributes& attributes) {
  const auto at = attributes.find("part");
  if (at == attributes.end()) return {};
  const auto* text = std::get_if<std::string>(&at->second);
  try {
    return parse_part(text ? *text : "");
  } catch (const JobError& e) {
    throw InputError("is no part of a job", {.key = "part", .allowed = e.fields().allowed});
  }
}

}  // namespace nucreg
