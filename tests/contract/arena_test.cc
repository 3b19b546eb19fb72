// The life of arenas: made, reset and destroyed, one or many.
#include "tests/contract/arena.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

using ArenaTest = ContractTest;
using ArenaLifeTest = ArenaModesTest;

// One block of each kind, each with a pattern of its own.
std::vector<void*> FillAllKinds(subject::Arena* arena) {
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::arena_malloc(arena, size);
    EXPECT_NE(block, nullptr) << size;
    Fill(block, size, size);
    blocks.push_back(block);
  }
  return blocks;
}

void ExpectFilled(const std::vector<void*>& blocks) {
  for (size_t i = 0; i < blocks.size(); ++i)
    ASSERT_TRUE(Holds(blocks[i], kSizesOfAllKinds[i], kSizesOfAllKinds[i]));
}

TEST_F(ArenaTest, DestroyOfNullDoesNothing) {
  subject::arena_destroy(nullptr);
  EXPECT_EQ(GetStats().bytes_reserved, 0u)
      << "nothing needs to be mapped for that";
}

TEST_P(ArenaLifeTest, IsCountedWhileItLives) {
  EXPECT_EQ(GetStats().arenas, 0u);
  const subject::ArenaOptions options = Options();
  subject::Arena* const arena = subject::arena_create(&options);
  ASSERT_NE(arena, nullptr);
  EXPECT_EQ(GetStats().arenas, 1u);
  EXPECT_GE(StatsOf(arena).number, 1u);
  EXPECT_EQ(StatsOf(arena).mode, GetParam());
  subject::arena_destroy(arena);
  EXPECT_EQ(GetStats().arenas, 0u);
}

TEST_P(ArenaLifeTest, BlocksGoWithIt) {
  void* const bystander = subject::malloc(100);
  const size_t spans = GetStats().bytes_spans;
  ScopedArena arena(Options());
  const std::vector<void*> blocks = FillAllKinds(arena);
  for (void* const block : blocks) {
    EXPECT_NE(subject::owns(block), 0);
    EXPECT_EQ(subject::arena_of(block), arena);
  }
  ExpectFilled(blocks);
  EXPECT_EQ(GetStats().blocks_live, 1u) << "blocks of arenas count for these";
  EXPECT_GT(GetStats().bytes_spans, spans);
  arena.Destroy();
  for (void* const block : blocks) {
    EXPECT_EQ(subject::owns(block), 0);
    EXPECT_EQ(subject::arena_of(block), nullptr);
  }
  subject::purge();  // the thread's warm memory
  EXPECT_TRUE(Quarantines() || GetStats().bytes_spans == spans);
  subject::free(bystander);
}

// Not even over a shutdown, after which a stale handle is a stale handle still.
TEST_P(ArenaLifeTest, NeitherHandlesNorNumbersAreGivenTwice) {
  const subject::ArenaOptions options = Options();
  std::set<subject::Arena*> handles;
  std::set<uint64_t> numbers;
  for (int i = 1; i <= 1200; ++i) {
    subject::Arena* const arena = subject::arena_create(&options);
    ASSERT_NE(arena, nullptr);
    ASSERT_TRUE(handles.insert(arena).second) << i;
    ASSERT_TRUE(numbers.insert(StatsOf(arena).number).second) << i;
    // Some are used and some are not, some die at once and some at a shutdown.
    if (i % 2 == 0) subject::arena_malloc(arena, 8);
    if (i % 3 != 0) subject::arena_destroy(arena);
    if (i % 400 == 0) subject::shutdown();
  }
}

TEST_P(ArenaLifeTest, AThousandAtOnce) {
  constexpr int kArenas = 1000;
  std::vector<std::pair<subject::Arena*, void*>> all;
  const subject::ArenaOptions options = Options();
  for (int i = 0; i < kArenas; ++i) {
    subject::Arena* const arena = subject::arena_create(&options);
    ASSERT_NE(arena, nullptr) << i;
    all.emplace_back(arena, subject::arena_malloc(arena, 100));
    ASSERT_NE(all.back().second, nullptr) << i;
    Fill(all.back().second, 100, i);
  }
  EXPECT_EQ(GetStats().arenas, size_t{kArenas});
  for (int i = 0; i < kArenas; ++i) {
    const auto [arena, block] = all[i];
    ASSERT_TRUE(Holds(block, 100, i));
    ASSERT_EQ(subject::arena_of(block), arena);
    // A second round, in which each is found again.
    void* const other = subject::arena_malloc(arena, 100);
    ASSERT_EQ(subject::arena_of(other), arena);
    ASSERT_NE(other, block);
    subject::free(i % 2 == 0 ? block : other);
    ASSERT_EQ(StatsOf(arena).blocks_live, 1u);
  }
  std::shuffle(all.begin(), all.end(), std::mt19937(1));
  for (const auto& [arena, block] : all) subject::arena_destroy(arena);
  EXPECT_EQ(GetStats().arenas, 0u);
}

TEST_F(ArenaTest, AtOneTimeThereAre65000) {
  std::vector<subject::Arena*> arenas;
  subject::Arena* arena;
  while ((arena = subject::arena_create(nullptr)) != nullptr) {
    arenas.push_back(arena);
    ASSERT_LE(arenas.size(), 65536u);
  }
  EXPECT_GE(arenas.size(), 65000u);
  EXPECT_EQ(GetStats().arenas, arenas.size());
  EXPECT_EQ(ErrnoAfter([] { subject::arena_create(nullptr); }),
            ErrnoOf(ENOMEM));
  subject::arena_destroy(arenas.back());
  arenas.back() = subject::arena_create(nullptr);
  EXPECT_NE(arenas.back(), nullptr);
  for (subject::Arena* const one : arenas) subject::arena_destroy(one);
}

TEST_P(ArenaLifeTest, ResetEndsBlocksAndKeepsTheArena) {
  subject::ArenaOptions options = Options();
  options.name = "phoenix";
  options.hard_quota = 64 * kMiB;
  options.soft_quota = 60 * kMiB;
  options.alignment = 256;
  ScopedArena arena(options);
  const uint64_t number = StatsOf(arena).number;
  for (int round = 0; round < 3; ++round) {
    const std::vector<void*> blocks = FillAllKinds(arena);
    ExpectFilled(blocks);
    for (void* const block : blocks)
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 256, 0u);
    EXPECT_EQ(StatsOf(arena).blocks_live, blocks.size());
    subject::arena_reset(arena);
    const subject::ArenaStats stats = StatsOf(arena);
    EXPECT_EQ(stats.number, number);
    EXPECT_STREQ(stats.name, "phoenix");
    EXPECT_EQ(stats.mode, GetParam());
    EXPECT_EQ(stats.hard_quota, 64 * kMiB);
    EXPECT_EQ(stats.soft_quota, 60 * kMiB);
    EXPECT_EQ(stats.blocks_live, 0u);
    EXPECT_EQ(stats.bytes_live, 0u);
    EXPECT_EQ(stats.bytes_held, 0u);
    for (void* const block : blocks) EXPECT_EQ(subject::owns(block), 0);
  }
}

TEST_P(ArenaLifeTest, ResetOfAnEmptyArena) {
  ScopedArena arena(Options());
  subject::arena_reset(arena);
  void* const block = subject::arena_malloc(arena, 8);
  EXPECT_NE(block, nullptr);
  subject::free(block);
  subject::arena_reset(arena);
  subject::arena_reset(arena);
}

// What a reset leaves is used again, not added to.
TEST_P(ArenaLifeTest, AThousandResetsNeedTheMemoryOfOne) {
  ScopedArena arena(Options());
  subject::Stats before = {};
  for (int i = 0; i < 1000; ++i) {
    for (size_t bytes = 0; bytes < kMiB; bytes += 10000)
      ASSERT_NE(subject::arena_malloc(arena, 10000), nullptr);
    ASSERT_NE(subject::arena_malloc(arena, kMiB), nullptr);
    subject::arena_reset(arena);
    if (i == 100) before = GetStats();
  }
  EXPECT_EQ(GetStats().bytes_reserved, before.bytes_reserved);
  EXPECT_EQ(GetStats().bytes_metadata, before.bytes_metadata);
  EXPECT_TRUE(Quarantines() || GetStats().bytes_spans_peak <= 8 * kMiB);
}

TEST_P(ArenaLifeTest, DetachLeavesBlocksInPlace) {
  ScopedArena arena(Options());
  std::vector<void*> blocks = FillAllKinds(arena);
  subject::thread_detach();
  ExpectFilled(blocks);
  EXPECT_EQ(StatsOf(arena).blocks_live, blocks.size());
  std::vector<void*> more = FillAllKinds(arena);
  ExpectFilled(blocks);
  ExpectFilled(more);
  for (void* const block : blocks) subject::free(block);
  subject::thread_detach();
  ExpectFilled(more);
  EXPECT_EQ(StatsOf(arena).blocks_live, more.size());
}

TEST_P(ArenaLifeTest, PurgeKeepsWhatLives) {
  ScopedArena arena(Options());
  const std::vector<void*> blocks = FillAllKinds(arena);
  {
    ScopedArena other(Options());
    FillAllKinds(other);
  }
  subject::purge();
  ExpectFilled(blocks);
}

TEST_P(ArenaLifeTest, ShutdownTakesArenasAlong) {
  const subject::ArenaOptions options = Options();
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) {
    blocks = FillAllKinds(subject::arena_create(&options));
  }
  std::thread([&] { FillAllKinds(subject::arena_create(&options)); }).join();
  const subject::Stats had = GetStats();
  EXPECT_EQ(had.arenas, 11u);
  const size_t before = isolation::AddressSpace();
  ASSERT_EQ(subject::shutdown(), 0) << "live arenas are no reason to refuse";
  EXPECT_EQ(before - isolation::AddressSpace(),
            had.bytes_reserved + had.bytes_metadata);
  EXPECT_EQ(GetStats().arenas, 0u);
  for (void* const block : blocks) EXPECT_EQ(subject::arena_of(block), nullptr);
  // And it is as at the start.
  ScopedArena arena(Options());
  ExpectFilled(FillAllKinds(arena));
}

INSTANTIATE_IN_BOTH_MODES(ArenaLifeTest);

}  // namespace
}  // namespace contract
