// The passes on every instruction set, and the choice among those that the machine has.
#include "passes.hpp"

#include <cstdlib>

// SSE4 gains nothing over SSSE3, AVX3_DL nothing over AVX3; vectors of unknown width cannot be
// lanes of eight.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#define HWY_TARGET_INCLUDE "passes-inl.hpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "passes-inl.hpp"

#if HWY_ONCE
#include <hwy/targets.h>

namespace nucreg::kernels {
namespace {

// The widest of those that the program holds, the machine has, and `limit` allows.
Choice choose(std::string_view limit) {
  [[maybe_unused]] const auto has = hwy::SupportedTargets();
#if HWY_TARGETS & HWY_AVX3
  if (limit == "avx512" && (has & HWY_AVX3)) return {"avx512", &N_AVX3::table};
#endif
#if HWY_TARGETS & HWY_AVX2
  if ((limit == "avx512" || limit == "avx2") && (has & HWY_AVX2)) return {"avx2", &N_AVX2::table};
#endif
#if HWY_TARGETS & HWY_SSSE3
  if (limit != "scalar" && (has & HWY_SSSE3)) return {"baseline", &N_SSSE3::table};
#endif
#if HWY_TARGETS & HWY_NEON
  if (limit != "scalar" && (has & HWY_NEON)) return {"neon", &N_NEON::table};
#endif
#if HWY_TARGETS & HWY_EMU128
  return {"scalar", &N_EMU128::table};
#else
  return {"baseline", &HWY_NAMESPACE::table};
#endif
}

}  // namespace

const Choice& choice() {
  static const Choice chosen = [] {
    const char* const asked = std::getenv("NUCREG_SIMD");
    return choose(asked ? asked : "avx512");
  }();
  return chosen;
}

}  // namespace nucreg::kernels
#endif
