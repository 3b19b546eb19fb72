// Shutdown, detaching, purging, and what the instance says of itself.
#include <errno.h>

#include <string>

#include "core/api/state.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class LifeTest : public InstanceTest {};

TEST_F(LifeTest, NothingIsMappedBeforeTheFirstCall) {
  const int64_t mapped = fake::MappedBytes();
  test_free(nullptr);
  test_owns(this);
  test_purge();
  test_thread_detach();
  EXPECT_EQ(test_shutdown(), 0);
  EXPECT_EQ(fake::MappedBytes(), mapped);
}

TEST_F(LifeTest, ShutdownWithLiveBlocks) {
  const int64_t mapped = fake::MappedBytes();
  for (int round = 0; round < 50; ++round) {
    for (const size_t size : {1, 100, 10000, 100000, 5000000})
      test_malloc(size);
    ASSERT_EQ(test_shutdown(), 0);
    ASSERT_EQ(fake::MappedBytes(), mapped);
    ASSERT_EQ(Stats().blocks_live, 0u);
    ASSERT_EQ(Stats().blocks_peak, 0u);
    ASSERT_EQ(Stats().address_high, 0u);
  }
}

TEST_F(LifeTest, ShutdownTwice) {
  test_malloc(1);
  EXPECT_EQ(test_shutdown(), 0);
  EXPECT_EQ(test_shutdown(), 0);
}

TEST_F(LifeTest, ShutdownWaitsForOthers) {
  std::atomic<int> step{0};
  std::thread other([&] {
    void* const block = test_malloc(100);
    Fill(block, 100, 1);
    step = 1;
    while (step != 2) std::this_thread::yield();
    EXPECT_TRUE(IsFilled(block, 100, 1)) << "nothing changed";
    test_free(block);
    test_thread_detach();
    step = 3;
    while (step != 4) std::this_thread::yield();
    // After the shutdown it is as at the start.
    test_free(test_malloc(100));
    test_thread_detach();
  });
  while (step != 1) std::this_thread::yield();
  void* const mine = test_malloc(10);
  EXPECT_EQ(test_shutdown(), EBUSY);
  test_free(mine);
  step = 2;
  while (step != 3) std::this_thread::yield();
  EXPECT_EQ(test_shutdown(), 0);
  step = 4;
  other.join();
}

TEST_F(LifeTest, ShutdownAfterThreadsThatDied) {
  for (int i = 0; i < 20; ++i) {
    RunThreads(4, [](unsigned) { test_malloc(1000); });
    ASSERT_EQ(test_shutdown(), 0);
  }
}

TEST_F(LifeTest, DetachGivesTheCacheBack) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(test_malloc(100));
  for (int i = 0; i < 20; ++i) blocks.push_back(test_malloc(100000));
  for (void* block : blocks) test_free(block);
  EXPECT_GT(Stats().bytes_cached, 0u);
  test_thread_detach();
  EXPECT_EQ(Stats().bytes_cached, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
  EXPECT_EQ(Stats().threads, 0u);
  test_thread_detach();
  test_free(test_malloc(1));
  EXPECT_EQ(Stats().threads, 1u);
}

TEST_F(LifeTest, PurgeReturnsWhatIsFree) {
  const fake::ScopedClock clock(1000);
  constexpr size_t kSize = kSpanUnitsMax * kUnit + kUnit;  // too long to cache
  void* const block = test_malloc(kSize);
  memset(block, 1, kSize);
  const fake::CallCounter purges(Primitive::kPurge);
  test_free(block);
  const uint64_t early = purges.bytes();  // a small dirt limit does it at once
  EXPECT_EQ(early + test_purge(), kSize);
  EXPECT_EQ(test_purge(), 0u);
}

TEST_F(LifeTest, SaysWhatItIs) {
  EXPECT_STREQ(test_version(), ALCOVE_VERSION_STRING);
  const std::string config = test_config();
  EXPECT_EQ(config.front(), '{');
  EXPECT_EQ(config.back(), '}');
  EXPECT_NE(config.find("\"prefix\":\"test_\""), std::string::npos) << config;
}

// ---- state.h ----

TEST_F(LifeTest, AThreadBeginsWithTheConstantHeap) {
  EXPECT_EQ(tls_heap, &g_no_heap);
  EXPECT_EQ(test_malloc_usable_size(nullptr), 0u);
  EXPECT_EQ(tls_heap, &g_no_heap) << "a heap is for those who allocate";
  void* const block = test_malloc(1);
  EXPECT_NE(tls_heap, &g_no_heap);
  EXPECT_EQ(tls_heap, CurrentHeap());
  std::thread([block] {
    EXPECT_EQ(tls_heap, &g_no_heap);
    test_free(block);
    EXPECT_NE(tls_heap, &g_no_heap);
  }).join();
}

TEST_F(LifeTest, TheConstantHeapIsNeverWritten) {
  const Heap& none = g_no_heap;
  test_free(test_malloc(1));
  for (SizeClass c = 0; c < kClassLimit; ++c) {
    EXPECT_TRUE(none.bin(c).full());
    EXPECT_TRUE(none.bin(c).bottom == nullptr);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
