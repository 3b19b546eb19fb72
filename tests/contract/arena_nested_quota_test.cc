// A child's units count for its parent's quota, and no others do.
#include <atomic>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaNestedQuotaTest = ArenaModesTest;

subject::ArenaOptions Under(subject::ArenaOptions options,
                            subject::Arena* parent, size_t hard) {
  options.parent = parent;
  options.hard_quota = hard;
  return options;
}

// How many blocks of two units there still are.
size_t Exhaust(subject::Arena* arena) {
  size_t count = 0;
  while (subject::arena_malloc(arena, 2 * kUnit) != nullptr) ++count;
  return count;
}

size_t Held(subject::Arena* arena) { return StatsOf(arena).bytes_held / kUnit; }

TEST_P(ArenaNestedQuotaTest, AParentBoundsItsChildren) {
  ScopedArena parent(Under(Options(), nullptr, 16 * kUnit));
  ScopedArena sibling(Under(Options(), parent, 0));
  {
    ScopedArena child(Under(Options(), parent, 0));
    EXPECT_EQ(Exhaust(child), 8u);
    EXPECT_EQ(Held(child), 16u);
    EXPECT_EQ(Held(parent), 16u);
    EXPECT_EQ(Held(sibling), 0u);
    EXPECT_EQ(Exhaust(parent), 0u);
    EXPECT_EQ(Exhaust(sibling), 0u);
    EXPECT_EQ(StatsOf(parent).blocks_live, 0u) << "blocks are the child's";
    subject::arena_reset(child);
    EXPECT_EQ(Held(parent), 0u);
    EXPECT_EQ(Exhaust(sibling), 8u);
    EXPECT_EQ(Exhaust(child), 0u);
    subject::arena_reset(sibling);
    EXPECT_EQ(Exhaust(child), 8u);
  }
  EXPECT_EQ(Held(parent), 0u) << "a child that is gone holds nothing";
  EXPECT_EQ(Exhaust(parent), 8u);
  EXPECT_EQ(StatsOf(parent).bytes_held_peak, 16 * kUnit);
}

TEST_P(ArenaNestedQuotaTest, AChildsOwnBoundLeavesTheRest) {
  ScopedArena parent(Under(Options(), nullptr, 20 * kUnit));
  ScopedArena small(Under(Options(), parent, 6 * kUnit));
  EXPECT_EQ(Exhaust(small), 3u);
  EXPECT_EQ(Held(parent), 6u) << "of refused calls nothing remains";
  EXPECT_EQ(Exhaust(parent), 7u);
  EXPECT_EQ(Exhaust(small), 0u);
  EXPECT_EQ(Held(small), 6u);
}

// The one in the middle refuses: those below and above hold what they held.
TEST_P(ArenaNestedQuotaTest, ThreeGenerations) {
  ScopedArena eldest(Under(Options(), nullptr, 100 * kUnit));
  ScopedArena middle(Under(Options(), eldest, 10 * kUnit));
  ScopedArena youngest(Under(Options(), middle, 50 * kUnit));
  EXPECT_EQ(Exhaust(youngest), 5u);
  EXPECT_EQ(Held(youngest), 10u);
  EXPECT_EQ(Held(middle), 10u);
  EXPECT_EQ(Held(eldest), 10u);
  EXPECT_EQ(StatsOf(youngest).bytes_held_peak, 10 * kUnit);
  EXPECT_EQ(Exhaust(eldest), 45u);
  subject::arena_reset(middle);
  youngest.Forget();
  EXPECT_EQ(Held(middle), 0u);
  EXPECT_EQ(Held(eldest), 90u);
  EXPECT_EQ(Exhaust(middle), 5u);
}

TEST_P(ArenaNestedQuotaTest, FreesGiveBackToAllGenerations) {
  if (monotonic()) GTEST_SKIP() << "frees give nothing back";
  ScopedArena parent(Under(Options(), nullptr, 16 * kUnit));
  ScopedArena child(Under(Options(), parent, 16 * kUnit));
  std::vector<void*> blocks;
  for (int i = 0; i < 8; ++i)
    blocks.push_back(subject::arena_malloc(child, 2 * kUnit));
  EXPECT_EQ(Exhaust(parent), 0u);
  for (void* const block : blocks) subject::free(block);
  EXPECT_EQ(Exhaust(parent), 8u) << "what the child cached was in the way";
}

TEST_P(ArenaNestedQuotaTest, StrangersAreUnaffected) {
  ScopedArena full(Under(Options(), nullptr, 4 * kUnit));
  ScopedArena stranger(Under(Options(), nullptr, 4 * kUnit));
  EXPECT_EQ(Exhaust(full), 2u);
  EXPECT_EQ(Held(stranger), 0u);
  EXPECT_EQ(Exhaust(stranger), 2u);
  void* const block = subject::malloc(10 * kUnit);
  EXPECT_NE(block, nullptr) << "nor is the main heap";
  subject::free(block);
}

// Sixteen threads in four children, whose bounds together are more than their
// parent's.
TEST_P(ArenaNestedQuotaTest, ExactUnderSixteenThreads) {
  Crew crew(16);
  ScopedArena parent(Under(Options(), nullptr, 101 * kUnit));
  for (int round = 0; round < 20; ++round) {
    std::vector<subject::Arena*> children;
    for (int i = 0; i < 4; ++i) {
      const subject::ArenaOptions options =
          Under(Options(), parent, 31 * kUnit);
      children.push_back(subject::arena_create(&options));
      ASSERT_NE(children.back(), nullptr);
    }
    std::atomic<size_t> count = 0;
    crew.Do([&](int t) { count += Exhaust(children[t % 4]); });
    ASSERT_EQ(count, 50u);
    size_t held = 0;
    for (subject::Arena* const child : children) {
      ASSERT_LE(Held(child), 30u);
      held += Held(child);
    }
    ASSERT_EQ(held, 100u);
    ASSERT_EQ(Held(parent), 100u);
    ASSERT_EQ(StatsOf(parent).bytes_held_peak, 100 * kUnit);
    // By turns one by one and all at once.
    if (round % 2 == 0) {
      crew.Do([&](int t) {
        if (t < 4) subject::arena_destroy(children[t]);
      });
    } else {
      subject::arena_reset(parent);
    }
    ASSERT_EQ(Held(parent), 0u);
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaNestedQuotaTest);

}  // namespace
}  // namespace contract
