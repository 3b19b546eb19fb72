// realloc in arenas, by the arena and without naming it: from every kind of
// block to every other, in place or moved. In both modes.
#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaReallocTest = ArenaModesTest;

// Of every kind, up to 8 MiB.
const std::vector<size_t> kSizes = {
    1,         16,         100,  1024,     9 * kKiB, 40 * kKiB, 64 * kKiB,
    65 * kKiB, 300 * kKiB, kMiB, kMiB + 1, 3 * kMiB, 8 * kMiB,
};

void* Resize(subject::Arena* arena, void* block, size_t size, int way) {
  switch (way) {
    case 0:
      return subject::realloc(block, size);
    case 1:
      return subject::arena_realloc(arena, block, size);
    case 2:
      return subject::reallocarray(block, 1, size);
    default:
      return subject::arena_reallocarray(arena, block, size, 1);
  }
}

TEST_P(ArenaReallocTest, KeepsContents) {
  ScopedArena arena(Options());
  int way = 0;
  for (const size_t old_size : kSizes) {
    for (const size_t size : kSizes) {
      void* const block = subject::arena_malloc(arena, old_size);
      ASSERT_NE(block, nullptr);
      Fill(block, old_size, old_size + size);
      void* const moved = Resize(arena, block, size, way++ % 4);
      ASSERT_NE(moved, nullptr);
      ASSERT_EQ(subject::arena_of(moved), arena);
      ASSERT_EQ(subject::arena_of(static_cast<char*>(moved) + size - 1), arena);
      ASSERT_GE(subject::malloc_usable_size(moved), size);
      ASSERT_TRUE(Holds(moved, std::min(old_size, size), old_size + size))
          << old_size << " to " << size;
      Fill(moved, size, 1);
      ASSERT_TRUE(Holds(moved, size, 1));
      ASSERT_EQ(StatsOf(arena).blocks_live, 1u);
      ASSERT_EQ(StatsOf(arena).bytes_live, subject::malloc_usable_size(moved));
      subject::free(moved);
    }
    subject::arena_reset(arena);
  }
}

TEST_P(ArenaReallocTest, GrowsStepByStepBesideNeighbours) {
  ScopedArena arena(Options());
  std::vector<void*> neighbours;
  void* block = subject::arena_malloc(arena, 1);
  size_t size = 1;
  Fill(block, size, 7);
  int way = 0;
  while (size < 8 * kMiB) {
    const size_t more = size + size / 2 + 1;
    block = Resize(arena, block, more, way++ % 4);
    ASSERT_NE(block, nullptr);
    ASSERT_TRUE(Holds(block, size, 7)) << size << " to " << more;
    size = more;
    Fill(block, size, 7);
    neighbours.push_back(subject::arena_malloc(arena, size));
    Fill(neighbours.back(), size, size);
  }
  while (size > 1) {
    const size_t less = std::max<size_t>(size - size / 3 - 1, 1);
    block = Resize(arena, block, less, way++ % 4);
    ASSERT_TRUE(Holds(block, less, 7)) << size << " to " << less;
    size = less;
  }
  subject::free(block);
  size = 1;
  for (void* const neighbour : neighbours) {
    size = size + size / 2 + 1;
    ASSERT_TRUE(Holds(neighbour, size, size)) << "a neighbour was overwritten";
  }
}

// Pages that moved out of an arena that is gone, or into one, are nobody else's.
TEST_P(ArenaReallocTest, MovedBlocksGoWithTheirArena) {
  void* const bystander = subject::malloc(2 * kMiB);
  Fill(bystander, 2 * kMiB, 9);
  for (int round = 0; round < 5; ++round) {
    ScopedArena arena(Options());
    std::vector<void*> blocks;
    for (int i = 0; i < 4; ++i) {
      blocks.push_back(subject::arena_malloc(arena, 2 * kMiB));
      Fill(blocks.back(), 2 * kMiB, i);
    }
    for (int i = 0; i < 4; ++i) {
      blocks[i] = subject::realloc(blocks[i], 5 * kMiB);
      ASSERT_TRUE(Holds(blocks[i], 2 * kMiB, i));
      Fill(blocks[i], 5 * kMiB, i);
      void* const zeros = subject::arena_calloc(arena, 1, 2 * kMiB);
      ASSERT_TRUE(IsZero(zeros, 2 * kMiB));
      Fill(zeros, 2 * kMiB, i);
      subject::free(zeros);
    }
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(Holds(blocks[i], 5 * kMiB, i));
    if (round % 2 == 0) subject::arena_reset(arena);
    arena.Destroy();
    void* const zeros = subject::calloc(1, 20 * kMiB);
    ASSERT_TRUE(IsZero(zeros, 20 * kMiB));
    Fill(zeros, 20 * kMiB, round);
    subject::free(zeros);
  }
  EXPECT_TRUE(Holds(bystander, 2 * kMiB, 9));
  subject::free(bystander);
}

TEST_P(ArenaReallocTest, NullIsMallocAndZeroIsFree) {
  ScopedArena arena(Options());
  for (const size_t size : kSizes) {
    void* block = subject::arena_realloc(arena, nullptr, size);
    ASSERT_EQ(subject::arena_of(block), arena);
    EXPECT_EQ(subject::arena_realloc(arena, block, 0), nullptr);
    block = subject::arena_reallocarray(arena, nullptr, size, 1);
    ASSERT_EQ(subject::arena_of(block), arena);
    EXPECT_EQ(subject::arena_reallocarray(arena, block, 0, 8), nullptr);
    EXPECT_EQ(subject::realloc(subject::arena_malloc(arena, size), 0), nullptr);
  }
  EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
  EXPECT_EQ(StatsOf(arena).bytes_live, 0u);
}

// By a thread that has no cache of the arena, in an arena that others use.
TEST_P(ArenaReallocTest, ByThreadsThatNeverAllocatedThere) {
  ScopedArena arena(Options());
  for (const size_t size : kSizes) {
    void* block = subject::arena_malloc(arena, size);
    Fill(block, size, size);
    std::thread([&] {
      block = subject::realloc(block, size * 2);
      ASSERT_EQ(subject::arena_of(block), arena);
      ASSERT_TRUE(Holds(block, size, size));
    }).join();
    std::thread([&] { subject::free(block); }).join();
  }
  EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
}

TEST_P(ArenaReallocTest, WhatFitsStaysInPlace) {
  ScopedArena arena(Options());
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::arena_malloc(arena, size);
    const size_t usable = subject::malloc_usable_size(block);
    EXPECT_EQ(subject::realloc(block, usable), block) << size;
    EXPECT_EQ(subject::arena_realloc(arena, block, usable), block) << size;
    subject::free(block);
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaReallocTest);

}  // namespace
}  // namespace contract
