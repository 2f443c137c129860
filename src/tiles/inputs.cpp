#include "nucreg/tiles/inputs.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/files.hpp"
#include "nucreg/disk/publish.hpp"

namespace nucreg {

void fields(auto& archive, MaybeConst<InputsStage::Share> auto& share) {
  archive(share.first, share.step);
}

namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{64} << 10, pieces = 64;
constexpr std::uint64_t max_whole_bytes = pieces * piece_bytes;

struct SampledShare {
  int rank = -1;
  std::vector<FileSample> samples;
};
void fields(auto& archive, MaybeConst<SampledShare> auto& share) {
  archive(share.rank, share.samples);
}

void read_piece(const Descriptor& file, std::uint64_t offset, std::span<std::byte> piece) {
  const auto got = read_at(file, offset, piece);
  if (!got) throw InputError(std::generic_category().message(errno));
  if (*got < piece.size()) throw InputError("ends before its size");
}

/// What one view sees; nothing of a file whose rank was lost.
using Sampled = std::vector<std::optional<FileSample>>;

/// No shares if all ranks see the files alike.
std::vector<InputsStage::Share> shares_of(const std::vector<RankFacts>& facts) {
  std::map<std::string, std::uint32_t> ranks;
  for (const RankFacts& rank : facts)
    if (!rank.file_view.empty()) ++ranks[rank.file_view];  // a lost rank says nothing
  std::vector<InputsStage::Share> shares;
  if (ranks.size() < 2) return shares;
  std::map<std::string, std::uint32_t> next;
  for (const RankFacts& rank : facts)
    shares.push_back(rank.file_view.empty()
                         ? InputsStage::Share{}
                         : InputsStage::Share{next[rank.file_view]++, ranks[rank.file_view]});
  return shares;
}

}  // namespace

std::string FileSample::text() const {
  if (!unreadable.empty()) return unreadable;
  return fmt::format("{}, sha256 {}{}", counted(bytes, "byte"),
                     bytes > max_whole_bytes ? "of samples " : "", sha256.substr(0, 16));
}

FileSample sample_of(const std::filesystem::path& file) {
  FileSample sample;
  try {
    const Descriptor opened = open_to_read(file);
    struct stat facts {};
    if (fstat(opened.get(), &facts) != 0) throw InputError(std::generic_category().message(errno));
    const auto bytes = static_cast<std::uint64_t>(facts.st_size);
    Sha256 sum;
    std::vector<std::byte> piece(std::min(bytes, piece_bytes));
    if (bytes <= max_whole_bytes) {
      for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
        piece.resize(std::min(bytes - at, piece_bytes));
        read_piece(opened, at, piece);
        sum.add(piece);
      }
    } else {
      for (std::uint64_t i = 0; i < pieces; ++i) {
        read_piece(opened, i * (bytes - piece_bytes) / (pieces - 1), piece);
        sum.add(piece);
      }
    }
    sample.sha256 = sum.hex();
    sample.bytes = bytes;
  } catch (const InputError& e) {
    sample.unreadable = e.problem();
  }
  return sample;
}

std::shared_ptr<const Stage> InputsStage::read(ByteReader& reader, int rank) {
  auto files = reader.read<std::vector<std::string>>();
  return std::make_shared<const InputsStage>(std::move(files), reader.read<std::vector<Share>>(),
                                             rank);
}

void InputsStage::write(ByteWriter& writer) const {
  writer(files_, shares_);
}

// Folders in a network can take long to answer.
StageLimits InputsStage::limits() const {
  constexpr double seconds_per_file = 1.0;
  return {.lease_seconds = 600.0 + seconds_per_file * static_cast<double>(files_.size())};
}

void InputsStage::run(std::uint64_t, Bytes& result) const {
  SampledShare share{.rank = rank_, .samples = {}};
  const auto [first, step] = shares_.at(static_cast<std::size_t>(rank_));
  for (std::size_t i = first; step > 0 && i < files_.size(); i += step)
    share.samples.push_back(sample_of(files_[i]));
  ByteWriter{result}(share);
}

void InputsStage::give_up(std::uint64_t, Bytes& result) const {
  ByteWriter{result}(SampledShare{});
}

namespace {

/// A file of ours in a folder that all ranks must share; removed, with the folder if that is new.
class Mark {
 public:
  explicit Mark(const std::filesystem::path& folder) : folder_(folder) {
    std::error_code ignored;
    is_new_ = !std::filesystem::exists(folder, ignored);
    make_folder(folder);
    write_file(path(), process_name());
  }
  ~Mark() {
    std::error_code ignored;
    std::filesystem::remove(path(), ignored);
    if (is_new_) std::filesystem::remove(folder_, ignored);
  }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return temporary_beside(folder_ / "shared"); }

 private:
  std::filesystem::path folder_;
  bool is_new_ = false;
};

class Comparison {
 public:
  Comparison(std::vector<std::string> files, const std::filesystem::path& folder)
      : files_(std::move(files)), folder_(folder) {}

  /// Throws what compare_inputs does.
  void run(Stages& stages) {
    const StageReport report =
        stages.run([&](const std::vector<RankFacts>& facts) { return stage(facts); },
                   [&](std::uint64_t, int, std::span<const std::byte> bytes) {
                     sampled_.push_back(from_bytes<SampledShare>(bytes));
                   });
    if (report.dispatch.stopped) throw Error(ExitStatus::stopped, "stopped while comparing inputs");
    if (shares_.empty()) return;
    take(report.facts);
    compare(report.facts);
    if (unknown_ > 0 && stages.view().warn)
      stages.view().warn(fmt::format("{} could not be compared between hosts: ranks were lost",
                                     counted(unknown_, "input")));
  }

 private:
  std::shared_ptr<const Stage> stage(const std::vector<RankFacts>& facts) {
    shares_ = shares_of(facts);
    if (!shares_.empty() && !folder_.empty()) {
      mark_.emplace(folder_);
      files_.push_back(mark_->path().string());
    }
    return std::make_shared<const InputsStage>(files_, shares_, 0);
  }
  void take(const std::vector<RankFacts>& facts) {
    for (const RankFacts& rank : facts)
      if (!rank.file_view.empty()) views_[rank.file_view].resize(files_.size());
    for (SampledShare& share : sampled_) {
      if (share.rank < 0) continue;
      const auto rank = static_cast<std::size_t>(share.rank);
      Sampled& view = views_.at(facts.at(rank).file_view);
      for (std::size_t i = 0; i < share.samples.size(); ++i)
        view.at(shares_[rank].first + i * shares_[rank].step) = std::move(share.samples[i]);
    }
  }
  void compare(const std::vector<RankFacts>& facts) {
    const std::string& own_view = facts.front().file_view;
    const Sampled& own = views_.at(own_view);
    std::optional<InputError> first;
    std::size_t different = 0;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      bool is_different = false, is_unknown = false;
      for (const auto& [view, theirs] : views_) {
        is_unknown = is_unknown || !own[i] || !theirs[i];
        if (!own[i] || !theirs[i] || own[i]->is_like(*theirs[i])) continue;
        is_different = true;
        if (!first) first = difference(i, facts, own_view, view);
      }
      different += is_different ? 1 : 0;
      unknown_ += is_unknown ? 1 : 0;
    }
    if (!first) return;
    if (different == 1) throw InputError(*first);
    throw InputError(
        fmt::format("{} (and {})", first->problem(), counted(different - 1, "more file")),
        first->fields());
  }
  [[nodiscard]] InputError difference(std::size_t file, const std::vector<RankFacts>& facts,
                                      const std::string& own_view, const std::string& view) const {
    const auto seen = [&](const std::string& by) {
      const auto rank = std::ranges::find(facts, by, &RankFacts::file_view);  // its first one
      return std::pair(fmt::format("rank {} on {}", rank->rank, rank->host),
                       views_.at(by)[file]->text());
    };
    const auto [here, ours] = seen(own_view);
    const auto [there, theirs] = seen(view);
    if (mark_ && mark_->path() == files_[file])
      return InputError(fmt::format("is another folder for {} than for {}", there, here),
                        {.file = folder_.string(), .allowed = "a folder that all hosts share"});
    return InputError(
        fmt::format("differs between ranks: {}: {}; {}: {}", here, ours, there, theirs),
        {.file = files_[file], .allowed = "one content under one name on all hosts"});
  }

  std::vector<std::string> files_;
  const std::filesystem::path folder_;
  std::optional<Mark> mark_;
  std::vector<InputsStage::Share> shares_;
  std::vector<SampledShare> sampled_;
  std::map<std::string, Sampled> views_;
  std::size_t unknown_ = 0;
};

}  // namespace

void compare_inputs(Stages& stages, std::vector<std::string> files,
                    const std::filesystem::path& folder) {
  if (stages.communicator().size() == 1) return;
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  if (!files.empty() || !folder.empty()) Comparison(std::move(files), folder).run(stages);
}

}  // namespace nucreg
