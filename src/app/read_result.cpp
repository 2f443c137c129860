#include "nucreg/app/read_result.hpp"

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
  return naming<Error>(file.string(), [&] {
    return parse_job_text(reader.attributes().get<std::string>("job_toml"));
  });
}

void warn_if_altered(const std::filesystem::path& file) {
  if (checksum_matches(file) != false) return;
  const std::string name = file.string();
  print_error("nucreg: warning: {}: the checksum does not hold: nucreg verify {} says what\n", name,
              name);
}

}  // namespace nucreg
