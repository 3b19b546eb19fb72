// Where the system refuses address space: null, nothing worse, and all is well
// again as soon as it grants some. Each case runs in a child process with a
// limit of its own.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

// Lets the process have so many bytes of address space more than now.
void AllowMore(size_t bytes) {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = isolation::AddressSpace() + bytes;
  if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(100);
}

void AllowAll() {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(100);
}

// In a child neither exceptions nor GoogleTest's messages would be of use, with
// no memory.
void Check(bool condition, int code) {
  if (!condition) _exit(code);
}

size_t LiveBlocks() {
  subject::Stats stats = {};
  stats.struct_size = sizeof(stats);
  subject::stats(&stats);
  return stats.blocks_live;
}

void* g_blocks[4096];

// Allocates blocks of one size until there are none left.
size_t Exhaust(size_t size) {
  size_t count = 0;
  while (count < 4096 && (g_blocks[count] = subject::malloc(size)) != nullptr) {
    Fill(g_blocks[count], size, count);
    ++count;
  }
  return count;
}

void FreeAll(size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    Check(!!Holds(g_blocks[i], size, i), 60);
    subject::free(g_blocks[i]);
  }
}

TEST(ScarcityDeathTest, NoAddressSpaceAtAll) {
  EXPECT_EXIT(
      {
        AllowMore(0);
        for (const size_t size :
             {size_t{0}, size_t{100}, 100 * kKiB, 10 * kMiB}) {
          Check(subject::malloc(size) == nullptr, 1);
          Check(subject::calloc(1, size) == nullptr, 2);
          Check(subject::realloc(nullptr, size) == nullptr, 3);
          Check(subject::aligned_alloc(4096, size) == nullptr, 4);
        }
        subject::thread_detach();
        Check(subject::purge() == 0, 5);
        AllowAll();
        void* const block = subject::malloc(100);
        Check(block != nullptr, 6);
        subject::free(block);
        Check(LiveBlocks() == 0 && subject::shutdown() == 0, 7);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(ScarcityDeathTest, LittleAddressSpaceStillServes) {
  EXPECT_EXIT(
      {
        AllowMore(64 * kMiB);
        for (const size_t size :
             {size_t{100}, 40 * kKiB, 300 * kKiB, 2 * kMiB}) {
          void* const block = subject::malloc(size);
          Check(block != nullptr, 1);
          Fill(block, size, 1);
          Check(!!Holds(block, size, 1), 2);
          subject::free(block);
        }
        Check(subject::shutdown() == 0, 3);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(ScarcityDeathTest, ExhaustedAndFreedItServesAgain) {
  EXPECT_EXIT(
      {
        AllowMore(64 * kMiB);
        for (const size_t size : {100 * kKiB, kMiB, 40 * kKiB, 3 * kMiB}) {
          const size_t first = Exhaust(size);
          // At least a quarter of what there is.
          Check(first * size > 16 * kMiB, 1);
          Check(LiveBlocks() == first, 2);
          // A failed realloc leaves the block alone.
          Check(subject::realloc(g_blocks[0], 200 * kMiB) == nullptr, 3);
          FreeAll(first, size);
          subject::thread_detach();
          const size_t second = Exhaust(size);
          Check(second >= first - first / 8, 4);
          FreeAll(second, size);
          subject::thread_detach();
        }
        Check(LiveBlocks() == 0 && subject::shutdown() == 0, 5);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

// A thread that cannot have a cache of its own can still free.
TEST(ScarcityDeathTest, FreeingNeedsNoMemory) {
  EXPECT_EXIT(
      {
        std::atomic<int> stage = 0;
        std::thread thread([&] {
          while (stage != 1) usleep(100);
          for (int i = 0; i < 3000; ++i) subject::free(g_blocks[i]);
          stage = 2;
        });
        for (int i = 0; i < 3000; ++i) {
          g_blocks[i] = subject::malloc(i % 100 == 0 ? 300 * kKiB : i);
        }
        AllowMore(0);
        stage = 1;
        while (stage != 2) usleep(100);
        Check(LiveBlocks() == 0, 1);
        // The owner finds them and can hand them out again.
        for (int i = 0; i < 3000; ++i) {
          g_blocks[i] = subject::malloc(i % 100 == 0 ? 300 * kKiB : i);
          Check(g_blocks[i] != nullptr, 2);
        }
        for (int i = 0; i < 3000; ++i) subject::free(g_blocks[i]);
        AllowAll();
        thread.join();
        Check(LiveBlocks() == 0 && subject::shutdown() == 0, 3);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace contract
