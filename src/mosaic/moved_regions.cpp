#include <algorithm>
#include <cmath>
#include <numbers>

#include "displacement.hpp"
#include "evidence.hpp"
#include "point_grid.hpp"

namespace nucreg::mosaic {
namespace {

constexpr double block_spacings = 12.0, reach_spacings = 5.0, near_spacings = 2.5;
constexpr std::size_t fewest = 12;  // nuclei of a block that is looked at
constexpr std::size_t min_named = 8;
constexpr float taken = 0.9F;     // nuclei so surely paired do not vote, unless hardly any is
constexpr float hopeless = 0.3F;  // rate of a block whose pairs are believed to be chance

double distance(const Shift& a, const Shift& b) {
  return std::hypot(static_cast<double>(a.x - b.x), static_cast<double>(a.y - b.y));
}

struct Vote {
  Shift shift;
  double count = 0.0;
};

// Counts shifts in bins of 2/3 of the tolerance; what wins is the fullest square of 3 x 3.
class Ballot {
 public:
  Ballot(double reach, double tolerance)
      : reach_(reach),
        bin_(tolerance / 1.5),
        half_(static_cast<std::size_t>(reach / bin_) + 2),
        size_(2 * half_ + 1),
        counts_(size_ * size_) {}

  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0.0F);
    total_ = 0.0;
  }
  void add(double dx, double dy) {
    const auto at = [&](double v) {
      return static_cast<std::size_t>(std::lround(v / bin_) + static_cast<std::int64_t>(half_));
    };
    counts_[at(dy) * size_ + at(dx)] += 1.0F;
    total_ += 1.0;
  }
  /// count 0 if chance explains the fullest place.
  [[nodiscard]] Vote winner() const {
    Vote best;
    for (std::size_t r = 1; r + 1 < size_; ++r) {
      for (std::size_t c = 1; c + 1 < size_; ++c) {
        const Vote here = around(r, c);
        if (here.count > best.count) best = here;
      }
    }
    const double chance = total_ * 9.0 * bin_ * bin_ / (std::numbers::pi * reach_ * reach_);
    return best.count >= std::max(8.0, chance + 6.0 * std::sqrt(chance + 1.0)) ? best : Vote{};
  }

 private:
  [[nodiscard]] Vote around(std::size_t row, std::size_t column) const {
    double n = 0, x = 0, y = 0;
    for (std::size_t r = row - 1; r <= row + 1; ++r) {
      for (std::size_t c = column - 1; c <= column + 1; ++c) {
        const double k = static_cast<double>(counts_[r * size_ + c]);
        n += k, x += k * static_cast<double>(c), y += k * static_cast<double>(r);
      }
    }
    if (n == 0.0) return {};
    const double half = static_cast<double>(half_);
    return {{static_cast<float>((x / n - half) * bin_), static_cast<float>((y / n - half) * bin_)},
            n};
  }

  double reach_, bin_;
  std::size_t half_, size_;
  std::vector<float> counts_;
  double total_ = 0.0;
};

// Shared objects of a side by square blocks of some hundred nuclei.
struct Blocks {
  double x0 = 0, y0 = 0, edge = 1;
  std::size_t columns = 0, rows = 0;
  Incidence members{{}, 0};  // by block, then those that are not shared

  Blocks(const SideView& side, double edge_um) : edge(edge_um) {
    double x1 = 0, y1 = 0;
    bool any = false;
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.shared[i] == 0) continue;
      const double x = static_cast<double>(side.x[i]), y = static_cast<double>(side.y[i]);
      if (!any) x0 = x1 = x, y0 = y1 = y;
      any = true;
      x0 = std::min(x0, x), x1 = std::max(x1, x), y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
    if (!any) return;
    columns = static_cast<std::size_t>((x1 - x0) / edge) + 1;
    rows = static_cast<std::size_t>((y1 - y0) / edge) + 1;
    std::vector<std::uint32_t> block(side.size(), static_cast<std::uint32_t>(size()));
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.shared[i] == 0) continue;
      const double x = static_cast<double>(side.x[i]), y = static_cast<double>(side.y[i]);
      block[i] = static_cast<std::uint32_t>(static_cast<std::size_t>((y - y0) / edge) * columns +
                                            static_cast<std::size_t>((x - x0) / edge));
    }
    members = Incidence(block, size() + 1);
  }
  [[nodiscard]] std::size_t size() const { return columns * rows; }
  template <typename F>
  void around(std::size_t block, F&& f) const {
    const std::size_t r = block / columns, c = block % columns;
    for (std::size_t rr = r == 0 ? 0 : r - 1; rr <= std::min(r + 1, rows - 1); ++rr)
      for (std::size_t cc = c == 0 ? 0 : c - 1; cc <= std::min(c + 1, columns - 1); ++cc)
        f(rr * columns + cc);
  }
};

class MovedSearch {
 public:
  MovedSearch(const SideView& ten, const SideView& forty, const PairedPart& paired,
              double spacing_um, double narrow_um)
      : ten_(ten),
        forty_(forty),
        paired_(paired),
        spacing_um_(spacing_um),
        tolerance_um_(std::max(2.5 * narrow_um, 0.08 * spacing_um)),
        blocks_(forty, block_spacings * spacing_um) {}

  MovedNuclei run() {
    MovedNuclei out;
    if (!vote()) return out;
    out.shift.assign(forty_.size(), Shift{});
    const PointGrid tens(ten_.x, ten_.y, 1.5 * spacing_um_);
    const PointGrid forties(forty_.x, forty_.y, 1.5 * spacing_um_);
    for (std::size_t b = 0; b < blocks_.size(); ++b) choose(b, tens, forties, out.shift);
    name_regions(out);
    return out;
  }

 private:
  // Rate of each block; 1 if it has too few nuclei. Returns what is too low: far below the best
  // quarter.
  float find_rates() {
    rate_.assign(blocks_.size(), 1.0F);
    std::vector<float> sorted;
    for (std::size_t b = 0; b < rate_.size(); ++b) {
      const std::span<const std::uint32_t> members = blocks_.members.of(b);
      if (members.size() < fewest) continue;
      double sum = 0.0;
      for (const std::uint32_t j : members) sum += static_cast<double>(paired_.forty[j]);
      rate_[b] = static_cast<float>(sum / static_cast<double>(members.size()));
      sorted.push_back(rate_[b]);
    }
    if (sorted.empty()) return 0.0F;
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 3 / 4);
    std::nth_element(sorted.begin(), place, sorted.end());
    return std::min(0.75F * *place, 0.6F);
  }

  bool vote() {
    const float low = find_rates();
    won_.assign(blocks_.size(), Vote{});
    const double reach = reach_spacings * spacing_um_;
    Ballot ballot(reach, tolerance_um_);
    const PointGrid tens(ten_.x, ten_.y, 1.5 * spacing_um_);
    bool any = false;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      if (blocks_.members.of(b).size() < fewest || rate_[b] > low) continue;
      const bool all = rate_[b] <= hopeless;
      ballot.clear();
      for (const std::uint32_t j : blocks_.members.of(b)) {
        if (!all && paired_.forty[j] > taken) continue;
        const double x = static_cast<double>(forty_.x[j]), y = static_cast<double>(forty_.y[j]);
        tens.within(x, y, reach, [&](std::uint32_t i, double) {
          if (all || paired_.ten[i] <= taken)
            ballot.add(x - static_cast<double>(ten_.x[i]), y - static_cast<double>(ten_.y[i]));
        });
      }
      won_[b] = ballot.winner();
      any |= won_[b].count > 0.0;
    }
    return any;
  }

  // Shifts that won in a block or next to it; none first.
  [[nodiscard]] std::vector<Shift> shifts_around(std::size_t block) const {
    std::vector<Shift> out{Shift{}};
    blocks_.around(block, [&](std::size_t other) {
      if (won_[other].count == 0.0) return;
      for (const Shift& known : out)
        if (distance(known, won_[other].shift) < 0.7 * tolerance_um_) return;
      out.push_back(won_[other].shift);
    });
    return out;
  }

  void choose(std::size_t block, const PointGrid& tens, const PointGrid& forties,
              std::span<Shift> chosen) const {
    const std::vector<Shift> shifts = shifts_around(block);
    if (shifts.size() == 1) return;
    const auto hits = [&](std::uint32_t k, const Shift& s) {
      bool hit = false;
      tens.within(static_cast<double>(forty_.x[k] - s.x), static_cast<double>(forty_.y[k] - s.y),
                  tolerance_um_, [&](std::uint32_t, double) { hit = true; });
      return hit;
    };
    std::vector<std::size_t> count(shifts.size());
    for (const std::uint32_t j : blocks_.members.of(block)) {
      std::fill(count.begin(), count.end(), 0);
      forties.within(static_cast<double>(forty_.x[j]), static_cast<double>(forty_.y[j]),
                     near_spacings * spacing_um_, [&](std::uint32_t k, double) {
                       for (std::size_t s = 0; s < shifts.size(); ++s)
                         count[s] += hits(k, shifts[s]) ? 1 : 0;
                     });
      // The first of equals: no shift.
      chosen[j] = shifts[static_cast<std::size_t>(std::max_element(count.begin(), count.end()) -
                                                  count.begin())];
    }
  }

  // Nuclei of a block that were given one shift.
  struct Group {
    Shift shift;
    std::vector<std::uint32_t> members;
    std::size_t region = 0;  // number of the first group that it belongs to
  };

  [[nodiscard]] std::vector<Group> groups_in(std::size_t block,
                                             std::span<const Shift> chosen) const {
    std::vector<Group> groups;
    for (const std::uint32_t j : blocks_.members.of(block)) {
      if (distance(chosen[j], Shift{}) == 0.0) continue;
      auto group = std::ranges::find_if(
          groups, [&](const Group& g) { return distance(g.shift, chosen[j]) == 0.0; });
      if (group == groups.end()) group = groups.insert(group, Group{.shift = chosen[j]});
      group->members.push_back(j);
    }
    return groups;
  }

  // A region: neighbouring blocks with nearly one shift.
  void name_regions(MovedNuclei& out) const {
    std::vector<Group> groups;
    std::vector<std::size_t> first(blocks_.size() + 1, 0);  // group of each block
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (Group& group : groups_in(b, out.shift)) {
        group.region = groups.size();
        groups.push_back(std::move(group));
      }
      first[b + 1] = groups.size();
    }
    const auto region_of = [&](std::size_t g) {
      while (groups[g].region != g) g = groups[g].region;
      return g;
    };
    for (std::size_t b = 0; b < blocks_.size(); ++b)
      blocks_.around(b, [&](std::size_t other) {
        for (std::size_t g = first[b]; g < first[b + 1]; ++g)
          for (std::size_t k = first[other]; k < first[other + 1]; ++k) {
            if (distance(groups[g].shift, groups[k].shift) >= 3.0 * tolerance_um_) continue;
            const auto [low, high] = std::minmax({region_of(g), region_of(k)});
            groups[high].region = low;
          }
      });
    std::vector<MovedRegion> regions(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      MovedRegion& region = regions[region_of(g)];
      for (const std::uint32_t j : groups[g].members) {
        region.centre_um[0] += static_cast<double>(forty_.x[j]);
        region.centre_um[1] += static_cast<double>(forty_.y[j]);
        region.shift_um[0] += static_cast<double>(groups[g].shift.x);
        region.shift_um[1] += static_cast<double>(groups[g].shift.y);
        ++region.nuclei;
      }
    }
    for (MovedRegion& region : regions) {
      if (region.nuclei < min_named) continue;
      for (double* v :
           {&region.centre_um[0], &region.centre_um[1], &region.shift_um[0], &region.shift_um[1]})
        *v /= static_cast<double>(region.nuclei);
      // What lies off by less is deformation.
      if (std::hypot(region.shift_um[0], region.shift_um[1]) >= tolerance_um_)
        out.regions.push_back(region);
    }
  }

  const SideView &ten_, &forty_;
  const PairedPart& paired_;
  double spacing_um_, tolerance_um_;
  Blocks blocks_;
  std::vector<float> rate_;
  std::vector<Vote> won_;
};

}  // namespace

MovedNuclei find_moved(const SideView& ten, const SideView& forty, const PairedPart& paired,
                       double spacing_um, double narrow_um) {
  return MovedSearch(ten, forty, paired, spacing_um, narrow_um).run();
}

}  // namespace nucreg::mosaic
