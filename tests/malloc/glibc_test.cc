// What programs have come to rely on since it is glibc's, beyond what C and
// POSIX promise. (C's and POSIX's part: tests/contract.)
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/malloc/app_malloc_heap.h"

namespace {

uintptr_t Address(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

size_t Live() {
  app_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(app_stats(&stats), 0);
  return stats.blocks_live;
}

// Sizes that reach each kind of block, and both sides of what divides them.
std::vector<size_t> Sizes() {
  std::vector<size_t> sizes;
  for (size_t size = 0; size <= 1100; size += 1 + size / 100)
    sizes.push_back(size);
  for (size_t power = 2048; power <= (size_t{4} << 20); power *= 4) {
    for (const size_t size : {power - 1, power, power + 1, power + power / 3}) {
      sizes.push_back(size);
    }
  }
  return sizes;
}

// Runs it in a child of fork, whose exit code it gives; -1 if it crashes.
int InChild(const std::function<int()>& run) {
  const pid_t child = fork();
  if (child == 0) _exit(run());
  int status = -1;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(Glibc, AlignsTo16From16BytesOn) {
  for (const size_t size : Sizes()) {
    const size_t alignment = size < 16 ? 8 : 16;
    void* blocks[] = {malloc(size), calloc(1, size), realloc(nullptr, size),
                      reallocarray(nullptr, 1, size), operator new(size)};
    for (void* block : blocks) {
      ASSERT_NE(block, nullptr) << size;
      ASSERT_EQ(Address(block) % alignment, 0u) << size;
    }
    // Also when it comes from a smaller or a larger one.
    for (void*& block : blocks) {
      block = realloc(block, size + 16);
      ASSERT_EQ(Address(block) % 16, 0u) << size;
      block = realloc(block, 16);
      ASSERT_EQ(Address(block) % 16, 0u) << size;
      free(block);
    }
  }
}

TEST(Glibc, NoBytesAreABlockOfTheirOwn) {
  std::set<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    for (void* block : {malloc(0), calloc(0, 8), calloc(8, 0), memalign(64, 0),
                        realloc(nullptr, 0), reallocarray(nullptr, 0, 8),
                        aligned_alloc(16, 0), valloc(0)}) {
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(blocks.insert(block).second);
    }
    void* block = nullptr;
    ASSERT_EQ(posix_memalign(&block, 8, 0), 0);
    EXPECT_TRUE(blocks.insert(block).second);
  }
  for (void* block : blocks) free(block);
}

// Not a failure, so errno stays.
TEST(Glibc, ReallocToNoBytesFreesAndGivesNull) {
  for (const size_t size : {0, 1, 100, 5000, 100000, 10000000}) {
    void* const first = malloc(size);
    void* const second = malloc(size);
    const size_t live = Live();
    errno = E2BIG;
    EXPECT_EQ(realloc(first, 0), nullptr);
    EXPECT_EQ(reallocarray(second, size, 0), nullptr);
    EXPECT_EQ(errno, E2BIG);
    EXPECT_EQ(Live(), live - 2);
  }
}

TEST(Glibc, EveryUsableByteIsTheCallers) {
  for (const size_t size : Sizes()) {
    void* const block = malloc(size);
    const size_t usable = malloc_usable_size(block);
    ASSERT_GE(usable, size);
    memset(block, 0xa5, usable);
    // Nobody's but the caller's: kept by realloc as far as it was asked for.
    void* const neighbour = malloc(size);
    memset(neighbour, 0x5a, malloc_usable_size(neighbour));
    ASSERT_EQ(malloc_usable_size(block), usable);
    ASSERT_EQ(static_cast<unsigned char*>(block)[usable - 1], 0xa5) << size;
    free(block);
    free(neighbour);
  }
  EXPECT_EQ(malloc_usable_size(nullptr), 0u);
}

// Programs save errno, clean up, and then look at it.
TEST(Glibc, FreeLeavesErrnoAlone) {
  for (const size_t size : Sizes()) {
    void* const block = malloc(size);
    errno = E2BIG;
    free(block);
    ASSERT_EQ(errno, E2BIG) << size;
  }
  // By a thread that has no cache yet, and by one that has nobody else's.
  std::vector<void*> blocks;
  for (const size_t size : Sizes()) blocks.push_back(malloc(size));
  std::thread([&blocks] {
    errno = E2BIG;
    for (void* block : blocks) free(block);
    EXPECT_EQ(errno, E2BIG);
    EXPECT_EQ(malloc_trim(0) & ~1, 0);
    EXPECT_EQ(errno, E2BIG);
  }).join();
}

// Where the kernel has no more mappings to give, munmap and mprotect fail, too.
TEST(Glibc, FreeLeavesErrnoAloneWhenTheKernelRefuses) {
  EXPECT_EQ(InChild([] {
              std::vector<void*> blocks;
              for (const size_t size : Sizes()) blocks.push_back(malloc(size));
              const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
              // Neighbours of unlike rights cannot be one mapping. 65530 is
              // Linux's default of vm.max_map_count.
              const size_t pages = 200'000;
              auto* const area = static_cast<char*>(
                  mmap(nullptr, pages * page, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
              for (size_t i = 0; i < pages; i += 2) {
                if (mprotect(area + i * page, page, PROT_READ) != 0) break;
              }
              errno = E2BIG;
              for (void* block : blocks) free(block);
              return errno == E2BIG ? 0 : 1;
            }),
            0);
}

TEST(Glibc, PosixMemalignLeavesErrnoAndThePointerAlone) {
  void* const mark = &errno;
  void* block = mark;
  errno = E2BIG;
  EXPECT_EQ(posix_memalign(&block, 24, 100), EINVAL);
  EXPECT_EQ(posix_memalign(&block, 4, 100), EINVAL);
  EXPECT_EQ(posix_memalign(&block, 0, 100), EINVAL);
  volatile size_t too_much = PTRDIFF_MAX;
  EXPECT_EQ(posix_memalign(&block, 64, too_much), ENOMEM);
  EXPECT_EQ(block, mark);
  EXPECT_EQ(errno, E2BIG);
}

TEST(Glibc, RefusesWhatNoObjectCanBe) {
  volatile size_t too_much = size_t{PTRDIFF_MAX} + 1;
  for (const size_t size : {size_t{too_much}, SIZE_MAX - 4096, SIZE_MAX - 16,
                            SIZE_MAX - 1, SIZE_MAX}) {
    for (void* block : {malloc(size), calloc(1, size), calloc(size, 1),
                        realloc(nullptr, size), reallocarray(nullptr, size, 2),
                        memalign(4096, size), valloc(size), pvalloc(size),
                        aligned_alloc(4096, size)}) {
      EXPECT_EQ(block, nullptr);
    }
  }
}

// The compiler takes a block that realloc was given for gone.
void* volatile kept;

TEST(Glibc, FailedReallocLeavesTheBlockAlone) {
  volatile size_t too_much = PTRDIFF_MAX;
  for (const size_t size : {1, 100, 5000, 100000, 10000000}) {
    kept = malloc(size);
    memset(kept, 7, size);
    EXPECT_EQ(realloc(kept, too_much), nullptr);
    EXPECT_EQ(reallocarray(kept, 1, too_much), nullptr);
    EXPECT_EQ(reallocarray(kept, too_much, 4), nullptr);
    EXPECT_GE(malloc_usable_size(kept), size);
    EXPECT_EQ(static_cast<char*>(kept)[size - 1], 7);
    free(kept);
  }
}

TEST(Glibc, MemoryFromBeforeForkIsUsableAfter) {
  std::vector<void*> blocks;
  for (const size_t size : Sizes()) {
    blocks.push_back(malloc(size));
    memset(blocks.back(), 3, size);
  }
  const auto check = [&blocks] {
    const std::vector<size_t> sizes = Sizes();
    for (size_t i = 0; i < sizes.size(); ++i) {
      auto* const block = static_cast<char*>(realloc(blocks[i], sizes[i] + 40));
      if (block == nullptr) return 1;
      for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 16) {
        if (block[at] != 3) return 2;
      }
      memset(block, 4, sizes[i] + 40);
      free(block);
    }
    return 0;
  };
  EXPECT_EQ(InChild(check), 0);
  // A child of a child, and of another thread.
  EXPECT_EQ(InChild([&] { return InChild(check); }), 0);
  std::thread([&] { EXPECT_EQ(InChild(check), 0); }).join();
  EXPECT_EQ(check(), 0);  // the parent's are its own
}

TEST(Glibc, CallocZeroesWhatWasUsed) {
  for (const size_t size : Sizes()) {
    for (int round = 0; round < 3; ++round) {
      auto* const block = static_cast<unsigned char*>(calloc(1, size));
      for (size_t at = 0; at < size; at += 1 + size / 64) {
        ASSERT_EQ(block[at], 0) << size << " at " << at;
      }
      memset(block, 0xff, malloc_usable_size(block));
      free(block);
    }
  }
}

// A program with a narrow address space gets what there is, and null beyond.
TEST(Glibc, WorksInANarrowAddressSpace) {
  EXPECT_EQ(InChild([] {
              // In an image of its own: the heap's range is reserved already.
              const char* const self = "/proc/self/exe";
              const rlimit narrow = {size_t{512} << 20, size_t{512} << 20};
              if (setrlimit(RLIMIT_AS, &narrow) != 0) return 2;
              setenv("ALCOVE_NARROW_CHILD", "1", 1);
              execl(self, self, "--gtest_filter=Narrow.*",
                    "--gtest_also_run_disabled_tests", nullptr);
              return 3;
            }),
            0);
}

TEST(Narrow, DISABLED_Child) {
  if (getenv("ALCOVE_NARROW_CHILD") == nullptr) GTEST_SKIP();
  std::vector<void*> blocks;
  while (void* const block = malloc(1 << 20)) {
    memset(block, 1, 1 << 20);
    blocks.push_back(block);
    ASSERT_LT(blocks.size(), 512u);
  }
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_GT(blocks.size(), 100u);
  for (void* block : blocks) free(block);
  void* const again = malloc(10 << 20);
  EXPECT_NE(again, nullptr);
  free(again);
}

}  // namespace
