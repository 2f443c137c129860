#include "nucreg/solve/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "nucreg/core/error.hpp"
#include "starts.hpp"

namespace nucreg {
namespace {

std::string type_name(const OptionValue& value) {
  static constexpr const char* names[] = {"true or false", "an integer", "a number", "a string",
                                          "a list of strings"};
  return names[value.index()];
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

ErrorFields at(const SolverSpec& spec, const std::string& file, const std::string& key,
               std::string allowed) {
  const auto line = spec.option_lines.find(key);
  return {.file = file,
          .line = line == spec.option_lines.end() ? spec.line : line->second,
          .key = "solver." + key,
          .allowed = std::move(allowed)};
}

// The value in the type of the option, or nothing. An integer is a number, too.
bool take(const OptionValue& given, OptionValue& value) {
  if (given.index() == value.index()) {
    value = given;
    return true;
  }
  if (std::holds_alternative<double>(value) && std::holds_alternative<std::int64_t>(given)) {
    value = static_cast<double>(std::get<std::int64_t>(given));
    return true;
  }
  return false;
}

double number(const OptionValue& value, double otherwise) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return otherwise;
}

}  // namespace

void SolverRegistry::add(SolverKind kind) {
  const auto same = [&](const SolverKind& k) { return k.name == kind.name; };
  if (std::any_of(kinds_.begin(), kinds_.end(), same))
    throw std::logic_error("two solver kinds are named " + kind.name);
  kinds_.push_back(std::move(kind));
}

const SolverKind& SolverRegistry::kind(const SolverSpec& spec, const std::string& file) const {
  std::vector<std::string> names;
  for (const SolverKind& kind : kinds_) {
    if (kind.name == spec.kind) return kind;
    names.push_back(kind.name);
  }
  throw JobError(fmt::format("no solver of kind \"{}\"", spec.kind),
                 at(spec, file, "kind", joined(names)));
}

SolverOptions SolverRegistry::options(const SolverSpec& spec, const std::string& file) const {
  const SolverKind& chosen = kind(spec, file);
  SolverOptions options;
  std::vector<std::string> names{"name", "kind"};
  std::vector<SolverOption> all = chosen.options;
  all.insert(all.end(), start_options().begin(), start_options().end());
  for (const SolverOption& option : all) {
    options[option.name] = option.standard;
    names.push_back(option.name);
  }
  for (const auto& [key, given] : spec.options) {
    const auto option = std::find_if(
        all.begin(), all.end(), [&, &key = key](const SolverOption& o) { return o.name == key; });
    if (option == all.end())
      throw JobError(fmt::format("unknown key for kind \"{}\"", spec.kind),
                     at(spec, file, key, joined(names)));
    if (!take(given, options[key]))
      throw JobError("wrong type", at(spec, file, key, type_name(option->standard)));
    if (!(number(options[key], option->min) >= option->min))
      throw JobError("out of range", at(spec, file, key, fmt::format("{} or more", option->min)));
  }
  return options;
}

std::unique_ptr<Solver> SolverRegistry::make(const SolverSpec& spec, const Job& job) const {
  const SolverKind& chosen = kind(spec, job.file);
  const SolverOptions resolved = options(spec, job.file);
  try {
    if (chosen.check) chosen.check(resolved, job.fit);
    return with_starts(chosen.make(resolved), resolved);
  } catch (const JobError& e) {
    throw JobError(e.problem(), at(spec, job.file, e.fields().key, e.fields().allowed));
  }
}

SolverRegistry standard_solvers() {
  SolverRegistry registry;
  registry.add(nlopt_kind());
  registry.add(eigen_lm_kind());
  registry.add(lm_kind());
  registry.add(closed_form_kind());
  registry.add(irls_kind());
  registry.add(consensus_kind());
  registry.add(process_kind());
  registry.add(ceres_kind());
  registry.add(gsl_kind());
  return registry;
}

SolverOption evaluation_option() {
  return {"evaluation", std::string("points"), 0.0,
          "\"points\": a pass over the points each time; \"moments\": one reduction of them, then "
          "nanoseconds; squared loss only, not projective"};
}

bool by_moments(const SolverOptions& options) {
  const auto& word = std::get<std::string>(options.at("evaluation"));
  if (word != "points" && word != "moments")
    throw JobError(fmt::format("unknown evaluation \"{}\"", word),
                   {.key = "evaluation", .allowed = "points, moments"});
  return word == "moments";
}

std::string options_text(const SolverOptions& options) {
  std::string text;
  for (const auto& [key, value] : options) {
    if (!text.empty()) text += ", ";
    text += key + " = ";
    if (const auto* s = std::get_if<std::string>(&value))
      text += "\"" + *s + "\"";
    else if (const auto* list = std::get_if<std::vector<std::string>>(&value))
      text += fmt::format("[\"{}\"]", fmt::join(*list, "\", \""));
    else
      std::visit(
          [&](const auto& v) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>)
              text += fmt::format("{}", v);
          },
          value);
  }
  return text;
}

}  // namespace nucreg
