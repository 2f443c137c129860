// The commands that say what a job can name.
#include "nucreg/app/commands.hpp"

#include <fmt/format.h>

#include "nucreg/app/terminal.hpp"
#include "nucreg/core/terms.hpp"
#include "nucreg/job/map.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/solve/registry.hpp"

namespace nucreg {

ExitStatus solvers_command(const SolverRegistry& registry) {
  std::string text;
  for (const SolverKind& kind : registry.kinds()) {
    text += fmt::format("{:<12} {}\n", kind.name, kind.summary);
    for (const SolverOption& option : kind.options)
      text += fmt::format("{:<12}   {} ({}): {}\n", "", option.name,
                          options_text({{"default", option.standard}}), option.doc);
  }
  print_result(
      fmt::format("{}\nalgorithms of kind nlopt: {}\n", text, fmt::join(nlopt_algorithms(), ", ")));
  return ExitStatus::done;
}

ExitStatus models_command() {
  std::string text;
  for (const std::string_view name : Spelling<Model>::names) {
    const Model model = *value_of<Model>(name);
    std::string parameters;
    for (const ParameterTerm& term : model_parameters(model))
      parameters += fmt::format(" {}", term.name);
    text += fmt::format("{:<11} {}; parameters{}\n", name, model_equation(model), parameters);
  }
  print_result(fmt::format("{}\nlosses: {}\n", text, all_names<Loss>()));
  return ExitStatus::done;
}

ExitStatus job_keys_command(bool of_maps) {
  print_result(of_maps ? map_reference() : job_reference());
  return ExitStatus::done;
}

}  // namespace nucreg
