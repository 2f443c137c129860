#include "nucreg/fit/kernels.hpp"

#include <cstdlib>
#include <string>

#include "kernels/table.hpp"

namespace nucreg {
namespace {

struct Choice {
  std::string_view name;
  const kernels::Table* table;
};

Choice choose() {
#if defined(__x86_64__)
  const char* asked = std::getenv("NUCREG_SIMD");
  const std::string_view limit = asked ? asked : "avx512";
  if (limit == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
    return {"avx512", &kernels::avx512()};
  if (limit != "baseline" && __builtin_cpu_supports("avx2")) return {"avx2", &kernels::avx2()};
#endif
  return {"baseline", &kernels::baseline()};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

// Puts moments (xx xy x yy y 1) into the 3 x 3 block at (row, column), and mirrors the block.
void place_moments(PassSums& out, const double* moments, std::size_t row, std::size_t column) {
  static constexpr std::size_t index[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      out.normal[row + i][column + j] = out.normal[column + j][row + i] = moments[index[i][j]];
}

}  // namespace

std::string_view kernel_instruction_set() {
  return choice().name;
}

PassSums pass_over_points(const PairsView& pairs, const double* map, bool projective, Loss loss,
                          double loss_scale, PassLevel level) {
  const kernels::Input input{pairs.x10, pairs.y10, pairs.x40, pairs.y40, pairs.size, loss_scale};
  double sums[kernels::max_sums]{};
  choice().table->pass[projective][static_cast<int>(loss)][static_cast<int>(level)](input, map,
                                                                                    sums);
  PassSums out;
  out.value = sums[0];
  if (level == PassLevel::value) return out;
  const std::size_t entries = projective ? 8 : 6;
  for (std::size_t i = 0; i < entries; ++i) out.gradient[i] = sums[1 + i];
  if (level == PassLevel::gradient) return out;
  const double* moments = sums + 1 + entries;
  const bool one_block = !projective && loss == Loss::squared;
  place_moments(out, moments, 0, 0);
  place_moments(out, one_block ? moments : moments + 12, 3, 3);
  if (!one_block) place_moments(out, moments + 6, 0, 3);
  if (projective) {
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 2; ++j)
        out.normal[i][6 + j] = out.normal[6 + j][i] = moments[18 + 2 * i + j];
    out.normal[6][6] = moments[30];
    out.normal[6][7] = out.normal[7][6] = moments[31];
    out.normal[7][7] = moments[32];
  }
  return out;
}

}  // namespace nucreg
