// realloc from every kind of block to every other: slabs, cached spans, huge
// blocks that stay, grow in place or have their pages moved.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using ReallocKindsTest = ContractTest;

TEST_F(ReallocKindsTest, KeepsContents) {
  for (const size_t old_size : kSizesOfAllKinds) {
    for (const size_t size : kSizesOfAllKinds) {
      void* const block = subject::malloc(old_size);
      Fill(block, old_size, old_size + size);
      void* const moved = subject::realloc(block, size);
      ASSERT_NE(moved, nullptr);
      ASSERT_GE(subject::malloc_usable_size(moved), size);
      ASSERT_TRUE(Holds(moved, std::min(old_size, size), old_size + size))
          << old_size << " to " << size;
      // The new part is usable, too.
      Fill(moved, size, 1);
      ASSERT_TRUE(Holds(moved, size, 1));
      subject::free(moved);
    }
  }
}

TEST_F(ReallocKindsTest, AlignedBlocksToo) {
  for (const size_t alignment : {size_t{64}, 4 * kKiB, 64 * kKiB, kMiB}) {
    for (const size_t size : kSizesOfAllKinds) {
      void* const block = subject::aligned_alloc(alignment, 5000);
      Fill(block, 5000, size);
      void* const moved = subject::realloc(block, size);
      ASSERT_TRUE(Holds(moved, std::min<size_t>(5000, size), size))
          << alignment << " " << size;
      subject::free(moved);
    }
  }
}

// A block in the way of the one that grows: it has to move, its pages or its
// bytes.
TEST_F(ReallocKindsTest, GrowsStepByStepBesideNeighbours) {
  std::vector<void*> neighbours;
  void* block = subject::malloc(1);
  size_t size = 1;
  Fill(block, size, 7);
  while (size < 12 * kMiB) {
    const size_t more = size + size / 3 + 1;
    block = subject::realloc(block, more);
    ASSERT_NE(block, nullptr);
    ASSERT_TRUE(Holds(block, size, 7)) << size << " to " << more;
    size = more;
    Fill(block, size, 7);
    neighbours.push_back(subject::malloc(size));
    Fill(neighbours.back(), size, size);
  }
  while (size > 1) {
    const size_t less = size - size / 3 - 1;
    block = subject::realloc(block, std::max<size_t>(less, 1));
    ASSERT_TRUE(Holds(block, less, 7)) << size << " to " << less;
    size = std::max<size_t>(less, 1);
  }
  subject::free(block);
  size = 1;
  for (void* const neighbour : neighbours) {
    size = size + size / 3 + 1;
    ASSERT_TRUE(Holds(neighbour, size, size)) << "a neighbour was overwritten";
    subject::free(neighbour);
  }
}

// Memory that a moved block left behind, or grew out of, serves calloc as
// zeros.
TEST_F(ReallocKindsTest, MovedBlocksLeaveNothingBehind) {
  for (int round = 0; round < 4; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 6; ++i) {
      void* const block = subject::malloc(2 * kMiB);
      Fill(block, 2 * kMiB, i);
      blocks.push_back(block);
    }
    for (int i = 0; i < 6; ++i) {
      blocks[i] = subject::realloc(blocks[i], 5 * kMiB);
      ASSERT_TRUE(Holds(blocks[i], 2 * kMiB, i));
      Fill(blocks[i], 5 * kMiB, i);
      void* const zeros = subject::calloc(1, 2 * kMiB);
      ASSERT_TRUE(IsZero(zeros, 2 * kMiB));
      Fill(zeros, 2 * kMiB, i);
      subject::free(zeros);
    }
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(Holds(blocks[i], 5 * kMiB, i));
      blocks[i] = subject::realloc(blocks[i], 100 * kKiB);
      ASSERT_TRUE(Holds(blocks[i], 100 * kKiB, i));
      subject::free(blocks[i]);
    }
  }
}

TEST_F(ReallocKindsTest, SmallerStaysInPlaceWhileHalfIsUsed) {
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::malloc(size);
    const size_t usable = subject::malloc_usable_size(block);
    EXPECT_EQ(subject::realloc(block, usable), block);
    EXPECT_EQ(subject::realloc(block, (usable + 1) / 2), block) << size;
    subject::free(block);
  }
}

TEST_F(ReallocKindsTest, ArraysTakeTheProduct) {
  void* block = subject::reallocarray(nullptr, 10, 100);
  ASSERT_GE(subject::malloc_usable_size(block), 1000u);
  Fill(block, 1000, 3);
  block = subject::reallocarray(block, 100, 1000);
  ASSERT_GE(subject::malloc_usable_size(block), 100000u);
  EXPECT_TRUE(Holds(block, 1000, 3));
  EXPECT_EQ(subject::reallocarray(block, 0, 1000), nullptr)
      << "a product of 0 frees";
}

}  // namespace
}  // namespace contract
