#include "trial_schema.hpp"

#include <cstring>
#include <type_traits>
#include <utility>

#include "nucreg/core/text.hpp"
#include "types.hpp"

namespace nucreg {
namespace {

template <class E>
std::vector<std::string> members() {
  return {Spelling<E>::names.begin(), Spelling<E>::names.end()};
}
template <>
std::vector<std::string> members<bool>() {
  return {"FALSE", "TRUE"};
}

template <auto Member>
TrialField field(std::string name, std::string units, std::string description,
                 bool required = true) {
  using T = std::remove_cvref_t<decltype(std::declval<Record>().*Member)>;
  TrialField made;
  made.name = std::move(name);
  made.units = std::move(units);
  made.description = std::move(description);
  made.required = required;
  made.per_parameter = std::is_class_v<T>;
  made.value = [](const Record& row, [[maybe_unused]] std::size_t parameter) -> TrialValue {
    if constexpr (std::is_enum_v<T>)
      return name_of(row.*Member);
    else if constexpr (std::is_class_v<T>)
      return (row.*Member)[parameter];
    else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, bool>)
      return row.*Member;
    else
      return std::int64_t{row.*Member};
  };
  if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
    made.members = members<T>();
    made.value_bytes = sizeof(std::int8_t);
    made.type = [] { return hdf5::enum_type(members<T>()); };
    made.store = [](const Record& row, std::byte* values, std::size_t) {
      *values = static_cast<std::byte>(row.*Member);
    };
    made.load = [](Record& row, const std::byte* values, std::size_t) {
      row.*Member = static_cast<T>(*values);
    };
  } else {
    using Value = std::conditional_t<std::is_class_v<T>, double, T>;
    made.value_bytes = sizeof(Value);
    made.type = &hdf5::type_of<Value>;
    made.store = [](const Record& row, std::byte* values, std::size_t bytes) {
      std::memcpy(values, &(row.*Member), bytes);
    };
    made.load = [](Record& row, const std::byte* values, std::size_t bytes) {
      std::memcpy(&(row.*Member), values, bytes);
    };
  }
  return made;
}

TrialField message_field() {
  TrialField made;
  made.name = "message";
  made.units = "1";
  made.description = "why the solve failed or stalled, or what it ignored";
  made.required = false;
  made.text = true;
  made.value = [](const Record& row, std::size_t) -> TrialValue { return row.message; };
  made.store = [](const Record& row, std::byte* values, std::size_t bytes) {
    const std::string line = one_line(row.message, bytes);
    std::memset(values, 0, bytes);
    std::memcpy(values, line.data(), line.size());
  };
  made.load = [](Record& row, const std::byte* values, std::size_t bytes) {
    const auto* text = reinterpret_cast<const char*>(values);
    row.message.assign(text, strnlen(text, bytes));
  };
  return made;
}

}  // namespace

const std::vector<TrialField>& trial_fields() {
  // param_error and the parameters mix pixels, degrees and pure numbers.
  static const std::vector<TrialField> fields{
      field<&Record::configuration>("configuration", "1", "row of /configurations"),
      field<&Record::trial>("trial", "1", "number within its configuration"),
      field<&Record::solver>("solver", "1", "row of /solvers"),
      field<&Record::rank>("rank", "1", "MPI rank that solved it"),
      field<&Record::status>("status", "1", "how the solve ended"),
      field<&Record::rmsd_px>(
          "rmsd_px", "px", "root mean square distance of all pairs under the fitted map, 40x px"),
      field<&Record::param_error>("param_error", "mixed",
                                  "Euclidean norm of fitted minus true parameters"),
      field<&Record::tre_px>("tre_px", "px",
                             "root mean square distance of fitted and true map over corners and "
                             "centre of the 10x field, 40x px"),
      field<&Record::objective>("objective", "px^2", "sum of the loss, 40x px squared"),
      field<&Record::gap>("gap", "1", "(objective - best known) / best known"),
      field<&Record::wall_seconds>("wall_s", "s", "time of one solve"),
      field<&Record::cpu_seconds>("cpu_s", "s", "processor time of one solve"),
      field<&Record::repeats>("repeats", "1", "solves that the times are the mean of"),
      field<&Record::peak_bytes>("peak_bytes", "B", "most heap memory that the solve held"),
      field<&Record::iterations>("iterations", "1",
                                 "as the library counts them; -1: it does not say"),
      field<&Record::function_evaluations>("function_evaluations", "1",
                                           "passes for a value or the residuals"),
      field<&Record::jacobian_evaluations>("jacobian_evaluations", "1",
                                           "passes for a gradient or Jacobian"),
      field<&Record::timing_valid>("timing_valid", "1", "the solve had a processor to itself"),
      field<&Record::pairs>("pairs", "1", "of nuclei that were fitted", false),
      field<&Record::bounds>("bounds", "1", "what became of bounds", false),
      field<&Record::heldout_rmsd_px>("heldout_rmsd_px", "px",
                                      "rmsd_px of pairs that were held out of the fit", false),
      field<&Record::stationarity>(
          "stationarity", "1", "part of the objective that a Gauss-Newton step would still gain",
          false),
      field<&Record::loss_scale_px>("loss_scale_px", "px", "of a robust loss, 40x px", false),
      field<&Record::native_code>("native_code", "1", "the library's own code of its end", false),
      field<&Record::arrived>(
          "arrived", "1", "1 if the map gives each nucleus its own partner, 0 if not or not known",
          false),
      field<&Record::arrival_px>("arrival_px", "px", "error up to which a map has arrived, 40x px",
                                 false),
      message_field(),
      field<&Record::params>(
          "params", "mixed",
          "of the fitted map, in the order of the model that nucreg models prints; the rest NaN"),
      field<&Record::true_params>("true_params", "mixed", "of the true map, as params"),
  };
  return fields;
}

const std::vector<TrialColumn>& trial_columns() {
  static const std::vector<TrialColumn> columns(trial_fields().begin(), trial_fields().end());
  return columns;
}

}  // namespace nucreg
