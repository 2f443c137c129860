// For second_reader.py: `result_tool write FILE ROWS`, `result_tool read FILE`.
#include <cstdio>
#include <string>

#include "nucreg/core/error.hpp"
#include "unit/store/sample.hpp"

int main(int count, char** words) {
  using namespace nucreg;
  try {
    if (count == 4 && words[1] == std::string("write")) {
      sample::write(words[2], std::stoull(words[3]));
      return 0;
    }
    if (count == 3 && words[1] == std::string("read")) {
      const ResultReader reader(words[2]);
      std::vector<Record> rows(reader.trial_rows());
      reader.read_trials(0, rows);
      std::printf("%zu rows\n", rows.size());
      if (!rows.empty())
        std::printf("pairs %lld bounds %s code %d\n", static_cast<long long>(rows.back().pairs),
                    std::string(name_of(rows.back().bounds)).c_str(), rows.back().native_code);
      for (const Column& column : reader.table("configurations").columns)
        std::printf("%s %s %zu\n", column.name.c_str(), column.units.c_str(),
                    column.values.index());
      return 0;
    }
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return static_cast<int>(error.status());
  }
  return 2;
}
