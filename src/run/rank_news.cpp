#include "rank_news.hpp"

#include <optional>

#include "rank_tables.hpp"

namespace nucreg {

void RankNews::note(int rank, const Vitals& vitals, double now) {
  News& news = of(rank);
  const auto task = vitals.working ? std::optional(vitals.task) : std::nullopt;
  if (task != news.now.task || !news.now.heard) news.task_since = now;
  news.now = {.lost = news.now.lost,
              .heard = true,
              .task = task,
              .task_seconds = 0.0,
              .tasks_done = vitals.tasks_done,
              .cpu_percent = vitals.cpu_percent,
              .busy_percent = vitals.busy_percent,
              .rss_bytes = vitals.rss_bytes};
}

std::vector<RankNow> RankNews::all(double now) const {
  std::vector<RankNow> all;
  for (const News& news : ranks_) {
    all.push_back(news.now);
    all.back().task_seconds = news.now.task ? now - news.task_since : 0.0;
  }
  return all;
}

Table RankNews::rank_table(const std::vector<RankFacts>& facts) const {
  std::vector<RankTotals> totals;
  for (const News& news : ranks_) totals.push_back(news.totals);
  return nucreg::rank_table(facts, totals);
}

Table RankNews::sample_table() const {
  std::vector<std::vector<Sample>> samples;
  for (const News& news : ranks_) samples.push_back(news.samples);
  return nucreg::sample_table(samples);
}

}  // namespace nucreg
