// Prints the instruction set of the passes and a hash of the bits that they return.
#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>

#include "nucreg/fit/kernels.hpp"
#include "nucreg/fit/normalization.hpp"
#include "unit/fit/random_pairs.hpp"

int main() {
  using namespace nucreg;
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a, by words
  const auto add = [&](double value) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 1099511628211u;
  };
  for (const std::size_t n : {1, 7, 8, 9, 100, 4097}) {
    const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), n, 3.0);
    const SpreadSums sums = spread_pass(pairs, {500.0, 400.0});
    for (const double sum : {sums.squared, sums.x10, sums.y10, sums.x40, sums.y40}) add(sum);
    const PointPairs scaled = normalize(pairs, normalization_of(pairs, 4.0, true));
    for (const auto* column : {&scaled.x10, &scaled.y10, &scaled.x40, &scaled.y40})
      for (const double coordinate : *column) add(coordinate);
  }
  for (const Model model : {Model::affine, Model::projective}) {
    const MapEntries map = map_entries(model, fit_test::sample_map(model).params, 4.0, false);
    for (const std::size_t n : {0, 1, 7, 8, 9, 100, 4095, 4096, 4097, 10001}) {
      const PointPairs pairs = fit_test::pairs_around(fit_test::sample_map(Model::trs), n, 3.0);
      for (const Loss loss : fit_test::all_losses)
        for (const PassLevel level : {PassLevel::value, PassLevel::gradient, PassLevel::normal}) {
          const PassSums sums =
              pass_over_points(pairs, map.entries.data(), map.projective, loss, 3.0, level);
          add(sums.value);
          for (const double g : sums.gradient) add(g);
          for (const auto& row : sums.normal)
            for (const double entry : row) add(entry);
        }
    }
  }
  std::printf("%s %016llx\n", std::string(kernel_instruction_set()).c_str(),
              static_cast<unsigned long long>(hash));
}
