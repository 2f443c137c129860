// What exists, what is read, who holds a lock.
#include "nucreg/disk/files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <span>

#include "nucreg/core/error.hpp"
#include "nucreg/core/sha256.hpp"
#include "support/scratch.hpp"

using namespace nucreg;
namespace fs = std::filesystem;

TEST_CASE("a file is read whole, and only if it is one and not too large") {
  const Scratch folder;
  const std::string text = std::string(200000, 'x') + std::string("\0y\n", 3);
  folder.put("file", text);
  CHECK(read_file(folder / "file") == text);
  CHECK(read_file(folder / "file", Owner::ours, text.size()) == text);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "file", Owner::user, text.size() - 1)),
                       doctest::Contains("file: is larger than 200002 bytes"), InputError);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "none")),
                       doctest::Contains("none: No such file or directory"), InputError);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder.path())),
                       doctest::Contains("is a directory"), InputError);
  CHECK(!read_file("/proc/self/status").empty());  // its size is said to be 0
}

TEST_CASE("a pipe is refused, not waited for") {
  const Scratch folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "pipe")),
                       doctest::Contains("is not a regular file"), InputError);
  CHECK_THROWS_AS(static_cast<void>(open_to_write(folder / "pipe", Opened::empty)), OutputError);
  CHECK(!is_locked(folder / "pipe"));
}

TEST_CASE("a file of ours is never a link") {
  const Scratch folder;
  folder.put("victim", "precious");
  fs::create_symlink("victim", folder / "link");
  CHECK(read_file(folder / "link") == "precious");
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "link", Owner::ours)),
                       doctest::Contains("is a symbolic link"), InputError);
  CHECK_THROWS_AS(static_cast<void>(open_to_write(folder / "link", Opened::empty)), OutputError);
  CHECK(read_file(folder / "victim") == "precious");
}

TEST_CASE("a file that others may write, or made, is not trusted") {
  const Scratch folder;
  folder.put("file", "found");
  chmod((folder / "file").c_str(), 0664);
  CHECK(read_file(folder / "file", Owner::trusted) == "found");
  chmod((folder / "file").c_str(), 0666);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "file", Owner::trusted)),
                       doctest::Contains("everybody may write it"), InputError);
  if (geteuid() == 0) {
    chmod((folder / "file").c_str(), 0644);
    REQUIRE(chown((folder / "file").c_str(), 12345, 12345) == 0);
    CHECK_THROWS_WITH_AS(static_cast<void>(read_file(folder / "file", Owner::trusted)),
                         doctest::Contains("belongs to another user"), InputError);
  }
  fs::create_symlink("file", folder / "link");
  CHECK_THROWS_AS(static_cast<void>(read_file(folder / "link", Owner::trusted)), InputError);
}

TEST_CASE("an output is refused if it exists, in one sentence") {
  const Scratch folder;
  folder.put("file", "");
  CHECK_NOTHROW(check_output(folder / "none", false, "--force"));
  CHECK_NOTHROW(check_output(folder / "file", true, "--force"));
  CHECK_THROWS_WITH_AS(check_output(folder / "file", false, "--force to overwrite it"),
                       doctest::Contains("file: already exists; allowed: --force to overwrite it"),
                       OutputError);
  CHECK_THROWS_WITH_AS(check_output(folder.path(), true, ""),
                       doctest::Contains("exists but is not a regular file"), OutputError);
}

TEST_CASE("how a file is opened to write") {
  const Scratch folder;
  CHECK_THROWS_AS(static_cast<void>(open_to_write(folder / "file", Opened::kept)), OutputError);
  { CHECK(write_some(open_to_write(folder / "file", Opened::fresh), "abc") == 3); }
  CHECK_THROWS_AS(static_cast<void>(open_to_write(folder / "file", Opened::fresh)), OutputError);
  { CHECK(open_to_write(folder / "file", Opened::kept)); }
  CHECK(read_file(folder / "file") == "abc");
  { CHECK(open_to_write(folder / "file", Opened::empty)); }
  CHECK(read_file(folder / "file").empty());
}

TEST_CASE("a lock is one open file's, and ends with it") {
  const Scratch folder;
  CHECK(!is_locked(folder / "file"));
  {
    const Descriptor holder = open_to_write(folder / "file", Opened::fresh);
    CHECK(!is_locked(folder / "file"));
    CHECK(lock(holder));
    CHECK(is_locked(folder / "file"));
    CHECK(!lock(open_to_write(folder / "file", Opened::kept)));
  }
  CHECK(!is_locked(folder / "file"));
}

TEST_CASE("what does not exist need not be removed") {
  const Scratch folder;
  CHECK_NOTHROW(remove_file(folder / "none"));
  folder.put("file", "");
  CHECK_NOTHROW(remove_file(folder / "file" / "below"));
  CHECK_THROWS_AS(make_folder(folder / "file" / "below"), OutputError);
  CHECK_THROWS_AS(remove_file(folder.path()), OutputError);
}

TEST_CASE("a file has the sum of its bytes, in however many pieces it is read") {
  const Scratch folder;
  const std::string bytes(3'000'001, '\7');
  folder.put("file", bytes);
  CHECK(sha256_of_file(folder / "file") == sha256_of(bytes));
  folder.put("file", "");
  CHECK(sha256_of_file(folder / "file") == sha256_of(""));
  CHECK_THROWS_AS(static_cast<void>(sha256_of_file(folder / "none")), InputError);
  CHECK_THROWS_AS(static_cast<void>(sha256_of_file("/")), InputError);
}

TEST_CASE("a file that is asked for often is read once") {
  const Scratch folder;
  folder.put("file", "abc");
  FileSums sums;
  CHECK(sums.of(folder / "file") == sha256_of("abc"));
  fs::remove(folder / "file");
  CHECK(sums.of(folder / "file") == sha256_of("abc"));
  CHECK_THROWS_AS(static_cast<void>(FileSums().of(folder / "file")), InputError);
}

TEST_CASE("bytes are read and written at their places, up to the end of the file") {
  const Scratch folder;
  Descriptor file = open_to_write(folder / "file", Opened::fresh);
  const std::string text = "0123456789";
  CHECK(write_some_at(file, 5, std::as_bytes(std::span(text))) == 10);
  CHECK(size_of(file, folder / "file") == 15);
  std::string got(8, '?');
  CHECK(read_at(file, 3, std::as_writable_bytes(std::span(got))) == 8);
  CHECK(got == std::string("\0\0"
                           "012345",
                           8));
  CHECK(read_at(file, 13, std::as_writable_bytes(std::span(got))) == 2);
  CHECK(read_at(file, 15, std::as_writable_bytes(std::span(got))) == 0);
  CHECK_FALSE(read_at(Descriptor(), 0, std::as_writable_bytes(std::span(got))));
}

TEST_CASE("a glob gives its files in order, or none") {
  const Scratch folder;
  for (const char* name : {"b.csv", "a.csv", "c.tif"}) folder.put(name, "");
  const auto path = [&](const char* name) { return (folder / name).string(); };
  CHECK(files_matching(path("*.csv")) == std::vector{path("a.csv"), path("b.csv")});
  CHECK(files_matching(path("*.nd2")).empty());
}
