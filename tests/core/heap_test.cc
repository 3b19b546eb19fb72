#include "core/heap/heap.h"

#include <algorithm>
#include <set>

#include "core/api/allocate.h"
#include "core/heap/instance.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class HeapTest : public InstanceTest {
 protected:
  Heap* heap() { return CurrentHeap(); }
  static size_t UsedUnits() {
    size_t used = 0;
    for (unsigned i = 0;
         i < Region::kRangesMax && g_instance.region.range(i) != nullptr; ++i) {
      used += g_instance.region.range(i)->units().used();
    }
    return used;
  }
};

TEST_F(HeapTest, TheFirstRefillTakesOneSlab) {
  const SizeClass c = ClassOfSize(100);
  void* const block = heap()->Refill(c);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(AddressOf(block) % kUnit, 0u) << "the lowest block of the slab";
  EXPECT_EQ(UsedUnits(), InfoOf(c).units);
  EXPECT_EQ(CountBits(heap()->bin(c).mask.Load(Order::kRelaxed)),
            RefillMax(c) - 1);
  test_free(block);
}

TEST_F(HeapTest, FreshBlocksComeInAddressOrder) {
  std::vector<char*> blocks;
  for (int i = 0; i < 200; ++i)
    blocks.push_back(static_cast<char*>(test_malloc(48)));
  for (size_t i = 1; i < blocks.size(); ++i)
    ASSERT_EQ(blocks[i] - blocks[i - 1], 48);
  for (char* block : blocks) test_free(block);
}

TEST_F(HeapTest, FreedBlocksComeLastInFirstOut) {
  void* const a = test_malloc(48);
  void* const b = test_malloc(48);
  test_free(a);
  test_free(b);
  EXPECT_EQ(test_malloc(48), b);
  EXPECT_EQ(test_malloc(48), a);
  test_free(a);
  test_free(b);
}

TEST_F(HeapTest, BinsGrowToTheirBoundAndNoFurther) {
  const SizeClass c = ClassOfSize(16);
  std::vector<void*> blocks;
  for (int i = 0; i < 20000; ++i) blocks.push_back(test_malloc(16));
  unsigned before = 0;
  for (void* block : blocks) {
    test_free(block);
    const Bin& bin = heap()->bin(c);
    ASSERT_GE(bin.capacity, before);
    ASSERT_LE(bin.own() + bin.others(), bin.capacity);
    before = bin.capacity;
  }
  EXPECT_EQ(before, CapacityMax(c));
}

// By it the inlined frees tell what is this thread's; a bin without an array is
// full, and whatever it says leads to the called ones.
TEST_F(HeapTest, ABinWithAnArrayKnowsItsOwnEntry) {
  const SizeClass c = ClassOfSize(100);
  void* const block = test_malloc(100);
  EXPECT_EQ(heap()->bin(c).own_entry, 0u);
  EXPECT_TRUE(heap()->bin(c).full());
  test_free(block);
  EXPECT_FALSE(heap()->bin(c).full());
  const Range* const range = g_instance.region.RangeOf(block);
  EXPECT_EQ(heap()->bin(c).own_entry, EntryOf(*range, block));
}

TEST_F(HeapTest, EmptySlabsGoBackToTheRegion) {
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(test_malloc(1024));
  const size_t most = UsedUnits();
  EXPECT_GE(most, 78u);
  for (void* block : blocks) test_free(block);
  EXPECT_LE(UsedUnits(), 3u) << "the cache's and the last one";
  heap()->Drain();
  EXPECT_EQ(UsedUnits(), 0u);
}

// A slab that is empty but was the last of its class when it became so may lie
// behind another one in the list.
TEST_F(HeapTest, DrainReleasesEveryEmptySlab) {
  const SizeClass c = ClassOfSize(1024);
  const unsigned per_slab = InfoOf(c).blocks;
  std::vector<void*> first;
  std::vector<void*> second;
  for (unsigned i = 0; i < per_slab; ++i) first.push_back(test_malloc(1024));
  for (unsigned i = 0; i < per_slab; ++i) second.push_back(test_malloc(1024));
  ASSERT_EQ(UsedUnits(), 2u);
  for (void* block : first) test_free(block);
  heap()->Drain();
  // All but one of the second slab.
  for (unsigned i = 1; i < per_slab; ++i) test_free(second[i]);
  heap()->Drain();
  EXPECT_EQ(UsedUnits(), 1u);
  test_free(second[0]);
  heap()->Drain();
  EXPECT_EQ(UsedUnits(), 0u);
}

// The same without the first Drain: an empty slab stays as the last one of its
// class, then another slab comes before it.
TEST_F(HeapTest, DrainReleasesAnEmptySlabBehindAnother) {
  const SizeClass c = ClassOfSize(1024);
  const unsigned per_slab = InfoOf(c).blocks;
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 2 * per_slab; ++i)
    blocks.push_back(test_malloc(1024));
  std::sort(blocks.begin(), blocks.end());
  for (unsigned i = 0; i < per_slab; ++i) test_free(blocks[i]);
  // Push these out of the bin by blocks of the second slab.
  for (unsigned i = per_slab; i < 2 * per_slab - 1; ++i) test_free(blocks[i]);
  heap()->Drain();
  EXPECT_EQ(UsedUnits(), 1u);
  test_free(blocks.back());
}

TEST_F(HeapTest, DrainKeepsLiveBlocks) {
  std::vector<void*> blocks;
  for (uint64_t i = 0; i < 1000; ++i) {
    blocks.push_back(test_malloc(100));
    Fill(blocks.back(), 100, i);
  }
  for (size_t i = 0; i < blocks.size(); i += 2) test_free(blocks[i]);
  heap()->Drain();
  EXPECT_EQ(Stats().bytes_cached, 0u);
  EXPECT_EQ(Stats().blocks_live, 500u);
  for (size_t i = 1; i < blocks.size(); i += 2) {
    ASSERT_TRUE(IsFilled(blocks[i], 100, i));
    test_free(blocks[i]);
  }
}

TEST_F(HeapTest, NoBlockIsHandedOutTwice) {
  SCOPED_TRACE(Random::Seed());
  Random random;
  std::set<void*> live;
  std::vector<void*> order;
  for (int i = 0; i < 100000; ++i) {
    if (order.empty() || random.Below(2) == 0) {
      void* const block = test_malloc(random.Below(4) == 0 ? 3000 : 64);
      ASSERT_TRUE(live.insert(block).second);
      order.push_back(block);
    } else {
      std::swap(order[random.Below(order.size())], order.back());
      live.erase(order.back());
      test_free(order.back());
      order.pop_back();
    }
  }
  for (void* block : order) test_free(block);
}

TEST_F(HeapTest, Caches) {
  const SizeClass c = ClassOfSize(64);
  char* const block = static_cast<char*>(test_malloc(64));
  EXPECT_FALSE(heap()->Caches(c, block));
  EXPECT_TRUE(heap()->Caches(c, block + 64)) << "the mask's next one";
  test_free(block);
  EXPECT_TRUE(heap()->Caches(c, block));
  heap()->Drain();
  EXPECT_FALSE(heap()->Caches(c, block));
}

TEST_F(HeapTest, RefillFailsWithoutMemory) {
  const SizeClass c = ClassOfSize(64);
  {
    const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
    ASSERT_NE(heap(), nullptr) << "a heap is had without a range";
    EXPECT_TRUE(heap()->mapped);
    EXPECT_EQ(heap()->Refill(c), nullptr);
  }
  {
    const ScopedFailures commit(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(heap()->Refill(c), nullptr);
  }
  EXPECT_EQ(UsedUnits(), 0u);
  EXPECT_NE(heap()->Refill(c), nullptr);
}

// What a thread caches as spans must not stand in the way of its slabs.
TEST_F(HeapTest, CachedSpansAreGivenUpForWantOfMemory) {
  if (Config::kRegionReserve > (size_t{64} << 20))
    GTEST_SKIP() << "only where ranges are small";
  void* const keep = test_malloc(16);
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  std::vector<void*> spans;
  for (void* span; (span = test_malloc(2 * kUnit)) != nullptr;)
    spans.push_back(span);
  ASSERT_GE(spans.size(), 25u);
  std::vector<void*> blocks;
  for (void* block; (block = test_malloc(1024)) != nullptr;)
    blocks.push_back(block);
  test_free(spans.back());
  spans.pop_back();
  void* const block = test_malloc(1024);
  EXPECT_NE(block, nullptr);
  test_free(block);
  for (void* span : spans) test_free(span);
  for (void* b : blocks) test_free(b);
  test_free(keep);
}

TEST_F(HeapTest, ViewIsTheFirstRange) {
  void* const block = test_malloc(100);
  EXPECT_EQ(heap()->view().units, g_instance.region.range(0)->units().units());
  EXPECT_LT(heap()->view().SlotOf(block), heap()->view().units);
  test_free(block);
}

TEST(Tally, WrapsAround) {
  Tally tally;
  tally.Add(5);
  tally.Subtract(7);
  EXPECT_EQ(tally.Get() + 2, 0u);
}

TEST(LiveCount, Peaks) {
  LiveCount live;
  live.Add(5, 500);
  live.Add(-3, -300);
  live.Add(1, 100);
  EXPECT_EQ(live.blocks.Load(Order::kRelaxed), 3u);
  EXPECT_EQ(live.bytes_peak.Load(Order::kRelaxed), 500u);
  // A decrease that arrives before its increase is no peak.
  live.Add(-10, -1000);
  EXPECT_EQ(live.blocks_peak.Load(Order::kRelaxed), 5u);
  live.Reset();
  EXPECT_EQ(live.blocks_peak.Load(Order::kRelaxed), 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
