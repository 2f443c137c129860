// What stands for the journal of a run while it still looks into images and has no trials yet.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nucreg/app/run_files.hpp"

namespace nucreg {

/// Locked while it lives. Lines of text: the command that goes on with the run, then its warnings.
/// It outlives a run that ends here and can be gone on with.
class ImageJournal {
 public:
  /// Begins the file; with `resume` the warnings that are in it already are kept. Throws
  /// OutputError where it cannot be written, and where another run is under way, be it in its
  /// images or in its trials.
  ImageJournal(const RunFiles& files, bool resume);
  /// Removes the file, unless it is to be kept.
  ~ImageJournal();
  ImageJournal(const ImageJournal&) = delete;
  ImageJournal& operator=(const ImageJournal&) = delete;

  /// Throws OutputError.
  void warn(const std::string& warning);
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// Whether the file stays: at first where it was resumed, so that a failed resume loses nothing.
  void keep(bool kept) { kept_ = kept; }

  /// What a run has left there; empty where it left nothing.
  [[nodiscard]] static std::vector<std::string> lines(const std::filesystem::path& file);

 private:
  void write() const;
  void leave() const;

  std::filesystem::path file_;
  std::vector<std::string> warnings_;
  int descriptor_ = -1;
  bool kept_ = false;
};

}  // namespace nucreg
