// One test for each misuse, with its exact line. What only the debug preset
// notices at once is noticed at the latest when the thread's cache gives the
// block back.
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

using MisuseDeathTest = ContractTest;

char* Inside(void* block, size_t offset) {
  return static_cast<char*>(block) + offset;
}

// Frees, and has the cache give everything back.
void FreeForGood(std::vector<void*> blocks) {
  for (void* const block : blocks) subject::free(block);
  subject::thread_detach();
}

TEST_F(MisuseDeathTest, FreeOfTheStack) {
  int local = 0;
  EXPECT_STOPS(subject::free(&local), Line(kFreeForeign, &local));
}

TEST_F(MisuseDeathTest, FreeOfStaticMemory) {
  static int object;
  void* const kept = subject::malloc(8);
  EXPECT_STOPS(subject::free(&object), Line(kFreeForeign, &object));
  subject::free(kept);
}

TEST_F(MisuseDeathTest, FreeOfAnotherMallocsBlock) {
  void* const foreign = std::malloc(100);
  EXPECT_STOPS(subject::free(foreign), Line(kFreeForeign, foreign));
  std::free(foreign);
}

TEST_F(MisuseDeathTest, FreeOfAWildPointer) {
  void* const wild = reinterpret_cast<void*>(uintptr_t{8});
  EXPECT_STOPS(subject::free(wild), Line(kFreeForeign, wild));
}

TEST_F(MisuseDeathTest, FreeAfterShutdown) {
  void* const block = subject::malloc(100);
  ASSERT_EQ(subject::shutdown(), 0);
  EXPECT_STOPS(subject::free(block), Line(kFreeForeign, block));
}

TEST_F(MisuseDeathTest, FreeOfUnusedUnits) {
  void* const block = subject::malloc(100);
  // The last unit of the first range, which is filled from its beginning.
  auto* const unused = reinterpret_cast<void*>(GetStats().address_high - 16);
  EXPECT_STOPS(subject::free(unused), Line(kFreeNoBlock, unused));
  subject::free(block);
}

TEST_F(MisuseDeathTest, FreeInsideASmallBlock) {
  void* const block = subject::malloc(100);
  void* const inside = Inside(block, 16);
  EXPECT_STOPS(FreeForGood({inside}), Line(kFreeInside, inside));
  subject::free(block);
}

TEST_F(MisuseDeathTest, FreeInsideAMediumBlock) {
  void* const block = subject::malloc(40 * kKiB);
  void* const inside = Inside(block, 8 * kKiB);
  EXPECT_STOPS(FreeForGood({inside}), Line(kFreeInside, inside));
  subject::free(block);
}

TEST_F(MisuseDeathTest, FreeInsideASpan) {
  void* const block = subject::malloc(200 * kKiB);
  // In its first unit, and in another.
  void* const near = Inside(block, 16);
  void* const far = Inside(block, 64 * kKiB);
  EXPECT_STOPS(FreeForGood({near}), Line(kFreeInside, near));
  EXPECT_STOPS(subject::free(far), Line(kFreeInside, far));
  subject::free(block);
}

TEST_F(MisuseDeathTest, FreeInsideAHugeBlock) {
  void* const block = subject::malloc(2 * kMiB);
  void* const near = Inside(block, 16);
  void* const far = Inside(block, kMiB);
  EXPECT_STOPS(subject::free(near), Line(kFreeInside, near));
  EXPECT_STOPS(subject::free(far), Line(kFreeInside, far));
  subject::free(block);
}

TEST_F(MisuseDeathTest, DoubleFree) {
  void* const block = subject::malloc(64);
  // Still in the cache at the second free, where debug looks first.
  EXPECT_STOPS(
      FreeForGood({block, block}),
      Line(kDoubleFree, block, IsOn("check_invariants") ? "" : OfBytes(64)));
  subject::free(block);
}

TEST_F(MisuseDeathTest, DoubleFreeAfterTheCacheGaveItBack) {
  void* const kept = subject::malloc(64);  // so that the slab stays
  void* const block = subject::malloc(64);
  EXPECT_STOPS(
      {
        FreeForGood({block});
        FreeForGood({block});
      },
      Line(kDoubleFree, block, OfBytes(64)));
  FreeForGood({kept, block});
}

TEST_F(MisuseDeathTest, DoubleFreeByAnotherThread) {
  void* const block = subject::malloc(64);
  const auto free_elsewhere = [block] {
    std::thread([block] { FreeForGood({block}); }).join();
  };
  EXPECT_STOPS(
      {
        free_elsewhere();
        free_elsewhere();
      },
      Line(kDoubleFree, block, OfBytes(64)));
  subject::free(block);
}

TEST_F(MisuseDeathTest, DoubleFreeByTwoThreads) {
  void* const kept = subject::malloc(64);
  void* const block = subject::malloc(64);
  EXPECT_STOPS(
      {
        std::thread([block] { FreeForGood({block}); }).join();
        FreeForGood({block});
      },
      Line(kDoubleFree, block, OfBytes(64)));
  FreeForGood({kept, block});
}

TEST_F(MisuseDeathTest, DoubleFreeOfAHugeBlock) {
  void* const block = subject::malloc(2 * kMiB);
  EXPECT_STOPS(
      {
        subject::free(block);
        subject::free(block);
      },
      Line(kFreeNoBlock, block));
  subject::free(block);
}

// The slab has handed out its first 64 blocks at most.
TEST_F(MisuseDeathTest, FreeOfABlockNeverAllocated) {
  void* const block = subject::malloc(64);
  void* const never = Inside(block, 64 * 200);
  EXPECT_STOPS(FreeForGood({never}), Line(kFreeNeverAllocated, never));
  // Of another thread's frees only the owner knows which blocks it handed out:
  // it notices when it comes to this one.
  EXPECT_STOPS(
      {
        std::thread([never] { FreeForGood({never}); }).join();
        for (int i = 0; i < 300; ++i) subject::malloc(64);
      },
      Line(kFreeNeverAllocated, never));
  subject::free(block);
}

TEST_F(MisuseDeathTest, ReallocOfForeignMemory) {
  int local = 0;
  EXPECT_STOPS(subject::realloc(&local, 100), Line(kUseForeign, &local));
}

TEST_F(MisuseDeathTest, ReallocInsideABlock) {
  for (const size_t size : {size_t{100}, 40 * kKiB, 200 * kKiB, 2 * kMiB}) {
    void* const block = subject::malloc(size);
    void* const inside = Inside(block, 16);
    EXPECT_STOPS(subject::realloc(inside, 10), Line(kUseInside, inside));
    subject::free(block);
  }
}

TEST_F(MisuseDeathTest, ReallocOfAFreedHugeBlock) {
  void* const block = subject::malloc(2 * kMiB);
  subject::free(block);
  EXPECT_STOPS(subject::realloc(block, 100), Line(kUseAfterFree, block));
}

TEST_F(MisuseDeathTest, SizeOfForeignMemory) {
  int local = 0;
  EXPECT_STOPS(subject::malloc_usable_size(&local), Line(kUseForeign, &local));
}

TEST_F(MisuseDeathTest, SizeInsideABlock) {
  void* const block = subject::malloc(100);
  void* const inside = Inside(block, 1);
  EXPECT_STOPS(subject::malloc_usable_size(inside), Line(kUseInside, inside));
  subject::free(block);
}

}  // namespace
}  // namespace contract
