// For statistics_test.py: reads one request a line, "what numbers...", and answers with numbers.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "nucreg/report/inference.hpp"
#include "report/resampler.hpp"
#include "report/statistics.hpp"

namespace {

using namespace nucreg;

std::vector<double> answer(const std::string& what, const std::vector<double>& v) {
  const auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(v.at(i)); };
  if (what == "wilcoxon" || what == "wilcoxon-plain") {
    const SignedRank r = wilcoxon_signed_rank(v, what == "wilcoxon");
    return {r.p, r.positive, r.negative, r.exact ? 1.0 : 0.0, r.effect(), r.variance};
  }
  if (what == "sign") return {sign_test(count(0), count(1))};
  if (what == "holm") return holm(v);
  if (what == "range-cdf") return {studentized_range_cdf(v.at(0), count(1))};
  if (what == "range-quantile") return {studentized_range_quantile(v.at(0), count(1))};
  if (what == "nemenyi") return {nemenyi_critical_difference(count(0), count(1))};
  if (what == "friedman") {  // solvers, then block by block
    FriedmanTest test(count(0));
    for (std::size_t i = 1; i < v.size(); i += count(0)) test.add({v.data() + i, count(0)});
    std::vector<double> all{test.statistic(), test.p()};
    for (const double rank : test.mean_ranks()) all.push_back(rank);
    return all;
  }
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
