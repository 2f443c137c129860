#include "nucreg/core/error.hpp"

#include <doctest/doctest.h>

#include <type_traits>

using namespace nucreg;

TEST_CASE("an error's message names file, line, key, problem and what is allowed") {
  const JobError error("is negative",
                       {.file = "a.toml", .line = 7, .key = "job.trials", .allowed = "1 or more"});
  CHECK(std::string(error.what()) == "a.toml:7: job.trials: is negative; allowed: 1 or more");
  CHECK(error.problem() == "is negative");
  CHECK(error.fields().file == "a.toml");
  CHECK(error.fields().line == 7);
  CHECK(error.fields().key == "job.trials");
  CHECK(error.fields().allowed == "1 or more");
}

TEST_CASE("fields that are empty leave no trace in the message") {
  const auto text = [](ErrorFields fields) { return std::string(JobError("bad", fields).what()); };
  CHECK(text({}) == "bad");
  CHECK(text({.file = "f"}) == "f: bad");
  CHECK(text({.file = "f", .line = 1}) == "f:1: bad");
  CHECK(text({.line = 1}) == "bad");  // a line of no file says nothing
  CHECK(text({.key = "k"}) == "k: bad");
  CHECK(text({.allowed = "0 to 1"}) == "bad; allowed: 0 to 1");
  CHECK(text({.file = "f", .key = "k", .allowed = "x"}) == "f: k: bad; allowed: x");
}

TEST_CASE("each kind of error has its exit status, and all can be caught as Error") {
  const auto status = [](auto thrown) {
    try {
      throw thrown;
    } catch (const Error& error) {
      return static_cast<int>(error.status());
    }
  };
  CHECK(status(JobError("x")) == 2);
  CHECK(status(InputError("x")) == 3);
  CHECK(status(OutputError("x")) == 5);
  CHECK(status(Error(ExitStatus::stopped, "x")) == 4);
  CHECK(status(Error(ExitStatus::bug, "x")) == 1);
  CHECK(status(Error(ExitStatus::different, "x")) == 6);
  static_assert(std::is_base_of_v<std::runtime_error, Error>);
}

TEST_CASE("names within a message are one line, and no line has megabytes") {
  CHECK(std::string(InputError("is bad", {.file = "a\nb", .key = "c\x1b"}).what()) ==
        "a\\nb: c\\u001b: is bad");
  CHECK(std::string(InputError("- one\n+ two").what()) == "- one\n+ two");
  CHECK(std::string(InputError(std::string(5'000'000, 'x')).what()).size() < 10'000);
}
