#include "nucreg/core/allocation.hpp"

#include <doctest/doctest.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

using nucreg::AllocationMeter;

namespace {

constexpr std::size_t megabyte = 1 << 20;
constexpr std::size_t rounding = 8192;  // allocators round large blocks up to pages

// The compiler may not leave out what is allocated and freed at once.
void* kept(void* block) {
  asm volatile("" : : "r"(block) : "memory");
  return block;
}

void check_about(std::size_t measured, std::size_t expected) {
  CHECK(measured >= expected);
  CHECK(measured <= expected + rounding);
}

}  // namespace

TEST_CASE("nothing allocated is nothing counted") {
  const AllocationMeter meter;
  double on_stack[64] = {};
  kept(on_stack);
  CHECK(meter.peak_bytes() == 0);
}

TEST_CASE("every way to allocate is counted with at least what was asked for") {
  SUBCASE("malloc") {
    const AllocationMeter meter;
    free(kept(malloc(megabyte)));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("calloc") {
    const AllocationMeter meter;
    free(kept(calloc(1024, 1024)));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("posix_memalign") {
    const AllocationMeter meter;
    void* block = nullptr;
    REQUIRE(posix_memalign(&block, 64, megabyte) == 0);
    free(kept(block));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("aligned_alloc") {
    const AllocationMeter meter;
    free(kept(aligned_alloc(4096, megabyte)));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("new") {
    const AllocationMeter meter;
    delete[] static_cast<char*>(kept(new char[megabyte]));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("new with alignment") {
    struct alignas(256) Wide {
      char bytes[256];
    };
    const AllocationMeter meter;
    delete[] static_cast<Wide*>(kept(new Wide[megabyte / sizeof(Wide)]));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("new that does not throw") {
    const AllocationMeter meter;
    delete[] static_cast<char*>(kept(new (std::nothrow) char[megabyte]));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("inside of the C library") {
    const std::string text(megabyte - 1, 'x');
    const AllocationMeter meter;
    free(kept(strdup(text.c_str())));
    check_about(meter.peak_bytes(), megabyte);
  }
  SUBCASE("inside of the C++ library") {
    const AllocationMeter meter;
    std::string text;
    text.append(megabyte, 'x');  // instantiated in libstdc++.so
    kept(text.data());
    check_about(meter.peak_bytes(), megabyte + 1);
  }
}

TEST_CASE("small blocks count, and their sum is what is held at once") {
  std::vector<std::unique_ptr<char[]>> blocks(1000);
  const AllocationMeter meter;
  for (auto& block : blocks) block = std::make_unique<char[]>(100);
  const std::size_t all = meter.peak_bytes();
  CHECK(all >= 1000 * 100);
  CHECK(all <= 1000 * 160);
  for (auto& block : blocks) block.reset();
  CHECK(meter.peak_bytes() == all);
}

TEST_CASE("the peak is what was held at once, not the sum of all that was allocated") {
  const AllocationMeter meter;
  for (int i = 0; i < 10; ++i) free(kept(malloc(megabyte)));
  check_about(meter.peak_bytes(), megabyte);
  void* first = kept(malloc(megabyte));
  void* second = kept(malloc(megabyte));
  free(first);
  free(second);
  check_about(meter.peak_bytes(), 2 * megabyte);
  free(kept(malloc(megabyte)));
  CHECK(meter.peak_bytes() <= 2 * megabyte + 2 * rounding);
}

TEST_CASE("realloc counts its new size, not both") {
  const AllocationMeter meter;
  void* block = kept(realloc(nullptr, megabyte));
  check_about(meter.peak_bytes(), megabyte);
  block = kept(realloc(block, 1000));
  block = kept(realloc(block, megabyte / 2));
  const std::size_t before = meter.peak_bytes();
  CHECK(before <= megabyte + megabyte / 2 + rounding);
  block = kept(realloc(block, 4 * megabyte));
  CHECK(meter.peak_bytes() >= 4 * megabyte);
  CHECK(meter.peak_bytes() <= 4 * megabyte + megabyte / 2 + rounding);
  free(block);
  free(kept(malloc(megabyte)));
  CHECK(meter.peak_bytes() <= 4 * megabyte + megabyte / 2 + rounding);
}

TEST_CASE("other threads are not counted") {
  // The thread itself is made outside: what pthreads allocates for it belongs to its maker.
  bool go = false;
  std::thread other([&] {
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) std::this_thread::yield();
    for (int i = 0; i < 10; ++i) free(kept(malloc(megabyte)));
  });
  {
    const AllocationMeter meter;
    __atomic_store_n(&go, true, __ATOMIC_RELEASE);
    other.join();
    CHECK(meter.peak_bytes() == 0);
  }
  std::size_t of_thread = 0;
  std::thread([&] {
    const AllocationMeter meter;
    free(kept(malloc(megabyte)));
    of_thread = meter.peak_bytes();
  }).join();
  check_about(of_thread, megabyte);
}

TEST_CASE("each meter starts at nothing and counting ends with it") {
  void* before = kept(malloc(megabyte));
  {
    const AllocationMeter meter;
    CHECK(meter.peak_bytes() == 0);
    free(before);  // of before the meter: no reason to count anything
    CHECK(meter.peak_bytes() == 0);
  }
  void* between = kept(malloc(megabyte));
  {
    const AllocationMeter meter;
    CHECK(meter.peak_bytes() == 0);
    free(kept(malloc(1000)));
    CHECK(meter.peak_bytes() >= 1000);
    CHECK(meter.peak_bytes() < 2000);
  }
  free(between);
}

TEST_CASE("the functions that take malloc's place keep its promises") {
  void* block = &block;
#if !defined(__SANITIZE_ADDRESS__)  // its allocator, not ours, and it aborts here
  CHECK(posix_memalign(&block, 3, 100) == EINVAL);
  CHECK(posix_memalign(&block, 0, 100) == EINVAL);
#endif
  CHECK(block == static_cast<void*>(&block));
  for (std::size_t alignment = sizeof(void*); alignment <= 4096; alignment *= 2) {
    REQUIRE(posix_memalign(&block, alignment, 100) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
    free(block);
  }
  auto* zeros = static_cast<unsigned char*>(kept(malloc(5000)));
  memset(zeros, 0xff, 5000);
  free(zeros);
  zeros = static_cast<unsigned char*>(kept(calloc(50, 100)));
  int sum = 0;
  for (int i = 0; i < 5000; ++i) sum += zeros[i];
  CHECK(sum == 0);
  free(zeros);
  auto* text = static_cast<char*>(kept(malloc(8)));
  memcpy(text, "nucreg!", 8);
  text = static_cast<char*>(kept(realloc(text, 100000)));
  CHECK(std::string(text) == "nucreg!");
  free(text);
  free(nullptr);
}

TEST_CASE("what is beyond the limit is refused, and only that") {
  if (!AllocationMeter::can_refuse()) {
    MESSAGE("skipped: this allocator refuses nothing");
    return;
  }
  AllocationMeter meter(megabyte);
  SUBCASE("malloc") {
    errno = 0;
    CHECK(kept(malloc(megabyte + 1)) == nullptr);
    CHECK(errno == ENOMEM);
    CHECK(meter.refused());
    CHECK(meter.peak_bytes() == 0);
    void* block = kept(malloc(megabyte / 2));
    CHECK(block != nullptr);
    CHECK(kept(malloc(megabyte / 2)) == nullptr);
    free(block);
    block = kept(malloc(megabyte / 2));  // there is room again
    CHECK(block != nullptr);
    free(block);
  }
  SUBCASE("calloc, also where its product overflows") {
    CHECK(kept(calloc(megabyte, 2)) == nullptr);
    volatile std::size_t half = std::size_t{1} << 63;
    CHECK(kept(calloc(half, 2)) == nullptr);
  }
  SUBCASE("realloc leaves the block as it was") {
    auto* block = static_cast<char*>(kept(malloc(1000)));
    block[999] = 'x';
    CHECK(kept(realloc(block, 2 * megabyte)) == nullptr);
    CHECK(block[999] == 'x');
    block = static_cast<char*>(kept(realloc(block, megabyte / 2)));  // instead of what it had
    REQUIRE(block != nullptr);
    CHECK(block[999] == 'x');
    block = static_cast<char*>(kept(realloc(block, 10)));
    free(block);
  }
  SUBCASE("aligned memory") {
    void* block = nullptr;
    CHECK(posix_memalign(&block, 64, 2 * megabyte) == ENOMEM);
    CHECK(kept(aligned_alloc(64, 2 * megabyte)) == nullptr);
  }
  SUBCASE("new throws, and the exception has the memory that it needs") {
    meter.stop();
    bool thrown = false;
    {
      const AllocationMeter none(0);  // not even for a CHECK
      try {
        kept(::operator new(100));
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
    }
    CHECK(thrown);
  }
  SUBCASE("a limit ends with its meter") {
    meter.stop();
    free(kept(malloc(2 * megabyte)));
    CHECK(!meter.refused());
  }
  meter.stop();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("memory that was freed is not paged in again where it is kept") {
  nucreg::keep_freed_memory();
  const auto faults_of_use = [] {
    rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < 50; ++i) {
      void* block = kept(malloc(8 * megabyte));
      memset(block, 1, 8 * megabyte);
      free(kept(block));
    }
    getrusage(RUSAGE_THREAD, &after);
    return after.ru_minflt - before.ru_minflt;
  };
  faults_of_use();
  CHECK(faults_of_use() < 50);  // 100,000 where each block is given back
}

TEST_CASE("the heap is paged in by large pages where the kernel has them") {
  std::string enabled;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), enabled);
  if (enabled.empty() || enabled.find("[never]") != std::string::npos) {
    MESSAGE("skipped: this kernel has no large pages to give");
    return;
  }
  nucreg::keep_freed_memory();
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  std::vector<void*> planes;
  for (int i = 0; i < 80; ++i)
    planes.push_back(memset(kept(malloc(13 * megabyte / 10)), 1, 13 * megabyte / 10));
  getrusage(RUSAGE_THREAD, &after);
  for (void* plane : planes) free(kept(plane));
  CHECK(after.ru_minflt - before.ru_minflt < 5'000);  // 26,000 pages of 4 KiB
}

TEST_CASE("memory that was freed goes back to the kernel where it is not kept") {
  const auto resident = [] {
    std::size_t total = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> total >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  };
  const auto used = [](std::size_t bytes) { return memset(kept(malloc(bytes)), 1, bytes); };
  nucreg::give_back_freed_memory();
  const std::size_t before = resident();

  SUBCASE("between what stays") {
    nucreg::keep_freed_memory();
    std::vector<void*> staying, leaving;
    for (int i = 0; i < 8; ++i) {
      leaving.push_back(used(8 * megabyte));
      staying.push_back(used(8 * megabyte));
    }
    for (void* block : leaving) free(kept(block));
    CHECK(resident() > before + 120 * megabyte);
    nucreg::give_back_freed_memory();
    CHECK(resident() < before + 66 * megabyte);
    free(kept(used(9 * megabyte)));  // too large for the gaps
    CHECK(resident() < before + 66 * megabyte);
    for (void* block : staying) free(kept(block));
  }
  SUBCASE("at the end of the heap of another thread") {
    std::vector<void*> large, small;
    std::atomic<bool> made = false, freed = false;
    std::thread other([&] {
      for (int i = 0; i < 500; ++i) {
        large.push_back(used(40'000));
        small.push_back(used(64));
      }
      made = true;
      made.notify_one();
      freed.wait(false);
    });
    made.wait(false);
    CHECK(resident() > before + 18 * megabyte);
    for (void* block : large) free(kept(block));
    for (void* block : small) free(kept(block));
    nucreg::give_back_freed_memory();
    CHECK(resident() < before + 6 * megabyte);
    freed = true;
    freed.notify_one();
    other.join();
  }
  nucreg::keep_freed_memory();
}
#endif
