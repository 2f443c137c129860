// Reading apart from the process that wants to know.
#include "nucreg/app/crash_guard.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "nucreg/app/on_ranks.hpp"
#include "nucreg/core/error.hpp"

using namespace nucreg;

namespace {

/// What is thrown here if that is thrown there, or done there.
template <class E>
std::string thrown(const std::function<void()>& act) {
  try {
    read_apart(
        {"a.h5"}, [&](const TakeBytes&) { act(); }, [](std::span<const std::byte>) {});
  } catch (const E& e) {
    return e.what();
  }
  return "nothing";
}

bool has_children() {
  return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

}  // namespace

TEST_CASE("a value that was read apart is the value") {
  std::vector<double> values(300'000);  // more than a pipe holds
  std::iota(values.begin(), values.end(), 0.5);
  CHECK(read_apart({}, [&] { return values; }) == values);
  CHECK(read_apart({}, [] { return std::string(); }).empty());
  CHECK(read_apart({}, [] { return getpid(); }) != getpid());
  CHECK_FALSE(has_children());
}

TEST_CASE("pieces come in order, also those of no bytes, and before what is thrown") {
  std::vector<int> sizes;
  const auto read = [](const TakeBytes& send) {
    for (const std::size_t size : {3, 0, 200'000, 1}) send(Bytes(size));
    throw InputError("is bad", {.file = "f", .line = 3, .key = "k", .allowed = "good"});
  };
  const auto take = [&](std::span<const std::byte> bytes) {
    sizes.push_back(static_cast<int>(bytes.size()));
  };
  CHECK_THROWS_WITH_AS(read_apart({}, read, take), "f:3: k: is bad; allowed: good", InputError);
  CHECK(sizes == std::vector<int>{3, 0, 200'000, 1});
}

TEST_CASE("what is thrown there is thrown here, as what it is") {
  CHECK(thrown<JobError>([] { throw JobError("job"); }) == "job");
  CHECK(thrown<OutputError>([] { throw OutputError("output"); }) == "output");
  CHECK(thrown<Error>([] { throw Error(ExitStatus::stopped, "stop"); }) == "stop");
  CHECK(thrown<std::runtime_error>([] { throw std::logic_error("bug"); }) == "bug");
  CHECK(thrown<InputError>([] { throw std::bad_alloc(); }) ==
        "there is not enough memory to read it");
}

TEST_CASE("a crash there is an error here") {
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE})
    CHECK(thrown<InputError>([=] { std::raise(number); }).starts_with("a.h5: reading it crashed"));
  CHECK_FALSE(has_children());
}

TEST_CASE("a loop without end there ends") {
  setenv("NUCREG_READ_SECONDS", "1", 1);
  const std::string message = thrown<InputError>([] {
    for (volatile unsigned i = 0;;) i = i + 1;
  });
  unsetenv("NUCREG_READ_SECONDS");
  CHECK(message.starts_with("a.h5: reading it did not end in 1 s of processor time"));
}

TEST_CASE("a reader that somebody ends is a stop, and an error of the taker ends the reader") {
  CHECK(thrown<Error>([] { std::raise(SIGTERM); }) == "stopped while earlier results were read");
  const auto for_ever = [](const TakeBytes& send) {
    while (true) send(Bytes(100'000));
  };
  const auto refuse = [](std::span<const std::byte>) { throw OutputError("disk is full"); };
  CHECK_THROWS_WITH_AS(read_apart({}, for_ever, refuse), "disk is full", OutputError);
  CHECK_FALSE(has_children());
}

TEST_CASE("a stop that came before the reader was there ends it") {
  setenv("NUCREG_READ_SECONDS", "1", 1);
  const ExitStatus status = on_ranks(SolverRegistry(), [](Stages&) {
    std::raise(SIGTERM);
    return thrown<Error>([] {
             for (volatile unsigned i = 0;;) i = i + 1;
           }) == "stopped while earlier results were read"
               ? ExitStatus::stopped
               : ExitStatus::bug;
  });
  unsetenv("NUCREG_READ_SECONDS");
  CHECK(status == ExitStatus::stopped);
  CHECK_FALSE(has_children());
}
