#include "nucreg/fit/kernels.hpp"

#include <algorithm>
#include <cstddef>

#include "kernels/passes.hpp"

namespace nucreg {
namespace {

// Puts moments (xx xy x yy y 1) into the 3 x 3 block on the diagonal that begins at `first`.
void place_moments(PassSums& out, const double* moments, std::size_t first) {
  static constexpr std::size_t index[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out.normal[first + i][first + j] = moments[index[i][j]];
}

// Sums over all points, group by group in their order, whoever has worked them out.
void add_groups(kernels::Pass pass, const kernels::Input& all, const double* map, std::size_t count,
                PassThreads* threads, double* sums) {
  using namespace kernels;
  if (all.size == 0) {
    std::fill_n(sums, count, 0.0);
    return;
  }
  double total[max_sums * lanes];
  if (all.size <= group) {
    pass(all, map, total);
    choice().table->add_lanes(total, count, sums);
    return;
  }
  const std::size_t groups = (all.size + group - 1) / group;
  const std::size_t width = count * lanes;
  const auto work = [&](std::size_t g, double* to) {
    kernels::Input in = all;
    const std::size_t first = g * group;
    for (const double** column : {&in.x10, &in.y10, &in.x40, &in.y40}) *column += first;
    in.size = std::min(group, all.size - first);
    pass(in, map, to);
  };
  double part[max_sums * lanes];
  std::fill_n(total, width, 0.0);
  const auto add = [&](const double* from) {
    for (std::size_t i = 0; i < width; ++i) total[i] += from[i];
  };
  if (threads) {
    double* const parts = threads->workspace(groups * width);
    threads->run(groups, [&](std::size_t g) { work(g, parts + g * width); });
    for (std::size_t g = 0; g < groups; ++g) add(parts + g * width);
  } else {
    for (std::size_t g = 0; g < groups; ++g) {
      work(g, part);
      add(part);
    }
  }
  choice().table->add_lanes(total, count, sums);
}

}  // namespace

std::string_view kernel_instruction_set() {
  return kernels::choice().name;
}

PassSums pass_over_points(const PairsView& pairs, const double* map, bool projective, Loss loss,
                          double loss_scale, PassLevel level, PassThreads* threads) {
  const kernels::Input input{pairs.x10,  pairs.y10,  pairs.x40, pairs.y40,
                             pairs.size, loss_scale, {},        {}};
  const int depth = static_cast<int>(level);
  double sums[kernels::max_sums];
  add_groups(kernels::choice().table->pass[projective][static_cast<int>(loss)][depth], input, map,
             kernels::sum_count(projective, depth), threads, sums);
  PassSums out;
  out.value = sums[0];
  if (level == PassLevel::value) return out;
  // A number that the compiler knows is copied faster.
  const std::size_t entries = projective ? 8 : 6;
  std::copy_n(sums + 1, 6, out.gradient.begin());
  if (projective) std::copy_n(sums + 7, 2, out.gradient.begin() + 6);
  if (level == PassLevel::gradient) return out;
  const double* moments = sums + 1 + entries;
  place_moments(out, moments, 0);
  place_moments(out, moments, 3);
  if (projective) {
    // Products of which the passes sum each once: q0 q0, q0 q1, q1 q1, q2 q0, q2 q1.
    static constexpr std::size_t index[3][2] = {{0, 1}, {1, 2}, {3, 4}};
    for (std::size_t image = 0; image < 2; ++image)
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 2; ++j)
          out.normal[3 * image + i][6 + j] = out.normal[6 + j][3 * image + i] =
              moments[9 + 5 * image + index[i][j]];
    out.normal[6][6] = moments[6];
    out.normal[6][7] = out.normal[7][6] = moments[7];
    out.normal[7][7] = moments[8];
  }
  return out;
}

CentredSums centred_pass(const PairsView& pairs, const std::array<double, 2>& centre,
                         const std::array<double, 2>& turn, const double* map,
                         PassThreads* threads) {
  kernels::Input input{pairs.x10, pairs.y10, pairs.x40, pairs.y40, pairs.size, 1.0, {}, {}};
  std::copy(centre.begin(), centre.end(), input.centre);
  std::copy(turn.begin(), turn.end(), input.turn);
  std::array<double, 13> sums;
  add_groups(kernels::choice().table->centred, input, map, sums.size(), threads, sums.data());
  CentredSums out;
  out.value = sums[0];
  out.by_x << sums[1], sums[2], sums[3];
  out.by_y << sums[4], sums[5], sums[6];
  out.moments << sums[7], sums[8], sums[9], sums[8], sums[10], sums[11], sums[9], sums[11],
      sums[12];
  return out;
}

SpreadSums spread_pass(const PairsView& pairs, const std::array<double, 2>& centre) {
  kernels::Input input{pairs.x10, pairs.y10, pairs.x40, pairs.y40, pairs.size, 1.0, {}, {}};
  std::copy(centre.begin(), centre.end(), input.centre);
  std::array<double, kernels::spread_sums> sums;
  add_groups(kernels::choice().table->spread, input, nullptr, sums.size(), nullptr, sums.data());
  return {sums[0], sums[1], sums[2], sums[3], sums[4]};
}

void shift_and_scale(const double* from, std::size_t size, double centre, double factor,
                     double* to) {
  kernels::choice().table->scale(from, size, centre, factor, to);
}

}  // namespace nucreg
