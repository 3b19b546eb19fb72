// A heap of donated memory alone makes no system call at all: under a filter that
// knows but write and exit_group, threads that were made before work and meet.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/donated_heap.h"
#include "tests/isolation/restrict.h"

namespace isolation {
namespace {

const std::vector<unsigned> kAllowed = {SYS_write, SYS_exit_group};

constexpr size_t kSize = size_t{8} << 20;
char g_memory[kSize];
std::atomic<void*> g_passed{nullptr};

bool Work(unsigned seed) {
  void* blocks[50] = {};
  for (unsigned i = 0; i < 20000; ++i) {
    seed = seed * 1664525 + 1013904223;
    void*& block = blocks[seed % 50];
    donated_free(g_passed.exchange(block));
    const size_t size = seed >> (i % 50 == 0 ? 13 : 20);
    block = i % 2 == 0 ? donated_malloc(size) : donated_calloc(1, size);
    if (block == nullptr) continue;
    std::memset(block, 1, size);
    void* const moved = donated_realloc(block, size + size / 2 + 1);
    if (moved != nullptr) block = moved;
  }
  for (void* block : blocks) donated_free(block);
  for (int i = 0; i < 20; ++i) {
    donated_arena* const arena = donated_arena_create(nullptr);
    if (arena == nullptr) continue;
    for (size_t size = 1; size < 100000; size *= 3)
      donated_arena_malloc(arena, size);
    donated_arena_destroy(arena);
  }
  donated_purge();
  donated_thread_detach();
  return true;
}

[[noreturn]] void WorkInThreads() {
  constexpr int kThreads = 2;
  std::atomic<int> ready{0};
  std::atomic<int> done{0};
  for (unsigned t = 0; t < kThreads; ++t) {
    std::thread([&, t] {
      Restrict(kAllowed);
      ++ready;
      while (ready.load() <= kThreads) {
      }
      Work(t);
      ++done;
      for (;;) {
      }
    }).detach();
  }
  while (ready.load() != kThreads) {
  }
  Restrict(kAllowed);
  if (donated_donate(g_memory, kSize) != 0) _exit(5);
  ++ready;
  Work(77);
  while (done.load() != kThreads) {
  }
  donated_free(g_passed.exchange(nullptr));
  donated_thread_detach();
  donated_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  donated_stats(&stats);
  if (stats.blocks_live != 0 || stats.threads != 0) _exit(6);
  if (donated_donated_visit_blocks(g_memory + kSize / 2, nullptr, nullptr) != 0)
    _exit(7);
  _exit(donated_shutdown() == 0 ? 0 : 8);
}

TEST(DonatedDeathTest, NoSystemCallIsMade) {
  EXPECT_EXIT(WorkInThreads(), testing::ExitedWithCode(0), "");
}

// The guard itself.
TEST(DonatedDeathTest, AnyIsNoticed) {
  EXPECT_EXIT(
      {
        Restrict(kAllowed);
        syscall(SYS_getpid);
        _exit(0);
      },
      testing::ExitedWithCode(2), "system call 39\n");
}

}  // namespace
}  // namespace isolation
