#include "core/heap/parts.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "core/api/allocate.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr int kNoMemory = 12;
constexpr size_t kUnits = 40;

class PartsTest : public InstanceTest {
 protected:
  static char* Allocate(size_t size) {
    return static_cast<char*>(test_malloc(size));
  }
};

TEST_F(PartsTest, WithoutMemoryToWriteItDownNothingChanges) {
  char* const block = Allocate(200);
  memset(block, 1, 200);
  const size_t usable = test_malloc_usable_size(block);
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(test_free_range(block + 10, 20), kNoMemory);
    EXPECT_EQ(test_malloc_usable_size(block), usable);
    EXPECT_EQ(block[15], 1);
    // Where nothing is to be written down none is needed.
    char* const other = Allocate(200);
    EXPECT_EQ(test_free_range(other, usable), 0);
  }
  EXPECT_EQ(test_free_range(block + 10, 20), 0);
  test_free(block);
  test_free(block + 30);
}

// It stays marked as one that may be in parts.
TEST_F(PartsTest, AShortLargeBlockIsAsBefore) {
  char* const block = Allocate(3 * kUnit);
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(test_free_range(block + 10, 20), kNoMemory);
  }
  test_free(block);
  char* const next = Allocate(3 * kUnit);
  EXPECT_EQ(test_malloc_usable_size(next), 3 * kUnit);
  test_free(next);
}

// Whole units stay where there is no memory to write two blocks down.
TEST_F(PartsTest, ManyPartsAreFreedWithoutMemory) {
  constexpr size_t kParts = 3000;
  constexpr size_t kStep = 4 * kUnit;
  char* const block = Allocate(kParts * kStep);
  // The part of two units in each step has a live one before and behind.
  for (size_t i = 0; i < kParts; ++i) {
    char* const part = block + i * kStep + kUnit / 2;
    ASSERT_EQ(test_free_range(part - 1, 1), 0);
    ASSERT_EQ(test_free_range(part + 2 * kUnit, 1), 0);
  }
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    for (size_t i = 0; i < kParts; ++i)
      test_free(block + i * kStep + kUnit / 2);
  }
  // And go when there is.
  for (size_t i = 0; i < kParts; ++i) {
    test_free(block + i * kStep + 5 * kUnit / 2 + 1);
  }
  test_free(block);
  EXPECT_EQ(test_shutdown(), 0);
}

// A whole block of a slab in which another one is in parts is a block like any.
TEST_F(PartsTest, NeighboursOfABlockInPartsAreAsBefore) {
  std::vector<char*> blocks;
  for (int i = 0; i < 300; ++i) blocks.push_back(Allocate(200));
  ASSERT_EQ(test_free_range(blocks[100] + 50, 50), 0);
  const Range* const range = g_instance.region.RangeOf(blocks[100]);
  const MapEntry entry = EntryOf(*range, blocks[100]);
  EXPECT_EQ(ClassOfEntry(entry), kPartsSlabClass);
  EXPECT_TRUE(g_instance.parts.MayHold(*range, blocks[100], entry));
  EXPECT_FALSE(g_instance.parts.MayHold(*range, blocks[101], entry));
  EXPECT_EQ(test_malloc_usable_size(blocks[101]), 224u);
  // It goes to the thread's cache and comes from there.
  test_free(blocks[101]);
  EXPECT_TRUE(CurrentHeap()->Caches(ClassOfSize(200), blocks[101]));
  EXPECT_EQ(Allocate(200), blocks[101]);
  blocks[99] = static_cast<char*>(test_realloc(blocks[99], 1000));
  std::thread([&] {
    for (int i = 0; i < 300; i += 3) test_free(blocks[i]);
    test_free(blocks[100] + 100);
    test_thread_detach();
  }).join();
  for (int i = 0; i < 300; ++i) {
    if (i % 3 != 0) test_free(blocks[i]);
  }
}

// As callers of the inline header do.
TEST_F(PartsTest, ABlockMadeOfAPartMayComeBackThroughABin) {
  if (Config::kCheckInvariants) GTEST_SKIP() << "nothing is inlined then";
  const SizeClass c = ClassOfSize(256);
  test_free(Allocate(256));  // so that the bin has an array
  std::vector<char*> blocks;
  for (int i = 0; i < 300; ++i) blocks.push_back(Allocate(1024));
  for (char* block : blocks) ASSERT_EQ(test_free_range(block, 512), 0);
  void* const part = g_instance.parts.Take(CurrentHeap(), 256);
  ASSERT_NE(part, nullptr);
  ASSERT_TRUE(CurrentHeap()->bin(c).PushOwn(part));
  EXPECT_EQ(test_malloc(256), part);
  ASSERT_TRUE(CurrentHeap()->bin(c).PushOwn(part));
  CurrentHeap()->Drain();
  EXPECT_EQ(g_instance.parts.SizeOf(part), 0u);
  for (char* each : blocks) test_free(each + 512);
}

// A gap would give such a block more than free_sized expects.
TEST_F(PartsTest, BlocksOfEightBytesAreNotMadeOfGaps) {
  std::vector<char*> halves;
  for (int i = 0; i < 100; ++i) halves.push_back(Allocate(1024));
  for (char* block : halves) ASSERT_EQ(test_free_range(block, 512), 0);
  char* const block = Allocate(1);
  EXPECT_EQ(test_malloc_usable_size(block), 8u);
  test_free_sized(block, 1);
  for (char* each : halves) test_free(each + 512);
}

using PartsDeathTest = PartsTest;

TEST_F(PartsDeathTest, OfABlockThatTheThreadCachesAsFree) {
  for (const size_t size : {size_t{200}, 3 * kUnit}) {
    char* const block = Allocate(size);
    test_free(block);
    EXPECT_DEATH(test_free_range(block + 10, 20), "double free of");
  }
}

// In the middle of giving units back, which is done by one at a time.
class InTheMiddle {
 public:
  explicit InTheMiddle(fake::ScopedHook::Hook hook)
      : hook_(Primitive::kPurge, hook, this) {}

  std::atomic<int> stage{0};

 private:
  fake::ScopedHook hook_;
};

TEST_F(PartsTest, WhoIsStoppedThereStopsNobody) {
  auto* const arena = test_arena_create(nullptr);
  void* const of_arena = test_arena_malloc(arena, 500);
  char* const large = Allocate(kUnits * kUnit);
  InTheMiddle middle([](void* context) {
    auto* const self = static_cast<InTheMiddle*>(context);
    int none = 0;
    if (!self->stage.compare_exchange_strong(none, 1)) return;
    while (self->stage != 2) std::this_thread::yield();
  });
  std::thread stopped([&] {
    EXPECT_EQ(test_free_range(large + 2 * kUnit, 3 * kUnit), 0);
    test_thread_detach();
  });
  while (middle.stage == 0) std::this_thread::yield();
  // Left for it to do, in this order.
  char* const small = Allocate(200);
  EXPECT_EQ(test_free_range(small + 20, 30), 0);
  test_free(of_arena);  // as ever
  EXPECT_EQ(test_malloc_usable_size(small), 20u);
  EXPECT_EQ(test_free_range(large + kUnit, 10), 0);
  EXPECT_EQ(test_malloc_usable_size(large), kUnit);
  EXPECT_EQ(test_malloc_usable_size(small + 50), 174u);
  EXPECT_EQ(test_malloc_usable_size(large + kUnit + 10), kUnit - 10);
  test_free(small);
  test_free(small + 50);
  EXPECT_EQ(g_instance.parts.Take(CurrentHeap(), 16), nullptr);
  char* const other = Allocate(3 * kUnit);
  middle.stage = 2;
  stopped.join();
  EXPECT_FALSE(g_instance.parts.Holds(small));
  EXPECT_EQ(test_malloc_usable_size(large), kUnit);
  test_free(large);
  test_free(large + kUnit + 10);
  test_free(large + 5 * kUnit);
  test_free(other);
  test_arena_destroy(arena);
}

TEST_F(PartsTest, WhoIsKilledThereIsSucceeded) {
  char* const large = Allocate(kUnits * kUnit);
  {
    InTheMiddle middle([](void*) { syscall(SYS_exit, 0); });
    std::thread([&] { test_free_range(large + 2 * kUnit, 3 * kUnit); }).join();
  }
  EXPECT_EQ(test_malloc_usable_size(large), 2 * kUnit);
  char* const small = Allocate(200);
  EXPECT_EQ(test_free_range(small + 20, 30), 0);
  // At once: nobody is waited for.
  EXPECT_TRUE(g_instance.parts.Holds(small));
  test_free(small);
  test_free(small + 50);
  test_free(large);
  test_free(large + 5 * kUnit);
  // The units that it had in hand are lost until shutdown.
  EXPECT_EQ(test_shutdown(), 0);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
