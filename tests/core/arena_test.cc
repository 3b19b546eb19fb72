#include "core/arena/arena.h"

#include <signal.h>

#include <set>

#include "tests/core/arenas.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class ArenaTest : public ArenaInstanceTest {
 protected:
  static Range* RangeOf(const void* block) {
    return g_instance.region.RangeOf(block);
  }
  static void FreeLarge(ArenaHandle arena, void* block) {
    At(arena)->FreeLarge(RangeOf(block), block);
  }
  static bool Resize(ArenaHandle arena, void* block, size_t size) {
    uint64_t crossed;
    return At(arena)->ResizeLarge(RangeOf(block), block, size, &crossed);
  }
  static void* Move(ArenaHandle arena, void* block, size_t size) {
    return At(arena)->MoveLarge(HeapIn(arena), RangeOf(block), block, size);
  }
  static const Slab* DescriptorOf(const void* block) {
    const Range* const range = RangeOf(block);
    return static_cast<const Slab*>(range->descriptor(range->IndexOf(block)));
  }
  // The entries of a large block: the first its own, the rest its inside.
  static void ExpectEntries(ArenaHandle arena, const char* block,
                            size_t units) {
    const Range& range = *RangeOf(block);
    const size_t first = range.IndexOf(block);
    EXPECT_EQ(EntryOf(range, first), At(arena)->entry());
    for (size_t i = 1; i < units; ++i) {
      ASSERT_EQ(EntryOf(range, first + i),
                MakeEntry(kInteriorClass, At(arena)->place));
    }
  }
  static void ExpectErased(const char* from, size_t units) {
    const Range& range = *RangeOf(from);
    for (size_t i = 0; i < units; ++i)
      ASSERT_EQ(EntryOf(range, range.IndexOf(from) + i), 0u);
  }
  static ArenaHandle WithQuota(size_t hard_units, ArenaHandle parent = 0) {
    ArenaOptions options;
    options.hard_quota = hard_units * kUnit;
    options.parent = parent;
    return Create(options);
  }
};

// ---- Charges ----

TEST_F(ArenaTest, SpansAreChargedToAllAbove) {
  const ArenaHandle top = Create();
  const ArenaHandle middle = CreateChild(top);
  const ArenaHandle bottom = CreateChild(middle);
  Ledger::Slot* slot;
  const Span span = At(bottom)->TakeSpan(HeapIn(bottom), 3, kUnit, &slot);
  ASSERT_NE(span.range, nullptr);
  for (const ArenaHandle arena : {top, middle, bottom})
    EXPECT_EQ(HeldUnits(arena), 3u);
  EXPECT_EQ(LedgerUnits(bottom), 0u) << "only who knows what it is writes it";
  Ledger::Remove(slot);
  At(bottom)->GiveSpan(span, 3, true);
  for (const ArenaHandle arena : {top, middle, bottom}) {
    EXPECT_EQ(HeldUnits(arena), 0u);
    EXPECT_EQ(At(arena)->quota.peak() / kUnit, 3u);
  }
  ASSERT_TRUE(Charge(middle, 2));
  EXPECT_EQ(HeldUnits(top), 2u);
  EXPECT_EQ(HeldUnits(middle), 2u);
  EXPECT_EQ(HeldUnits(bottom), 0u);
  At(middle)->Uncharge(2);
  Destroy(top);
}

TEST_F(ArenaTest, WhatAnAncestorRefusesIsChargedToNobody) {
  const ArenaHandle top = WithQuota(4);
  const ArenaHandle middle = WithQuota(100, top);
  const ArenaHandle bottom = WithQuota(0, middle);
  EXPECT_TRUE(Charge(bottom, 3));
  EXPECT_FALSE(Charge(bottom, 2));
  for (const ArenaHandle arena : {top, middle, bottom})
    EXPECT_EQ(HeldUnits(arena), 3u);
  Ledger::Slot* slot;
  const size_t used = UsedUnits();
  std::set<Ledger::Slot*> slots;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(At(bottom)->TakeSpan(HeapIn(bottom), 2, kUnit, &slot).range,
              nullptr);
    slots.insert(slot);
  }
  EXPECT_LE(slots.size(), size_t{LedgerGroup::kSlots});
  EXPECT_EQ(UsedUnits(), used);
  EXPECT_TRUE(Charge(bottom, 1));
  EXPECT_FALSE(Charge(top, 1));
  At(bottom)->Uncharge(4);
  // One in the middle.
  const ArenaHandle narrow = WithQuota(1, top);
  const ArenaHandle below = WithQuota(0, narrow);
  EXPECT_FALSE(Charge(below, 2));
  EXPECT_EQ(HeldUnits(top), 0u);
  EXPECT_EQ(HeldUnits(below), 0u);
  EXPECT_EQ(At(top)->quota.peak() / kUnit, 4u)
      << "who is at its own bound takes no room from its siblings";
  Destroy(top);
}

TEST_F(ArenaTest, WhatTheSystemRefusesIsChargedToNobody) {
  const ArenaHandle top = Create();
  const ArenaHandle arena = CreateChild(top);
  ArenaHeap* const heap = HeapIn(arena);
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  const ScopedFailures map(Primitive::kMap, Failures::Always());
  const ScopedFailures commit(Primitive::kCommit, Failures::Always());
  Ledger::Slot* slot;
  // More often than the ledger's first group has slots: they are used again.
  std::set<Ledger::Slot*> slots;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(At(arena)->TakeSpan(heap, 1000000, kUnit, &slot).range, nullptr);
    ASSERT_NE(slot, nullptr);
    slots.insert(slot);
  }
  EXPECT_LE(slots.size(), size_t{LedgerGroup::kSlots});
  EXPECT_EQ(HeldUnits(arena), 0u);
  EXPECT_EQ(HeldUnits(top), 0u);
  Destroy(top);
}

TEST_F(ArenaTest, AnArenaAtItsBoundIsUsableAgain) {
  const ArenaHandle arena = WithQuota(4);
  std::vector<char*> blocks;
  for (char* block; (block = Allocate(arena, 1024)) != nullptr;)
    blocks.push_back(block);
  EXPECT_EQ(blocks.size(), 4 * 64u);
  EXPECT_EQ(Allocate(arena, 100), nullptr)
      << "another class needs another unit";
  EXPECT_EQ(Allocate(arena, 100000), nullptr);
  for (char* block : blocks) test_free(block);
  EXPECT_EQ(HeldUnits(arena), 1u);
  EXPECT_NE(Allocate(arena, 100000), nullptr);
  EXPECT_NE(Allocate(arena, 100), nullptr);
  EXPECT_EQ(HeldUnits(arena), 4u);
  Destroy(arena);
}

// What others freed is taken in before it gives up.
TEST_F(ArenaTest, AtTheBoundTheMailIsOpened) {
  const ArenaHandle arena = WithQuota(1);
  std::vector<char*> blocks;
  for (char* block; (block = Allocate(arena, 1024)) != nullptr;)
    blocks.push_back(block);
  std::thread([&] {
    test_free(blocks[7]);
    fake::Farewell();
  }).join();
  EXPECT_EQ(Allocate(arena, 1024), blocks[7]);
  EXPECT_EQ(Allocate(arena, 1024), nullptr);
  Destroy(arena);
}

// ---- Reserve ----

TEST_F(ArenaTest, TheReserveComesFirstAndIsChargedAsItIsUsed) {
  ArenaOptions options;
  options.reserve = 10 * kUnit - 5;
  const ArenaHandle arena = Create(options);
  Range* const range = At(arena)->reserve_range;
  ASSERT_NE(range, nullptr);
  const size_t first = At(arena)->reserve_next.Load(Order::kRelaxed);
  EXPECT_EQ(At(arena)->reserve_end - first, 10u);
  EXPECT_EQ(HeldUnits(arena), 0u);
  const size_t used = UsedUnits();
  EXPECT_EQ(used, 10u);
  EXPECT_EQ(Allocate(arena, 16), range->AddressOfUnit(first));
  EXPECT_EQ(Allocate(arena, 3 * kUnit), range->AddressOfUnit(first + 1));
  EXPECT_EQ(Allocate(arena, 16, 2 * kUnit) == range->AddressOfUnit(first + 4),
            false)
      << "what is aligned more is not taken from it";
  EXPECT_EQ(HeldUnits(arena), 6u);
  char* const large = Allocate(arena, 6 * kUnit);
  EXPECT_EQ(large, range->AddressOfUnit(first + 4));
  EXPECT_EQ(UsedUnits(), used + 2);
  Allocate(arena, 100);
  EXPECT_EQ(UsedUnits(), used + 3) << "it is used up";
  test_free(large);
  Destroy(arena);
  test_purge();
  ExpectUsed(0);
}

TEST_F(ArenaTest, TheRestOfTheReserveGoesBack) {
  ArenaOptions options;
  options.reserve = 100 * kUnit;
  for (int i = 0; i < 100; ++i) {
    const ArenaHandle arena = Create(options);
    if (i % 2 == 0) Allocate(arena, 5 * kUnit);
    if (i % 3 == 0) {
      g_arenas.Reset(CurrentHeap(), arena);
      ExpectUsed(0);
    }
    Destroy(arena);
    ExpectUsed(0);
  }
}

TEST_F(ArenaTest, TheReserveIsOnlyAHint) {
  ArenaOptions options;
  options.reserve = size_t{1} << 46;
  const ArenaHandle arena = Create(options);
  ASSERT_NE(arena, 0u);
  EXPECT_NE(Allocate(arena, 10), nullptr);
  Destroy(arena);
  options.reserve = ~size_t{0};
  const ArenaHandle other = Create(options);
  ASSERT_NE(other, 0u);
  EXPECT_NE(Allocate(other, 10), nullptr);
  Destroy(other);
}

TEST_F(ArenaTest, ManyThreadsShareTheReserve) {
  ArenaOptions options;
  options.reserve = 64 * kUnit;
  const ArenaHandle arena = Create(options);
  Range* const range = At(arena)->reserve_range;
  const size_t first = At(arena)->reserve_next.Load(Order::kRelaxed);
  std::vector<std::vector<char*>> blocks(4);
  RunThreads(4, [&](unsigned t) {
    for (int i = 0; i < 8; ++i) blocks[t].push_back(Allocate(arena, 2 * kUnit));
  });
  std::set<size_t> units;
  for (const auto& of_thread : blocks) {
    for (const char* block : of_thread) {
      EXPECT_EQ(RangeOf(block), range);
      EXPECT_TRUE(units.insert(range->IndexOf(block) - first).second);
    }
  }
  EXPECT_EQ(units.size(), 32u);
  EXPECT_LT(*units.rbegin(), 64u);
  EXPECT_EQ(HeldUnits(arena), 64u);
  Destroy(arena);
}

// ---- Large blocks ----

TEST_F(ArenaTest, LargeBlocksComeAndGo) {
  const ArenaHandle arena = Create();
  EXPECT_EQ(At(arena)->entry(), MakeEntry(kArenaClass, At(arena)->place));
  char* const block = Allocate(arena, 5 * kUnit - 1);
  ExpectEntries(arena, block, 5);
  EXPECT_EQ(DescriptorOf(block)->size_class, kLargeMark);
  EXPECT_EQ(HeldUnits(arena), 5u);
  EXPECT_EQ(LedgerUnits(arena), 5u);
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 1u);
  EXPECT_EQ(At(arena)->large_bytes.Load(Order::kRelaxed), 5 * kUnit);
  FreeLarge(arena, block);
  ExpectErased(block, 5);
  EXPECT_EQ(HeldUnits(arena), 0u);
  EXPECT_EQ(LedgerUnits(arena), 0u);
  EXPECT_EQ(UsedUnits(), 0u);
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(At(arena)->large_bytes.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(At(arena)->live.blocks_peak.Load(Order::kRelaxed), 1u);
  EXPECT_EQ(At(arena)->live.bytes_peak.Load(Order::kRelaxed), 5 * kUnit);
  Destroy(arena);
}

TEST_F(ArenaTest, LargeBlocksAreAlignedAndZeroWhereTheyAreToBe) {
  const ArenaHandle arena = Create();
  for (const size_t alignment : {kUnit, 4 * kUnit, 32 * kUnit}) {
    for (int i = 0; i < 4; ++i) {
      char* const block = Allocate(arena, 200000, alignment, true);
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(AddressOf(block) % alignment, 0u);
      EXPECT_TRUE(IsZero(block, 200000));
      memset(block, 1, 200000);
      if (i % 2 == 0) test_free(block);
    }
  }
  char* const huge = Allocate(arena, 3 * kMiB);
  memset(huge, 1, 3 * kMiB);
  test_free(huge);
  EXPECT_TRUE(IsZero(Allocate(arena, 3 * kMiB, 8, true), 3 * kMiB));
  Destroy(arena);
}

TEST_F(ArenaTest, AnyThreadFreesLargeBlocks) {
  const ArenaHandle arena = Create();
  std::vector<char*> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(Allocate(arena, 70000));
  RunThreads(4, [&](unsigned t) {
    for (size_t i = t; i < blocks.size(); i += 4) test_free(blocks[i]);
  });
  EXPECT_EQ(HeldUnits(arena), 0u);
  EXPECT_EQ(LedgerUnits(arena), 0u);
  EXPECT_EQ(UsedUnits(), 0u);
  Destroy(arena);
}

TEST_F(ArenaTest, ADoubleFreeOfALargeBlockStops) {
  EXPECT_MISUSE(
      {
        const ArenaHandle arena = Create();
        char* const block = Allocate(arena, 70000);
        FreeLarge(arena, block);
        Blame(block);
        FreeLarge(arena, block);
      },
      "double free of");
}

// Of two threads that free a block at once, one frees it and one stops.
TEST_F(ArenaTest, TwoThreadsFreeALargeBlock) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_MISUSE(
        {
          const ArenaHandle arena = Create();
          char* const block = Allocate(arena, 70000);
          Blame(block);
          RunThreads(2, [&](unsigned) { FreeLarge(arena, block); });
          _exit(1);  // nobody was late
        },
        "double free of");
  }
}

TEST_F(ArenaTest, ALargeBlockGrowsIntoFreeUnits) {
  const ArenaHandle top = Create();
  const ArenaHandle arena = CreateChild(top);
  char* const block = Allocate(arena, 2 * kUnit);
  char* const behind = Allocate(arena, 2 * kUnit);
  ASSERT_EQ(behind, block + 2 * kUnit);
  Fill(block, 2 * kUnit, 1);
  EXPECT_FALSE(Resize(arena, block, 3 * kUnit)) << "no unit is free";
  EXPECT_EQ(HeldUnits(top), 4u) << "and none charged";
  test_free(behind);
  EXPECT_TRUE(Resize(arena, block, 3 * kUnit + 1));
  EXPECT_TRUE(IsFilled(block, 2 * kUnit, 1));
  ExpectEntries(arena, block, 4);
  EXPECT_EQ(HeldUnits(arena), 4u);
  EXPECT_EQ(HeldUnits(top), 4u);
  EXPECT_EQ(LedgerUnits(arena), 4u);
  EXPECT_EQ(At(arena)->large_bytes.Load(Order::kRelaxed), 4 * kUnit);
  EXPECT_EQ(At(arena)->live.bytes_peak.Load(Order::kRelaxed), 4 * kUnit);
  EXPECT_EQ(test_malloc_usable_size(block), 4 * kUnit);
  Fill(block, 4 * kUnit, 2);
  EXPECT_TRUE(Resize(arena, block, 4 * kUnit)) << "as it is";
  test_free(block);
  EXPECT_EQ(HeldUnits(top), 0u);
  EXPECT_EQ(UsedUnits(), 0u);
  Destroy(top);
}

TEST_F(ArenaTest, ALargeBlockGrowsWithinTheQuotaOnly) {
  const ArenaHandle top = WithQuota(4);
  const ArenaHandle arena = CreateChild(top);
  char* const block = Allocate(arena, 2 * kUnit);
  EXPECT_FALSE(Resize(arena, block, 5 * kUnit));
  EXPECT_EQ(HeldUnits(arena), 2u);
  EXPECT_EQ(LedgerUnits(arena), 2u);
  EXPECT_EQ(UsedUnits(), 2u);
  EXPECT_TRUE(Resize(arena, block, 4 * kUnit));
  EXPECT_FALSE(Resize(arena, block, ~size_t{0}));
  EXPECT_FALSE(Resize(arena, block, kRequestMax));
  EXPECT_EQ(HeldUnits(top), 4u);
  Destroy(top);
}

TEST_F(ArenaTest, ALargeBlockShrinks) {
  const ArenaHandle top = Create();
  const ArenaHandle arena = CreateChild(top);
  char* const block = Allocate(arena, 10 * kUnit);
  Fill(block, 3 * kUnit, 1);
  EXPECT_TRUE(Resize(arena, block, 2 * kUnit + 1));
  ExpectEntries(arena, block, 3);
  ExpectErased(block + 3 * kUnit, 7);
  EXPECT_EQ(HeldUnits(arena), 3u);
  EXPECT_EQ(HeldUnits(top), 3u);
  EXPECT_EQ(LedgerUnits(arena), 3u);
  EXPECT_EQ(UsedUnits(), 3u);
  EXPECT_EQ(At(arena)->large_bytes.Load(Order::kRelaxed), 3 * kUnit);
  EXPECT_EQ(At(arena)->live.bytes_peak.Load(Order::kRelaxed), 10 * kUnit);
  EXPECT_TRUE(IsFilled(block, 3 * kUnit, 1));
  // Down to the shortest and up again.
  EXPECT_TRUE(Resize(arena, block, kUnit + 1));
  EXPECT_EQ(HeldUnits(arena), 2u);
  EXPECT_TRUE(Resize(arena, block, 20 * kUnit));
  EXPECT_EQ(HeldUnits(arena), 20u);
  Destroy(top);
  ExpectUsed(0);
}

class MoveTest : public ArenaTest {
 protected:
  // A block that cannot grow in place.
  static char* Stuck(ArenaHandle arena, size_t size) {
    char* const block = Allocate(arena, size);
    Allocate(arena, 2 * kUnit);
    Fill(block, size, 9);
    return block;
  }
};

TEST_F(MoveTest, ByMovingPages) {
  const ArenaHandle top = Create();
  const ArenaHandle arena = CreateChild(top);
  char* const block = Stuck(arena, 2 * kMiB);
  const fake::CallCounter moves(Primitive::kMovePages);
  char* const moved = static_cast<char*>(Move(arena, block, 3 * kMiB));
  ASSERT_NE(moved, nullptr);
  ASSERT_NE(moved, block);
  EXPECT_EQ(moves.calls(), 1u);
  EXPECT_TRUE(IsFilled(moved, 2 * kMiB, 9));
  ExpectErased(block, 2 * kMiB / kUnit);
  const size_t units = DescriptorOf(moved)->units;
  EXPECT_GE(units, (3 * kMiB + 3 * kMiB / 8) / kUnit) << "some more";
  EXPECT_EQ(HeldUnits(arena), units + 2);
  EXPECT_EQ(HeldUnits(top), units + 2);
  EXPECT_EQ(LedgerUnits(arena), units + 2);
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 2u);
  // The mapping is one of its own, until it is freed.
  EXPECT_EQ(DescriptorOf(moved)->moved, Moved::kWhole);
  const fake::CallCounter refreshes(Primitive::kRefresh);
  test_free(moved);
  EXPECT_EQ(refreshes.calls(), 1u);
  EXPECT_EQ(HeldUnits(arena), 2u);
  Destroy(top);
  ExpectUsed(0);
}

TEST_F(MoveTest, ByCopying) {
  for (const size_t size : {4 * kUnit, 2 * kMiB}) {
    const ScopedFailures failures(Primitive::kMovePages, Failures::Always());
    const ArenaHandle arena = Create();
    char* const block = Stuck(arena, size);
    char* const moved = static_cast<char*>(Move(arena, block, 2 * size));
    ASSERT_NE(moved, nullptr);
    EXPECT_EQ(failures.failed(), size < kMiB ? 0u : 1u);
    EXPECT_TRUE(IsFilled(moved, size, 9));
    EXPECT_EQ(DescriptorOf(moved)->moved, Moved::kNo);
    EXPECT_EQ(LedgerUnits(arena), DescriptorOf(moved)->units + 2);
    EXPECT_EQ(HeldUnits(arena), LedgerUnits(arena));
    Destroy(arena);
    ExpectUsed(0);
  }
}

TEST_F(MoveTest, ToAShorterOne) {
  const ArenaHandle arena = Create();
  char* const block = Stuck(arena, 8 * kUnit);
  char* const moved = static_cast<char*>(Move(arena, block, 3 * kUnit));
  ASSERT_NE(moved, nullptr);
  EXPECT_TRUE(IsFilled(moved, 3 * kUnit, 9));
  EXPECT_EQ(HeldUnits(arena), 5u);
  Destroy(arena);
}

// The pages went but do not come back: the call fails, the block is as it was,
// and the units of the target are nobody's until shutdown.
TEST_F(MoveTest, TheTargetGetsLost) {
  const ArenaHandle top = Create();
  const ArenaHandle arena = CreateChild(top);
  char* const block = Stuck(arena, 2 * kMiB);
  const size_t held = HeldUnits(arena);
  const size_t used = UsedUnits();
  // Somewhere to go for which nothing has to be committed before.
  test_free(Allocate(arena, 8 * kMiB));
  {
    const ScopedFailures moves(Primitive::kMovePages, Failures::Always());
    const ScopedFailures commits(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(Move(arena, block, 3 * kMiB), nullptr);
    EXPECT_EQ(moves.failed(), 1u);
    EXPECT_EQ(commits.failed(), 1u);
  }
  EXPECT_TRUE(IsFilled(block, 2 * kMiB, 9));
  EXPECT_EQ(HeldUnits(arena), held);
  EXPECT_EQ(HeldUnits(top), held);
  EXPECT_EQ(LedgerUnits(arena), held);
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 2u);
  EXPECT_EQ(At(arena)->large_bytes.Load(Order::kRelaxed), held * kUnit);
  const size_t lost = UsedUnits() - used;
  EXPECT_GE(lost, 3 * kMiB / kUnit);
  Destroy(top);
  ExpectUsed(lost);
}

TEST_F(MoveTest, ItMovesToWhatTheQuotaAllows) {
  // Not for an eighth more, but for what was asked.
  const ArenaHandle arena = WithQuota(4 + 2 + 8);
  char* const block = Stuck(arena, 4 * kUnit);
  char* const moved = static_cast<char*>(Move(arena, block, 8 * kUnit));
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(HeldUnits(arena), 10u);
  // And then there is no room.
  Allocate(arena, 2 * kUnit);
  EXPECT_EQ(Move(arena, moved, 9 * kUnit), nullptr);
  EXPECT_TRUE(IsFilled(moved, 4 * kUnit, 9));
  EXPECT_EQ(HeldUnits(arena), 12u);
  Destroy(arena);
}

TEST_F(MoveTest, ABlockThatWasMovedAndGrewIsCopied) {
  const ArenaHandle arena = Create();
  char* const block = Stuck(arena, 2 * kMiB);
  char* const moved = static_cast<char*>(Move(arena, block, 3 * kMiB));
  ASSERT_NE(moved, nullptr);
  const size_t size = test_malloc_usable_size(moved);
  if (!Resize(arena, moved, size + kMiB)) GTEST_SKIP() << "no room there";
  EXPECT_EQ(DescriptorOf(moved)->moved, Moved::kExtended);
  Fill(moved, size, 4);
  const fake::ScopedForbid forbid(Primitive::kMovePages);
  char* const again = static_cast<char*>(Move(arena, moved, size + 4 * kMiB));
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(IsFilled(again, size, 4));
  Destroy(arena);
}

// What ends with the arena is fresh again, too.
TEST_F(MoveTest, MovedBlocksThatEndWithTheArena) {
  const ArenaHandle arena = Create();
  char* const block = Stuck(arena, 2 * kMiB);
  ASSERT_NE(Move(arena, block, 3 * kMiB), nullptr);
  const fake::CallCounter refreshes(Primitive::kRefresh);
  Destroy(arena);
  EXPECT_EQ(refreshes.calls(), 1u);
  ExpectUsed(0);
  const ArenaHandle other = Create();
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(IsZero(Allocate(other, 2 * kMiB, 8, true), 2 * kMiB));
  Destroy(other);
}

// ---- What it is ----

TEST_F(ArenaTest, ForgetCounts) {
  const ArenaHandle handle = Create();
  Arena* const arena = At(handle);
  EXPECT_FALSE(arena->counted());
  arena->CountFreedRemotely(3);
  EXPECT_TRUE(arena->counted());
  arena->ForgetCounts();
  EXPECT_FALSE(arena->counted());
  EXPECT_EQ(arena->freed_remotely[3].Load(Order::kRelaxed), 0u);
  Allocate(handle, 100000);
  EXPECT_TRUE(arena->counted());
  arena->live.Add(3, 100);
  g_arenas.Reset(CurrentHeap(), handle);
  EXPECT_FALSE(arena->counted());
  EXPECT_EQ(arena->large_blocks.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(arena->live.bytes_peak.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(arena->live.blocks.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(arena->live.bytes_peak.Load(Order::kRelaxed), 0u);
  Destroy(handle);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
