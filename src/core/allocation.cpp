#include "nucreg/core/allocation.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>

// These sanitizers have an allocator of their own, which knows what it hands out.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NUCREG_ALLOCATOR_OF_SANITIZER
#endif

namespace nucreg {
namespace {

// Plain data with static initialisation: read from inside malloc, also before main().
struct Count {
  bool active;
  bool refused;
  std::int64_t live;
  std::int64_t peak;
  std::int64_t limit;
};
constinit thread_local Count count{};

void add(std::size_t bytes) {
  count.live += static_cast<std::int64_t>(bytes);
  count.peak = std::max(count.peak, count.live);
}

void subtract(std::size_t bytes) {
  count.live -= static_cast<std::int64_t>(bytes);
}

constexpr std::uintptr_t large_page_bytes = 2 << 20;

/// Where the kernel has large pages, [begin, end) is paged in by them: a fault for each 4 KiB costs
/// about as much as a pass over what they hold.
void ask_for_large_pages(std::uintptr_t begin, std::uintptr_t end) {
  const int before = errno;  // a kernel without them says so: nothing is lost
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  errno = before;
}

// The end of the heap up to which large pages were asked for; 0: none of it.
constinit std::atomic<std::uintptr_t> heap_in_large_pages_to{0};

/// Asks for large pages where the heap has grown since.
[[maybe_unused]] void follow_heap() {
  const std::uintptr_t before = heap_in_large_pages_to.load(std::memory_order_relaxed);
  if (before == 0) return;
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0));
  if (end == before) return;
  heap_in_large_pages_to.store(end, std::memory_order_relaxed);
  if (end > before) ask_for_large_pages(before / large_page_bytes * large_page_bytes, end);
}

}  // namespace

AllocationMeter::AllocationMeter(std::size_t limit_bytes) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
  count = {.active = true,
           .refused = false,
           .live = 0,
           .peak = 0,
           .limit = static_cast<std::int64_t>(std::min(limit_bytes, most))};
}

AllocationMeter::~AllocationMeter() {
  stop();
}

void AllocationMeter::stop() {
  count.active = false;
}

std::size_t AllocationMeter::peak_bytes() const {
  return static_cast<std::size_t>(count.peak);
}

bool AllocationMeter::refused() const {
  return count.refused;
}

bool AllocationMeter::can_refuse() {
#if defined(NUCREG_ALLOCATOR_OF_SANITIZER)
  return false;
#else
  return true;
#endif
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int max_kept_bytes = 64 << 20;
  constexpr int min_mapped_bytes = 32 << 20;  // glibc allows no more
  constexpr int grown_by_bytes = 32 << 20;
  constexpr int usual_fast_bytes = 16 * int{sizeof(void*)};
  // One heap for all threads: what a thread has of its own is mapped and unmapped in 64 MiB, often
  // for one block each, and grows by what a block needs, which leaves no whole large page.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, grown_by_bytes);
  mallopt(M_TRIM_THRESHOLD, max_kept_bytes);
  mallopt(M_MMAP_THRESHOLD, min_mapped_bytes);
  mallopt(M_MXFAST, usual_fast_bytes);
  if (heap_in_large_pages_to == 0)
    heap_in_large_pages_to = reinterpret_cast<std::uintptr_t>(sbrk(0));
#endif
}

void give_back_freed_memory() {
#if defined(__GLIBC__)
  constexpr int max_kept_bytes = 4 << 20;
  constexpr int min_mapped_bytes = 1 << 20;
  mallopt(M_TOP_PAD, 128 << 10);
  mallopt(M_TRIM_THRESHOLD, max_kept_bytes);
  mallopt(M_MMAP_THRESHOLD, min_mapped_bytes);
  // malloc_trim leaves the free end of a thread's heap: a free gives that back, unless small blocks
  // that are kept apart lie before it.
  mallopt(M_MXFAST, 0);
  malloc_trim(0);
#endif
}

}  // namespace nucreg

#if defined(NUCREG_ALLOCATOR_OF_SANITIZER)

// Of the sanitizer's allocator_interface.h, which GCC does not install.
extern "C" {
std::size_t __sanitizer_get_allocated_size(const volatile void* block);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
}

namespace {

void on_malloc(const volatile void* block, std::size_t) {
  if (nucreg::count.active && block) nucreg::add(__sanitizer_get_allocated_size(block));
}

void on_free(const volatile void* block) {
  if (nucreg::count.active && block) nucreg::subtract(__sanitizer_get_allocated_size(block));
}

[[maybe_unused]] const int installed =
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace

#else

// The executable's definitions take the place of the C library's for every library in the process;
// glibc documents this ("Replacing malloc") and keeps its own under the names used here.
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

/// Whether a limit forbids so many bytes in place of `before`.
static bool forbidden(std::size_t bytes, std::size_t before = 0) {
  using nucreg::count;
  if (!count.active) return false;
  const std::int64_t room = count.limit - count.live + static_cast<std::int64_t>(before);
  if (room >= 0 && bytes <= static_cast<std::size_t>(room)) return false;
  count.refused = true;
  errno = ENOMEM;
  return true;
}

static void* counted(void* block) {
  if (nucreg::count.active && block) nucreg::add(malloc_usable_size(block));
  return block;
}

/// A block in large pages, where it has room for some, and the heap if it grew for the block. Small
/// blocks come from what their thread keeps, mostly, and are spared the look.
static void* in_large_pages(void* block, std::size_t bytes) {
  using nucreg::large_page_bytes;
  constexpr std::size_t kept_by_thread_bytes = 1032;
  if (!block || bytes <= kept_by_thread_bytes) return block;
  nucreg::follow_heap();
  if (bytes < 2 * large_page_bytes) return block;
  const auto first = reinterpret_cast<std::uintptr_t>(block);
  nucreg::ask_for_large_pages((first + large_page_bytes - 1) / large_page_bytes * large_page_bytes,
                              (first + bytes) / large_page_bytes * large_page_bytes);
  return block;
}

void* malloc(std::size_t bytes) {
  if (forbidden(bytes)) return nullptr;
  return in_large_pages(counted(__libc_malloc(bytes)), bytes);
}

void* calloc(std::size_t items, std::size_t bytes) {
  std::size_t product = 0;
  if (__builtin_mul_overflow(items, bytes, &product)) product = SIZE_MAX;
  if (forbidden(product)) return nullptr;
  return counted(__libc_calloc(items, bytes));
}

void* realloc(void* block, std::size_t bytes) {
  const std::size_t before = nucreg::count.active && block ? malloc_usable_size(block) : 0;
  if (bytes > before && forbidden(bytes, before)) return nullptr;
  void* moved = __libc_realloc(block, bytes);
  if (nucreg::count.active && (moved || bytes == 0)) nucreg::subtract(before);
  return counted(moved);
}

void* memalign(std::size_t alignment, std::size_t bytes) {
  if (forbidden(bytes)) return nullptr;
  return in_large_pages(counted(__libc_memalign(alignment, bytes)), bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  if (forbidden(bytes)) return nullptr;
  return in_large_pages(counted(__libc_memalign(alignment, bytes)), bytes);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  if (forbidden(bytes)) return ENOMEM;
  void* fresh = in_large_pages(counted(__libc_memalign(alignment, bytes)), bytes);
  if (!fresh) return ENOMEM;
  *block = fresh;
  return 0;
}

void free(void* block) {
  if (nucreg::count.active && block) nucreg::subtract(malloc_usable_size(block));
  __libc_free(block);
}

}  // extern "C"

#endif
