// A text file in the making: written under a temporary name, published when it is whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nucreg {

/// All members throw OutputError (path, call, reason); destroyed without publish() it leaves
/// nothing.
class TextFile {
 public:
  explicit TextFile(std::filesystem::path target);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  void write(std::string_view text);
  void publish(bool overwrite);

 private:
  void flush();
  std::filesystem::path target_, temporary_;
  std::string buffer_;
  int descriptor_ = -1;
};

}  // namespace nucreg
