#include "nucreg/report/recommendation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "nucreg/core/error.hpp"
#include "nucreg/core/text.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/solve/registry.hpp"
#include "text_table.hpp"

namespace nucreg {
namespace {

using Json = nlohmann::ordered_json;

std::string scale_text(const FitChoice& choice) {
  const Draw& d = choice.loss_scale_px;
  if (d == Draw(0.0)) return "auto";
  return d.fixed() ? fmt::format("{}", d.min) : fmt::format("{}..{}", d.min, d.max);
}

std::string loss_text(const FitChoice& choice) {
  if (choice.loss == Loss::squared) return "squared";
  const std::string scale = scale_text(choice);
  return fmt::format("{} {}", name_of(choice.loss), scale == "auto" ? scale : scale + " px");
}

std::string whole_percent(double part) {
  return fmt::format("{:.0f}", 100.0 * part);
}

std::string arrival_text(const ChoiceResult& r) {
  return fmt::format("{} of {} trials ({} to {} %)", r.arrived, r.trials, whole_percent(r.rate.low),
                     whole_percent(r.rate.high));
}

// "affine, points 300, outliers 0.2, 0.4; pooled over layout (uniform, strip)".
std::string conditions_text(const Recommendation& made) {
  std::string text;
  for (const auto& [axis, values] : made.conditions)
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", axis, values);
  return text;
}

std::string use_text(const FitChoice& choice) {
  std::string text = fmt::format("{} ({}", choice.solver.name, choice.solver.kind);
  if (const std::string options = options_text(choice.solver.options); !options.empty())
    text += fmt::format(", {}", options);
  return text + fmt::format("), loss {}, start {}", loss_text(choice), choice.start_text);
}

std::string reason_text(const ChoiceResult& r) {
  return fmt::format("arrives in {}; an arrival takes {} and {} evaluations", arrival_text(r),
                     seconds_text(r.expected_seconds), number_text(r.expected_evaluations));
}

std::string regret_text(const Regret& regret) {
  if (std::isnan(regret.arrival))
    return "not tested: each configuration has one trial, and none to test a choice by";
  return fmt::format(
      "chosen by one half of the trials and used on the other, such a choice arrives in {:.1f} % "
      "fewer of them than the best choice for that half, and takes {:.3g} times its time ({} "
      "trials)",
      100.0 * regret.arrival, regret.time, regret.trials);
}

std::string line(const char* word, const std::string& text, std::size_t width) {
  return wrapped(fmt::format("{:<8}{}", word, text), width) + "\n";
}

Json json_of(const ChoiceResult& r) {
  Json options = Json::object();
  for (const auto& [name, value] : r.choice.solver.options)
    std::visit([&, key = name](const auto& v) { options[key] = v; }, value);
  return {{"solver", r.choice.solver.name},
          {"kind", r.choice.solver.kind},
          {"options", options},
          {"loss", name_of(r.choice.loss)},
          {"loss_scale_px", scale_text(r.choice)},
          {"start", r.choice.start_text},
          {"trials", r.trials},
          {"arrived", r.arrived},
          {"arrival_rate", static_cast<double>(r.arrived) / static_cast<double>(r.trials)},
          {"arrival_low", r.rate.low},
          {"arrival_high", r.rate.high},
          {"expected_s", r.expected_seconds},
          {"expected_evaluations", r.expected_evaluations}};
}

Json json_of(const AskedPoint& asked) {
  Json json = Json::object();
  if (asked.model) json["model"] = name_of(*asked.model);
  if (asked.points) json["points"] = *asked.points;
  if (asked.noise_px) json["noise_px"] = *asked.noise_px;
  if (asked.outliers) json["outliers"] = *asked.outliers;
  return json;
}

}  // namespace

std::string to_text(const Recommendation& made, std::size_t width) {
  std::string text;
  for (const std::string& shortfall : made.shortfalls) text += wrapped(shortfall, width) + "\n";
  for (const std::string& note : made.notes) text += wrapped(note, width) + "\n";
  if (!text.empty()) text += "\n";
  if (made.choices.empty()) return text + line("use", "nothing can be recommended", width);
  const ChoiceResult& best = made.choices.front();
  text += line("use", use_text(best.choice), width);
  text += line("there", conditions_text(made), width);
  text += line("why", reason_text(best), width);
  text += line("tested", regret_text(made.regret), width);
  std::vector<TextColumn> columns{{"best of each solver", false, 9},
                                  {"loss", false, 6},
                                  {"start", false, 5},
                                  {"arrived", true, 8},
                                  {"%", true, 4},
                                  {"time", true, 7},
                                  {"evaluations", true, 3}};
  for (const ChoiceResult& r : made.choices) {
    const std::vector<std::string> cells{
        r.choice.solver.name,
        loss_text(r.choice),
        r.choice.start_text,
        fmt::format("{} of {}", r.arrived, r.trials),
        whole_percent(r.rate.low) + "-" + whole_percent(r.rate.high),
        seconds_text(r.expected_seconds),
        number_text(r.expected_evaluations)};
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  return text + "\n" + render(std::move(columns), width) +
         wrapped("(time and evaluations: of all trials, over the number that arrived)", width) +
         "\n";
}

std::string to_json(const Recommendation& made, const std::vector<Evidence>& files) {
  Json json{{"asked", json_of(made.asked)},
            {"reached", made.reached()},
            {"shortfalls", made.shortfalls},
            {"notes", made.notes}};
  json["conditions"] = Json::object();
  for (const auto& [axis, values] : made.conditions) json["conditions"][axis] = values;
  if (made.choices.empty())
    for (const char* none : {"solver", "loss", "start"}) json[none] = nullptr;
  else
    json.update(json_of(made.choices.front()));
  json["regret"] = {
      {"trials", made.regret.trials}, {"arrival", made.regret.arrival}, {"time", made.regret.time}};
  json["choices"] = Json::array();
  for (const ChoiceResult& r : made.choices) json["choices"].push_back(json_of(r));
  json["files"] = Json::array();
  for (const Evidence& e : files) json["files"].push_back({{"file", e.file}, {"sha256", e.sha256}});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_toml(const Recommendation& made, const std::vector<Evidence>& files) {
  if (made.choices.empty()) throw InputError("nothing can be recommended there", {.key = "--to"});
  const ChoiceResult& best = made.choices.front();
  std::string text =
      "# Written by nucreg recommend: the solver, loss and start of this job are for "
      "`map` and `run`\n# (--recommendation).\n";
  const auto comment = [&](const std::string& what, const std::string& words) {
    text += fmt::format("# {:<8}{}\n", what, without_breaks(words));
  };
  for (const Evidence& e : files) comment("from", fmt::format("{} (SHA-256 {})", e.file, e.sha256));
  comment("there", conditions_text(made));
  comment("why", reason_text(best));
  comment("tested", regret_text(made.regret));
  for (const std::string& shortfall : made.shortfalls) comment("but", shortfall);
  Job job{.job = {.name = "recommended"}, .solvers = {best.choice.solver}};
  if (made.asked.model) job.fit.model = {*made.asked.model};
  job.fit.loss = {best.choice.loss};
  job.fit.loss_scale_px = {best.choice.loss_scale_px};
  job.fit.start = {best.choice.start};
  return text + "\n" + to_toml(job);
}

}  // namespace nucreg
