// A disk that is slow or that fails late, for a program that is started with this as LD_PRELOAD.
// BAD_DISK names what it does:
//     late-sync   as a network file system over its quota: writing succeeds, and that nothing was
//                 stored is said to the descriptor that wrote alone, when it is synced or closed
//     late-close  the same, said when it is closed
//     slow        what a journal has grown by takes 6 s to be written, and 6 s to be synced
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

bool does(std::string_view what) {
  const char* const text = std::getenv("BAD_DISK");
  return text != nullptr && what == text;
}

bool writes_to(int descriptor, std::string_view part_of_name) {
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  std::array<char, 4096> name{};
  const ssize_t length = readlink(link.c_str(), name.data(), name.size());
  const int mode = fcntl(descriptor, F_GETFL);
  return length > 0 && mode >= 0 && (mode & O_ACCMODE) != O_RDONLY &&
         std::string_view(name.data(), static_cast<std::size_t>(length)).find(part_of_name) !=
             std::string_view::npos;
}

void be_slow(int descriptor) {
  constexpr off_t begun_bytes = 10'000;
  struct stat status {};
  if (!does("slow") || !writes_to(descriptor, ".journal")) return;
  if (fstat(descriptor, &status) == 0 && status.st_size > begun_bytes)
    std::this_thread::sleep_for(std::chrono::seconds(6));
}

}  // namespace

extern "C" ssize_t write(int descriptor, const void* bytes, std::size_t count) {
  constexpr std::size_t many = 30'000;
  if (count > many) be_slow(descriptor);
  return syscall(SYS_write, descriptor, bytes, count);
}

extern "C" int fdatasync(int descriptor) {
  be_slow(descriptor);
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

extern "C" int fsync(int descriptor) {
  if (!does("late-sync") || !writes_to(descriptor, ".partial-"))
    return static_cast<int>(syscall(SYS_fsync, descriptor));
  errno = EDQUOT;
  return -1;
}

extern "C" int close(int descriptor) {
  const bool fails =
      (does("late-sync") || does("late-close")) && writes_to(descriptor, ".partial-");
  const auto status = static_cast<int>(syscall(SYS_close, descriptor));
  if (!fails) return status;
  errno = EDQUOT;
  return -1;
}
