// With `reuse_delay` a freed block is nobody's for a while; with `check_freed` a
// write to it meanwhile is noticed.
#include <set>

#include "core/api/allocate.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kReuseDelay != 0 || Config::kCheckFreed);

constexpr bool kDelays = Config::kReuseDelay != 0;

class ReuseTest : public InstanceTest {
 protected:
  void SetUp() override {
    if (!kDelays) GTEST_SKIP();
  }
  static constexpr unsigned Half() {
    return DelayQueue<true>::Half(internal::ComputeClass(100));
  }
};
using ReuseDeathTest = ReuseTest;

// A block is used again after as many frees at least as the ring is long.
TEST_F(ReuseTest, ABlockWaits) {
  for (int round = 0; round < 5; ++round) {
    void* const victim = test_malloc(100);
    test_free(victim);
    for (unsigned i = 0; i < Half(); ++i) {
      void* const next = test_malloc(100);
      ASSERT_NE(next, victim) << i;
      test_free(next);
    }
  }
}

TEST_F(ReuseTest, TheOrderIsRandomInPart) {
  std::set<unsigned> waited;
  for (int round = 0; round < 30; ++round) {
    void* const victim = test_malloc(100);
    test_free(victim);
    for (unsigned i = 0;; ++i) {
      void* const other = test_malloc(100);
      test_free(other);
      if (!CurrentHeap()->Caches(ClassOfSize(100 + kCanaryBytes), victim)) {
        waited.insert(i);
        break;
      }
    }
  }
  EXPECT_GT(waited.size(), 10u);
}

TEST_F(ReuseTest, LongBlocksWaitWithinABound) {
  for (const size_t size : {1000, 8192, 50000}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(test_malloc(size));
    for (void* block : blocks) test_free(block);
    EXPECT_LE(Stats().bytes_cached, Max(size_t{256} << 10, 3 * size_t{57344}));
    test_thread_detach();
  }
}

TEST_F(ReuseTest, WhatWaitsIsNotLive) {
  for (int i = 0; i < 10; ++i) test_free(test_malloc(100));
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_GT(Stats().bytes_cached, 0u);
  test_thread_detach();
  EXPECT_EQ(Stats().bytes_cached, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

TEST_F(ReuseTest, OfThreadsThatAreGone) {
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(test_malloc(100));
  std::thread([&] {
    for (void* block : blocks) test_free(block);
    for (int i = 0; i < 10; ++i) test_free(test_malloc(100));
    fake::Farewell();
  }).join();
  test_purge();
  test_thread_detach();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

// The heap of a thread that was stopped in the middle of something.
TEST_F(ReuseTest, AHeapThatIsRepaired) {
  void* const other = test_malloc(100);
  void* const kept = test_malloc(100);
  std::thread([&] {
    test_free(other);
    for (int i = 0; i < 10; ++i) test_free(test_malloc(100));
    CurrentHeap()->Repair();
    EXPECT_EQ(Stats().bytes_cached, 0u);
    EXPECT_EQ(Stats().blocks_live, 1u);
    fake::Farewell();
  }).join();
  test_free(kept);
  test_purge();
  test_thread_detach();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

TEST_F(ReuseDeathTest, DoubleFreeWhileItWaits) {
  for (const size_t size : {16, 100, 5000, 40000}) {
    EXPECT_MISUSE(
        {
          test_malloc(size);
          void* const block = test_malloc(size);
          Blame(block);
          test_free(block);
          test_free(block);
        },
        "double free of");
  }
}

using CheckFreedDeathTest = InstanceTest;

// Noticed when it is handed out again, or, where it waits, when that is over.
TEST_F(CheckFreedDeathTest, WriteAfterFree) {
  if (!Config::kCheckFreed) GTEST_SKIP();
  for (const size_t size : {16, 1000, 20000}) {
    const size_t extent = InfoOf(ClassOfSize(size + kCanaryBytes)).size;
    for (const size_t at : {size_t{0}, size - 1}) {
      EXPECT_MISUSE(
          {
            auto* const block = static_cast<char*>(test_malloc(size));
            Blame(block + at);
            test_free(block);
            block[at] = 1;
            for (int i = 0; i < 500; ++i) test_free(test_malloc(size));
          },
          "write to freed memory at", BlockOf(extent));
      EXPECT_MISUSE(
          {
            test_arena* const arena = test_arena_create(nullptr);
            auto* const block =
                static_cast<char*>(test_arena_malloc(arena, size));
            Blame(block + at);
            test_free(block);
            block[at] = 1;
            for (int i = 0; i < 10000; ++i) test_arena_malloc(arena, size);
          },
          "write to freed memory at", BlockOf(extent));
    }
  }
}

TEST_F(CheckFreedDeathTest, NothingIsFoundWhereNothingIsWrong) {
  Random random;
  std::vector<void*> blocks;
  test_arena* const arena = test_arena_create(nullptr);
  for (int i = 0; i < 20000; ++i) {
    if (blocks.size() < 200 && random.Below(2) == 0) {
      const size_t size = random.Size(17);
      void* block = random.Below(2) == 0 ? test_malloc(size)
                                         : test_arena_malloc(arena, size);
      memset(block, 0xff, size);
      if (random.Below(3) == 0) block = test_realloc(block, random.Size(17));
      blocks.push_back(block);
    } else if (!blocks.empty()) {
      std::swap(blocks[random.Below(blocks.size())], blocks.back());
      test_free(blocks.back());
      blocks.pop_back();
    }
  }
  for (void* block : blocks) test_free(block);
  test_arena_destroy(arena);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
