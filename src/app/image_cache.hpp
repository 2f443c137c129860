// What has been found in images, kept by content: it is found again whatever files are called now.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "nucreg/run/communicator.hpp"

namespace nucreg {

/// A folder of one file per entry. Several processes may use one folder at a time: an entry appears
/// when it is whole, and all who make it make the same.
class ImageCache {
 public:
  explicit ImageCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// An entry that is not there or damaged is none. `key`: hexadecimal digits.
  [[nodiscard]] std::optional<Bytes> load(const std::string& key) const;
  /// Throws OutputError.
  void store(const std::string& key, const Bytes& bytes) const;

 private:
  [[nodiscard]] std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
};

}  // namespace nucreg
