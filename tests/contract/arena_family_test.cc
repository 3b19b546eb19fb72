// Arenas in arenas.
#include <cerrno>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaFamilyTest = ArenaModesTest;

subject::Arena* Child(subject::Arena* parent, subject::ArenaOptions options) {
  options.parent = parent;
  subject::Arena* const child = subject::arena_create(&options);
  EXPECT_NE(child, nullptr);
  return child;
}

TEST_P(ArenaFamilyTest, ParentsTakeTheirChildrenAlong) {
  ScopedArena parent(Options());
  ScopedArena stranger(Options());
  subject::Arena* const child = Child(parent, Options());
  subject::Arena* const sibling = Child(parent, contract::Options());
  subject::Arena* const grandchild = Child(child, Options());
  EXPECT_EQ(StatsOf(parent).children, 2u) << "a grandchild is none";
  EXPECT_EQ(StatsOf(child).children, 1u);
  EXPECT_EQ(StatsOf(grandchild).children, 0u);
  EXPECT_EQ(GetStats().arenas, 5u);
  std::vector<void*> blocks;
  for (subject::Arena* const one : {child, sibling, grandchild}) {
    blocks.push_back(subject::arena_malloc(one, 100));
    blocks.push_back(subject::arena_malloc(one, kMiB));
    EXPECT_EQ(subject::arena_of(blocks.back()), one);
  }
  void* const kept = subject::arena_malloc(stranger, 100);
  Fill(kept, 100, 1);
  parent.Destroy();
  EXPECT_EQ(GetStats().arenas, 1u);
  for (void* const block : blocks) {
    EXPECT_EQ(subject::owns(block), 0);
    EXPECT_EQ(subject::arena_of(block), nullptr);
  }
  EXPECT_TRUE(Holds(kept, 100, 1));
}

TEST_P(ArenaFamilyTest, ChildrenLeaveTheirParentInPeace) {
  ScopedArena parent(Options());
  void* const block = subject::arena_malloc(parent, 1000);
  Fill(block, 1000, 2);
  for (int i = 0; i < 500; ++i) {
    subject::Arena* const child = Child(parent, Options());
    subject::Arena* const grandchild = Child(child, Options());
    Fill(subject::arena_malloc(child, 1000), 1000, 3);
    Fill(subject::arena_malloc(grandchild, 1000), 1000, 4);
    if (i % 2 == 0) subject::arena_destroy(grandchild);
    subject::arena_destroy(child);
    ASSERT_EQ(StatsOf(parent).children, 0u);
  }
  EXPECT_TRUE(Holds(block, 1000, 2));
  EXPECT_EQ(StatsOf(parent).blocks_live, 1u);
  EXPECT_EQ(GetStats().arenas, 1u);
}

TEST_P(ArenaFamilyTest, ResetDestroysChildren) {
  ScopedArena parent(Options());
  for (int i = 0; i < 10; ++i) {
    subject::Arena* const child = Child(parent, Options());
    subject::arena_malloc(Child(child, Options()), 100);
    subject::arena_malloc(child, 100);
  }
  subject::arena_malloc(parent, 100);
  EXPECT_EQ(GetStats().arenas, 21u);
  subject::arena_reset(parent);
  EXPECT_EQ(GetStats().arenas, 1u);
  EXPECT_EQ(StatsOf(parent).children, 0u);
  EXPECT_EQ(StatsOf(parent).bytes_held, 0u);
  EXPECT_NE(subject::arena_malloc(Child(parent, Options()), 100), nullptr);
}

// 64 generations, and not one more.
TEST_P(ArenaFamilyTest, ADeepLine) {
  ScopedArena eldest(Options());
  subject::Arena* youngest = eldest;
  subject::ArenaOptions options = Options();
  for (int generation = 2; generation <= 64; ++generation)
    youngest = Child(youngest, Options());
  options.parent = youngest;
  subject::Arena* one_more = nullptr;
  EXPECT_EQ(ErrnoAfter([&] { one_more = subject::arena_create(&options); }),
            ErrnoOf(EINVAL));
  EXPECT_EQ(one_more, nullptr);
  void* const block = subject::arena_malloc(youngest, 64);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(StatsOf(eldest).bytes_held, StatsOf(youngest).bytes_held);
  EXPECT_EQ(StatsOf(youngest).children, 0u) << "of one that was refused";
  EXPECT_EQ(GetStats().arenas, 64u);
  eldest.Destroy();
  EXPECT_EQ(GetStats().arenas, 0u);
  EXPECT_EQ(subject::owns(block), 0);
}

// Children are made and destroyed by several threads at once under one parent.
TEST_P(ArenaFamilyTest, ChildrenComeAndGoAtOnce) {
  ScopedArena parent(Options());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        subject::Arena* const child = Child(parent, Options());
        void* const block = subject::arena_malloc(child, 200);
        ASSERT_NE(block, nullptr);
        Fill(block, 200, t * 1000 + i);
        if (i % 4 == 0) subject::arena_malloc(Child(child, Options()), 300);
        ASSERT_TRUE(Holds(block, 200, t * 1000 + i));
        if (i % 10 != 9) subject::arena_destroy(child);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(StatsOf(parent).children, 4 * 50u);
  parent.Destroy();
  EXPECT_EQ(GetStats().arenas, 0u);
}

INSTANTIATE_IN_BOTH_MODES(ArenaFamilyTest);

}  // namespace
}  // namespace contract
