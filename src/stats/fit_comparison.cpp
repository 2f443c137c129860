#include "nucreg/stats/fit_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "nucreg/stats/comparison.hpp"
#include "nucreg/stats/inference.hpp"

namespace nucreg {
namespace {

constexpr std::array fit_axes{"model", "loss", "loss_scale_px", "start"};
/// Beyond, looking for partners takes longer than it is worth.
constexpr std::size_t max_configurations = 20000;

/// What all members of a group have in common.
std::string key_of(const Table& configurations, const std::string& axis, std::size_t row) {
  std::string key;
  for (const Column& column : configurations.columns)
    if (column.name != axis && column.name != axis + "_min" && column.name != axis + "_max" &&
        column.name != "configuration")
      key += cell_text(column, row) + '\n';
  return key;
}

std::string kind_of(const Table& configurations, const std::vector<std::string>& varying,
                    const std::string& axis, std::size_t row) {
  std::string kind;
  for (const std::string other : {"model", "loss"}) {
    if (other == axis || std::ranges::find(varying, other) == varying.end()) continue;
    kind += fmt::format("{}{} = {}", kind.empty() ? "" : ", ", other,
                        axis_text(configurations, other, row));
  }
  return kind;
}

void count(FitPair& pair, std::span<const std::int8_t> a, std::span<const std::int8_t> b) {
  for (std::size_t trial = 0; trial < std::min(a.size(), b.size()); ++trial) {
    if (a[trial] < 0 || b[trial] < 0) continue;
    ++pair.trials;
    pair.arrived_a += a[trial] == 1;
    pair.arrived_b += b[trial] == 1;
    pair.only_a += a[trial] > b[trial];
    pair.only_b += b[trial] > a[trial];
  }
}

}  // namespace

FitComparison::FitComparison(const Table& configurations, std::size_t solvers) : solvers_(solvers) {
  if (!configurations.find("problem") || configurations.rows() > max_configurations) return;
  const std::vector<std::string> varying = varying_axes(configurations);
  for (const char* axis : fit_axes) {
    if (std::ranges::find(varying, axis) == varying.end()) continue;
    std::map<std::string, std::size_t> places;  // of a key, in groups_
    for (std::size_t row = 0; row < configurations.rows(); ++row) {
      const auto [at, added] =
          places.try_emplace(key_of(configurations, axis, row), groups_.size());
      if (added) groups_.push_back({axis, kind_of(configurations, varying, axis, row), {}});
      groups_[at->second].members.emplace_back(axis_text(configurations, axis, row), row);
    }
  }
  if (!groups_.empty()) arrived_.resize(configurations.rows() * solvers);
}

void FitComparison::add(std::span<const Record> rows) {
  if (arrived_.empty()) return;
  for (const Record& row : rows) {
    const std::size_t place = row.configuration * solvers_ + row.solver;
    if (place >= arrived_.size() || row.trial >= max_paired) continue;
    std::vector<std::int8_t>& list = arrived_[place];
    if (list.size() <= row.trial) list.resize(row.trial + std::size_t{1}, -1);
    const bool known = row.arrival_known() && row.status != SolveStatus::not_applicable;
    list[row.trial] = known ? static_cast<std::int8_t>(row.arrived != 0) : std::int8_t{-1};
  }
}

std::vector<FitPair> FitComparison::finish(double error) {
  std::vector<FitPair> pairs;
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::size_t>, std::size_t>
      places;
  for (const Group& group : groups_)
    for (std::size_t i = 0; i < group.members.size(); ++i)
      for (std::size_t j = i + 1; j < group.members.size(); ++j)
        for (std::size_t s = 0; s < solvers_; ++s) {
          const auto& [a, row_a] = group.members[i];
          const auto& [b, row_b] = group.members[j];
          const auto [at, added] =
              places.try_emplace({group.axis, group.kind, a, b, s}, pairs.size());
          if (added)
            pairs.push_back({.axis = group.axis, .a = a, .b = b, .kind = group.kind, .solver = s});
          count(pairs[at->second], arrived_[row_a * solvers_ + s], arrived_[row_b * solvers_ + s]);
        }
  std::vector<double> p;
  for (FitPair& pair : pairs) {
    if (pair.only_a + pair.only_b > 0) pair.p = sign_test(pair.only_a, pair.only_b);
    p.push_back(pair.p);
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].p_holm = adjusted[i];
    if (adjusted[i] < error) pairs[i].better = pairs[i].only_a > pairs[i].only_b ? -1 : 1;
  }
  std::erase_if(pairs, [](const FitPair& pair) { return pair.trials == 0; });
  return pairs;
}

}  // namespace nucreg
