#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <sstream>
#include <type_traits>
#include <utility>

#include "nucreg/app/terminal.hpp"
#include "nucreg/core/text.hpp"

namespace nucreg {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

template <class T>
struct Plain {
  using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
  using type = T;
};

template <class T>
std::string standard_of(const T& value) {
  if constexpr (requires { value.has_value(); })
    return value ? standard_of(*value) : std::string();
  else
    return fmt::format("{}", value);
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

template <class T>
std::string store_number(T& to, const std::string& text, const NumberRange& range) {
  const std::optional<T> value = parse_number<T>(text);
  if (!value || !std::isfinite(static_cast<double>(*value)) ||
      !range.contains(static_cast<double>(*value)))
    return "\"" + text + "\"";
  to = *value;
  return {};
}

std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// What the help says after the doc of an option.
std::string facts_text(const Option& option) {
  std::vector<std::string> facts;
  if (!option.range.empty()) facts.push_back(option.range);
  if (!option.standard.empty()) facts.push_back("default " + option.standard);
  if (option.required) facts.emplace_back("required");
  if (!option.needs.empty()) facts.push_back("with " + option.needs);
  if (!option.excludes.empty()) facts.push_back("not with " + option.excludes);
  return facts.empty() ? "" : fmt::format(" [{}]", fmt::join(facts, "; "));
}

/// Descriptions broken so that the help fits a terminal of 80 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(names_width); }
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), 80 - names_width);
  }
  std::string make_subcommand(const CLI::App* sub) const override {
    constexpr std::size_t commands_width = 14;
    std::ostringstream out;
    CLI::detail::format_help(out, sub->get_display_name(true),
                             wrapped(sub->get_description(), 80 - commands_width), commands_width);
    return out.str();
  }
  std::string make_footer(const CLI::App* app) const override {
    return app->get_footer().empty() ? "" : wrapped(without_breaks(app->get_footer()), 80) + "\n";
  }

 private:
  static constexpr std::size_t names_width = 30;
};

// What a shell makes of a variable that is not set is no file.
std::string nameless(const std::vector<std::string>& files) {
  return std::ranges::find(files, "") == files.end() ? "" : "\"\" names no file";
}

JobError wrong_value(const Command& command, const Option& option, const std::string& problem) {
  return JobError(fmt::format("{}: {}: {}", command.name, option.name(), problem),
                  {.allowed = option.range});
}

void add_option(CLI::App& app, const Command& command, const Option& option) {
  CLI::Option* added =
      option.is_flag()
          ? app.add_flag_function(
                option.names, [&option](std::int64_t) { option.store({}); },
                option.doc + facts_text(option))
          : app.add_option_function<std::vector<std::string>>(
                option.names,
                [&command, &option](const std::vector<std::string>& values) {
                  if (const std::string problem = option.store(values); !problem.empty())
                    throw wrong_value(command, option, problem);
                },
                option.doc + facts_text(option));
  // In place of what CLI11 says of type and related options, which facts_text says.
  added->option_text(option.is_flag() ? " " : option.value);
  if (option.is_flag()) {
    added->disable_flag_override();  // --force=false would set it as well
    return;
  }
  if (option.repeats)
    added->expected(1)->take_all();
  else
    added->expected(static_cast<int>(option.min_values), option.max_values > 1000
                                                             ? CLI::detail::expected_max_vector_size
                                                             : static_cast<int>(option.max_values));
  // Else the first of several that go by position takes the words of all.
  added->allow_extra_args(option.max_values > option.min_values);
  if (!option.separator.empty()) added->delimiter(option.separator.front());
  if (option.required) added->required();
}

/// The options that name each other, once all are there.
void relate(CLI::App& app, const Command& command) {
  for (const Option& option : command.options) {
    CLI::Option* of = app.get_option(option.name());
    if (!option.needs.empty()) of->needs(app.get_option(option.needs));
    if (!option.excludes.empty()) of->excludes(app.get_option(option.excludes));
  }
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = nearest_name(word, names);
  return near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near);
}

// CLI11 says only that a command is required.
JobError no_command(const CLI::App& app, const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands)
    if (!command.hidden) names.push_back(command.name);
  names.insert(names.end(), {"--help", "--version"});
  const std::vector<std::string> rest = app.remaining();
  return JobError(rest.empty() ? "no command"
                               : fmt::format("unknown command {}{}", rest.front(),
                                             suggestion(rest.front(), names)),
                  {.allowed = joined(names)});
}

/// The words after the program's name; `help COMMAND`, `version` and `-V`, which other programs
/// take, as the options that they mean.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return words;
  if (words.front() == "help") {
    words.erase(words.begin());
    words.resize(std::min<std::size_t>(words.size(), 1));
    words.emplace_back("--help");
  } else if (words.front() == "version" || words.front() == "-V") {
    words = {"--version"};
  }
  return words;
}

/// "nucreg match TEN FORTY ...": what has to be there.
std::string usage_of(const Command& command) {
  std::string text = "nucreg " + command.name;
  for (const bool positional : {true, false})
    for (const Option& option : command.options)
      if (option.is_positional() == positional && (positional || option.required))
        text += " " + option.name() + (positional ? "" : " " + option.value);
  return text + " ...";
}

JobError wrong_options(const CLI::App& app, const Command& command, const CLI::ParseError& e) {
  std::vector<std::string> names;
  for (const Option& option : command.options) names.push_back(option.name());
  const std::string said = e.what();
  if (const std::size_t at = said.find(" was given a disallowed flag override"); at != said.npos)
    return JobError(fmt::format("{}: --{} takes no value", command.name, said.substr(0, at)),
                    {.allowed = "the option alone, or to leave it out"});
  // What is missing is asked for after what nobody knows, which may have swallowed it.
  const std::vector<std::string> rest = app.remaining();
  const bool unknown_option =
      e.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
      std::ranges::any_of(rest, [](const std::string& word) { return word.starts_with('-'); });
  constexpr std::string_view missing = " is required";
  if (!unknown_option && said.ends_with(missing))
    return JobError(fmt::format("{0}: {1} is missing; usage: {2}; nucreg {0} --help lists all",
                                command.name, said.substr(0, said.size() - missing.size()),
                                usage_of(command)));
  if (!unknown_option && e.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError))
    // CLI11 says itself what an option that is known takes.
    return JobError(fmt::format("{}: {}", command.name, e.what()),
                    {.allowed = fmt::format("what nucreg {} --help lists", command.name)});
  if (const auto ranks = std::ranges::find_if(
          rest, [](const std::string& word) { return word == "-n" || word == "-np"; });
      ranks != rest.end())
    return JobError(fmt::format("{}: ranks are started by mpirun", command.name),
                    {.allowed = fmt::format("mpirun -n N nucreg {} ...", command.name)});
  const bool plain =
      std::ranges::none_of(rest, [](const std::string& word) { return word.starts_with('-'); });
  if (command.name == "map" && !rest.empty() && plain)
    return JobError(
        fmt::format("map: {} more than TEN and FORTY, such as {}; put each glob in "
                    "quotes: nucreg map 'TEN/*.tif' 'FORTY/*.tif'",
                    counted(rest.size(), "argument"), rest.front()));
  std::string unknown;
  for (const std::string& word : rest) {
    const std::string name = word.substr(0, word.find('='));
    unknown += (unknown.empty() ? "" : ", ") + name + suggestion(name, names);
  }
  return JobError(fmt::format("{}: unknown argument {}", command.name, unknown),
                  {.allowed = joined(names)});
}

}  // namespace

std::string NumberRange::text() const {
  const std::string first =
      low > -infinite ? fmt::format(" {} {}", above ? "above" : "from", low) : std::string();
  return first + (high < infinite ? fmt::format(" up to {}", high) : std::string());
}

std::string Option::name() const {
  const std::size_t comma = names.rfind(',');
  return comma == std::string::npos ? names : names.substr(comma + 1);
}

Option& Command::add(Option option) {
  return options.emplace_back(std::move(option));
}

Option& Command::flag(const char* names, bool& to, const char* about) {
  return add({.names = names, .doc = about, .store = [&to](const auto&) {
                to = true;
                return std::string();
              }});
}

Option& Command::text(const char* names, const char* value, std::string& to, const char* about) {
  const bool is_input = names[0] != '-';
  return add({.names = names,
              .value = value,
              .doc = about,
              .standard = to,
              .store = [&to, is_input](const std::vector<std::string>& values) {
                to = values.front();
                return is_input ? nameless(values) : std::string();
              }});
}

Option& Command::text(const char* names, const char* value, std::optional<std::string>& to,
                      const char* about) {
  return add({.names = names,
              .value = value,
              .doc = about,
              .store = [&to](const std::vector<std::string>& values) {
                to = values.front();
                return std::string();
              }});
}

Option& Command::path(const char* names, const char* value, std::filesystem::path& to,
                      const char* about) {
  return add({.names = names,
              .value = value,
              .doc = about,
              .store = [&to](const std::vector<std::string>& values) {
                to = values.front();
                return nameless(values);
              }});
}

Option& Command::paths(const char* names, const char* value, std::vector<std::filesystem::path>& to,
                       const char* about) {
  return add({.names = names,
              .value = value,
              .doc = about,
              .max_values = std::numeric_limits<std::size_t>::max(),
              .store = [&to](const std::vector<std::string>& values) {
                to.assign(values.begin(), values.end());
                return nameless(values);
              }});
}

Option& Command::repeated(const char* names, const char* value, std::vector<std::string>& to,
                          const char* about) {
  return add({.names = names,
              .value = value,
              .doc = about,
              .repeats = true,
              .store = [&to](const std::vector<std::string>& values) {
                to = values;
                return std::string();
              }});
}

Option& Command::choice(const char* names, const char* value, std::vector<std::string> allowed,
                        const char* about, std::function<void(const std::string&)> take) {
  const std::string range = joined(allowed);
  return add({.names = names,
              .value = value,
              .doc = about,
              .range = range,
              .store = [take = std::move(take),
                        allowed = std::move(allowed)](const std::vector<std::string>& values) {
                const std::string& word = values.front();
                if (std::ranges::find(allowed, word) == allowed.end())
                  return "\"" + word + "\"" + suggestion(word, allowed);
                take(word);
                return std::string();
              }});
}

Option& Command::choice(const char* names, const char* value, std::string& to,
                        std::vector<std::string> allowed, const char* about) {
  return choice(names, value, std::move(allowed), about,
                [&to](const std::string& word) { to = word; })
      .otherwise(to);
}

template <class T>
Option& Command::number(const char* names, const char* value, T& to, NumberRange range,
                        const char* about) {
  using Number = typename Plain<T>::type;
  if constexpr (std::is_unsigned_v<Number>) range.low = std::max(range.low, 0.0);
  const std::string what = std::is_integral_v<Number> ? "a whole number" : "a number";
  const std::string bounds = range.text();
  return add({.names = names,
              .value = value,
              .doc = about,
              .standard = standard_of(to),
              .range = what + bounds,
              .store = [&to, range](const std::vector<std::string>& values) {
                Number number{};
                std::string problem = store_number(number, values.front(), range);
                if (problem.empty()) to = number;
                return problem;
              }});
}

template Option& Command::number(const char*, const char*, int&, NumberRange, const char*);
template Option& Command::number(const char*, const char*, std::uint64_t&, NumberRange,
                                 const char*);
template Option& Command::number(const char*, const char*, double&, NumberRange, const char*);
template Option& Command::number(const char*, const char*, std::optional<std::uint64_t>&,
                                 NumberRange, const char*);
template Option& Command::number(const char*, const char*, std::optional<double>&, NumberRange,
                                 const char*);

Option& Command::numbers(const char* names, const char* value, std::vector<double>& to,
                         std::size_t count, const char* about) {
  return add({.names = names,
              .value = value,
              .doc = about,
              .standard = fmt::format("{}", fmt::join(to, " ")),
              .range = "numbers",
              .min_values = count,
              .max_values = count,
              .store = [&to, count](const std::vector<std::string>& values) -> std::string {
                if (values.size() != count) return fmt::format("{} numbers", values.size());
                std::vector<double> numbers(count);
                for (std::size_t i = 0; i < count; ++i)
                  if (std::string problem = store_number(numbers[i], values[i], {});
                      !problem.empty())
                    return problem;
                to = numbers;
                return {};
              }});
}

const Option* Command::find(std::string_view wanted) const {
  const auto at = std::ranges::find(options, wanted, &Option::name);
  return at == options.end() ? nullptr : &*at;
}

ParsedLine parse_command_line(int argc, char** argv, const std::vector<Command>& commands,
                              const std::string& description, const std::string& footer,
                              const std::string& version) {
  CLI::App app{description, "nucreg"};
  app.set_version_flag("--version", version);
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(footer);
  const Command* chosen = nullptr;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.doc);
    sub->group(command.hidden ? "" : command.group);
    sub->set_version_flag("--version", version);
    sub->footer(command.footer);
    for (const Option& option : command.options) add_option(*sub, command, option);
    relate(*sub, command);
    sub->callback([&chosen, &command] { chosen = &command; });
  }
  try {
    std::vector<std::string> words = words_of(argc, argv);
    std::ranges::reverse(words);  // as CLI11 takes them
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // help or version
      std::ostringstream text;
      app.exit(e, text, text);
      return {.text = text.str()};
    }
    const auto parsed = app.get_subcommands();
    if (parsed.empty()) throw no_command(app, commands);
    throw wrong_options(*parsed.front(),
                        *std::ranges::find(commands, parsed.front()->get_name(), &Command::name),
                        e);
  }
  return {.command = chosen};
}

std::string options_json(const std::vector<Command>& commands) {
  std::string text = "[";
  for (const Command& command : commands) {
    if (command.hidden) continue;
    text += fmt::format(
        "{}\n{{\"command\": {}, \"group\": {}, \"doc\": {}, \"footer\": {}, "
        "\"options\": [",
        text.size() > 1 ? "," : "", json_text(command.name), json_text(command.group),
        json_text(command.doc), json_text(command.footer));
    const char* separator = "";
    for (const Option& option : command.options) {
      text += fmt::format(
          "{}\n  {{\"names\": {}, \"value\": {}, \"doc\": {}, \"default\": {}, \"allowed\": {}, "
          "\"positional\": {}, \"required\": {}, \"several\": {}, \"with\": {}, \"not_with\": {}}}",
          separator, json_text(option.names), json_text(option.value), json_text(option.doc),
          json_text(option.standard), json_text(option.range), option.is_positional(),
          option.required, option.repeats || option.max_values > 1, json_text(option.needs),
          json_text(option.excludes));
      separator = ",";
    }
    text += "]}";
  }
  return text + "\n]\n";
}

}  // namespace nucreg
