// Which solver, loss and start to use under given conditions, from the rows of results; and what
// following that advice costs on trials that it was not drawn from.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucreg/core/table.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/job/job.hpp"
#include "nucreg/solve/record.hpp"
#include "nucreg/stats/samples.hpp"

namespace nucreg {

/// The conditions of which a recommendation is wanted; what is empty may be anything.
struct AskedPoint {
  std::optional<Model> model;
  std::optional<double> points, noise_px, outliers;
};

/// What a fit is done with.
struct FitChoice {
  SolverSpec solver;
  Loss loss = Loss::squared;
  Draw loss_scale_px;  ///< 0: "auto"
  Start start;
  std::string start_text;  ///< as /configurations spells it
};

/// How often a choice arrived, and what an arrival costs by it.
struct ChoiceResult {
  FitChoice choice;
  std::uint64_t trials = 0;   ///< whose arrival is known; those that it does not apply to included
  std::uint64_t arrived = 0;  ///< of these
  ConfidenceInterval rate;    ///< Wilson's 95 % interval
  double expected_seconds = std::numeric_limits<double>::infinity();  ///< until an arrival
  double expected_evaluations = std::numeric_limits<double>::infinity();
};

/// What is lost by a choice that is made by one half of the trials and used in the other, against
/// the best choices of that other half. The mean of both ways round; NaN if halves are empty.
struct Regret {
  std::uint64_t trials = 0;                                   ///< held out, both ways together
  double arrival = std::numeric_limits<double>::quiet_NaN();  ///< rate of the best less its own
  /// Geometric mean of its expected time / that of the choice which the other half would make;
  /// infinite if it never arrived.
  double time = std::numeric_limits<double>::quiet_NaN();
};

struct Recommendation {
  AskedPoint asked;
  /// Sentences: in what the evidence does not reach the point; none: it does.
  std::vector<std::string> shortfalls;
  std::vector<std::string> notes;  ///< sentences: what else is to be known
  /// Axis and values of the trials that count.
  std::vector<std::pair<std::string, std::string>> conditions;
  /// The best choice of each solver, the recommended one first; empty: nothing arrives.
  std::vector<ChoiceResult> choices;
  Regret regret;

  [[nodiscard]] bool reached() const { return shortfalls.empty(); }
};

/// Built from results one after the other, of one job or of several. Trials count if their
/// conditions are those asked for: a number that lies between two of an axis takes both, one beyond
/// its ends takes the last and is a shortfall. Choices are compared over the same conditions: one
/// that was not tried under all of them is left out. Of those whose arrival rate is within 1 %
/// of the best one, the one with the least expected time (COCO's average runtime: what is
/// spent in all trials over the number that arrived) is recommended. Times are those of /summary;
/// where no timing of a configuration is valid, CPU times, which the work of others does not
/// stretch.
class RecommendationBuilder {
 public:
  explicit RecommendationBuilder(const AskedPoint& asked) : asked_(asked) {}
  /// The next result: its job, /configurations and /solvers. Throws InputError if these do not
  /// belong together.
  void begin(const Job& job, Table configurations, const Table& solvers);
  /// Its rows. Throws InputError if they name a configuration or solver that is not there.
  void add(std::span<const Record> rows);
  [[nodiscard]] Recommendation finish() const;

 private:
  /// What one choice did under the same conditions, in half of the trials.
  struct Tally {
    std::uint64_t trials = 0, arrived = 0, applied = 0, timed = 0;
    double evaluations = 0.0, valid_seconds = 0.0, undisturbed_seconds = 0.0;
    void add(const Record& row);
    void add(const Tally& other);
    [[nodiscard]] double seconds() const;
  };
  using Halves = std::array<Tally, 2>;
  /// Conditions that are equal but for what is chosen.
  struct Cell {
    std::size_t table = 0, row = 0;         // of tables_, one that has them
    std::map<std::size_t, Halves> choices;  // by position in choices_
  };
  /// A choice over all cells that count.
  struct Sum {
    std::size_t choice = 0, cells = 0;
    std::uint64_t trials = 0, arrived = 0, applied = 0;
    double seconds = 0.0, evaluations = 0.0;
    void add(const Tally& tally);
    [[nodiscard]] double rate() const;
    [[nodiscard]] double per_arrival(double spent) const;
  };
  using Cells = std::vector<const Cell*>;
  enum class Part { even, odd, all };

  [[nodiscard]] std::size_t choice_at(const std::string& key, FitChoice choice);
  [[nodiscard]] std::size_t cell_at(const std::string& key, std::size_t row);
  [[nodiscard]] Cells cells_of_model(Recommendation& made) const;
  void narrow(Cells& cells, const std::string& axis, std::optional<double> asked,
              Recommendation& made) const;
  [[nodiscard]] std::vector<Sum> sums_of(const Cells& cells, Part part) const;
  [[nodiscard]] static const Sum* best_of(std::span<const Sum> sums);
  void describe(const Cells& cells, Recommendation& made) const;
  void choose(const Cells& cells, Recommendation& made) const;
  void warn_of_few(Recommendation& made) const;
  [[nodiscard]] Regret regret_of(const Cells& cells) const;
  [[nodiscard]] ChoiceResult result_of(const Sum& sum) const;

  AskedPoint asked_;
  std::vector<Table> tables_;  // /configurations of each result
  std::vector<FitChoice> choices_;
  std::map<std::string, std::size_t> choice_of_key_;
  std::vector<Cell> cells_;
  std::map<std::string, std::size_t> cell_of_key_;
  // Of the result under way, by configuration, and by configuration and solver.
  std::vector<std::size_t> cell_of_, choice_of_;
  std::size_t solvers_ = 0;
};

}  // namespace nucreg
