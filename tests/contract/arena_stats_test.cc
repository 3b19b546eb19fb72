// Statistics of arenas are exact while nobody is inside a call: totals, size
// classes, and the blocks that a visit sees.
#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaStatsTest = ArenaModesTest;

// Our own bookkeeping of what lives: usable sizes by block.
using Ledger = std::map<void*, size_t>;

void Add(Ledger& ledger, void* block) {
  ASSERT_NE(block, nullptr);
  ASSERT_TRUE(ledger.emplace(block, subject::malloc_usable_size(block)).second);
}

void* TakeAny(Ledger& ledger, std::mt19937& random) {
  auto at = ledger.begin();
  std::advance(at, random() % ledger.size());
  void* const block = at->first;
  ledger.erase(at);
  return block;
}

size_t BytesOf(const Ledger& ledger) {
  size_t bytes = 0;
  for (const auto& [block, size] : ledger) bytes += size;
  return bytes;
}

// What visit_blocks calls, each block once.
Ledger Visit(subject::Arena* arena) {
  Ledger seen;
  const size_t count = subject::arena_visit_blocks(
      arena,
      [](void* block, size_t size, void* context) {
        EXPECT_TRUE(static_cast<Ledger*>(context)->emplace(block, size).second)
            << "visited twice";
      },
      &seen);
  EXPECT_EQ(count, seen.size());
  return seen;
}

void ExpectTotals(subject::Arena* arena, const Ledger& ledger) {
  const subject::ArenaStats stats = StatsOf(arena);
  ASSERT_EQ(stats.blocks_live, ledger.size());
  ASSERT_EQ(stats.bytes_live, BytesOf(ledger));
  ASSERT_GE(stats.blocks_peak, stats.blocks_live);
  ASSERT_GE(stats.bytes_peak, stats.bytes_live);
  ASSERT_GE(stats.bytes_held, stats.bytes_live);
  ASSERT_EQ(stats.bytes_held % kUnit, 0u);
  ASSERT_GE(stats.bytes_held_peak, stats.bytes_held);
  ASSERT_GE(stats.bytes_mapped, stats.bytes_held);
  ASSERT_LE(stats.bytes_committed, stats.bytes_mapped);
}

// Of an arena without children.
void ExpectClasses(subject::Arena* arena, const Ledger& ledger) {
  const auto classes = ClassesOf(arena);
  const bool monotonic = StatsOf(arena).mode == subject::kMonotonic;
  size_t blocks = 0;
  size_t bytes = 0;
  size_t units = 0;
  for (size_t i = 0; i < classes.size(); ++i) {
    const subject::ArenaClassStats& one = classes[i];
    blocks += one.blocks_live;
    bytes += one.bytes_live;
    units += one.units;
    ASSERT_GT(one.units, 0u) << "one of which the arena holds nothing";
    if (one.block_size == 0) {
      // Longer blocks come last; the short ones of a monotonic arena first.
      ASSERT_TRUE(i + 1 == classes.size() || (monotonic && i == 0)) << i;
      continue;
    }
    ASSERT_FALSE(monotonic);
    ASSERT_TRUE(i == 0 || one.block_size > classes[i - 1].block_size) << i;
    ASSERT_EQ(one.bytes_live, one.blocks_live * one.block_size);
    const auto count = std::count_if(
        ledger.begin(), ledger.end(),
        [&](const auto& entry) { return entry.second == one.block_size; });
    ASSERT_EQ(one.blocks_live, static_cast<size_t>(count)) << one.block_size;
  }
  ASSERT_EQ(blocks, ledger.size());
  ASSERT_EQ(bytes, BytesOf(ledger));
  ASSERT_EQ(units * kUnit, StatsOf(arena).bytes_held);
}

void ExpectAll(subject::Arena* arena, const Ledger& ledger) {
  ASSERT_NO_FATAL_FAILURE(ExpectTotals(arena, ledger));
  ASSERT_NO_FATAL_FAILURE(ExpectClasses(arena, ledger));
  ASSERT_EQ(Visit(arena), ledger);
}

size_t RandomSize(std::mt19937& random) {
  return random() % 20 == 0 ? random() % (2 * kMiB) : random() % 3000;
}

TEST_P(ArenaStatsTest, AnArenaThatHasNothing) {
  {
    ScopedArena before(Options());
    subject::arena_malloc(before, 100);
  }
  ScopedArena arena(Options());
  const subject::ArenaStats stats = StatsOf(arena);
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_EQ(stats.blocks_peak, 0u);
  EXPECT_EQ(stats.bytes_peak, 0u);
  EXPECT_EQ(stats.bytes_held, 0u);
  EXPECT_EQ(stats.bytes_held_peak, 0u);
  EXPECT_EQ(stats.children, 0u);
  EXPECT_LE(stats.threads, 1u) << "a cache that was there already";
  EXPECT_TRUE(ClassesOf(arena).empty());
  EXPECT_TRUE(Visit(arena).empty());
}

TEST_P(ArenaStatsTest, AgreeWithBookkeepingAtEveryStep) {
  std::mt19937 random(1);
  ScopedArena arena(Options());
  ScopedArena other(Options());
  Ledger ledger;
  for (int step = 0; step < 1500; ++step) {
    subject::arena_malloc(other, RandomSize(random) / 64);
    if (ledger.size() < 100 && random() % 2 == 0) {
      Add(ledger, subject::arena_malloc(arena, RandomSize(random)));
    } else if (!ledger.empty()) {
      void* const block = TakeAny(ledger, random);
      if (random() % 4 == 0) {
        Add(ledger, subject::realloc(block, RandomSize(random) + 1));
      } else {
        subject::free(block);
      }
    }
    ASSERT_NO_FATAL_FAILURE(ExpectTotals(arena, ledger));
    if (step % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(ExpectAll(arena, ledger));
    }
    if (step == 700) {
      subject::arena_reset(arena);
      ledger.clear();
    }
  }
  while (!ledger.empty()) subject::free(TakeAny(ledger, random));
  ExpectTotals(arena, ledger);
  EXPECT_TRUE(Visit(arena).empty());
}

// Threads with caches that wait, which allocated and freed each other's.
TEST_P(ArenaStatsTest, ExactWhileOtherThreadsHoldCaches) {
  Crew crew(4);
  ScopedArena arena(Options());
  std::mt19937 random(2);
  Ledger ledger;
  for (int round = 0; round < 6; ++round) {
    std::vector<std::vector<void*>> made(crew.size());
    crew.Do([&](int t) {
      std::mt19937 own(round * 10 + t);
      for (int i = 0; i < 300; ++i)
        made[t].push_back(subject::arena_malloc(arena, RandomSize(own) / 8));
    });
    for (const auto& some : made)
      for (void* const block : some) Add(ledger, block);
    ASSERT_NO_FATAL_FAILURE(ExpectAll(arena, ledger));
    EXPECT_GE(StatsOf(arena).threads, 4u);
    EXPECT_LE(StatsOf(arena).threads, 5u);
    // Somebody frees, mostly somebody else's.
    std::vector<std::vector<void*>> freed(crew.size());
    while (ledger.size() > 400)
      freed[random() % crew.size()].push_back(TakeAny(ledger, random));
    crew.Do([&](int t) {
      for (void* const block : freed[t]) subject::free(block);
    });
    ASSERT_NO_FATAL_FAILURE(ExpectAll(arena, ledger));
    crew.DoOn(round % 4, [] { subject::thread_detach(); });
    ASSERT_NO_FATAL_FAILURE(ExpectAll(arena, ledger));
  }
  // A visit by one of them, too.
  crew.DoOn(1, [&] { ASSERT_EQ(Visit(arena), ledger); });
}

TEST_P(ArenaStatsTest, ExactAfterThreadsEnded) {
  ScopedArena arena(Options());
  std::mt19937 random(3);
  Ledger ledger;
  for (int round = 0; round < 10; ++round) {
    std::thread([&] {
      for (const size_t size : kSizesOfAllKinds)
        Add(ledger, subject::arena_malloc(arena, size));
      for (int i = 0; i < 8; ++i) subject::free(TakeAny(ledger, random));
    }).join();
    ASSERT_NO_FATAL_FAILURE(ExpectAll(arena, ledger));
  }
  std::thread([&] {
    while (!ledger.empty()) subject::free(TakeAny(ledger, random));
  }).join();
  ASSERT_NO_FATAL_FAILURE(ExpectTotals(arena, ledger));
}

TEST_P(ArenaStatsTest, ChildrenCountOnlyForWhatIsHeld) {
  ScopedArena parent(Options());
  subject::ArenaOptions options = Options();
  options.parent = parent;
  ScopedArena child(options);
  Ledger parents, childrens;
  for (const size_t size : kSizesOfAllKinds) {
    Add(parents, subject::arena_malloc(parent, size));
    Add(childrens, subject::arena_malloc(child, size));
    Add(childrens, subject::arena_malloc(child, size));
  }
  EXPECT_EQ(StatsOf(parent).blocks_live, parents.size());
  EXPECT_EQ(StatsOf(parent).bytes_live, BytesOf(parents));
  EXPECT_EQ(Visit(parent), parents);
  ExpectAll(child, childrens);
  size_t own_units = 0;
  for (const auto& one : ClassesOf(parent)) own_units += one.units;
  EXPECT_EQ(StatsOf(parent).bytes_held,
            own_units * kUnit + StatsOf(child).bytes_held);
}

TEST_P(ArenaStatsTest, PeaksStay) {
  ScopedArena arena(Options());
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i)
    blocks.push_back(subject::arena_malloc(arena, 1024));
  const size_t held = StatsOf(arena).bytes_held;
  for (void* const block : blocks) subject::free(block);
  subject::thread_detach();
  const subject::ArenaStats stats = StatsOf(arena);
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_GE(stats.blocks_peak, 1000u - 64);
  EXPECT_LE(stats.blocks_peak, 1000u + 64) << "a refill's worth more";
  EXPECT_GE(stats.bytes_peak, 1000 * kKiB - 64 * kKiB);
  EXPECT_LE(stats.bytes_peak, 1000 * kKiB + 64 * kKiB);
  EXPECT_GE(stats.bytes_held_peak, held);
}

// The most at one time, not the most of each kind at times of their own.
TEST_P(ArenaStatsTest, PeaksAreOfOneMoment) {
  if (monotonic()) GTEST_SKIP() << "where nothing is used again";
  ScopedArena arena(Options());
  const auto come_and_go = [&](size_t size) {
    std::vector<void*> blocks;
    for (size_t bytes = 0; bytes < 8 * kMiB; bytes += size)
      blocks.push_back(subject::arena_malloc(arena, size));
    for (void* const block : blocks) subject::free(block);
  };
  come_and_go(kMiB);
  come_and_go(kKiB);
  come_and_go(40 * kKiB);
  EXPECT_GE(StatsOf(arena).bytes_peak, 8 * kMiB - 64 * kKiB);
  EXPECT_LE(StatsOf(arena).bytes_peak, 10 * kMiB);
}

INSTANTIATE_IN_BOTH_MODES(ArenaStatsTest);

}  // namespace
}  // namespace contract
