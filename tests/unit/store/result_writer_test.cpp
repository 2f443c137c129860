#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "nucreg/core/error.hpp"
#include "nucreg/disk/publish.hpp"
#include "nucreg/store/result_file.hpp"
#include "support/scratch.hpp"
#include "unit/store/sample.hpp"

using namespace nucreg;

namespace {

/// While it lives, the disk that holds `place` is full from the `after`-th write on.
struct FullDisk {
  FullDisk(const std::filesystem::path& place, int after) {
    struct stat facts {};
    stat(place.c_str(), &facts);
    device = facts.st_dev;
    writes_left = after;
  }
  ~FullDisk() { writes_left = -1; }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

  static inline dev_t device = 0;
  static inline int writes_left = -1;  // negative: as much as one likes
};

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

// Takes the place of the C library's for every library in this program.
extern "C" ssize_t pwrite(int descriptor, const void* data, std::size_t bytes, off_t offset) {
  struct stat facts {};
  if (FullDisk::writes_left >= 0 && fstat(descriptor, &facts) == 0 &&
      facts.st_dev == FullDisk::device && FullDisk::writes_left-- <= 0) {
    FullDisk::writes_left = 0;
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwrite64, descriptor, data, bytes, offset);
}

TEST_CASE("a writer that is not committed leaves nothing") {
  const Scratch scratch;
  const int descriptors = open_descriptors();
  {
    ResultWriter writer(scratch / "r.h5", 20000, 6);
    CHECK(scratch.names().size() == 1);
    CHECK(scratch.names()[0] == ".r.h5.partial-" + process_name());
    writer.set_attributes(sample::attributes());
    writer.append_trials(sample::records(0, 19999));
  }
  CHECK(scratch.names().empty());
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("an existing file is kept unless overwriting was asked for") {
  const Scratch scratch;
  std::ofstream(scratch / "r.h5") << "precious";
  {
    ResultWriter writer(scratch / "r.h5", 0, 1);
    CHECK_THROWS_WITH_AS(writer.commit(false), doctest::Contains("already exists"), OutputError);
  }
  CHECK(read_text(scratch / "r.h5") == "precious");
  CHECK(scratch.names().size() == 1);
  {
    ResultWriter writer(scratch / "r.h5", 0, 1);
    writer.commit(true);
  }
  CHECK(ResultReader(scratch / "r.h5").trial_rows() == 0);
  CHECK(scratch.names().size() == 1);
}

TEST_CASE("places that cannot be written are named") {
  const Scratch scratch;
  const auto nowhere = (scratch / "absent") / "r.h5";
  CHECK_THROWS_WITH_AS(ResultWriter(nowhere, 0, 1), doctest::Contains("No such file or directory"),
                       OutputError);
  CHECK_THROWS_WITH_AS(ResultWriter(nowhere, 0, 1), doctest::Contains(nowhere.c_str()),
                       OutputError);
  std::filesystem::create_directory(scratch / "folder");
  {
    ResultWriter writer(scratch / "folder", 0, 1);
    CHECK_THROWS_WITH_AS(writer.commit(true), doctest::Contains("directory"), OutputError);
  }
  CHECK(scratch.names() == std::vector<std::string>{"folder"});
}

TEST_CASE("a full disk is an OutputError wherever it strikes, and no file is left") {
  const Scratch scratch;
  const int descriptors = open_descriptors();
  int after = 0;
  for (bool written = false; !written; ++after) {
    CAPTURE(after);
    std::string message;
    {
      const FullDisk full(scratch / "", after);
      try {
        sample::write(scratch / "r.h5", 40000, 3);
        written = true;
      } catch (const OutputError& error) {
        message = error.what();
      }
    }
    if (written) break;
    CHECK(message.find("No space left on device") != std::string::npos);
    CHECK(message.find((scratch / "r.h5").string()) != std::string::npos);
    CHECK(scratch.names().empty());
    CHECK(open_descriptors() == descriptors);
  }
  CHECK(after > 50);
  CHECK(ResultReader(scratch / "r.h5").trial_rows() == 40000);
}

TEST_CASE("any number of threads writes the same file, at any time of day") {
  const Scratch scratch;
  for (const std::uint64_t rows : {5, 16384, 40000}) {
    sample::write(scratch / "1.h5", rows);
    const std::string alone = read_text(scratch / "1.h5");
    if (rows == 5) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    for (const std::size_t threads : {2, 40}) {
      sample::write(scratch / "n.h5", rows, threads);
      CHECK(read_text(scratch / "n.h5") == alone);
    }
  }
}

TEST_CASE("announcing many rows costs neither memory nor disk") {
  const Scratch scratch;
  ResultWriter writer(scratch / "r.h5", std::uint64_t{1} << 40, 8);
  writer.append_trials(sample::records(0, 20000));
  const auto temporary = temporary_beside(scratch / "r.h5");
  CHECK(std::filesystem::file_size(temporary) < 4'000'000);
  CHECK_THROWS_WITH_AS(writer.commit(false), doctest::Contains("fewer trials"), Error);
}

TEST_CASE("more rows or more parameters than announced are a bug of the caller") {
  const Scratch scratch;
  ResultWriter writer(scratch / "r.h5", 5, 1);
  CHECK_THROWS_WITH_AS(writer.append_trials(sample::records(0, 6)),
                       doctest::Contains("more trials"), Error);
  writer.append_trials(sample::records(0, 3));
  CHECK_THROWS_WITH_AS(writer.append_trials(sample::records(3, 3)),
                       doctest::Contains("more trials"), Error);
  CHECK_THROWS_AS(ResultWriter(scratch / "s.h5", 5, 0), Error);
  CHECK_THROWS_AS(ResultWriter(scratch / "s.h5", 5, max_parameters + 1), Error);
}
