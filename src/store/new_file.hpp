// An HDF5 file in the making: a temporary beside its target, published whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hdf5.hpp"
#include "nucreg/core/error.hpp"

namespace nucreg::hdf5 {

/// The first system call that failed on a file; nothing is written after it.
struct WriteError {
  const char* call = "";
  int code = 0;  ///< errno; 0 = none
};

/// Destroyed without publish() it leaves nothing. Objects in the file must be closed before it.
class NewFile {
 public:
  /// Throws OutputError.
  explicit NewFile(std::filesystem::path target);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] hid_t id() const { return file_.get(); }
  /// Runs calls of the library; a failure becomes an OutputError. What the system said comes before
  /// what the library made of it.
  template <class Calls>
  void attempt(Calls&& calls) {
    try {
      rethrow_as<OutputError>(target_, calls);
    } catch (const OutputError&) {
      if (error_.code == 0) throw;
    }
    throw_if_unwritten();
  }
  /// The file will hold a checksum of itself: it covers metadata and gaps, too,
  /// which HDF5's own (fletcher32, and that of deflate) do not.
  void seal();
  /// Closes, syncs and renames. Throws OutputError, also if `overwrite` is false and the target
  /// exists.
  void publish(bool overwrite);

 private:
  void throw_if_unwritten() const;

  std::filesystem::path target_, temporary_;
  WriteError error_;  // outlives the file
  Handle file_;
  std::optional<std::uint64_t> checksum_at_;
  bool published_ = false;
};

/// Adds the attribute `description` to the object at `path`.
void describe(hid_t file, const std::string& path, const std::string& description);

}  // namespace nucreg::hdf5
