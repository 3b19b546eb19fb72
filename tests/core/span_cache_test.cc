// The part of a heap in span_cache.cc.
#include "core/heap/heap.h"
#include "core/heap/instance.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class SpanCacheTest : public InstanceTest {
 protected:
  static size_t Cached() { return Stats().bytes_cached; }
  static void* Span(unsigned units) { return test_malloc(units * kUnit); }
};

TEST_F(SpanCacheTest, HandsTheSameSpanOutAgain) {
  if (Config::kCacheSpanBytes == 0) GTEST_SKIP();
  void* const a = Span(2);
  test_free(a);
  EXPECT_EQ(Cached(), 2 * kUnit);
  const fake::ScopedForbid clock(Primitive::kMilliseconds);
  EXPECT_EQ(Span(2), a);
  EXPECT_EQ(Cached(), 0u);
  test_free(a);
}

TEST_F(SpanCacheTest, StaysWithinItsBudget) {
  SCOPED_TRACE(Random::Seed());
  Random random;
  std::vector<void*> spans;
  for (int i = 0; i < 20000; ++i) {
    if (spans.size() < 40 && random.Below(2) == 0) {
      spans.push_back(Span(2 + static_cast<unsigned>(random.Below(15))));
      ASSERT_NE(spans.back(), nullptr);
    } else if (!spans.empty()) {
      std::swap(spans[random.Below(spans.size())], spans.back());
      test_free(spans.back());
      spans.pop_back();
    }
    if (i % 64 == 0) {
      ASSERT_LE(Cached(), Config::kCacheSpanBytes);
    }
  }
  for (void* span : spans) test_free(span);
  EXPECT_LE(Cached(), Config::kCacheSpanBytes);
  CurrentHeap()->DrainSpans();
  EXPECT_EQ(Cached(), 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

TEST_F(SpanCacheTest, AFullBinLetsTheOldestGo) {
  std::vector<void*> spans;
  constexpr size_t kSpans = SlotPool::kSpanSlotsMax + 20;
  for (size_t i = 0; i < kSpans; ++i) spans.push_back(Span(2));
  for (void* span : spans) test_free(span);
  const size_t cached = Cached() / (2 * kUnit);
  EXPECT_LE(cached, size_t{SlotPool::kSpanSlotsMax});
  for (size_t i = 0; i < cached; ++i)
    EXPECT_EQ(Span(2), spans[kSpans - 1 - i]) << "newest first";
  for (size_t i = 0; i < cached; ++i) test_free(spans[kSpans - 1 - i]);
}

TEST_F(SpanCacheTest, SpansOfOtherThreadsAreUsedToo) {
  std::vector<void*> spans;
  std::thread([&] {
    for (int i = 0; i < 12; ++i) {
      spans.push_back(Span(3));
      Fill(spans.back(), 3 * kUnit, 1);
    }
  }).join();
  CurrentHeap();
  for (void* span : spans) test_free(span);
  const size_t used = Stats().bytes_spans;
  std::vector<void*> again;
  const size_t cached = Cached() / (3 * kUnit);
  for (size_t i = 0; i < cached; ++i) again.push_back(Span(3));
  EXPECT_EQ(Stats().bytes_spans, used);
  EXPECT_EQ(Cached(), 0u);
  for (void* span : again) test_free(span);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

// The budget is spent by one class, then another comes, time and again:
// capacities go back to 0 and grow anew.
TEST_F(SpanCacheTest, DemandMovesFromClassToClass) {
  for (int round = 0; round < 20; ++round) {
    for (unsigned units = 2; units <= 16; ++units) {
      std::vector<void*> spans;
      for (int i = 0; i < 10; ++i) spans.push_back(Span(units));
      for (void* span : spans) test_free(span);
      ASSERT_LE(Cached(), Config::kCacheSpanBytes);
    }
  }
  CurrentHeap()->Drain();
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

// Spans beyond those with a class for each length, too, from any thread.
TEST_F(SpanCacheTest, LongSpansAreCached) {
  if (Config::kCacheSpanBytes < 128 * kUnit) GTEST_SKIP();
  void* const a = Span(100);
  std::thread([&] {
    test_free(a);
    EXPECT_EQ(Cached(), SpanUnits(100 * kUnit) * kUnit);
    const fake::ScopedForbid clock(Primitive::kMilliseconds);
    EXPECT_EQ(Span(97), a) << "of the same class";
    test_free(a);
  }).join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

// All heaps together have a budget, too.
TEST_F(SpanCacheTest, ManyThreadsShareABudget) {
  if (Config::kCacheSpanBytes == 0) GTEST_SKIP();
  constexpr unsigned kThreads = 12;
  std::atomic<unsigned> done{0};
  RunThreads(kThreads, [&](unsigned) {
    std::vector<void*> spans;
    const size_t n = Config::kCacheSpanBytes / (4 * kUnit);
    for (size_t i = 0; i < Min(n, 60); ++i) spans.push_back(Span(4));
    for (void* span : spans) test_free(span);
    ++done;
    while (done < kThreads) std::this_thread::yield();
    EXPECT_LE(Cached(),
              Max(4 * Config::kCacheSpanBytes, Stats().bytes_spans_peak / 8));
  });
}

// Memory that is cached is used before the instance grows.
TEST_F(SpanCacheTest, IsUsedUpBeforeTheInstanceGrows) {
  if (Config::kCacheSpanBytes < 64 * kUnit) GTEST_SKIP();
  std::vector<void*> spans;
  for (int i = 0; i < 20; ++i) spans.push_back(Span(2));
  for (void* span : spans) test_free(span);
  ASSERT_EQ(Cached(), 40 * kUnit);
  const size_t peak = Stats().bytes_spans_peak;
  void* const block = Span(16);
  EXPECT_LE(Stats().bytes_spans_peak, peak);
  test_free(block);
}

// Slabs of large blocks come and go without the region, within the budget.
TEST_F(SpanCacheTest, SlabsOfSeveralUnitsAreCachedToo) {
  if (Config::kCacheSpanBytes < 16 * kMediumUnits * kUnit) GTEST_SKIP();
  std::vector<void*> blocks;
  const auto fill = [&] {
    for (int i = 0; i < 100; ++i) blocks.push_back(test_malloc(30000));
  };
  const auto empty = [&] {
    for (void* block : blocks) test_free(block);
    blocks.clear();
  };
  fill();
  const size_t used = Stats().bytes_spans;
  empty();
  EXPECT_EQ(Stats().bytes_spans, used) << "they stay";
  {
    const fake::ScopedForbid clock(Primitive::kMilliseconds);
    fill();
    EXPECT_EQ(Stats().bytes_spans, used);
    empty();
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
  test_thread_detach();
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

TEST_F(SpanCacheTest, PurgeGivesUpTheCallersSpans) {
  std::vector<void*> spans;
  for (int i = 0; i < 10; ++i) spans.push_back(Span(3));
  for (void* span : spans) test_free(span);
  test_purge();
  EXPECT_EQ(Cached(), 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
  EXPECT_EQ(Stats().bytes_dirty, 0u);
}

// Nobody would use what the heap of a dead thread caches.
TEST_F(SpanCacheTest, HeapsOfTheDeadCacheNoSlabs) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 200; ++i) blocks.push_back(test_malloc(30000));
  }).join();
  for (void* block : blocks) test_free(block);
  test_thread_detach();
  test_purge();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

// However often all room is given up and asked for anew, the memory of the bins
// suffices: what lies behind it is not ours.
TEST_F(SpanCacheTest, GivingUpRoomLosesNone) {
  if (Config::kCacheSpanBytes < 128 * kUnit) GTEST_SKIP();
  Heap* const heap = CurrentHeap();
  const auto end =
      AddressOf(reinterpret_cast<void**>(heap + 1) + SlotPool::SlotsMax());
  const SizeClass c = SpanClass(2);
  for (int round = 0; round < 300; ++round) {
    std::vector<void*> spans;
    for (int i = 0; i < 40; ++i) spans.push_back(Span(2));
    for (void* span : spans) test_free(span);
    ASSERT_GT(heap->bin(c).capacity, 32u);
    ASSERT_LE(AddressOf(heap->bin(c).end()), end) << round;
    heap->DrainSpans();
    ASSERT_EQ(Cached(), 0u);
  }
}

TEST_F(SpanCacheTest, BothEndsOfABinAtOnce) {
  std::vector<void*> theirs;
  std::thread([&] {
    for (int i = 0; i < 40; ++i) theirs.push_back(Span(2));
  }).join();
  std::vector<void*> mine;
  for (int i = 0; i < 40; ++i) mine.push_back(Span(2));
  for (int i = 0; i < 40; ++i) {
    test_free(mine[i]);
    test_free(theirs[i]);
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
  CurrentHeap()->Drain();
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
