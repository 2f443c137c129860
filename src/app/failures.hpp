// What went wrong in tasks of which each can fail for itself.
#pragma once

#include <string>

#include "nucreg/core/error.hpp"

namespace nucreg {

/// Keeps the worst status, and all messages.
class Failures {
 public:
  void add(ExitStatus status, const std::string& message) {
    text_ += (text_.empty() ? "" : "\nnucreg: ") + message;
    // An output that cannot be written is worse than one input among many; a bug is worst.
    if (status_ == ExitStatus::done || status == ExitStatus::bug ||
        (status == ExitStatus::output && status_ != ExitStatus::bug))
      status_ = status;
  }
  [[nodiscard]] ExitStatus status() const { return status_; }
  /// A line each, the first without the name of the program before it and the last without an end.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  ExitStatus status_ = ExitStatus::done;
  std::string text_;
};

}  // namespace nucreg
