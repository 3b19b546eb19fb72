// Hard quotas are exact to the unit: never exceeded; null only where one more
// unit would be too many; and usable again.
#include <cerrno>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaQuotaTest = ArenaModesTest;

subject::ArenaOptions WithQuota(subject::ArenaOptions options, size_t hard) {
  options.hard_quota = hard;
  return options;
}

// Allocates until there is no more.
std::vector<void*> Exhaust(subject::Arena* arena, size_t size) {
  std::vector<void*> blocks;
  while (void* const block = subject::arena_malloc(arena, size)) {
    blocks.push_back(block);
    if (blocks.size() > 100000) break;
  }
  return blocks;
}

void FreeAll(const std::vector<void*>& blocks) {
  for (void* const block : blocks) subject::free(block);
}

// An arena that was destroyed with a small block in it, as most are: whatever
// of it serves the next one counts only when it does.
void LeaveOneBehind(const subject::ArenaOptions& options) {
  ScopedArena arena(options);
  subject::arena_malloc(arena, 100);
}

// Blocks of whole units: as many as fit, and not one more or less.
TEST_P(ArenaQuotaTest, ExactToTheUnit) {
  for (const size_t units : {1, 2, 3, 4, 10, 17, 64}) {
    for (const size_t of_a_block : {2, 3, 4, 16}) {
      // Bytes beyond the last whole unit are none.
      for (const size_t rest : {size_t{0}, size_t{1}, kUnit - 1}) {
        const size_t quota = units * kUnit + rest;
        LeaveOneBehind(Options());
        ScopedArena arena(WithQuota(Options(), quota));
        const auto blocks = Exhaust(arena, of_a_block * kUnit);
        ASSERT_EQ(blocks.size(), units / of_a_block)
            << units << " units, blocks of " << of_a_block;
        ASSERT_EQ(StatsOf(arena).bytes_held,
                  blocks.size() * of_a_block * kUnit);
        ASSERT_LE(StatsOf(arena).bytes_held_peak, quota);
      }
    }
  }
}

TEST_P(ArenaQuotaTest, LessThanAUnitIsNothing) {
  for (const size_t quota : {size_t{1}, size_t{100}, kUnit - 1}) {
    ScopedArena arena(WithQuota(Options(), quota));
    EXPECT_EQ(subject::arena_malloc(arena, 1), nullptr);
    EXPECT_EQ(StatsOf(arena).bytes_held, 0u);
  }
}

TEST_P(ArenaQuotaTest, SmallBlocksFillWhatThereIs) {
  for (const size_t size : {size_t{16}, size_t{100}, size_t{1000}}) {
    for (const size_t units : {1, 2, 16}) {
      ScopedArena arena(WithQuota(Options(), units * kUnit));
      const auto blocks = Exhaust(arena, size);
      for (size_t i = 0; i < blocks.size(); ++i) Fill(blocks[i], size, i);
      EXPECT_LE(StatsOf(arena).bytes_held_peak, units * kUnit);
      EXPECT_GE(StatsOf(arena).bytes_live, units * kUnit / 8 * 7) << size;
      for (size_t i = 0; i < blocks.size(); ++i)
        ASSERT_TRUE(Holds(blocks[i], size, i));
    }
  }
}

// A block needs the units it lies in, not those that would make a good slab.
TEST_P(ArenaQuotaTest, ABlockFitsWhereItsUnitsDo) {
  for (const size_t size : {8 * kKiB, 16 * kKiB, 20 * kKiB, 40 * kKiB, kUnit,
                            kUnit + 1, 3 * kUnit}) {
    const size_t units = (size + kUnit - 1) / kUnit;
    for (size_t quota = units; quota <= 9; ++quota) {
      ScopedArena arena(WithQuota(Options(), quota * kUnit));
      EXPECT_NE(subject::arena_malloc(arena, size), nullptr)
          << size << " bytes in " << quota << " units";
    }
  }
}

TEST_P(ArenaQuotaTest, EveryFunctionFailsAtTheLimit) {
  ScopedArena arena(WithQuota(Options(), 16 * kUnit));
  void* const block = subject::arena_malloc(arena, 14 * kUnit);
  ASSERT_NE(block, nullptr);
  Fill(block, 14 * kUnit, 1);
  const size_t size = 3 * kUnit;
  EXPECT_EQ(ErrnoAfter([&] {
              EXPECT_EQ(subject::arena_malloc(arena, size), nullptr);
            }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(subject::arena_calloc(arena, 1, size), nullptr);
  EXPECT_EQ(subject::arena_realloc(arena, nullptr, size), nullptr);
  EXPECT_EQ(subject::arena_reallocarray(arena, nullptr, 3, kUnit), nullptr);
  EXPECT_EQ(subject::arena_aligned_alloc(arena, 4096, size), nullptr);
  void* other = &other;
  EXPECT_EQ(subject::arena_posix_memalign(arena, &other, 64, size), ENOMEM);
  EXPECT_EQ(other, &other);
  EXPECT_EQ(subject::realloc(block, 17 * kUnit), nullptr);
  EXPECT_EQ(subject::arena_realloc(arena, block, 40 * kUnit), nullptr);
  EXPECT_TRUE(Holds(block, 14 * kUnit, 1));
  EXPECT_EQ(StatsOf(arena).blocks_live, 1u);
  EXPECT_EQ(StatsOf(arena).bytes_held, 14 * kUnit);
  EXPECT_LE(StatsOf(arena).bytes_held_peak, 16 * kUnit);
}

TEST_P(ArenaQuotaTest, UsableAgainAfterReset) {
  ScopedArena arena(WithQuota(Options(), 32 * kUnit));
  for (int round = 0; round < 20; ++round) {
    const size_t size = round % 2 == 0 ? 2 * kUnit : 500;
    const auto blocks = Exhaust(arena, size);
    EXPECT_GE(blocks.size() * size, 28 * kUnit);
    EXPECT_LE(StatsOf(arena).bytes_held, 32 * kUnit);
    subject::arena_reset(arena);
    EXPECT_EQ(StatsOf(arena).bytes_held, 0u);
  }
}

TEST_P(ArenaQuotaTest, UsableAgainAfterFrees) {
  if (monotonic()) GTEST_SKIP() << "which never gives out a block twice";
  ScopedArena arena(WithQuota(Options(), 32 * kUnit));
  for (int round = 0; round < 5; ++round) {
    // The same kind again, and another after it: caches give way.
    for (const size_t size :
         {size_t{100}, 2 * kUnit, size_t{1000}, 5 * kUnit, size_t{300}, kMiB}) {
      const auto first = Exhaust(arena, size);
      EXPECT_GE(first.size() * size, 16 * kUnit) << size;
      FreeAll(first);
      const auto second = Exhaust(arena, size);
      EXPECT_GE(second.size(), first.size()) << size;
      FreeAll(second);
      EXPECT_LE(StatsOf(arena).bytes_held_peak, 32 * kUnit);
    }
  }
}

// One small block at a time, each of another class: what they were is in
// nobody's way.
TEST_P(ArenaQuotaTest, UsableAgainForOtherSizes) {
  if (monotonic()) GTEST_SKIP() << "which never gives out a block twice";
  ScopedArena arena(WithQuota(Options(), 4 * kUnit));
  void* last = nullptr;
  for (int round = 0; round < 3; ++round) {
    for (size_t size = 16; size <= 8 * kKiB; size *= 2) {
      void* const block = subject::arena_malloc(arena, size);
      ASSERT_NE(block, nullptr) << size;
      subject::free(last);
      last = block;
    }
  }
}

// What lies in other threads' caches is in the way no longer.
TEST_P(ArenaQuotaTest, UsableAgainAfterOthersFreed) {
  if (monotonic()) GTEST_SKIP() << "which never gives out a block twice";
  Crew crew(4);
  ScopedArena arena(WithQuota(Options(), 32 * kUnit));
  for (int round = 0; round < 10; ++round) {
    const auto blocks = Exhaust(arena, 2 * kUnit);
    ASSERT_EQ(blocks.size(), 16u) << round;
    crew.Do([&](int t) {
      for (size_t i = t; i < blocks.size(); i += 4) subject::free(blocks[i]);
    });
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaQuotaTest);

}  // namespace
}  // namespace contract
