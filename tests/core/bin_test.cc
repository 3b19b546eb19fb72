#include "core/heap/bin.h"

#include "core/heap/slot_pool.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class BinTest : public testing::Test {
 protected:
  BinTest() {
    bin_.bottom = slots_;
    bin_.capacity = 8;
    bin_.ClearOwn();
    bin_.ClearOthers();
  }
  static void* Block(uintptr_t n) { return reinterpret_cast<void*>(n * 16); }
  bool Push(uintptr_t n, bool own) {
    return own ? bin_.PushOwn(Block(n)) : bin_.PushOther(Block(n));
  }

  void* slots_[8] = {};
  Bin bin_ = {};
};

TEST(Bin, AllZeroIsEmptyAndFull) {
  Bin bin = {};
  EXPECT_EQ(bin.Pop(), nullptr);
  EXPECT_TRUE(bin.full());
  EXPECT_FALSE(bin.PushOwn(&bin));
  EXPECT_FALSE(bin.PushOther(&bin));
}

TEST_F(BinTest, OwnBlocksAreLastInFirstOut) {
  EXPECT_TRUE(Push(1, true));
  EXPECT_TRUE(Push(2, true));
  EXPECT_EQ(bin_.own(), 2u);
  EXPECT_EQ(bin_.Pop(), Block(2));
  EXPECT_EQ(bin_.Pop(), Block(1));
  EXPECT_EQ(bin_.Pop(), nullptr);
}

TEST_F(BinTest, OthersAreNotHandedOut) {
  EXPECT_TRUE(Push(1, false));
  EXPECT_TRUE(Push(2, false));
  EXPECT_EQ(bin_.others(), 2u);
  EXPECT_EQ(bin_.Pop(), nullptr);
  EXPECT_EQ(bin_.end()[-1], Block(1));
  EXPECT_EQ(bin_.end()[-2], Block(2));
}

TEST_F(BinTest, IsFullWhenTheEndsMeet) {
  for (uintptr_t i = 1; i <= 8; ++i) {
    EXPECT_FALSE(bin_.full());
    EXPECT_TRUE(Push(i, i % 3 != 0));
  }
  EXPECT_TRUE(bin_.full());
  EXPECT_FALSE(Push(9, true));
  EXPECT_FALSE(Push(9, false));
  EXPECT_EQ(bin_.own(), 6u);
  EXPECT_EQ(bin_.others(), 2u);
  bin_.ClearOthers();
  EXPECT_TRUE(Push(9, true));
  bin_.ClearOwn();
  EXPECT_EQ(bin_.own(), 0u);
}

TEST_F(BinTest, TheMaskComesAfterTheArrayInAddressOrder) {
  char memory[64 * 48];
  bin_.size = 48;
  bin_.mask_start = memory;
  bin_.mask.Store(BitWord{1} << 63 | 0b1010, Order::kRelaxed);
  EXPECT_TRUE(Push(1, true));
  EXPECT_EQ(bin_.Pop(), Block(1));
  EXPECT_EQ(bin_.Pop(), memory + 1 * 48);
  EXPECT_EQ(bin_.Pop(), memory + 3 * 48);
  EXPECT_EQ(bin_.Pop(), memory + 63 * 48);
  EXPECT_EQ(bin_.Pop(), nullptr);
}

TEST(Bin, CapacityIsBoundedByBytesAndBlocks) {
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    EXPECT_GE(CapacityMax(c), 4u);
    EXPECT_LE(CapacityMax(c), Max(Config::kCacheBlocksPerClass, 4));
    if (CapacityMax(c) > 4) {
      EXPECT_LE(CapacityMax(c) * size_t{InfoOf(c).size},
                Config::kCacheBytesPerClass);
    }
  }
}

TEST(SlotPool, ArraysArePowersOfTwo) {
  EXPECT_EQ(SlotPool::ArraySlots(1), 8u);
  EXPECT_EQ(SlotPool::ArraySlots(8), 8u);
  EXPECT_EQ(SlotPool::ArraySlots(9), 16u);
  EXPECT_EQ(SlotPool::ArraySlots(4096), 4096u);
}

TEST(SlotPool, ArraysGoToTheNextBin) {
  void* near_memory[SlotPool::kNearSlots] = {};
  void* memory[64] = {};
  SlotPool pool;
  pool.Init(near_memory, memory);
  void** const a = pool.Take(8);
  void** const b = pool.Take(16);
  EXPECT_EQ(a, near_memory);
  EXPECT_EQ(b, near_memory + 8) << "packed";
  pool.Give(a, 8);
  pool.Give(nullptr, 8);
  EXPECT_EQ(pool.Take(16), near_memory + 24);
  EXPECT_EQ(pool.Take(5), a);
  EXPECT_EQ(pool.Take(8), near_memory + 40);
  EXPECT_EQ(pool.Take(32), memory) << "what does not fit goes elsewhere";
  EXPECT_EQ(pool.Take(8), memory + 32) << "and all that follows";
}

TEST(SlotPool, BeginsAnew) {
  void* near_memory[SlotPool::kNearSlots];
  std::vector<void*> memory(SlotPool::SlotsMax(), &near_memory);
  SlotPool pool;
  pool.Init(near_memory, memory.data());
  void** const first = pool.Take(8);
  for (int i = 0; i < 3; ++i) pool.Take(1024);
  const fake::CallCounter purges(Primitive::kPurge);
  pool.Reset();
  EXPECT_GE(purges.bytes(), 4 * 4096u);
  EXPECT_EQ(memory[2048], nullptr) << "the memory went back";
  EXPECT_NE(memory[3 * 1024 + 512], nullptr) << "what was in use of it";
  EXPECT_EQ(pool.Take(8), first);
  EXPECT_EQ(pool.Take(1024), memory.data());
  pool.Reset();
}

// However bins grow, and in whichever order, the memory of a heap suffices.
TEST(SlotPool, NeverRunsOut) {
  SCOPED_TRACE(Random::Seed());
  for (uint64_t round = 0; round < 200; ++round) {
    Random random(round);
    std::vector<void*> near_memory(SlotPool::kNearSlots);
    std::vector<void*> memory(SlotPool::SlotsMax());
    SlotPool pool;
    pool.Init(near_memory.data(), memory.data());
    std::vector<unsigned> capacities(kCachedClasses + 1, 0);
    std::vector<void**> arrays(kCachedClasses + 1, nullptr);
    for (int step = 0; step < 2000; ++step) {
      const auto c = static_cast<SizeClass>(1 + random.Below(kCachedClasses));
      const size_t most =
          c <= kSlabClasses ? CapacityMax(c) : SlotPool::kSpanSlotsMax;
      const auto next =
          static_cast<unsigned>(Min(Max(capacities[c] * 2, 8), most));
      if (next == capacities[c]) continue;
      void** const array = pool.Take(next);
      const std::vector<void*>& home =
          array >= near_memory.data() &&
                  array < near_memory.data() + near_memory.size()
              ? near_memory
              : memory;
      ASSERT_GE(array, home.data());
      ASSERT_LE(array + SlotPool::ArraySlots(next), home.data() + home.size());
      pool.Give(arrays[c], capacities[c]);
      arrays[c] = array;
      capacities[c] = next;
    }
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
