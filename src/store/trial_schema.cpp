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
TrialField field(std::string name, std::string units, bool required = true) {
  using T = std::remove_cvref_t<decltype(std::declval<Record>().*Member)>;
  TrialField made;
  made.name = std::move(name);
  made.units = std::move(units);
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
      field<&Record::configuration>("configuration", "1"),
      field<&Record::trial>("trial", "1"),
      field<&Record::solver>("solver", "1"),
      field<&Record::rank>("rank", "1"),
      field<&Record::status>("status", "1"),
      field<&Record::rmsd_px>("rmsd_px", "px"),
      field<&Record::param_error>("param_error", "mixed"),
      field<&Record::tre_px>("tre_px", "px"),
      field<&Record::objective>("objective", "px^2"),
      field<&Record::gap>("gap", "1"),
      field<&Record::wall_seconds>("wall_s", "s"),
      field<&Record::cpu_seconds>("cpu_s", "s"),
      field<&Record::repeats>("repeats", "1"),
      field<&Record::peak_bytes>("peak_bytes", "B"),
      field<&Record::iterations>("iterations", "1"),
      field<&Record::function_evaluations>("function_evaluations", "1"),
      field<&Record::jacobian_evaluations>("jacobian_evaluations", "1"),
      field<&Record::timing_valid>("timing_valid", "1"),
      field<&Record::pairs>("pairs", "1", false),
      field<&Record::bounds>("bounds", "1", false),
      field<&Record::heldout_rmsd_px>("heldout_rmsd_px", "px", false),
      field<&Record::stationarity>("stationarity", "1", false),
      field<&Record::loss_scale_px>("loss_scale_px", "px", false),
      field<&Record::native_code>("native_code", "1", false),
      field<&Record::arrived>("arrived", "1", false),
      field<&Record::arrival_px>("arrival_px", "px", false),
      message_field(),
      field<&Record::params>("params", "mixed"),
      field<&Record::true_params>("true_params", "mixed"),
  };
  return fields;
}

const std::vector<TrialColumn>& trial_columns() {
  static const std::vector<TrialColumn> columns(trial_fields().begin(), trial_fields().end());
  return columns;
}

}  // namespace nucreg
