// NumPy's files, written by hand after its format description.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "nucreg/core/error.hpp"
#include "nucreg/fit/pairs_file.hpp"
#include "support/scratch.hpp"

using namespace nucreg;

namespace {

std::string npy(int version, std::string dictionary, const std::string& data) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  const std::size_t fixed = version == 1 ? 10 : 12;
  while ((fixed + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  for (std::size_t i = 0; i < fixed - 8; ++i)
    bytes += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  return bytes + dictionary + data;
}

std::string dictionary(const std::string& type, const std::string& order,
                       const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

template <class T>
std::string bytes_of(const std::vector<double>& values) {
  std::string bytes;
  for (const double value : values) {
    const T number = static_cast<T>(value);
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return bytes;
}

PointPairs read_bytes(const std::string& bytes) {
  const Scratch scratch;
  const auto file = scratch / "pairs.npy";
  std::ofstream(file, std::ios::binary) << bytes;
  return read_pairs(file);
}

void check_refused(const std::string& bytes, const std::string& part) {
  try {
    static_cast<void>(read_bytes(bytes));
    FAIL("was read");
  } catch (const InputError& error) {
    CAPTURE(std::string(error.what()));
    CHECK(error.problem().find(part) != std::string::npos);
    CHECK(error.fields().file.ends_with("pairs.npy"));
  }
}

void check_right(const std::string& bytes) {
  const PointPairs pairs = read_bytes(bytes);
  CHECK(pairs.x10 == std::vector<double>{1, 5, 9});
  CHECK(pairs.y10 == std::vector<double>{2, 6, 10});
  CHECK(pairs.x40 == std::vector<double>{3, 7, 11});
  CHECK(pairs.y40 == std::vector<double>{4, 8, 12.5});
}

const std::vector<double> by_row{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5};
const std::vector<double> by_column{1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12.5};
const std::string rows3 = dictionary("<f8", "False", "(3, 4)");

}  // namespace

TEST_CASE("arrays of either precision, order and header version are read alike") {
  for (const int version : {1, 2, 3}) {
    check_right(npy(version, rows3, bytes_of<double>(by_row)));
    check_right(npy(version, dictionary("<f4", "False", "(3, 4)"), bytes_of<float>(by_row)));
    check_right(npy(version, dictionary("<f8", "True", "(3, 4)"), bytes_of<double>(by_column)));
    check_right(npy(version, dictionary("<f4", "True", "(3, 4)"), bytes_of<float>(by_column)));
  }
  std::string big = bytes_of<double>(by_row);
  for (std::size_t i = 0; i < big.size(); i += 8)
    std::reverse(big.begin() + static_cast<std::ptrdiff_t>(i),
                 big.begin() + static_cast<std::ptrdiff_t>(i + 8));
  check_right(npy(1, dictionary(">f8", "False", "(3, 4)"), big));
  check_right(
      npy(1, "{'shape': (3,4), 'fortran_order': False, 'descr': '<f8'}", bytes_of<double>(by_row)));
}

TEST_CASE("a file cut off anywhere is refused") {
  for (const int version : {1, 2}) {
    const std::string whole = npy(version, rows3, bytes_of<double>(by_row));
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      CHECK_THROWS_AS(static_cast<void>(read_bytes(whole.substr(0, length))), InputError);
    }
  }
}

TEST_CASE("other shapes and types are refused with what was found") {
  const std::string data = bytes_of<double>(by_row);
  for (const std::string shape : {"(12,)", "(4, 3)", "()", "(3, 4, 1)", "(-3, 4)", "(3, 40)",
                                  "(3 4)", "(3, 4", "3, 4", "(99999999999999999999, 4)"}) {
    CAPTURE(shape);
    check_refused(npy(1, dictionary("<f8", "False", shape), data), "shape");
  }
  for (const std::string type : {"=f8", "<i8", "<f2", "|u1", "<c16", "f8", ""}) {
    CAPTURE(type);
    const std::string fitting = type == "|u1" ? data.substr(0, 12) : data;
    check_refused(npy(1, dictionary(type, "False", "(3, 4)"), fitting), "type");
  }
  check_refused(npy(1, "{'fortran_order': False, 'shape': (3, 4)}", data), "type");
  check_refused(npy(1, "{'descr': '<f8', 'fortran_order': False}", data), "shape");
  check_refused(npy(1, "", data), "type");
  check_refused("x10,y10,x40,y40\n1,2,3,4\n", "not a .npy file");
  check_refused(npy(1, dictionary("<f8", "False", "(4, 4)"), data), "cut off");
  check_refused(npy(1, dictionary("<f8", "False", "(4611686018427387905, 4)"), data), "cut off");
  check_refused(npy(1, dictionary("<f8", "False", "(0, 4)"), ""), "no pairs");
  std::string endless = npy(2, rows3, data);
  endless.replace(8, 4, "\xff\xff\xff\xff");
  check_refused(endless, "cut off");
}

TEST_CASE("a number that is not finite is named with its place") {
  std::vector<double> values = by_row;
  values[6] = std::numeric_limits<double>::quiet_NaN();
  const std::string bytes = npy(1, rows3, bytes_of<double>(values));
  check_refused(bytes, "x40 is nan in row 1 at offset " + std::to_string(bytes.size() - 48));
  values[6] = std::numeric_limits<double>::infinity();
  check_refused(npy(1, dictionary("<f4", "False", "(3, 4)"), bytes_of<float>(values)), "inf");
}
