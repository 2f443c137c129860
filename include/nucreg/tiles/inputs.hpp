// Whether all ranks find the same files under the names that the root gives them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nucreg/core/bytes.hpp"
#include "nucreg/run/stage.hpp"

namespace nucreg {

/// What distinguishes a file from another one of its name, from at most 4 MiB of it: all of a file
/// up to that size; of a larger one its size and 64 pieces of 64 KiB, evenly spread from its start
/// to its end. Another image, an older version or a copy that was cut off differ; a few bytes
/// within a large file need not.
struct FileSample {
  std::uint64_t bytes = 0;
  std::string sha256;      ///< of what was read, hexadecimal
  std::string unreadable;  ///< why nothing was read; empty: it was

  /// Files that cannot be read are alike for whatever reason.
  [[nodiscard]] bool is_like(const FileSample& other) const {
    return unreadable.empty() == other.unreadable.empty() && bytes == other.bytes &&
           sha256 == other.sha256;
  }
  /// "20,345 bytes, sha256 0123456789abcdef"
  [[nodiscard]] std::string text() const;
};
void fields(auto& archive, MaybeConst<FileSample> auto& sample) {
  archive(sample.bytes, sample.sha256, sample.unreadable);
}
[[nodiscard]] FileSample sample_of(const std::filesystem::path& file);

/// Samples the files as each view sees them (RankFacts::file_view); its ranks share the work.
/// Unlike those of other stages its results depend on the rank: there are as many tasks as ranks,
/// of which each rank is handed one (Schedule).
class InputsStage final : public Stage {
 public:
  static constexpr const char* kind = "inputs";
  /// The files that a rank samples: `first`, and each `step` further; step 0: none.
  struct Share {
    std::uint32_t first = 0, step = 0;
  };
  /// `shares` by rank; empty: nothing is to be done. `rank`: this one.
  InputsStage(std::vector<std::string> files, std::vector<Share> shares, int rank)
      : files_(std::move(files)), shares_(std::move(shares)), rank_(rank) {}
  [[nodiscard]] static std::shared_ptr<const Stage> read(ByteReader& reader, int rank);

  [[nodiscard]] StageName name() const override { return {kind, "comparing inputs", "rank"}; }
  [[nodiscard]] TaskList tasks() const override { return {.blocks = {{0, shares_.size(), 1.0}}}; }
  [[nodiscard]] StageLimits limits() const override;
  void write(ByteWriter& writer) const override;
  void run(std::uint64_t task, Bytes& result) const override;
  void give_up(std::uint64_t task, Bytes& result) const override;

 private:
  std::vector<std::string> files_;
  std::vector<Share> shares_;
  int rank_;
};

/// Before the first task that reads them, and that writes into `folder`, if there is one. Throws
/// InputError (file, both samples, ranks and hosts) if a rank sees another file under a name than
/// the root does, or none, or another folder; OutputError if none can be made; Error with status
/// `stopped`. Where all ranks see files as the root does, as on one host, nothing is read.
void compare_inputs(Stages& stages, std::vector<std::string> files,
                    const std::filesystem::path& folder = {});

}  // namespace nucreg
