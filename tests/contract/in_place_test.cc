// try_realloc_in_place: what a block may become where it is.
#include <cstdint>
#include <random>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using InPlaceTest = ContractTest;
using ArenaInPlaceTest = ArenaModesTest;

constexpr size_t kMost = SIZE_MAX;

TEST_F(InPlaceTest, NullHasNothing) {
  EXPECT_EQ(subject::try_realloc_in_place(nullptr, 0, 0), 0u);
  EXPECT_EQ(subject::try_realloc_in_place(nullptr, 1, 100), 0u);
}

TEST_F(InPlaceTest, AShortBlockStaysWhatItIs) {
  for (const size_t size :
       {size_t{1}, size_t{16}, size_t{100}, kKiB, 8 * kKiB}) {
    void* const block = subject::malloc(size);
    const size_t usable = subject::malloc_usable_size(block);
    Fill(block, usable, size);
    for (const size_t min : {size_t{0}, size, usable, usable + 1, kMost}) {
      for (const size_t max : {size_t{0}, size, usable, 10 * usable, kMost})
        ASSERT_EQ(subject::try_realloc_in_place(block, min, max), usable);
    }
    EXPECT_TRUE(Holds(block, usable, size));
    subject::free_sized(block, usable);
  }
}

TEST_F(InPlaceTest, ALongOneGivesItsTailBack) {
  for (const size_t size : {300 * kKiB, 3 * kMiB, 100 * kMiB}) {
    auto* const block = static_cast<char*>(subject::malloc(size));
    size_t before = subject::malloc_usable_size(block);
    Fill(block, 200 * kKiB, size);
    const size_t spans = GetStats().bytes_spans;
    const size_t after = subject::try_realloc_in_place(block, 0, 200 * kKiB);
    EXPECT_EQ(after, subject::malloc_good_size(200 * kKiB));
    EXPECT_EQ(subject::malloc_usable_size(block), after);
    EXPECT_EQ(GetStats().bytes_spans, spans - (before - after));
    EXPECT_TRUE(Holds(block, 200 * kKiB, size));
    // To nothing, or nearly: it stays a block.
    const size_t least = subject::try_realloc_in_place(block, 0, 0);
    EXPECT_GE(least, 1u);
    EXPECT_LE(least, after);
    EXPECT_TRUE(Holds(block, least, size)) << "the beginning of the pattern";
    subject::free_sized(block, least);
  }
}

TEST_F(InPlaceTest, AndGrowsIntoFreeMemory) {
  void* const block = subject::malloc(kMiB);
  Fill(block, kMiB, 7);
  // Nothing was ever behind it.
  EXPECT_EQ(subject::try_realloc_in_place(block, 2 * kMiB, 3 * kMiB),
            subject::malloc_good_size(3 * kMiB));
  EXPECT_EQ(subject::malloc_usable_size(block), 3 * kMiB);
  EXPECT_TRUE(Holds(block, kMiB, 7));
  Fill(block, 3 * kMiB, 8);
  EXPECT_TRUE(Holds(block, 3 * kMiB, 8));
  EXPECT_GE(GetStats().bytes_live, 3 * kMiB);
  subject::free(block);
}

// Three blocks side by side, of which the one in the middle is freed.
TEST_F(InPlaceTest, AsFarAsTheNextBlock) {
  constexpr size_t kSize = kMiB;
  std::vector<char*> blocks;
  for (int i = 0; i < 64; ++i)
    blocks.push_back(static_cast<char*>(subject::malloc(kSize)));
  int found = 0;
  for (size_t i = 0; i + 2 < blocks.size(); i += 3) {
    char* const first = blocks[i];
    char* const next = blocks[i + 1];
    if (next != first + kSize || blocks[i + 2] != next + kSize) continue;
    ++found;
    Fill(first, kSize, i);
    Fill(blocks[i + 2], kSize, i + 1);
    ASSERT_EQ(subject::try_realloc_in_place(first, kSize + 1, kMost), kSize)
        << "it is taken";
    subject::free(next);
    // It may be in the thread's cache; it is there to be taken all the same.
    ASSERT_EQ(subject::try_realloc_in_place(first, 2 * kSize + 1, kMost), kSize)
        << "not so much";
    ASSERT_EQ(subject::try_realloc_in_place(first, kSize + 1, kMost),
              2 * kSize);
    ASSERT_TRUE(Holds(first, kSize, i));
    Fill(first, 2 * kSize, i);
    ASSERT_TRUE(Holds(first, 2 * kSize, i));
    ASSERT_TRUE(Holds(blocks[i + 2], kSize, i + 1));
    blocks[i + 1] = nullptr;
  }
  EXPECT_GE(found, 10);
  for (char* const block : blocks) subject::free(block);
}

TEST_F(InPlaceTest, WhatIsMoreThanCanBeIsNotTried) {
  void* const block = subject::malloc(kMiB);
  EXPECT_EQ(subject::try_realloc_in_place(block, kMost, kMost), kMiB);
  EXPECT_EQ(subject::try_realloc_in_place(block, size_t{1} << 48, 0), kMiB);
  subject::free(block);
}

TEST_F(InPlaceTest, RandomWalk) {
  const uint64_t seed = testing::UnitTest::GetInstance()->random_seed() + 1u;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  struct Held {
    void* block;
    size_t size;
    uint64_t seed;
  };
  std::vector<Held> all;
  for (uint64_t step = 0; step < 600; ++step) {
    if (all.size() < 8 || random() % 8 == 0) {
      const size_t size = 64 * kKiB + random() % (2 * kMiB);
      all.push_back({subject::malloc(size), size, step});
      Fill(all.back().block, size, step);
      continue;
    }
    Held& held = all[random() % all.size()];
    ASSERT_TRUE(Holds(held.block, held.size, held.seed)) << step;
    if (random() % 6 == 0 || all.size() > 24) {
      subject::free(held.block);
      held = all.back();
      all.pop_back();
      continue;
    }
    const size_t min = random() % (3 * kMiB);
    const size_t max = min + random() % kMiB;
    const size_t before = subject::malloc_usable_size(held.block);
    const size_t after = subject::try_realloc_in_place(held.block, min, max);
    ASSERT_EQ(after, subject::malloc_usable_size(held.block)) << step;
    if (after < min) {
      ASSERT_EQ(after, before) << step;
    } else if (max >= 128 * kKiB) {
      ASSERT_LE(after, std::max(subject::malloc_good_size(max), before));
      if (max <= before) {
        ASSERT_EQ(after, std::min(before, subject::malloc_good_size(max)));
      }
    }
    ASSERT_TRUE(Holds(held.block, std::min(held.size, after), held.seed));
    held.size = after;
    held.seed = step;
    Fill(held.block, held.size, held.seed);
  }
  for (const Held& held : all) {
    EXPECT_TRUE(Holds(held.block, held.size, held.seed));
    subject::free(held.block);
  }
}

TEST_F(InPlaceTest, StopsForWhatIsNoBlock) {
  static char other[64];
  EXPECT_STOPS(
      subject::try_realloc_in_place(other, 1, 1),
      Line("size or realloc asked of memory that is not this instance's, at",
           other));
  char* const block = static_cast<char*>(subject::malloc(kMiB));
  EXPECT_STOPS(subject::try_realloc_in_place(block + 64 * kKiB, 1, 1),
               Line("size or realloc asked of the inside of a block at",
                    block + 64 * kKiB));
  subject::free(block);
}

TEST_P(ArenaInPlaceTest, ALongBlockGrowsAndShrinks) {
  const ScopedArena arena(Options());
  void* const block = subject::arena_malloc(arena, kMiB);
  Fill(block, kMiB, 3);
  const size_t held = StatsOf(arena).bytes_held;
  EXPECT_EQ(subject::try_realloc_in_place(block, 2 * kMiB, 2 * kMiB), 2 * kMiB);
  EXPECT_EQ(StatsOf(arena).bytes_held, held + kMiB);
  EXPECT_EQ(StatsOf(arena).bytes_live, 2 * kMiB);
  EXPECT_EQ(subject::try_realloc_in_place(block, 0, 128 * kKiB), 128 * kKiB);
  EXPECT_EQ(StatsOf(arena).bytes_held, held + 128 * kKiB - kMiB);
  EXPECT_TRUE(Holds(block, 128 * kKiB, 3));
  const size_t least = subject::try_realloc_in_place(block, 0, 0);
  EXPECT_GE(least, 1u);
  EXPECT_EQ(least, subject::malloc_usable_size(block));
  subject::free(block);
}

TEST_P(ArenaInPlaceTest, UpToItsQuota) {
  subject::ArenaOptions options = Options();
  options.hard_quota = 2 * kMiB;
  const ScopedArena arena(options);
  void* const block = subject::arena_malloc(arena, kMiB);
  const size_t held = StatsOf(arena).bytes_held;
  const size_t room = 2 * kMiB - held;
  EXPECT_EQ(subject::try_realloc_in_place(block, 3 * kMiB, 3 * kMiB), kMiB);
  EXPECT_EQ(StatsOf(arena).bytes_held, held);
  const size_t got = subject::try_realloc_in_place(block, kMiB, 3 * kMiB);
  EXPECT_GT(got, kMiB);
  EXPECT_LE(got, kMiB + room);
  EXPECT_EQ(StatsOf(arena).bytes_held, held + got - kMiB);
}

TEST_P(ArenaInPlaceTest, TheLastBlockOfARun) {
  const ScopedArena arena(Options());
  void* const before = subject::arena_malloc(arena, 100);
  void* const last = subject::arena_malloc(arena, 100);
  Fill(last, 100, 5);
  const size_t usable = subject::malloc_usable_size(last);
  const size_t got = subject::try_realloc_in_place(last, 1000, 1000);
  if (monotonic()) {
    EXPECT_GE(got, 1000u);
  } else {
    EXPECT_EQ(got, usable);
  }
  EXPECT_EQ(got, subject::malloc_usable_size(last));
  EXPECT_TRUE(Holds(last, 100, 5));
  EXPECT_LT(subject::try_realloc_in_place(before, 1000, 1000), 1000u);
  EXPECT_EQ(subject::try_realloc_in_place(last, 0, 1), got) << "it keeps it";
}

INSTANTIATE_IN_BOTH_MODES(ArenaInPlaceTest);

}  // namespace
}  // namespace contract
