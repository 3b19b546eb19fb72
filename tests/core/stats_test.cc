// Snapshots, and the entry point that hands them out.
#include "core/stats/stats.h"

#include <errno.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class StatsTest : public InstanceTest {};

TEST_F(StatsTest, AllIsZeroBeforeTheFirstCall) {
  const Snapshot s = TakeSnapshot(g_instance);
  EXPECT_EQ(s.blocks_live, 0u);
  EXPECT_EQ(s.bytes_reserved, 0u);
  EXPECT_EQ(s.bytes_metadata, 0u);
  EXPECT_EQ(s.address_low, 0u);
  EXPECT_EQ(s.address_high, 0u);
}

TEST_F(StatsTest, LiveIsExact) {
  size_t blocks = 0;
  size_t bytes = 0;
  std::vector<void*> live;
  for (const size_t size : {1, 100, 1000, 10000, 70000, 1000000, 5000000}) {
    for (int i = 0; i < 20; ++i) {
      live.push_back(test_malloc(size));
      ++blocks;
      bytes += test_malloc_usable_size(live.back());
    }
    ASSERT_EQ(Stats().blocks_live, blocks);
    ASSERT_EQ(Stats().bytes_live, bytes);
  }
  while (!live.empty()) {
    --blocks;
    bytes -= test_malloc_usable_size(live.back());
    test_free(live.back());
    live.pop_back();
    ASSERT_EQ(Stats().blocks_live, blocks);
    ASSERT_EQ(Stats().bytes_live, bytes);
  }
  EXPECT_GE(Stats().blocks_peak, 140u);
  EXPECT_GE(Stats().bytes_peak, 20u * 6000000);
}

TEST_F(StatsTest, LiveIsExactOverThreads) {
  std::vector<void*> blocks(4000);
  RunThreads(4, [&](unsigned t) {
    for (size_t i = t; i < blocks.size(); i += 4)
      blocks[i] = test_malloc(i * 40);
  });
  EXPECT_EQ(Stats().blocks_live, 4000u);
  RunThreads(4, [&](unsigned t) {
    for (size_t i = (t + 1) % 4; i < blocks.size(); i += 4) {
      if (i % 2 == 0) test_free(blocks[i]);
    }
  });
  EXPECT_EQ(Stats().blocks_live, 2000u);
  for (size_t i = 1; i < blocks.size(); i += 2) test_free(blocks[i]);
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_live, 0u);
}

TEST_F(StatsTest, ResizingCounts) {
  void* block = test_malloc(20 * kUnit);
  for (const size_t units : {30, 25, 60, 10, 3, 100}) {
    block = test_realloc(block, units * kUnit);
    EXPECT_EQ(Stats().blocks_live, 1u);
    EXPECT_EQ(Stats().bytes_live, test_malloc_usable_size(block));
  }
  test_free(block);
  EXPECT_EQ(Stats().bytes_live, 0u);
}

TEST_F(StatsTest, SpaceIsConsistent) {
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(test_malloc(100000));
  test_stats_t s = Stats();
  EXPECT_GE(s.bytes_spans, 100u * 131072);
  EXPECT_GE(s.bytes_committed, s.bytes_spans);
  EXPECT_GE(s.bytes_reserved, s.bytes_committed);
  EXPECT_GE(s.address_high - s.address_low, s.bytes_reserved);
  EXPECT_EQ(s.threads, 1u);
  for (void* block : blocks) {
    EXPECT_GE(reinterpret_cast<uintptr_t>(block), s.address_low);
    EXPECT_LT(reinterpret_cast<uintptr_t>(block), s.address_high);
    test_free(block);
  }
  s = Stats();
  EXPECT_EQ(s.bytes_cached, s.bytes_spans);
  EXPECT_GE(s.bytes_spans_peak, 100u * 131072);
}

TEST_F(StatsTest, PurgeTakesTheDirt) {
  const fake::ScopedClock clock(1000);
  void* const block = test_malloc(10 * kUnit * 2);
  memset(block, 1, 10 * kUnit);
  test_free(block);
  const size_t dirty = Stats().bytes_dirty;
  EXPECT_EQ(test_purge(), dirty);
  EXPECT_EQ(Stats().bytes_dirty, 0u);
}

TEST_F(StatsTest, OlderAndNewerCallers) {
  test_free(test_malloc(1));
  EXPECT_EQ(test_stats(nullptr), EINVAL);
  test_stats_t s;
  memset(&s, 0xee, sizeof(s));
  s.struct_size = sizeof(size_t) - 1;
  EXPECT_EQ(test_stats(&s), EINVAL);
  s.struct_size = offsetof(test_stats_t, blocks_peak);
  EXPECT_EQ(test_stats(&s), 0);
  EXPECT_EQ(s.blocks_live, 0u);
  EXPECT_EQ(s.blocks_peak, 0xeeeeeeeeeeeeeeee)
      << "fields beyond the size are left alone";
  EXPECT_EQ(s.struct_size, offsetof(test_stats_t, blocks_peak));
  struct {
    test_stats_t known;
    size_t unknown;
  } newer;
  newer.unknown = 77;
  newer.known.struct_size = sizeof(newer);
  EXPECT_EQ(test_stats(&newer.known), 0);
  EXPECT_EQ(newer.known.threads, 1u);
  EXPECT_EQ(newer.unknown, 77u);
}

// Others are at work: the numbers are approximate, but taking them is harmless.
TEST_F(StatsTest, WhileOthersWork) {
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) Stats();
  });
  RunThreads(3, [](unsigned t) {
    Random random(t);
    std::vector<void*> blocks;
    for (int i = 0; i < 20000; ++i) {
      blocks.push_back(test_malloc(random.Size(17)));
      if (blocks.size() > 50) {
        std::swap(blocks[random.Below(blocks.size())], blocks.back());
        test_free(blocks.back());
        blocks.pop_back();
      }
    }
    for (void* block : blocks) test_free(block);
  });
  stop = true;
  reader.join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
