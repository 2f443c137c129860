#include "nucreg/core/error.hpp"

#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

// Longer than any path; a cell of a file, or what follows --set, can have megabytes.
constexpr std::size_t max_line_bytes = 4200;

std::string name_text(const std::string& name) {
  return with_short_lines(shown_line(name), max_line_bytes);
}

std::string compose(const std::string& problem, const ErrorFields& fields) {
  std::string text;
  if (!fields.file.empty()) {
    text += name_text(fields.file);
    if (fields.line > 0) text += ":" + std::to_string(fields.line);
    text += ": ";
  }
  if (!fields.key.empty()) text += name_text(fields.key) + ": ";
  text += with_short_lines(problem, max_line_bytes);
  if (!fields.allowed.empty())
    text += "; allowed: " + with_short_lines(fields.allowed, max_line_bytes);
  return text;
}

}  // namespace

Error::Error(ExitStatus status, std::string problem, ErrorFields fields)
    : std::runtime_error(compose(problem, fields)),
      status_(status),
      problem_(std::move(problem)),
      fields_(std::move(fields)) {}

}  // namespace nucreg
