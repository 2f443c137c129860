#include "nucreg/report/overview.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nucreg/stats/verdict.hpp"
#include "nucreg/store/result_file.hpp"

namespace nucreg {

Overview make_overview(const ResultReader& reader, RowFindings findings) {
  Overview view{.attributes = reader.attributes(),
                .configurations = reader.table("configurations"),
                .solvers = reader.table("solvers"),
                .summary = reader.table("summary"),
                .ranks = reader.table("ranks"),
                .records = reader.trial_rows(),
                .messages = std::move(findings.messages),
                .comparison = std::move(findings.comparison)};
  if (reader.has_table("matches")) {
    view.images = reader.table("images");
    view.matches = reader.table("matches");
  }
  if (reader.has_table("scatter")) {
    view.scatter = reader.table("scatter");
    view.agreement = reader.table("agreement");
  }
  return view;
}

Overview make_overview(const ResultReader& reader) {
  MessageTally messages;
  const Table solvers = reader.table("solvers");
  ComparisonBuilder comparison(solvers, reader.table("configurations"));
  // What a comparison and the messages need: not half of the bytes of all columns.
  static constexpr std::string_view columns[] = {
      "configuration", "trial",        "solver",  "status",  "pairs",      "objective",
      "wall_s",        "timing_valid", "message", "arrived", "arrival_px", "function_evaluations"};
  stream_trials(
      reader,
      [&](std::span<const Record> rows) {
        comparison.add(rows);
        messages.add(rows);
      },
      columns);
  return make_overview(reader, {comparison.finish(), messages.commonest(max_messages)});
}

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
  json["fits"] = verdict.fits;
  json["best"] = verdict.best.empty() ? Json() : Json(verdict.best);
  json["flips"] = verdict.flips;
  json["notes"] = verdict.notes;
  json["more_trials"] = verdict.more;
  json["comparisons"] = rows_of(verdict_table(comparison));
  json["fit_comparisons"] = rows_of(fit_verdict_table(comparison));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nucreg
