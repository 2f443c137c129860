#include "nucreg/core/error.hpp"

namespace nucreg {
namespace {

std::string compose(const std::string& problem, const ErrorFields& fields) {
  std::string text;
  if (!fields.file.empty()) {
    text += fields.file;
    if (fields.line > 0) text += ":" + std::to_string(fields.line);
    text += ": ";
  }
  if (!fields.key.empty()) text += fields.key + ": ";
  text += problem;
  if (!fields.allowed.empty()) text += "; allowed: " + fields.allowed;
  return text;
}

}  // namespace

Error::Error(ExitStatus status, std::string problem, ErrorFields fields)
    : std::runtime_error(compose(problem, fields)),
      status_(status),
      problem_(std::move(problem)),
      fields_(std::move(fields)) {}

}  // namespace nucreg
