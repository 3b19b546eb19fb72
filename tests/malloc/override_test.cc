// malloc and its family are an instance's, under both names.
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gtest/gtest.h"
#include "tests/malloc/app_malloc_heap.h"

// C23's; the C library of today's Debian has not got them.
extern "C" void free_sized(void* block, size_t size) noexcept;
extern "C" void free_aligned_sized(void* block, size_t alignment,
                                   size_t size) noexcept;

// What glibc exports without a header.
extern "C" {
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* __libc_realloc(void* block, size_t size) noexcept;
void* __libc_memalign(size_t alignment, size_t size) noexcept;
void* __libc_valloc(size_t size) noexcept;
void* __libc_pvalloc(size_t size) noexcept;
void __libc_free(void* block) noexcept;
}

namespace {

// Larger than anything, but not so that a compiler can tell.
volatile size_t too_much = PTRDIFF_MAX;
volatile size_t everything = SIZE_MAX;

uintptr_t Address(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

size_t PageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

// A second name and not a function that forwards: what libc's name costs is
// what the prefix's costs.
TEST(Override, IsTheSameFunction) {
  EXPECT_EQ(&malloc, &app_malloc);
  EXPECT_EQ(&free, &app_free);
  EXPECT_EQ(&calloc, &app_calloc);
  EXPECT_EQ(&realloc, &app_realloc);
  EXPECT_EQ(&reallocarray, &app_reallocarray);
  EXPECT_EQ(&aligned_alloc, &app_aligned_alloc);
  EXPECT_EQ(&posix_memalign, &app_posix_memalign);
  EXPECT_EQ(reinterpret_cast<const void*>(&malloc_usable_size),
            reinterpret_cast<const void*>(&app_malloc_usable_size));
  EXPECT_EQ(&free_sized, &app_free_sized);
  EXPECT_EQ(&free_aligned_sized, &app_free_aligned_sized);
  EXPECT_EQ(&__libc_malloc, &app_malloc);
  EXPECT_EQ(&__libc_free, &app_free);
  EXPECT_EQ(&__libc_calloc, &app_calloc);
  EXPECT_EQ(&__libc_realloc, &app_realloc);
}

// A shared library that this program has loaded, or loads later, finds them
// here, and not in libc: also those that the program never mentions.
TEST(Override, SharedLibrariesFindItInTheProgram) {
  Dl_info own;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&app_malloc), &own), 0);
  for (const char* name : {"malloc",          "free",
                           "calloc",          "realloc",
                           "reallocarray",    "aligned_alloc",
                           "posix_memalign",  "memalign",
                           "valloc",          "pvalloc",
                           "malloc_trim",     "mallopt",
                           "mallinfo",        "mallinfo2",
                           "malloc_info",     "malloc_stats",
                           "__libc_malloc",   "__libc_free",
                           "__libc_calloc",   "__libc_realloc",
                           "__libc_memalign", "__libc_valloc",
                           "__libc_pvalloc",  "__libc_mallinfo",
                           "__libc_mallopt",  "malloc_usable_size",
                           "_Znwm",           "_ZdlPv"}) {
    void* const function = dlsym(RTLD_DEFAULT, name);
    ASSERT_NE(function, nullptr) << name;
    Dl_info info;
    ASSERT_NE(dladdr(function, &info), 0) << name;
    EXPECT_EQ(info.dli_fbase, own.dli_fbase) << name << info.dli_fname;
  }
}

TEST(Override, EveryBlockIsTheInstances) {
  void* aligned = nullptr;
  ASSERT_EQ(posix_memalign(&aligned, 256, 100), 0);
  char* line = nullptr;
  size_t capacity = 0;
  FILE* const file = fopen("/proc/self/status", "r");
  ASSERT_NE(file, nullptr);
  ASSERT_GT(getline(&line, &capacity, file), 0);
  for (void* block :
       {malloc(1), calloc(3, 5), realloc(nullptr, 70000),
        reallocarray(nullptr, 10, 10), aligned_alloc(64, 64), aligned,
        memalign(32, 1), valloc(1), pvalloc(1), __libc_memalign(32, 1),
        __libc_valloc(1), __libc_pvalloc(1), static_cast<void*>(strdup("x")),
        static_cast<void*>(line), static_cast<void*>(file)}) {
    EXPECT_TRUE(app_owns(block));
    if (block != file) free(block);
  }
  fclose(file);
}

TEST(Override, PagesAreWhole) {
  const size_t page = PageSize();
  for (const size_t size : {size_t{0}, size_t{1}, page, 3 * page + 1}) {
    void* const a = valloc(size);
    void* const b = pvalloc(size);
    EXPECT_EQ(Address(a) % page, 0u);
    EXPECT_EQ(Address(b) % page, 0u);
    const size_t whole = (size + page - 1) / page * page;
    EXPECT_GE(malloc_usable_size(b), whole);
    memset(b, 1, whole);
    free(a);
    free(b);
  }
}

// glibc's memalign, which is no more particular than this.
TEST(Override, MemalignTakesAnyNumber) {
  for (const size_t alignment : {0, 1, 3, 8, 24, 33, 4095, 4097}) {
    size_t power = 8;
    while (power < alignment) power *= 2;
    void* const block = memalign(alignment, 100);
    ASSERT_NE(block, nullptr) << alignment;
    EXPECT_EQ(Address(block) % power, 0u) << alignment;
    free(block);
  }
  for (const size_t alignment :
       {everything, everything / 2 + 1, everything / 2 + 2}) {
    errno = 0;
    EXPECT_EQ(memalign(alignment, 1), nullptr) << alignment;
    EXPECT_EQ(errno, EINVAL) << alignment;
  }
}

TEST(Override, FailureSetsErrno) {
  void* (*const failing[])() = {
      [] { return malloc(too_much); },
      [] { return calloc(too_much, 4); },
      [] { return realloc(nullptr, too_much); },
      [] { return reallocarray(nullptr, too_much, 4); },
      [] { return aligned_alloc(64, too_much); },
      [] { return memalign(64, too_much); },
      [] { return valloc(too_much); },
      [] { return pvalloc(too_much); },
      [] { return pvalloc(everything); },
      [] { return valloc(everything); },
  };
  for (const auto& fail : failing) {
    errno = 0;
    EXPECT_EQ(fail(), nullptr) << &fail - failing;
    EXPECT_EQ(errno, ENOMEM) << &fail - failing;
  }
  errno = 0;
  EXPECT_EQ(aligned_alloc(3, 3), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

TEST(Override, FreeLeavesErrnoAlone) {
  void* const small = malloc(1);
  void* const large = malloc(100 << 20);
  errno = E2BIG;
  free(small);
  free(large);
  free(nullptr);
  EXPECT_EQ(errno, E2BIG);
}

TEST(Override, SizedFreesTakeWhatMallocGave) {
  free_sized(malloc(100), 100);
  free_aligned_sized(aligned_alloc(128, 256), 128, 256);
  free_sized(nullptr, 7);
  free_aligned_sized(nullptr, 8, 7);
}

// What the debuggers and leak checkers of others see: one heap, and it is ours.
TEST(Override, CountsWhatTheProcessHolds) {
  app_stats_t before = {};
  before.struct_size = sizeof(before);
  ASSERT_EQ(app_stats(&before), 0);
  void* const block = malloc(1 << 20);
  app_stats_t after = {};
  after.struct_size = sizeof(after);
  ASSERT_EQ(app_stats(&after), 0);
  EXPECT_EQ(after.blocks_live, before.blocks_live + 1);
  free(block);
}

}  // namespace
