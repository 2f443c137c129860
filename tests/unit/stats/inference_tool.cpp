// For inference_test.py: reads one request a line, "what numbers...", and answers with numbers.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "nucreg/stats/inference.hpp"
#include "nucreg/stats/samples.hpp"

namespace {

using namespace nucreg;

std::vector<double> answer(const std::string& what, const std::vector<double>& v) {
  const auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(v.at(i)); };
  if (what == "wilcoxon" || what == "wilcoxon-plain") {
    const SignedRank r = wilcoxon_signed_rank(v, what == "wilcoxon");
    return {r.p, r.positive, r.negative, r.exact ? 1.0 : 0.0, r.effect(), r.variance};
  }
  if (what == "sign") return {sign_test(count(0), count(1))};
  if (what == "wilson") {
    const ConfidenceInterval i = wilson_interval(count(0), count(1));
    return {i.low, i.high};
  }
  if (what == "holm") return holm(v);
  if (what == "quantiles") {  // of sorted values
    std::vector<double> all;
    for (const double fraction : {0.05, 0.25, 0.5, 0.95}) all.push_back(quantile(v, fraction));
    return all;
  }
  if (what == "interval" || what == "resamples") {
    BlockedSample sample;
    std::uint64_t bits = 0x9E3779B97F4A7C15;
    for (const double value : v) sample.add(value, (bits *= 6364136223846793005) >> 20);
    Resampler resampler;
    if (what == "resamples") {
      const auto means = resampler.resampled_means(sample);
      return {means.begin(), means.end()};
    }
    const ConfidenceInterval i = resampler.mean_interval(sample);
    return {i.low, i.high, sample.mean(), sample.standard_deviation()};
  }
  throw std::invalid_argument(what);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what, word;
    words >> what;
    std::vector<double> numbers;
    while (words >> word) numbers.push_back(std::stod(word));  // reads nan and inf
    for (const double number : answer(what, numbers)) std::printf("%.17g ", number);
    std::printf("\n");
  }
}
