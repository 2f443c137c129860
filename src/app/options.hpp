// The command line as a table: each option once, with its name, value, default, range and doc. It
// drives parsing, checks, help, and what scripts and man pages read (`nucreg options --json`).
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nucreg/core/error.hpp"
#include "nucreg/core/terms.hpp"

namespace nucreg {

/// What a number may be, ends included; `above`: without the lower one.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above = false;

  [[nodiscard]] bool contains(double value) const {
    return (above ? value > low : value >= low) && value <= high;
  }
  /// " from 3 up to 1000", " above 0"; empty for any number.
  [[nodiscard]] std::string text() const;
};

struct Option {
  std::string names;     ///< "--seed", "-o,--output"; "JOB": by position
  std::string value;     ///< what stands for its value in the help; empty: a flag
  std::string doc;       ///< one line
  std::string standard;  ///< default; empty: none
  std::string range;     ///< what is allowed; empty: anything
  bool required = false;
  std::size_t min_values = 1, max_values = 1;  ///< of one use of the option
  bool repeats = false;                        ///< may be given several times
  std::string separator;                       ///< between values in one word; empty: none
  std::string needs, excludes;                 ///< another option of the command
  /// Stores the values; returns what is wrong with them, or nothing.
  std::function<std::string(const std::vector<std::string>&)> store;

  [[nodiscard]] bool is_flag() const { return value.empty(); }
  [[nodiscard]] bool is_positional() const { return !names.starts_with('-'); }
  /// Its longest name.
  [[nodiscard]] std::string name() const;

  Option& demand() { return required = true, *this; }
  Option& with(std::string other) { return needs = std::move(other), *this; }
  Option& without(std::string other) { return excludes = std::move(other), *this; }
  Option& otherwise(std::string text) { return standard = std::move(text), *this; }
};

/// One command. Defaults are what the variables hold when the option is added.
struct Command {
  std::string name, group, doc;
  std::function<ExitStatus()> run;
  std::vector<Option> options = {};
  std::string footer = {};
  bool hidden = false;
  bool on_ranks = false;  ///< all ranks of a launcher do it together; else the first does it alone

  Option& flag(const char* names, bool& to, const char* doc);
  Option& text(const char* names, const char* value, std::string& to, const char* doc);
  Option& text(const char* names, const char* value, std::optional<std::string>& to,
               const char* doc);
  Option& path(const char* names, const char* value, std::filesystem::path& to, const char* doc);
  /// One or several, in one use.
  Option& paths(const char* names, const char* value, std::vector<std::filesystem::path>& to,
                const char* doc);
  /// One each time that it is given.
  Option& repeated(const char* names, const char* value, std::vector<std::string>& to,
                   const char* doc);
  Option& choice(const char* names, const char* value, std::string& to,
                 std::vector<std::string> allowed, const char* doc);
  /// One of the spellings of an enumeration.
  template <class E>
  Option& choice(const char* names, const char* value, std::optional<E>& to, const char* about) {
    const auto& words = Spelling<E>::names;
    return choice(names, value, {words.begin(), words.end()}, about,
                  [&to](const std::string& word) { to = value_of<E>(word); });
  }
  /// T: int, std::size_t, std::uint64_t, double, or std::optional of one of these.
  template <class T>
  Option& number(const char* names, const char* value, T& to, NumberRange range, const char* doc);
  /// Exactly `count` numbers.
  Option& numbers(const char* names, const char* value, std::vector<double>& to, std::size_t count,
                  const char* doc);
  [[nodiscard]] const Option* find(std::string_view name) const;

 private:
  Option& add(Option option);
  Option& choice(const char* names, const char* value, std::vector<std::string> allowed,
                 const char* doc, std::function<void(const std::string&)> take);
};

/// What a command line asks for: a command, or words to print (`--help`, `--version`).
struct ParsedLine {
  const Command* command = nullptr;
  std::string text;
};
/// Stores the options of the command that it names. Throws JobError if the line is wrong: what is
/// allowed, and the nearest name if one is unknown.
[[nodiscard]] ParsedLine parse_command_line(int argc, char** argv,
                                            const std::vector<Command>& commands,
                                            const std::string& description,
                                            const std::string& footer, const std::string& version);

/// All commands and their options as JSON.
[[nodiscard]] std::string options_json(const std::vector<Command>& commands);

}  // namespace nucreg
