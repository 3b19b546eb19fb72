// Many calls at once: batches, and pins.
#include <cerrno>
#include <set>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using BatchTest = ContractTest;
using PinTest = ContractTest;

TEST_F(BatchTest, AsByManyCalls) {
  for (const size_t size : kSizesOfAllKinds) {
    const size_t most = size > 64 * kKiB ? 20 : 3000;
    for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{63},
                               size_t{64}, size_t{65}, most}) {
      if (count > most) continue;
      std::vector<void*> blocks(count);
      ASSERT_EQ(subject::malloc_batch(size, count, blocks.data()), count);
      EXPECT_EQ(GetStats().blocks_live, count);
      for (size_t i = 0; i < count; ++i) {
        ASSERT_GE(subject::malloc_usable_size(blocks[i]), size);
        Fill(blocks[i], size, i);
      }
      ASSERT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), count);
      for (size_t i = 0; i < count; ++i)
        ASSERT_TRUE(Holds(blocks[i], size, i)) << size << " " << i;
      subject::free_batch(blocks.data(), count);
      EXPECT_EQ(GetStats().blocks_live, 0u);
    }
  }
}

TEST_F(BatchTest, FreesAnythingInAnyOrder) {
  const ScopedArena arena;
  std::vector<void*> blocks = {nullptr, subject::malloc(8), nullptr};
  for (const size_t size : kSizesOfAllKinds) {
    blocks.push_back(subject::malloc(size));
    blocks.push_back(subject::arena_malloc(arena, size));
    blocks.push_back(nullptr);
  }
  // Of another thread's slabs.
  std::thread([&] {
    void* theirs[100];
    ASSERT_EQ(subject::malloc_batch(48, 100, theirs), 100u);
    blocks.insert(blocks.end(), theirs, theirs + 100);
    subject::thread_detach();
  }).join();
  subject::free_batch(blocks.data(), blocks.size());
  EXPECT_EQ(GetStats().blocks_live, 0u);
  EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
  subject::free_batch(nullptr, 0);
}

TEST_F(BatchTest, SaysHowManyThereAre) {
  void* one = nullptr;
  EXPECT_EQ(ErrnoAfter([&] {
              EXPECT_EQ(subject::malloc_batch(SIZE_MAX, 1, &one), 0u);
            }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(subject::malloc_batch(8, 0, nullptr), 0u);
}

TEST_F(PinTest, CallsAreAsWithoutIt) {
  subject::Pin* const pin = subject::pin();
  ASSERT_NE(pin, nullptr);
  for (const size_t size : kSizesOfAllKinds) {
    void* const a = subject::pinned_malloc(pin, size);
    void* const b = subject::malloc(size);
    ASSERT_NE(a, nullptr);
    Fill(a, size, 1);
    Fill(b, size, 2);
    EXPECT_TRUE(Holds(a, size, 1));
    // Each by the other's way.
    subject::free(a);
    subject::pinned_free(pin, b);
  }
  subject::pinned_free(pin, nullptr);
  EXPECT_EQ(ErrnoAfter([&] {
              EXPECT_EQ(subject::pinned_malloc(pin, SIZE_MAX), nullptr);
            }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(GetStats().blocks_live, 0u);
  subject::unpin(pin);
}

TEST_F(PinTest, TheThreadKeepsItsCache) {
  subject::Pin* const outer = subject::pin();
  subject::Pin* const inner = subject::pin();
  void* const block = subject::pinned_malloc(inner, 100);
  subject::unpin(inner);
  subject::thread_detach();  // does nothing
  EXPECT_EQ(GetStats().threads, 1u);
  EXPECT_EQ(subject::shutdown(), EBUSY);
  subject::pinned_free(outer, block);
  subject::unpin(outer);
  subject::thread_detach();
  EXPECT_EQ(GetStats().threads, 0u);
}

// A thread that ends with a pin leaves what every other leaves.
TEST_F(PinTest, EndsWithTheThread) {
  void* block = nullptr;
  std::thread([&] {
    block = subject::pinned_malloc(subject::pin(), 100);
  }).join();
  std::thread([&] {
    subject::free(block);
    subject::Pin* const pin = subject::pin();
    subject::pinned_free(pin, subject::pinned_malloc(pin, 100));
    subject::unpin(pin);
    subject::thread_detach();  // the former thread's pin is not this one's
  }).join();
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(PinTest, EachThreadItsOwn) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      subject::Pin* const pin = subject::pin();
      std::vector<void*> blocks;
      for (size_t i = 0; i < 20000; ++i) {
        const size_t size = 1 + i % 2000;
        blocks.push_back(subject::pinned_malloc(pin, size));
        Fill(blocks.back(), size, t);
        if (blocks.size() < 100) continue;
        ASSERT_TRUE(Holds(blocks[i % 100], 1, t));
        subject::pinned_free(pin, blocks[i % 100]);
        blocks[i % 100] = blocks.back();
        blocks.pop_back();
      }
      for (void* const block : blocks) subject::pinned_free(pin, block);
      subject::unpin(pin);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(PinTest, UnpinWithoutAPinStops) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_STOPS(
      {
        subject::Pin* const pin = subject::pin();
        subject::unpin(pin);
        subject::unpin(pin);
      },
      Says("unpin without a pin"));
}

// Where every operation is checked.
TEST_F(PinTest, AnotherThreadsPinStops) {
  if (!IsOn("check_invariants")) GTEST_SKIP() << "not noticed";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_STOPS(
      {
        subject::Pin* const pin = subject::pin();
        std::thread([pin] { subject::pinned_malloc(pin, 8); }).join();
      },
      Says("call with a pin that is not this thread's"));
}

}  // namespace
}  // namespace contract
