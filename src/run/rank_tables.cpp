#include "rank_tables.hpp"

#include <string>
#include <type_traits>

namespace nucreg {
namespace {

/// A column of `field(row)` for each row, as one of the types that a column can hold.
template <class Row, class Field>
Column column(const char* name, const char* units, std::span<const Row> rows, Field field) {
  using Value = std::decay_t<std::invoke_result_t<Field, const Row&>>;
  using Stored = std::conditional_t<std::is_integral_v<Value>, std::int64_t, Value>;
  std::vector<Stored> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(static_cast<Stored>(field(row)));
  return {name, units, std::move(values)};
}

}  // namespace

Table rank_table(std::span<const RankFacts> facts, std::span<const RankTotals> totals) {
  using F = const RankFacts&;
  using T = const RankTotals&;
  return {
      "ranks",
      {column("rank", "1", facts, [](F f) { return f.rank; }),
       column("host", "1", facts, [](F f) { return f.host; }),
       column("pid", "1", facts, [](F f) { return f.pid; }),
       column("cpus", "1", facts, [](F f) { return cpu_list(f.cpus); }),
       column("solves", "1", totals, [](T t) { return t.solves; }),
       column("busy_s", "s", totals, [](T t) { return t.busy_seconds; }),
       column("wait_s", "s", totals, [](T t) { return t.wait_seconds; }),
       column("cpu_s", "s", totals, [](T t) { return t.cpu_seconds; }),
       column("max_rss_bytes", "B", totals, [](T t) { return t.max_rss_bytes; }),
       column("voluntary_switches", "1", totals, [](T t) { return t.voluntary_switches; }),
       column("involuntary_switches", "1", totals, [](T t) { return t.involuntary_switches; })}};
}

Table sample_table(std::span<const std::vector<Sample>> by_rank) {
  struct Row {
    std::int64_t rank;
    Sample sample;
  };
  std::vector<Row> all;
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank)
    for (const Sample& sample : by_rank[rank])
      all.push_back({static_cast<std::int64_t>(rank), sample});

  const std::span<const Row> rows(all);
  using R = const Row&;
  return {"rank_samples",
          {column("rank", "1", rows, [](R r) { return r.rank; }),
           column("time_s", "s", rows, [](R r) { return r.sample.time_seconds; }),
           column("cpu_percent", "%", rows, [](R r) { return r.sample.cpu_percent; }),
           column("system_cpu_percent", "%", rows, [](R r) { return r.sample.system_cpu_percent; }),
           column("rss_bytes", "B", rows, [](R r) { return r.sample.rss_bytes; }),
           column("solves", "1", rows, [](R r) { return r.sample.solves; })}};
}

}  // namespace nucreg
