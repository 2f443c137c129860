// For verify_test.py: `verify_tool write|partial FILE`, `verify FILE`, `export FILE DIRECTORY`.
#include <cstdio>
#include <string>

#include "nucreg/core/error.hpp"
#include "nucreg/report/export.hpp"
#include "nucreg/stats/verify.hpp"
#include "support/sample_result.hpp"

int main(int count, char** words) {
  using namespace nucreg;
  if (count < 3) return 2;
  const std::string command = words[1];
  try {
    if (command == "write" || command == "partial") {
      sample::write_result(words[2], sample::result_rows(command == "partial"));
    } else if (command == "export" && count == 4) {
      export_csv(ResultReader(words[2]), words[3], true);
    } else if (command == "verify") {
      const Verification result = verify(ResultReader(words[2]));
      for (const std::string& note : result.notes) std::printf("note %s\n", note.c_str());
      for (const std::string& finding : result.findings)
        std::printf("finding %s\n", finding.c_str());
    } else {
      return 2;
    }
  } catch (const Error& error) {
    std::printf("error %s\n", error.what());
    return static_cast<int>(error.status());
  }
  return 0;
}
