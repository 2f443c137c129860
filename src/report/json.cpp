#include "nucreg/report/json.hpp"

#include <nlohmann/json.hpp>

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

Json rows_of(const Table& table) {
  Json rows = Json::array();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Json& object = rows.emplace_back(Json::object());
    for (const Column& column : table.columns)
      std::visit(
          [&](const auto& values) {
            using T = typename std::decay_t<decltype(values)>::value_type;
            object[column.name] = static_cast<T>(values[row]);
          },
          column.values);
  }
  return rows;
}

}  // namespace

std::string to_json(const Overview& overview) {
  Json json;
  json["attributes"] = Json::object();
  for (const auto& [name, value] : overview.attributes)
    std::visit([&, key = name](const auto& v) { json["attributes"][key] = v; }, value);
  json["records"] = overview.records;
  for (const Table* table :
       {&overview.configurations, &overview.solvers, &overview.summary, &overview.ranks})
    json[table->name] = rows_of(*table);
  json["messages"] = Json::array();
  for (const MessageCount& m : overview.messages)
    json["messages"].push_back({{"solver", m.solver},
                                {"status", name_of(m.status)},
                                {"message", m.message},
                                {"count", m.count},
                                {"first_configuration", m.configuration},
                                {"first_trial", m.trial}});
  json["speed"] = Json::array();
  for (const SpeedRatio& r : overview.speed)
    json["speed"].push_back({{"a", r.a},
                             {"b", r.b},
                             {"trials", r.trials},
                             {"equal", r.equal},
                             {"a_better", r.a_better},
                             {"b_better", r.b_better},
                             {"timed", r.timed},
                             {"time_ratio", r.ratio},
                             {"time_ratio_low", r.low},
                             {"time_ratio_high", r.high}});
  json["verdict"] = overview.verdict;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nucreg
