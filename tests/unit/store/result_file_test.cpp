#include "nucreg/store/result_file.hpp"
#include "nucreg/core/bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>

#include "nucreg/core/error.hpp"
#include "support/scratch.hpp"
#include "unit/store/sample.hpp"

using namespace nucreg;

namespace {

bool same(const Record& a, const Record& b) {
  bool equal = a.configuration == b.configuration && a.trial == b.trial && a.solver == b.solver &&
               a.rank == b.rank && a.pairs == b.pairs && a.iterations == b.iterations &&
               a.function_evaluations == b.function_evaluations &&
               a.jacobian_evaluations == b.jacobian_evaluations && a.repeats == b.repeats &&
               a.peak_bytes == b.peak_bytes && a.native_code == b.native_code &&
               a.arrived == b.arrived && same_bits(a.arrival_px, b.arrival_px) &&
               a.status == b.status && a.bounds == b.bounds && a.timing_valid == b.timing_valid &&
               same_bits(a.rmsd_px, b.rmsd_px) && same_bits(a.tre_px, b.tre_px) &&
               same_bits(a.param_error, b.param_error) && same_bits(a.objective, b.objective) &&
               same_bits(a.gap, b.gap) && same_bits(a.wall_seconds, b.wall_seconds) &&
               same_bits(a.cpu_seconds, b.cpu_seconds) && a.message == b.message;
  for (std::size_t p = 0; p < max_parameters; ++p)
    equal = equal && same_bits(a.params[p], b.params[p]) &&
            same_bits(a.true_params[p], b.true_params[p]);
  return equal;
}

std::string message_of(const std::filesystem::path& file) {
  try {
    const ResultReader reader(file);
  } catch (const InputError& error) {
    CHECK(error.fields().file == file.string());
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("rows come back as they were, however they were appended") {
  for (const std::uint64_t rows : {0U, 1U, 16383U, 16384U, 16385U, 100000U}) {
    CAPTURE(rows);
    const Scratch scratch;
    std::mt19937 random(7);
    {
      ResultWriter writer(scratch / "r.h5", rows, sample::parameters);
      for (std::uint64_t done = 0; done < rows;) {
        const std::uint64_t count = std::min<std::uint64_t>(random() % 30000, rows - done);
        writer.append_trials(sample::records(done, count));
        done += count;
      }
      writer.commit(false);
    }
    CHECK(scratch.names() == std::vector<std::string>{"r.h5"});
    const ResultReader reader(scratch / "r.h5");
    REQUIRE(reader.trial_rows() == rows);
    CHECK(reader.parameters() == sample::parameters);
    std::uint64_t wrong = 0;
    for (std::uint64_t done = 0; done < rows;) {
      std::vector<Record> out(std::min<std::uint64_t>(1 + random() % 30000, rows - done));
      reader.read_trials(done, out);
      for (const Record& row : out) wrong += same(row, sample::record(done++)) ? 0 : 1;
    }
    CHECK(wrong == 0);
    std::vector<Record> beyond(1);
    CHECK_THROWS_AS(reader.read_trials(rows, beyond), std::out_of_range);
    CHECK_THROWS_AS(reader.read_trials(~std::uint64_t{0}, beyond), std::out_of_range);
  }
}

TEST_CASE("parameters of a smaller model are cut and come back as NaN") {
  const Scratch scratch;
  {
    ResultWriter writer(scratch / "r.h5", 1, 3);
    writer.append_trials(sample::records(5, 1));
    writer.commit(false);
  }
  const ResultReader reader(scratch / "r.h5");
  std::vector<Record> out(1);
  reader.read_trials(0, out);
  CHECK(reader.parameters() == 3);
  CHECK(out[0].params[2] == sample::record(5).params[2]);
  CHECK(std::isnan(out[0].params[3]));
  CHECK(std::isnan(out[0].true_params[7]));
}

TEST_CASE("messages that are longer than was announced are cut between characters") {
  const Scratch scratch;
  Record row;
  row.message = "a\u00b5b\u00b5c\u00b5\nd";
  {
    ResultWriter writer(scratch / "r.h5", 1, 1, 7);
    writer.append_trials({&row, 1});
    writer.commit(false);
  }
  std::vector<Record> out(1);
  ResultReader(scratch / "r.h5").read_trials(0, out);
  CHECK(out[0].message == "a\u00b5b...");
}

TEST_CASE("traces come back with the rows that they belong to") {
  const Scratch scratch;
  constexpr std::uint64_t rows = 40000;
  const auto traced = [](std::uint64_t row) {
    Record record = sample::record(row);
    for (std::uint64_t i = 0; i < row % 4; ++i)
      record.trace.push_back({static_cast<std::int64_t>(i + 1), 0.5 * static_cast<double>(row),
                              1e-6 * static_cast<double>(i)});
    return record;
  };
  std::uint64_t points = 0;
  for (std::uint64_t row = 0; row < rows; ++row) points += row % 4;
  {
    ResultWriter writer(scratch / "r.h5", rows, 1, 0, points);
    for (std::uint64_t row = 0; row < rows; ++row) {
      const Record record = traced(row);
      writer.append_trials({&record, 1});
    }
    writer.commit(false);
  }
  const ResultReader reader(scratch / "r.h5");
  CHECK(reader.has_traces());
  std::uint64_t wrong = 0;
  for (std::uint64_t first = 0; first < rows; first += 777) {
    std::vector<Record> out(std::min<std::uint64_t>(777, rows - first));
    reader.read_trials(first, out);
    CHECK(out[3].trace.empty());
    reader.read_traces(first, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto expected = traced(first + i).trace;
      wrong += out[i].trace.size() != expected.size();
      for (std::size_t k = 0; k < std::min(expected.size(), out[i].trace.size()); ++k)
        wrong += out[i].trace[k].evaluation != expected[k].evaluation ||
                 out[i].trace[k].objective != expected[k].objective ||
                 out[i].trace[k].seconds != expected[k].seconds;
    }
  }
  CHECK(wrong == 0);
  std::vector<Record> beyond(1);
  CHECK_THROWS_AS(reader.read_traces(rows, beyond), std::out_of_range);
}

TEST_CASE("other trace points than were announced are an error") {
  const Scratch scratch;
  Record record;
  record.trace.resize(2);
  for (const std::uint64_t announced : {0U, 1U, 3U}) {
    ResultWriter writer(scratch / "r.h5", 1, 1, 0, announced);
    CHECK_THROWS([&] {
      writer.append_trials({&record, 1});
      writer.commit(false);
    }());
  }
  CHECK(scratch.names().empty());
}

TEST_CASE("a file without traces gives none") {
  const Scratch scratch;
  sample::write(scratch / "r.h5", 3);
  const ResultReader reader(scratch / "r.h5");
  std::vector<Record> out(3);
  reader.read_traces(0, out);
  CHECK(!reader.has_traces());
  CHECK(out[2].trace.empty());
}

TEST_CASE("tables and attributes come back in order, type and unit") {
  const Scratch scratch;
  sample::write(scratch / "r.h5", 10);
  const ResultReader reader(scratch / "r.h5");
  const Table table = reader.table("configurations");
  const Table wanted = sample::table("configurations");
  REQUIRE(table.columns.size() == wanted.columns.size());
  for (std::size_t c = 0; c < wanted.columns.size(); ++c) {
    CHECK(table.columns[c].name == wanted.columns[c].name);
    CHECK(table.columns[c].units == wanted.columns[c].units);
    if (c > 0) CHECK(table.columns[c].values == wanted.columns[c].values);
  }
  const auto& zeta = table.get<double>("zeta");
  CHECK(zeta[0] == 1.5);
  CHECK(std::isnan(zeta[1]));
  CHECK(std::signbit(zeta[2]));

  const Table empty = reader.table("rank_samples");
  CHECK(empty.rows() == 0);
  REQUIRE(empty.columns.size() == 4);
  CHECK(empty.get<std::string>("host").empty());
  CHECK(empty.get<bool>("flag").empty());

  Attributes attributes = sample::attributes();
  attributes["format"] = "nucreg";
  attributes["format_version"] = result_format_version;
  Attributes read = reader.attributes();
  CHECK(read.contains("checksum"));  // of what, in words
  read.erase("checksum");
  CHECK(read == attributes);

  CHECK_THROWS_WITH_AS((void)reader.table("ranks"), doctest::Contains("/ranks: is missing"),
                       InputError);
}

TEST_CASE("an attribute that is set again is replaced, also by another type") {
  const Scratch scratch;
  {
    ResultWriter writer(scratch / "r.h5", 0, 1);
    writer.set_attributes({{"status", std::string("partial")}, {"n", std::int64_t{1}}});
    writer.set_attributes({{"status", std::string("complete")}, {"n", 2.5}});
    writer.commit(false);
  }
  const ResultReader reader(scratch / "r.h5");
  CHECK(reader.attributes().get<std::string>("status") == "complete");
  CHECK(reader.attributes().get<double>("n") == 2.5);
}

TEST_CASE("a table of many long strings and one written twice") {
  const Scratch scratch;
  const std::vector<std::string> texts(20000, std::string(3000, 'a'));
  {
    ResultWriter writer(scratch / "r.h5", 0, 1);
    writer.write_table({"long", {{"text", "1", texts}}});
    CHECK_THROWS_WITH_AS(writer.write_table({"long", {}}), doctest::Contains("/long"), OutputError);
    CHECK_THROWS_WITH_AS(
        writer.write_table(
            {"ragged", {{"a", "1", std::vector<double>(2)}, {"b", "1", std::vector<double>(3)}}}),
        doctest::Contains("unequal"), Error);
    writer.commit(false);
  }
  CHECK(ResultReader(scratch / "r.h5").table("long").get<std::string>("text") == texts);
}

TEST_CASE("trial_columns tells every column once") {
  std::vector<std::string> names;
  for (const TrialColumn& column : trial_columns()) {
    names.push_back(column.name);
    CHECK_FALSE(column.units.empty());
  }
  CHECK(names.size() == 29);
  CHECK(names.front() == "configuration");
  CHECK(names.back() == "true_params");
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("what is no result file is refused by name and reason") {
  const Scratch scratch;
  CHECK(message_of(scratch / "absent.h5").find("no such file") != std::string::npos);
  std::filesystem::create_directory(scratch / "folder");
  CHECK(message_of(scratch / "folder").find("is a directory") != std::string::npos);
  std::ofstream(scratch / "text.h5") << "this is no HDF5 file at all";
  CHECK(message_of(scratch / "text.h5").find("HDF5 file") != std::string::npos);
  std::ofstream(scratch / "empty.h5").close();
  CHECK_FALSE(message_of(scratch / "empty.h5").empty());
  CHECK(message_of((scratch / "text.h5") / "below").find("no such file") != std::string::npos);
}

TEST_CASE("a truncated file is refused at every length") {
  const Scratch scratch;
  sample::write(scratch / "whole.h5", 50);
  const auto bytes = std::filesystem::file_size(scratch / "whole.h5");
  for (std::uintmax_t length = 0; length < bytes; length += 1 + bytes / 97) {
    CAPTURE(length);
    std::filesystem::copy_file(scratch / "whole.h5", scratch / "cut.h5",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(scratch / "cut.h5", length);
    CHECK_FALSE(message_of(scratch / "cut.h5").empty());
  }
}
