#include "nucreg/app/read_result.hpp"

#include <fmt/format.h>

#include "nucreg/app/terminal.hpp"
#include "nucreg/core/error.hpp"
#include "nucreg/job/parse.hpp"
#include "nucreg/stats/verify.hpp"

namespace nucreg {

void demand_sound(const std::filesystem::path& file, const ResultReader& reader) {
  const Verification verified = verify(reader);
  if (!verified.findings.empty())
    throw InputError("is not sound: " + verified.findings.front(), {.file = file.string()});
}

Job job_of(const std::filesystem::path& file, const ResultReader& reader) {
  const auto text = naming<Error>(file.string(),
                                  [&] { return reader.attributes().get<std::string>("job_toml"); });
  try {
    return parse_job_text(text, "job_toml");
  } catch (const Error& error) {
    throw InputError(fmt::format("holds no job of this nucreg: {}", error.what()),
                     {.file = file.string()});
  }
}

void warn_if_altered(const std::filesystem::path& file) {
  if (checksum_matches(file) != false) return;
  const std::string name = file.string();
  print_error("nucreg: warning: {}: the checksum does not hold: nucreg verify {} says what\n", name,
              name);
}

ExitStatus print_soundness(const std::filesystem::path& file, std::vector<std::string> findings,
                           const std::vector<std::string>& notes, const std::string& counts) {
  if (checksum_matches(file) == false)
    findings.emplace_back("bytes of the file are not those that nucreg wrote (checksum)");
  std::string text;
  for (const std::string& finding : findings) text += fmt::format("damage: {}\n", finding);
  for (const std::string& note : notes) text += fmt::format("note: {}\n", note);
  const bool sound = findings.empty();
  print_result(text + fmt::format("{}: {}\n", file.string(),
                                  sound ? "sound: " + counts : std::string("not sound")));
  return sound ? ExitStatus::done : ExitStatus::input;
}

ExitStatus print_exported(const std::filesystem::path& file,
                          const std::vector<std::filesystem::path>& written) {
  warn_if_altered(file);
  for (const auto& path : written) print_result(path.string() + "\n");
  return ExitStatus::done;
}

}  // namespace nucreg
