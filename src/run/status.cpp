#include "nucreg/run/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>
#include <utility>

#include "nucreg/core/error.hpp"
#include "nucreg/core/log.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/disk/publish.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

constexpr const char* first_line = "nucreg-status 1";
constexpr const char* last_line = "end";

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <class T>
T number(const std::map<std::string, std::string>& values, const char* key) {
  const auto at = values.find(key);
  const auto value = parse_number<T>(at == values.end() ? "" : at->second);
  if (!value) throw InputError("is not a status file of nucreg", {.key = key});
  return *value;
}

RankStatus parse_rank(const std::string& line) {
  RankStatus rank;
  std::string state;
  std::uint64_t task = 0;
  RankNow& now = rank.now;
  std::istringstream in(line);
  in >> rank.host >> rank.pid >> state >> task >> now.task_seconds >> now.tasks_done >>
      now.cpu_percent >> now.busy_percent >> now.rss_bytes;
  if (!in) throw InputError("is not a status file of nucreg", {.key = "rank"});
  now.lost = state == "lost";
  now.heard = state != "starting";
  if (state == "busy") now.task = task;
  return rank;
}

}  // namespace

std::string RunStatus::text() const {
  std::string text = fmt::format(
      "{}\njob {}\npart {}\nresume {}\ndoing {}\ncounting {}\nwritten_s {:.3f}\nelapsed_s {:.3f}\n"
      "trials_per_configuration {}\nsolves_per_trial {}\ndone {}\ntotal {}\nearlier {}\n"
      "failed {}\n",
      first_line, without_breaks(job), part, without_breaks(resume), doing, counting, written_s,
      elapsed_s, trials_per_configuration, solves_per_trial, done, total, earlier, failed);
  for (const RankStatus& rank : ranks) {
    const RankNow& now = rank.now;
    const char* state = now.lost ? "lost" : !now.heard ? "starting" : now.task ? "busy" : "idle";
    text += fmt::format("rank {} {} {} {} {:.1f} {} {:.0f} {:.0f} {}\n", rank.host, rank.pid, state,
                        now.task.value_or(0), now.task_seconds, now.tasks_done, now.cpu_percent,
                        now.busy_percent, now.rss_bytes);
  }
  return text + last_line + "\n";
}

RunStatus RunStatus::parse(const std::string& text) {
  std::map<std::string, std::string> values;
  RunStatus status;
  std::istringstream in(text);
  std::string line;
  if (!std::getline(in, line) || line != first_line)
    throw InputError("is not a status file of this nucreg");
  while (std::getline(in, line) && line != last_line) {
    const std::size_t space = line.find(' ');
    const std::string key = line.substr(0, space);
    const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
    if (key == "rank")
      status.ranks.push_back(parse_rank(value));
    else
      values[key] = value;
  }
  if (line != last_line) throw InputError("is cut off");
  status.job = values["job"];
  status.part = values["part"];
  status.resume = values["resume"];
  status.doing = values["doing"];
  status.counting = values["counting"];
  status.written_s = number<double>(values, "written_s");
  status.elapsed_s = number<double>(values, "elapsed_s");
  status.trials_per_configuration =
      std::max<std::uint64_t>(1, number<std::uint64_t>(values, "trials_per_configuration"));
  status.solves_per_trial = number<std::uint64_t>(values, "solves_per_trial");
  status.done = number<std::uint64_t>(values, "done");
  status.total = number<std::uint64_t>(values, "total");
  status.earlier = number<std::uint64_t>(values, "earlier");
  status.failed = number<std::uint64_t>(values, "failed");
  if (status.ranks.empty()) throw InputError("names no rank", {.key = "rank"});
  return status;
}

std::optional<RunStatus> RunStatus::read(const fs::path& file) {
  constexpr std::uint64_t max_bytes = std::uint64_t{64} << 20;
  try {
    if (!file_exists(file)) return std::nullopt;
    return parse(read_file(file, Owner::ours, max_bytes));
  } catch (const InputError& e) {
    throw InputError(e.problem(), {.file = file.string(), .key = e.fields().key});
  }
}

std::vector<RankStatus> rank_statuses(const std::vector<RankFacts>& facts) {
  std::vector<RankStatus> ranks;
  for (const RankFacts& rank : facts)
    ranks.push_back({rank.host.empty() ? "?" : rank.host, rank.pid, {}});
  return ranks;
}

StatusFile::StatusFile(fs::path file, RunStatus status)
    : file_(std::move(file)), status_(std::move(status)) {
  if (!file_.empty()) thread_ = std::thread([this] { run(); });
}

StatusFile::~StatusFile() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  remove_quietly(file_);
}

void StatusFile::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    status_.written_s = seconds_since_1970();
    const std::string text = status_.text();
    lock.unlock();
    write(text);
    lock.lock();
    wake_.wait_for(lock, std::chrono::seconds(1), [&] { return stopping_; });
  }
}

void StatusFile::write(const std::string& text) {
  try {
    replace_file(file_, text);
  } catch (const OutputError& e) {
    if (!std::exchange(complained_, true))
      log_warning("{}: nucreg watch does not see this run", e.what());
  }
}

}  // namespace nucreg
