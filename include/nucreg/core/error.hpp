// Errors that carry what a user needs to mend them. Libraries throw; `main` prints and exits.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nucreg {

/// Exit status of the program.
enum class ExitStatus : int {
  done = 0,
  bug = 1,        ///< an error of nucreg itself
  usage = 2,      ///< bad command line or job
  input = 3,      ///< input data that cannot be read
  stopped = 4,    ///< stopped early; `--resume` continues
  output = 5,     ///< output cannot be written
  different = 6,  ///< a comparison found a difference above its threshold
};

/// Where an error was found and what would have been right. Empty fields are not printed.
struct ErrorFields {
  std::string file;     ///< path of the file at fault
  int line = 0;         ///< 1-based line in `file`; 0 = unknown
  std::string key;      ///< dotted key, option or column
  std::string allowed;  ///< what is allowed, in words
};

/// Base of all errors thrown on purpose. `what()` is the whole message:
/// `file:line: key: problem; allowed: ...`.
class Error : public std::runtime_error {
 public:
  Error(ExitStatus status, std::string problem, ErrorFields fields = {});

  [[nodiscard]] ExitStatus status() const { return status_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const ErrorFields& fields() const { return fields_; }

 private:
  ExitStatus status_;
  std::string problem_;
  ErrorFields fields_;
};

/// A bad command line or job file (exit status 2).
class JobError : public Error {
 public:
  explicit JobError(std::string problem, ErrorFields fields = {})
      : Error(ExitStatus::usage, std::move(problem), std::move(fields)) {}
};

/// Input data that cannot be read (exit status 3).
class InputError : public Error {
 public:
  explicit InputError(std::string problem, ErrorFields fields = {})
      : Error(ExitStatus::input, std::move(problem), std::move(fields)) {}
};

/// Output that cannot be written (exit status 5).
class OutputError : public Error {
 public:
  explicit OutputError(std::string problem, ErrorFields fields = {})
      : Error(ExitStatus::output, std::move(problem), std::move(fields)) {}
};

/// What `read` returns; an error of the kind `Caught` that names no file becomes an InputError that
/// names this one.
template <class Caught = InputError, class Read>
auto naming(const std::string& file, Read&& read) {
  try {
    return read();
  } catch (const Caught& error) {
    ErrorFields fields = error.fields();
    if (!fields.file.empty()) throw;
    fields.file = file;
    throw InputError(error.problem(), std::move(fields));
  }
}

}  // namespace nucreg
