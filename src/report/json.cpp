#include "nucreg/report/json.hpp"

#include <nlohmann/json.hpp>

#include "nucreg/report/verdict.hpp"

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
  for (const Table* table :
       {&overview.images, &overview.matches, &overview.scatter, &overview.agreement})
    if (!table->columns.empty()) json[table->name] = rows_of(*table);
  json["messages"] = Json::array();
  for (const MessageCount& m : overview.messages)
    json["messages"].push_back({{"solver", m.solver},
                                {"status", name_of(m.status)},
                                {"message", m.message},
                                {"count", m.count},
                                {"first_configuration", m.configuration},
                                {"first_trial", m.trial}});
  const Comparison& comparison = overview.comparison;
  const Verdict verdict = make_verdict(comparison);
  json["verdict"] = verdict.sentence();
  json["sentences"] = verdict.sentences;
  json["best"] = comparison.solvers.size() < 2
                     ? Json()
                     : Json(comparison.solvers[leaders(comparison, comparison.overall()).best]);
  json["flips"] = verdict.flips;
  json["notes"] = verdict.notes;
  json["comparisons"] = rows_of(verdict_table(comparison));
  json["solver_ranks"] = rows_of(solver_rank_table(comparison));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nucreg
