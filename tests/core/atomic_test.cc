#include "core/base/atomic.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constinit Atomic<uint64_t> g_word;  // zero without any code at start-up

TEST(Atomic, IsZeroByDefault) {
  EXPECT_EQ(g_word.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(sizeof(Atomic<uint64_t>), sizeof(uint64_t));
  EXPECT_EQ(sizeof(Atomic<void*>), sizeof(void*));
}

TEST(Atomic, LoadStoreExchange) {
  Atomic<uint32_t> word(5);
  EXPECT_EQ(word.Load(Order::kSeqCst), 5u);
  word.Store(6, Order::kRelease);
  EXPECT_EQ(word.Exchange(7, Order::kAcqRel), 6u);
  EXPECT_EQ(word.Load(Order::kAcquire), 7u);
}

TEST(Atomic, CompareExchange) {
  Atomic<uint32_t> word(5);
  uint32_t expected = 4;
  EXPECT_FALSE(word.CompareExchange(expected, 9, Order::kAcqRel));
  EXPECT_EQ(expected, 5u) << "what was found";
  EXPECT_TRUE(word.CompareExchange(expected, 9, Order::kAcqRel));
  EXPECT_EQ(word.Load(Order::kRelaxed), 9u);
}

TEST(Atomic, Arithmetic) {
  Atomic<uint64_t> word(0b1100);
  EXPECT_EQ(word.FetchOr(0b0110, Order::kRelaxed), 0b1100u);
  EXPECT_EQ(word.FetchAnd(0b1010, Order::kRelaxed), 0b1110u);
  EXPECT_EQ(word.FetchAdd(5, Order::kRelaxed), 0b1010u);
  EXPECT_EQ(word.FetchSub(20, Order::kRelaxed), 15u);
  EXPECT_EQ(word.Load(Order::kRelaxed), ~uint64_t{0} - 4) << "wraps around";
}

TEST(Atomic, RaiseAndLower) {
  Atomic<size_t> word(10);
  word.RaiseTo(9, Order::kRelaxed);
  EXPECT_EQ(word.Load(Order::kRelaxed), 10u);
  word.RaiseTo(11, Order::kRelaxed);
  EXPECT_EQ(word.Load(Order::kRelaxed), 11u);
  word.LowerTo(12, Order::kRelaxed);
  EXPECT_EQ(word.Load(Order::kRelaxed), 11u);
  word.LowerTo(3, Order::kRelaxed);
  EXPECT_EQ(word.Load(Order::kRelaxed), 3u);
}

TEST(Atomic, PublishedIsLikeItsValue) {
  Published<uint16_t> number;
  EXPECT_EQ(number * 2u, 0u);
  number = 7;
  EXPECT_EQ(number + 1, 8);
  EXPECT_EQ(number.Peek(), 7);
  int array[3] = {};
  Published<int*> pointer;
  EXPECT_TRUE(pointer == nullptr);
  pointer = array;
  pointer[2] = 5;
  EXPECT_EQ(pointer + 2, array + 2);
  EXPECT_EQ(array[2], 5);
}

TEST(Atomic, RaiseFromManyThreads) {
  Atomic<size_t> high;
  Atomic<size_t> low(~size_t{0});
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 1; i <= 20000; ++i) {
        high.RaiseTo(i * 4 + t, Order::kRelaxed);
        low.LowerTo(1000000 - i * 4 - t, Order::kRelaxed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(high.Load(Order::kRelaxed), 80003u);
  EXPECT_EQ(low.Load(Order::kRelaxed), 1000000u - 80003u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
