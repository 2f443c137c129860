#include "nucreg/report/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <set>

#include "export_file.hpp"
#include "nucreg/core/build_info.hpp"
#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {
namespace {

namespace fs = std::filesystem;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double precision = 1e-8;
constexpr double targets_per_decade = 5.0;
constexpr double evaluations_per_decade = 20.0;

/// When a .dat file gets a line: at the first evaluation, and at each target 10^(i/5) down to the
/// precision that was not reached before.
class TargetTrigger {
 public:
  bool at(double excess) {
    const bool first = reached_ == none;
    const double exponent =
        std::ceil(targets_per_decade * std::log10(std::max(excess, precision)) - 1e-9);
    if (!first && !(exponent < reached_)) return false;
    reached_ = exponent;
    return true;
  }

 private:
  static constexpr double none = std::numeric_limits<double>::max();
  double reached_ = none;
};

/// When a .tdat file gets a line: from the next of the evaluations floor(10^(i/20)) and n {1, 2, 5}
/// 10^i on.
class EvaluationTrigger {
 public:
  explicit EvaluationTrigger(std::size_t dimension) : dimension_(static_cast<double>(dimension)) {}
  bool at(std::int64_t evaluation) {
    const auto now = static_cast<double>(evaluation);
    if (now < next_) return false;
    while (std::floor(std::pow(10.0, step_ / evaluations_per_decade)) <= now) ++step_;
    next_ = std::floor(std::pow(10.0, step_ / evaluations_per_decade));
    for (double decade = 1.0; decade <= now * 10.0; decade *= 10.0)
      for (const double factor : {1.0, 2.0, 5.0})
        if (const double evaluations = dimension_ * factor * decade; evaluations > now)
          next_ = std::min(next_, evaluations);
    return true;
  }

 private:
  double dimension_;
  double step_ = 0.0, next_ = 1.0;
};

/// The lowest objective that is known of a trial: no line falls below it.
double best_known(std::span<const Record> trial) {
  double best = infinity;
  for (const Record& row : trial) {
    best = std::fmin(best, row.objective);
    if (row.gap > 0.0) best = std::fmin(best, row.objective / (1.0 + row.gap));
    for (const TracePoint& point : row.trace) best = std::fmin(best, point.objective);
  }
  return std::isfinite(best) ? best : 0.0;
}

/// For what is not finite: cocopp steps down from the largest value by factors, and from infinity
/// never ends.
constexpr double nothing_reached = 1e300;

std::string line_of(std::int64_t evaluation, double objective, double optimum) {
  const double value = std::isfinite(objective) ? objective : nothing_reached;
  return fmt::format("{} 0 {:+.9e} {:+.9e} {:+.9e}\n", evaluation, value - optimum, value, value);
}

/// The files of one solver on one configuration.
class Experiment {
 public:
  Experiment(const fs::path& folder, std::size_t function, std::size_t dimension,
             const std::string& solver, bool overwrite)
      : dimension_(dimension), overwrite_(overwrite) {
    const std::string data = fmt::format("data_f{}", function);
    const std::string stem = fmt::format("nucreg_f{}_DIM{}", function, dimension);
    const auto info = fmt::format("nucreg_f{}.info", function);
    path_ = export_paths(folder, {info.c_str()}, overwrite).front();
    const auto below =
        export_paths(folder / data, {(stem + ".dat").c_str(), (stem + ".tdat").c_str()}, overwrite);
    info_ = std::make_unique<TextFile>(path_);
    targets_ = std::make_unique<TextFile>(below[0]);
    evaluations_ = std::make_unique<TextFile>(below[1]);
    std::string name = solver;  // in quotes there, with no way to write one
    std::ranges::replace_if(
        name, [](unsigned char c) { return c == '\'' || c < 0x20; }, '_');
    info_->write(
        fmt::format("suite = 'bbob', funcId = {}, DIM = {}, Precision = {:.3e}, algId = '{}', "
                    "logger = 'bbob', data_format = 'bbob-new', coco_version = 'nucreg {}'\n"
                    "% functions are configurations of a nucreg job, instances its trials\n"
                    "{}/{}.dat",
                    function, dimension, precision, name, build_info().version, data, stem));
  }

  void add(const Record& row, double optimum) {
    const std::string header = fmt::format(
        "% f evaluations | g evaluations | best noise-free fitness - Fopt ({:.12e}) + sum g_i+ | "
        "measured fitness | best measured fitness or single-digit g-values | x1 | x2...\n",
        optimum);
    targets_->write(header);
    evaluations_->write(header);
    TargetTrigger at_target;
    EvaluationTrigger at_evaluation(dimension_);
    double best = infinity;
    std::int64_t last = 0, last_written = 0;
    const auto add_point = [&](std::int64_t evaluation, double objective) {
      best = std::fmin(best, objective);
      last = evaluation;
      if (at_target.at(best - optimum)) targets_->write(line_of(evaluation, best, optimum));
      if (!at_evaluation.at(evaluation)) return;
      evaluations_->write(line_of(evaluation, best, optimum));
      last_written = evaluation;
    };
    for (const TracePoint& point : row.trace) add_point(point.evaluation, point.objective);
    if (row.trace.empty() && row.function_evaluations > 1) add_point(1, infinity);
    // What the trace did not keep of the end, or a solve without any.
    if (last < row.function_evaluations || last == 0)
      add_point(std::max<std::int64_t>(1, row.function_evaluations), row.objective);
    if (last_written < last) evaluations_->write(line_of(last, best, optimum));
    info_->write(fmt::format(", {}:{}|{:.1e}", row.trial + 1, last,
                             std::min(best - optimum, nothing_reached)));
  }

  void publish() {
    targets_->publish(overwrite_);
    evaluations_->publish(overwrite_);
    info_->write("\n");
    info_->publish(overwrite_);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  std::size_t dimension_;
  bool overwrite_;
  fs::path path_;
  std::unique_ptr<TextFile> info_, targets_, evaluations_;
};

/// Names of solvers as names of folders, no two alike.
std::vector<std::string> folders_of(const std::vector<std::string>& solvers) {
  std::vector<std::string> folders;
  std::set<std::string> taken;
  for (const std::string& solver : solvers) {
    std::string name = solver;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '+') c = '_';
    const std::string plain = name;
    for (std::size_t number = 2; !taken.insert(name).second; ++number)
      name = fmt::format("{}_{}", plain, number);
    folders.push_back(name);
  }
  return folders;
}

}  // namespace

std::vector<fs::path> export_coco(const ResultReader& reader, const fs::path& directory,
                                  bool overwrite) {
  if (!reader.has_traces())
    throw InputError("is missing: COCO's format shows how the objective fell",
                     {.key = "/trace", .allowed = "a result of a job with run.trace = true"});
  const Table solver_table = reader.table("solvers"),
              configurations = reader.table("configurations");
  const auto& names = solver_table.get<std::string>("name");
  const auto& models = configurations.get<std::string>("model");
  if (names.empty()) throw InputError("has no rows", {.key = "/solvers"});
  const std::vector<std::string> folders = folders_of(names);

  std::vector<fs::path> paths;
  std::vector<std::unique_ptr<Experiment>> open(names.size());  // of one configuration
  const auto publish = [&] {
    for (auto& experiment : open) {
      if (!experiment) continue;
      experiment->publish();
      paths.push_back(experiment->path());
      experiment.reset();
    }
  };
  std::uint32_t configuration = 0;
  for (TrialCursor at(reader, 0, names.size()); !at.done(); at.next()) {
    const std::span<const Record> trial = at.rows();
    if (trial[0].configuration != configuration) publish();
    configuration = trial[0].configuration;
    if (configuration >= models.size())
      throw InputError("a row names what is not in the file", {.key = "/trials/configuration"});
    const auto model = value_of<Model>(models[configuration]);
    if (!model) throw InputError("names no model", {.key = "/configurations/model"});
    const double optimum = best_known(trial);
    for (std::size_t s = 0; s < trial.size(); ++s) {
      if (trial[s].status == SolveStatus::not_applicable) continue;
      if (!open[s])
        open[s] = std::make_unique<Experiment>(directory / folders[s], configuration + 1,
                                               parameter_count(*model), names[s], overwrite);
      open[s]->add(trial[s], optimum);
    }
  }
  publish();
  return paths;
}

}  // namespace nucreg
