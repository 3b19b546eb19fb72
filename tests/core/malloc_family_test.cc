// The entry points of the malloc family; that they keep C's and POSIX's
// contract for all sizes is tests/contract's.
#include <algorithm>

#include "core/size/size_class.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class MallocFamilyTest : public InstanceTest {};

TEST_F(MallocFamilyTest, ZeroSizesAreBlocks) {
  void* const a = test_malloc(0);
  void* const b = test_calloc(0, 8);
  void* const c = test_calloc(8, 0);
  void* const d = test_aligned_alloc(4096, 0);
  void* const e = test_realloc(nullptr, 0);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(e, nullptr);
  const std::vector<void*> all = {a, b, c, d, e};
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(all[i], all[j]);
  }
  for (void* block : all) test_free(block);
}

TEST_F(MallocFamilyTest, UsableSizeIsTheGoodSize) {
  for (size_t size = 0; size < 200000; size += 1 + size / 50) {
    void* const block = test_malloc(size);
    EXPECT_EQ(test_malloc_usable_size(block), test_malloc_good_size(size));
    test_free(block);
  }
  EXPECT_EQ(test_malloc_usable_size(nullptr), 0u);
}

TEST_F(MallocFamilyTest, ReallocToZeroFrees) {
  void* const block = test_malloc(100);
  EXPECT_EQ(test_realloc(block, 0), nullptr);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(MallocFamilyTest, ReallocKeepsHalfFullBlocksInPlace) {
  for (const size_t size : {64, 1024, 40000, 65536}) {
    void* const block = test_malloc(size);
    const size_t usable = test_malloc_usable_size(block);
    EXPECT_EQ(test_realloc(block, usable / 2), block);
    EXPECT_EQ(test_realloc(block, usable), block);
    void* const moved = test_realloc(block, usable / 2 - 1);
    EXPECT_NE(moved, block);
    test_free(moved);
  }
}

TEST_F(MallocFamilyTest, ReallocFailureKeepsTheBlock) {
  void* const small = test_malloc(100);
  void* const large = test_malloc(20 * kUnit);
  void* const guard = test_malloc(3 * kUnit);
  Fill(small, 100, 1);
  Fill(large, 20 * kUnit, 2);
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  const ScopedFailures commit(Primitive::kCommit, Failures::Always());
  EXPECT_EQ(test_realloc(small, size_t{1} << 45), nullptr);
  EXPECT_EQ(test_realloc(large, size_t{1} << 45), nullptr);
  EXPECT_EQ(test_reallocarray(large, size_t{1} << 40, 32), nullptr);
  EXPECT_TRUE(IsFilled(small, 100, 1));
  EXPECT_TRUE(IsFilled(large, 20 * kUnit, 2));
  EXPECT_EQ(test_malloc_usable_size(large), 20 * kUnit);
  test_free(small);
  test_free(large);
  test_free(guard);
}

TEST_F(MallocFamilyTest, CallocClearsRecycledBlocks) {
  for (const size_t size : {1, 8, 100, 512, 5000, 60000}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 200; ++i) {
      blocks.push_back(test_malloc(size));
      memset(blocks.back(), 0x5a, test_malloc_usable_size(blocks.back()));
    }
    for (void* block : blocks) test_free(block);
    for (void*& block : blocks) {
      block = test_calloc(1, size);
      ASSERT_TRUE(IsZero(block, size)) << size;
    }
    for (void* block : blocks) test_free(block);
  }
}

// Blocks in a fresh slab read as zero, and calloc leaves them as they are.
TEST_F(MallocFamilyTest, CallocKnowsFreshBlocks) {
  if (Config::kCheckInvariants)
    GTEST_SKIP() << "a write to what nobody has is misuse, which is noticed";
  char* const first = static_cast<char*>(test_calloc(1, 4096));
  char* const second = static_cast<char*>(test_calloc(1, 4096));
  ASSERT_EQ(second, first + 4096);
  memset(second + 4096, 0x5a, 1);  // nobody's yet: what calloc hands out next
  char* const third = static_cast<char*>(test_calloc(1, 4096));
  ASSERT_EQ(third, second + 4096);
  EXPECT_EQ(third[0], 0x5a) << "was cleared although it was fresh";
  for (void* block : {first, second, third}) test_free(block);
}

TEST_F(MallocFamilyTest, CallocAfterThePurge) {
  std::vector<void*> blocks;
  for (int i = 0; i < 500; ++i) {
    blocks.push_back(test_malloc(1000));
    memset(blocks.back(), 0x5a, 1000);
  }
  for (void* block : blocks) test_free(block);
  test_thread_detach();
  test_purge();
  for (void*& block : blocks) {
    block = test_calloc(1, 1000);
    ASSERT_TRUE(IsZero(block, 1000));
  }
  for (void* block : blocks) test_free(block);
}

TEST_F(MallocFamilyTest, EveryAlignment) {
  for (size_t alignment = 1; alignment <= size_t{1} << 24; alignment *= 2) {
    for (const size_t size :
         {0, 1, 7, 16, 17, 100, 4097, 65536, 65537, 300000}) {
      void* const block = test_aligned_alloc(alignment, size);
      ASSERT_NE(block, nullptr) << alignment << " " << size;
      ASSERT_EQ(AddressOf(block) % alignment, 0u) << size;
      Fill(block, size, alignment);
      ASSERT_GE(test_malloc_usable_size(block), size);
      test_free_aligned_sized(block, alignment, size);
    }
  }
  void* block = nullptr;
  EXPECT_EQ(test_posix_memalign(&block, 8, 3), 0);
  test_free(block);
}

TEST_F(MallocFamilyTest, LargestAlignment) {
  void* const block = test_aligned_alloc(size_t{1} << 30, 1);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(AddressOf(block) % (size_t{1} << 30), 0u);
  test_free(block);
  EXPECT_EQ(test_aligned_alloc(size_t{1} << 31, 1), nullptr);
}

TEST_F(MallocFamilyTest, SizedFreesOfWhatTheyMayBe) {
  for (size_t size = 0; size < 300000; size += 1 + size / 20) {
    test_free_sized(test_malloc(size), size);
    test_free_sized(test_calloc(1, size), size);
    if (size != 0) {
      test_free_sized(test_realloc(test_malloc(size + size / 3), size), size);
      test_free_sized(test_realloc(test_malloc(size / 2), size), size);
    }
  }
  test_free_sized(nullptr, 10);
  test_free_aligned_sized(nullptr, 64, 10);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(MallocFamilyTest, Owns) {
  int on_stack = 0;
  EXPECT_EQ(test_owns(nullptr), 0);
  EXPECT_EQ(test_owns(&on_stack), 0);
  char* const block = static_cast<char*>(test_malloc(100));
  EXPECT_EQ(test_owns(block), 1);
  EXPECT_EQ(test_owns(block + 50), 1);
  EXPECT_EQ(test_owns(block + 10 * kUnit), 0) << "the region's, but in no span";
  EXPECT_EQ(test_owns(&on_stack), 0);
  EXPECT_EQ(test_owns(reinterpret_cast<void*>(~uintptr_t{0})), 0);
  test_free(block);
}

// Addresses of a later range are freed the slow way, which must be no
// different.
TEST_F(MallocFamilyTest, BlocksOfLaterRanges) {
  if (Config::kRegionReserve > (size_t{64} << 20))
    GTEST_SKIP() << "only where ranges are small";
  SCOPED_TRACE(Random::Seed());
  std::vector<std::pair<void*, size_t>> blocks;
  Random random;
  for (int i = 0; i < 4000; ++i) {
    const size_t size = random.Size(17);
    blocks.push_back({test_malloc(size), size});
    ASSERT_NE(blocks.back().first, nullptr);
    Fill(blocks.back().first, Min(size, 200), i);
  }
  EXPECT_NE(g_instance.region.range(2), nullptr);
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); i += 2) {
      ASSERT_TRUE(IsFilled(blocks[i].first, Min(blocks[i].second, 200), i));
      blocks[i].first = test_realloc(blocks[i].first, blocks[i].second * 2);
      ASSERT_TRUE(IsFilled(blocks[i].first, Min(blocks[i].second, 200), i));
    }
  }).join();
  for (size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_TRUE(IsFilled(blocks[i].first, Min(blocks[i].second, 200), i));
    test_free(blocks[i].first);
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
