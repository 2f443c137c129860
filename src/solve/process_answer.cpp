#include "process_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nucreg {

ProcessAnswer process_answer(const std::string& line, std::int64_t number,
                             Eigen::Index parameters) {
  const auto nonsense = [](const std::string& what) -> BrokenProcess {
    return {"the solver's process answered nonsense: " + what};
  };
  const nlohmann::json answer = nlohmann::json::parse(line, nullptr, false);
  if (!answer.is_object()) throw nonsense("no JSON object");
  const auto whole = [&](const char* key, std::int64_t otherwise) {
    const auto found = answer.find(key);
    if (found == answer.end()) return otherwise;
    if (!found->is_number_integer() || found->get<std::int64_t>() < -1)
      throw nonsense(fmt::format("\"{}\" is no count", key));
    return found->get<std::int64_t>();
  };
  if (whole("solve", -1) != number) throw nonsense("it is the answer to another solve");
  ProcessAnswer understood;
  SolveResult& result = understood.result;
  const auto status = answer.find("status");
  const auto known = status != answer.end() && status->is_string()
                         ? value_of<SolveStatus>(status->get<std::string>())
                         : std::nullopt;
  if (!known || *known == SolveStatus::not_applicable)
    throw nonsense(
        "\"status\" is not one of converged, max_evaluations, max_time, stalled, failed");
  result.status = *known;
  const auto params = answer.find("params");
  if (params == answer.end() || !params->is_array() ||
      params->size() != static_cast<std::size_t>(parameters))
    throw nonsense(fmt::format("\"params\" are not {} numbers", parameters));
  result.params.resize(parameters);
  for (Eigen::Index i = 0; i < parameters; ++i) {
    const nlohmann::json& one = (*params)[static_cast<std::size_t>(i)];
    if (!one.is_number()) throw nonsense(fmt::format("\"params\" are not {} numbers", parameters));
    result.params[i] = one.get<double>();
  }
  const auto seconds = answer.find("seconds");
  if (seconds == answer.end() || !seconds->is_number() || !(seconds->get<double>() >= 0.0))
    throw nonsense("\"seconds\" is not the time of the solve");
  result.own_seconds = seconds->get<double>();
  result.iterations = whole("iterations", -1);
  understood.function_evaluations = std::max<std::int64_t>(0, whole("function_evaluations", 0));
  understood.jacobian_evaluations = std::max<std::int64_t>(0, whole("jacobian_evaluations", 0));
  if (const auto text = answer.find("message"); text != answer.end() && text->is_string())
    result.message = text->get<std::string>();
  return understood;
}

}  // namespace nucreg
