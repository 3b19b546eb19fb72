#include "core/heap/large.h"

#include <sys/mman.h>

#include "core/heap/instance.h"
#include "tests/core/testing.h"
#include "tests/platform/mappings.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class LargeTest : public InstanceTest {
 protected:
  // Keeps a block from growing in place.
  void* Guard() { return test_malloc(3 * kUnit); }
  static size_t ResidentPages(const void* block, size_t size) {
    std::vector<unsigned char> pages(size / 4096);
    EXPECT_EQ(mincore(const_cast<void*>(block), size, pages.data()), 0);
    size_t resident = 0;
    for (const unsigned char page : pages) resident += page & 1;
    return resident;
  }
};

TEST_F(LargeTest, SizesAndAlignment) {
  for (const size_t size : {kSlabMax + 1, 2 * kUnit, 2 * kUnit + 1, 16 * kUnit,
                            16 * kUnit + 1, 5 * kMiB}) {
    char* const block = static_cast<char*>(test_malloc(size));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(AddressOf(block) % kUnit, 0u);
    const size_t usable = test_malloc_usable_size(block);
    EXPECT_EQ(usable, SpanUnits(size) * kUnit);
    EXPECT_LE(usable, RoundUp(size, kUnit) * 5 / 4);
    block[0] = 1;
    block[usable - 1] = 1;
    EXPECT_EQ(test_owns(block), 1);
    EXPECT_EQ(test_owns(block + usable - 1), 1);
    test_free(block);
  }
}

TEST_F(LargeTest, AlignedBeyondAUnit) {
  for (size_t alignment = 2 * kUnit; alignment <= 64 * kMiB; alignment *= 4) {
    void* const block = test_aligned_alloc(alignment, 100);
    ASSERT_NE(block, nullptr) << alignment;
    EXPECT_EQ(AddressOf(block) % alignment, 0u);
    Fill(block, 100, alignment);
    void* const smaller = test_realloc(block, 40);
    ASSERT_TRUE(IsFilled(smaller, 40, alignment));
    test_free(smaller);
  }
}

TEST_F(LargeTest, RefusesTheAbsurd) {
  EXPECT_EQ(AllocateLarge(CurrentHeap(), kRequestMax, kUnit, false), nullptr);
  EXPECT_EQ(AllocateLarge(CurrentHeap(), kRequestMax + 1, kUnit, false),
            nullptr);
  EXPECT_EQ(AllocateLarge(CurrentHeap(), ~size_t{0}, kUnit, false), nullptr);
  void* const block = test_malloc(kMiB);
  Fill(block, kMiB, 1);
  EXPECT_EQ(test_realloc(block, kRequestMax), nullptr);
  EXPECT_EQ(test_realloc(block, ~size_t{0}), nullptr);
  EXPECT_TRUE(IsFilled(block, kMiB, 1));
  test_free(block);
}

TEST_F(LargeTest, GrowsInPlaceWhereTheUnitsBehindAreFree) {
  char* const block = static_cast<char*>(test_malloc(20 * kUnit));
  Fill(block, 20 * kUnit, 1);
  const fake::ScopedForbid move(Primitive::kMovePages);
  ASSERT_EQ(test_realloc(block, 30 * kUnit), block);
  EXPECT_EQ(test_malloc_usable_size(block), 32 * kUnit);
  EXPECT_TRUE(IsFilled(block, 20 * kUnit, 1));
  memset(block + 20 * kUnit, 7, 10 * kUnit);
  EXPECT_EQ(test_owns(block + 30 * kUnit - 1), 1);
  test_free(block);
}

TEST_F(LargeTest, ShrinksInPlace) {
  char* const block = static_cast<char*>(test_malloc(40 * kUnit));
  Fill(block, 40 * kUnit, 1);
  ASSERT_EQ(test_realloc(block, 25 * kUnit), block);
  EXPECT_EQ(test_malloc_usable_size(block), 40 * kUnit)
      << "half of it is in use";
  ASSERT_EQ(test_realloc(block, 5 * kUnit), block);
  EXPECT_EQ(test_malloc_usable_size(block), 5 * kUnit);
  EXPECT_TRUE(IsFilled(block, 5 * kUnit, 1));
  EXPECT_EQ(test_owns(block + 5 * kUnit), 0) << "the rest is free";
  EXPECT_EQ(Stats().bytes_live, 5 * kUnit);
  // From a span class the same.
  ASSERT_EQ(test_realloc(block, kUnit + 1), block);
  EXPECT_EQ(test_malloc_usable_size(block), 2 * kUnit);
  // Into a slab: it moves.
  void* const small = test_realloc(block, 1000);
  EXPECT_TRUE(IsFilled(small, 1000, 1));
  test_free(small);
}

TEST_F(LargeTest, MovesPagesInsteadOfCopying) {
  void* const block = test_malloc(4 * kMiB);
  void* const guard = Guard();
  Fill(block, 4 * kMiB, 1);
  const fake::CallCounter moves(Primitive::kMovePages);
  void* const moved = test_realloc(block, 6 * kMiB);
  ASSERT_NE(moved, nullptr);
  ASSERT_NE(moved, block);
  EXPECT_EQ(moves.calls(), 1u);
  EXPECT_EQ(moves.bytes(), 4 * kMiB);
  EXPECT_TRUE(IsFilled(moved, 4 * kMiB, 1));
  // What it left reads as zero, and is known to: calloc need not clear it.
  void* const zeroed = test_calloc(1, 4 * kMiB);
  EXPECT_TRUE(IsZero(zeroed, 4 * kMiB));
  test_free(zeroed);
  test_free(moved);
  test_free(guard);
}

TEST_F(LargeTest, CopiesWherePagesCannotBeMoved) {
  void* const block = test_malloc(4 * kMiB);
  void* const guard = Guard();
  Fill(block, 4 * kMiB, 1);
  const ScopedFailures failures(Primitive::kMovePages, Failures::Always());
  void* const moved = test_realloc(block, 6 * kMiB);
  ASSERT_NE(moved, block);
  EXPECT_EQ(failures.failed(), 1u);
  EXPECT_TRUE(IsFilled(moved, 4 * kMiB, 1));
  // What it left is not clean.
  void* const zeroed = test_calloc(1, 4 * kMiB);
  EXPECT_TRUE(IsZero(zeroed, 4 * kMiB));
  test_free(zeroed);
  test_free(moved);
  test_free(guard);
}

TEST_F(LargeTest, GrowingStepByStepMovesRarely) {
  void* block = test_malloc(kMiB);
  Fill(block, kMiB, 1);
  const fake::CallCounter moves(Primitive::kMovePages);
  std::vector<void*> guards;
  size_t size = kMiB;
  while (size < 64 * kMiB) {
    guards.push_back(Guard());  // the next one cannot grow in place
    size += 64 * 1024;
    block = test_realloc(block, size);
    ASSERT_NE(block, nullptr);
  }
  EXPECT_LE(moves.calls(), 60u) << "by an eighth each: a logarithm";
  EXPECT_TRUE(IsFilled(block, kMiB, 1));
  test_free(block);
  for (void* guard : guards) test_free(guard);
}

// A moved block is a mapping of its own, and a process may have only so many.
TEST_F(LargeTest, AThousandMovesLeaveNoMappings) {
  void* first = test_malloc(kMiB);
  Fill(first, kMiB, 1);
  const size_t before = alcove_tests::ReadMappings().size();
  for (int i = 0; i < 1000; ++i) {
    void* const guard = Guard();
    void* const moved = test_realloc(first, 3 * kMiB);
    ASSERT_NE(moved, nullptr);
    ASSERT_TRUE(IsFilled(moved, 4096, 1));
    void* const back = test_malloc(kMiB);
    Fill(back, 4096, 1);
    test_free(moved);
    test_free(guard);
    first = back;
  }
  EXPECT_LE(alcove_tests::ReadMappings().size(), before + 40);
  test_free(first);
}

TEST_F(LargeTest, MovedBlocksKeepTheirFlagUntilTheyAreFresh) {
  void* block = test_malloc(4 * kMiB);
  void* const guard = Guard();
  Fill(block, 4 * kMiB, 1);
  block = test_realloc(block, 6 * kMiB);
  // Shrinking and freeing both make what they give back anew.
  const fake::CallCounter refreshes(Primitive::kRefresh);
  ASSERT_EQ(test_realloc(block, 2 * kMiB), block);
  EXPECT_GE(refreshes.calls(), 1u);
  EXPECT_TRUE(IsFilled(block, 2 * kMiB, 1));
  test_free(block);
  EXPECT_GE(refreshes.calls(), 2u);
  void* const zeroed = test_calloc(1, 6 * kMiB);
  EXPECT_TRUE(IsZero(zeroed, 6 * kMiB));
  test_free(zeroed);
  test_free(guard);
}

// What was added in place is another mapping than what was moved, and a move of
// two at once fails after the system has unmapped the target.
TEST_F(LargeTest, MovedAndExtendedBlocksAreCopied) {
  void* block = test_malloc(4 * kMiB);
  void* const guard = Guard();
  Fill(block, 4 * kMiB, 1);
  block = test_realloc(block, 6 * kMiB);
  if (test_realloc(block, 10 * kMiB) != block) {
    ASSERT_LT(Config::kRegionReserve, 64 * kMiB) << "it ends at a short range";
    return;
  }
  Fill(block, 10 * kMiB, 2);
  void* const other_guard = test_malloc(8 * kMiB);  // too long to lie before
  const fake::ScopedForbid move(Primitive::kMovePages);
  void* const copied = test_realloc(block, 16 * kMiB);
  ASSERT_NE(copied, block);
  EXPECT_TRUE(IsFilled(copied, 10 * kMiB, 2));
  test_free(copied);
  test_free(guard);
  test_free(other_guard);
}

TEST_F(LargeTest, RefreshFailureLeavesDirt) {
  void* block = test_malloc(4 * kMiB);
  void* const guard = Guard();
  Fill(block, 4 * kMiB, 1);
  block = test_realloc(block, 6 * kMiB);
  {
    const ScopedFailures failures(Primitive::kRefresh, Failures::Always());
    test_free(block);
    EXPECT_EQ(failures.failed(), 1u);
  }
  void* const zeroed = test_calloc(1, 6 * kMiB);
  EXPECT_TRUE(IsZero(zeroed, 6 * kMiB));
  test_free(zeroed);
  test_free(guard);
}

TEST_F(LargeTest, CallocDoesNotTouchFreshMemory) {
  constexpr size_t kSize = 64 * kMiB;
  void* const block = test_calloc(1, kSize);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(ResidentPages(block, kSize), 0u);
  EXPECT_TRUE(IsZero(block, 4096));
  test_free(block);
}

TEST_F(LargeTest, CallocClearsWhatWasUsed) {
  for (const size_t size : {2 * kUnit, 16 * kUnit, 20 * kUnit}) {
    void* const block = test_malloc(size);
    memset(block, 0x5a, size);
    test_free(block);
    void* const zeroed = test_calloc(size / 8, 8);
    ASSERT_TRUE(IsZero(zeroed, size)) << size;
    test_free(zeroed);
  }
}

TEST_F(LargeTest, HugePagesAreAdvisedFromTheKnobOn) {
  const fake::CallCounter advised(Primitive::kAdviseHugePages);
  void* const small = test_malloc(kMiB);
  void* const large = test_malloc(16 * kMiB);
  EXPECT_EQ(advised.calls(), Config::kHugePagesFrom != 0 ? 1u : 0u);
  test_free(small);
  test_free(large);
}

TEST_F(LargeTest, AnotherThreadMayFreeAndResize) {
  for (const size_t size : {3 * kUnit, 20 * kUnit, 40 * kUnit}) {
    void* block = test_malloc(size);
    Fill(block, size, 1);
    std::thread([&] {
      block = test_realloc(block, 2 * size);
      ASSERT_TRUE(IsFilled(block, size, 1));
      block = test_realloc(block, size / 2);
      ASSERT_TRUE(IsFilled(block, size / 2, 1));
    }).join();
    test_free(block);
    EXPECT_EQ(Stats().blocks_live, 0u);
    EXPECT_EQ(Stats().bytes_live, 0u);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
