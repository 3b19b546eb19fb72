#include "core/arena/arena_heap.h"

#include <algorithm>
#include <set>

#include "tests/core/arenas.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr char kDoubleFree[] = "double free of";
constexpr char kNeverAllocated[] = "free of a block never allocated at";

class ArenaHeapTest : public ArenaInstanceTest {
 protected:
  static Slab* SlabOf(const void* block) {
    Range* const range = g_instance.region.RangeOf(block);
    auto* const unit =
        static_cast<Slab*>(range->descriptor(range->IndexOf(block)));
    return unit - unit->place;
  }
  static BlockPlace PlaceIn(Slab* slab, const void* block) {
    return PlaceOf(slab, InfoOf(slab->size_class), block);
  }
  static void FreeOwn(ArenaHeap* heap, void* block) {
    Slab* const slab = SlabOf(block);
    heap->FreeOwn(slab, PlaceIn(slab, block));
  }
  static unsigned Left(ArenaHeap* heap, SizeClass c) {
    return static_cast<unsigned>(heap->bin(c).Left());
  }
};

// ---- Slabs ----

TEST_F(ArenaHeapTest, BlocksAreDistinctAndAligned) {
  Random random;
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  struct Block {
    char* start;
    size_t size;
    uint64_t tag;
  };
  std::vector<Block> blocks;
  for (uint64_t i = 0; i < 3000; ++i) {
    const size_t size = random.Size(17) - 1;
    const size_t alignment = size_t{1} << random.Below(17);
    const bool zero = random.Below(2) == 0;
    auto* const block =
        static_cast<char*>(heap->Allocate(size, alignment, zero));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(AddressOf(block) % alignment, 0u) << size;
    ASSERT_TRUE(!zero || IsZero(block, size)) << size;
    Fill(block, size, i);
    blocks.push_back({block, size, i});
    if (random.Below(2) == 0) {
      const size_t which = random.Below(blocks.size());
      ASSERT_TRUE(
          IsFilled(blocks[which].start, blocks[which].size, blocks[which].tag));
      test_free(blocks[which].start);
      blocks[which] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(IsFilled(block.start, block.size, block.tag));
    test_free(block.start);
  }
  Destroy(arena);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(ArenaHeapTest, TheFirstBlockTakesOneSlab) {
  const ArenaHandle arena = Create();
  EXPECT_EQ(HeldUnits(arena), 0u);
  const SizeClass c = ClassOfSize(100);
  char* const block = Allocate(arena, 100);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(AddressOf(block) % kUnit, 0u) << "the lowest block of the slab";
  EXPECT_EQ(HeldUnits(arena), InfoOf(c).units);
  EXPECT_EQ(LedgerUnits(arena), InfoOf(c).units);
  ArenaHeap* const heap = HeapIn(arena);
  const unsigned refill = ArenaBin::FreshMax(InfoOf(c).size);
  EXPECT_EQ(Left(heap, c), refill - 1);
  EXPECT_EQ(heap->bin(c).slabs.Peek(), 1u);
  EXPECT_EQ(heap->bin(c).taken.Peek(), refill);
  EXPECT_EQ(heap->touched(), refill * InfoOf(c).size);
  // What the refill took can be had in a few instructions.
  for (char* at = block + InfoOf(c).size; Left(heap, c) != 0;
       at += InfoOf(c).size) {
    ASSERT_EQ(heap->TryAllocate(arena, 100), at);
  }
  EXPECT_EQ(heap->TryAllocate(arena, 100), nullptr);
  EXPECT_EQ(heap->TryAllocate(arena, kLookupMax + 1), nullptr);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, UnitsSayWhoseTheyAre) {
  const ArenaHandle arena = Create();
  for (const size_t size : {10, 20000, 70000}) {
    char* const block = Allocate(arena, size);
    const Range* const range = g_instance.region.RangeOf(block);
    Slab* const slab = SlabOf(block);
    EXPECT_EQ(EntryOf(*range, block), At(arena)->entry());
    EXPECT_EQ(slab->arena, arena >> kArenaPlaceBits);
    EXPECT_EQ(LedgerEntry(slab->ledger_slot->Load(Order::kRelaxed)).start(),
              slab->start);
    if (size > kSlabMax) continue;
    EXPECT_EQ(slab->owner.Load(Order::kRelaxed), HeapIn(arena));
    for (size_t i = 0; i < slab->units; ++i) {
      EXPECT_EQ(EntryOf(*range, range->IndexOf(block) + i), At(arena)->entry());
      EXPECT_EQ(slab[i].arena, arena >> kArenaPlaceBits);
      EXPECT_EQ(slab[i].place, i);
    }
  }
  Destroy(arena);
}

TEST_F(ArenaHeapTest, AFreedBlockComesBackAndIsCleared) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  std::vector<char*> blocks;
  do {
    blocks.push_back(Allocate(arena, 48));
  } while (Left(heap, ClassOfSize(48)) != 0);
  memset(blocks[10], 1, 48);
  FreeOwn(heap, blocks[10]);
  EXPECT_EQ(Allocate(arena, 48, 8, true), blocks[10]) << "before fresh ones";
  EXPECT_TRUE(IsZero(blocks[10], 48));
  Destroy(arena);
}

// The mask may be of used blocks; what was taken with the last refill counts.
TEST_F(ArenaHeapTest, BlocksOfAMaskThatWasUsedAreClearedAll) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  std::vector<char*> blocks;
  do {
    blocks.push_back(Allocate(arena, 48));
    memset(blocks.back(), 1, 48);
  } while (Left(heap, ClassOfSize(48)) != 0);
  for (char* block : blocks) FreeOwn(heap, block);
  for (int i = 0; i < 200; ++i) {
    char* const block = Allocate(arena, 48, 8, true);
    ASSERT_TRUE(IsZero(block, 48)) << i;
    memset(block, 1, 48);
  }
  Destroy(arena);
}

TEST_F(ArenaHeapTest, HoldsSaysWhatWasTakenAndNotHandedOut) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  const SizeClass c = ClassOfSize(32);
  std::vector<char*> blocks;
  for (int i = 0; i < 70; ++i) blocks.push_back(Allocate(arena, 32));
  char* const start = blocks[0];
  const unsigned refill = ArenaBin::FreshMax(32);
  for (unsigned i = 0; i < InfoOf(c).blocks; ++i)
    ASSERT_EQ(heap->Holds(c, start + 32 * i), i >= 70 && i < refill) << i;
  EXPECT_FALSE(heap->Holds(c, start + kUnit)) << "another slab";
  while (Left(heap, c) != 0) blocks.push_back(Allocate(arena, 32));
  EXPECT_FALSE(heap->Holds(c, start + 32 * (refill - 1)));
  // Of a bitmap word.
  for (int i = 64; i < 128; i += 2) FreeOwn(heap, blocks[i]);
  ASSERT_EQ(Allocate(arena, 32), blocks[64]);
  for (int i = 0; i < static_cast<int>(refill); ++i) {
    ASSERT_EQ(heap->Holds(c, blocks[i]), i > 64 && i < 128 && i % 2 == 0) << i;
  }
  Destroy(arena);
}

// A block that its owner has ready is freed by another thread: that is found
// when it comes home, not when it is handed out twice.
TEST_F(ArenaHeapTest, AStrayFreeOfWhatIsHeldStopsWhenItComesHome) {
  const ArenaHandle arena = Create();
  EXPECT_MISUSE(
      {
        ArenaHeap* const heap = HeapIn(arena);
        char* const block = Allocate(arena, 48) + 3 * 48;
        std::thread([&] { test_free(block); }).join();
        Blame(block);
        heap->Collect();
      },
      kNeverAllocated);
  const std::string size = BlockOf(48);
  EXPECT_MISUSE(
      {
        ArenaHeap* const heap = HeapIn(arena);
        std::vector<char*> blocks;
        do {
          blocks.push_back(Allocate(arena, 48));
        } while (Left(heap, ClassOfSize(48)) != 0);
        FreeOwn(heap, blocks[1]);
        FreeOwn(heap, blocks[2]);
        if (Allocate(arena, 48) != blocks[1]) _exit(1);
        std::thread([&] { test_free(blocks[2]); }).join();
        Blame(blocks[2]);
        heap->Collect();
      },
      kDoubleFree, size);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, EachMisuseOfAnOwnFreeStopsAtOnce) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  const std::string size = BlockOf(48);
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 48);
        FreeOwn(heap, block);
        Blame(block);
        FreeOwn(heap, block);
      },
      kDoubleFree, size);
  // Another thread's free has not come home yet.
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 48);
        std::thread([&] { test_free(block); }).join();
        Blame(block);
        FreeOwn(heap, block);
      },
      kDoubleFree, size);
  // In the mask.
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 48) + 5 * 48;
        Blame(block);
        FreeOwn(heap, block);
      },
      kNeverAllocated);
  // Beyond what was ever taken.
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 48) + ArenaBin::FreshMax(48) * 48;
        Blame(block);
        FreeOwn(heap, block);
      },
      kNeverAllocated);
  EXPECT_MISUSE(
      {
        char* const block =
            Allocate(arena, 48) + (InfoOf(ClassOfSize(48)).blocks - 1) * 48;
        Blame(block);
        FreeOwn(heap, block);
      },
      kNeverAllocated);
  // A block that was freed and lies in the mask again.
  EXPECT_MISUSE(
      {
        std::vector<char*> blocks;
        do {
          blocks.push_back(Allocate(arena, 48));
        } while (Left(heap, ClassOfSize(48)) != 0);
        FreeOwn(heap, blocks[1]);
        FreeOwn(heap, blocks[2]);
        if (Allocate(arena, 48) != blocks[1]) _exit(1);
        Blame(blocks[2]);
        FreeOwn(heap, blocks[2]);
      },
      kNeverAllocated);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, EmptySlabsGoBackAndTheLastOfAClassStays) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  const SizeClass c = ClassOfSize(1024);
  const unsigned per_slab = InfoOf(c).blocks;
  std::vector<char*> blocks;
  for (unsigned i = 0; i < 10 * per_slab; ++i)
    blocks.push_back(Allocate(arena, 1024));
  EXPECT_EQ(HeldUnits(arena), 10u);
  EXPECT_EQ(LedgerUnits(arena), 10u);
  EXPECT_EQ(heap->bin(c).slabs.Peek(), 10u);
  EXPECT_EQ(heap->touched(), 10 * per_slab * 1024u);
  const size_t used = UsedUnits();
  for (char* block : blocks) FreeOwn(heap, block);
  EXPECT_EQ(HeldUnits(arena), 1u);
  EXPECT_EQ(LedgerUnits(arena), 1u);
  EXPECT_EQ(UsedUnits(), used - 9);
  EXPECT_EQ(heap->bin(c).slabs.Peek(), 1u);
  EXPECT_EQ(heap->touched(), per_slab * 1024u);
  EXPECT_EQ(heap->bin(c).taken.Peek(), heap->bin(c).freed.Peek());
  EXPECT_EQ(At(arena)->quota.peak() / kUnit, 10u);
  // What went back is a stranger's, and no block of the arena.
  for (char* block : blocks) {
    const Range& range = *g_instance.region.RangeOf(block);
    const SizeClass now = ClassOfEntry(EntryOf(range, block));
    ASSERT_TRUE(now == 0 || (now == kArenaClass && SlabOf(block)->listed));
  }
  Destroy(arena);
}

TEST_F(ArenaHeapTest, CollectTakesInWhatOthersFreed) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  const SizeClass c = ClassOfSize(1024);
  std::vector<char*> blocks;
  for (unsigned i = 0; i < 5 * InfoOf(c).blocks; ++i)
    blocks.push_back(Allocate(arena, 1024));
  EXPECT_FALSE(heap->HasMail());
  RunThreads(2, [&](unsigned t) {
    for (size_t i = t; i < blocks.size(); i += 2) test_free(blocks[i]);
  });
  EXPECT_TRUE(heap->HasMail());
  EXPECT_EQ(HeldUnits(arena), 5u) << "nothing came home yet";
  EXPECT_EQ(At(arena)->freed_remotely[c].Load(Order::kRelaxed), blocks.size());
  heap->Collect();
  EXPECT_FALSE(heap->HasMail());
  EXPECT_EQ(HeldUnits(arena), 1u);
  EXPECT_EQ(LedgerUnits(arena), 1u);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, ARefillTakesTheMailInFirst) {
  const ArenaHandle arena = Create();
  std::vector<char*> blocks;
  const unsigned per_slab = InfoOf(ClassOfSize(1024)).blocks;
  for (unsigned i = 0; i < per_slab; ++i)
    blocks.push_back(Allocate(arena, 1024));
  std::thread([&] {
    for (char* block : blocks) test_free(block);
    fake::Farewell();
  }).join();
  std::set<char*> again;
  for (unsigned i = 0; i < per_slab; ++i) again.insert(Allocate(arena, 1024));
  EXPECT_EQ(again, std::set<char*>(blocks.begin(), blocks.end()));
  EXPECT_EQ(HeldUnits(arena), 1u);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, ADoubleFreeByOthersStopsWhenItComesHome) {
  EXPECT_MISUSE(
      {
        const ArenaHandle arena = Create();
        char* const block = Allocate(arena, 48);
        FreeOwn(HeapIn(arena), block);
        std::thread([&] { test_free(block); }).join();
        Blame(block);
        HeapIn(arena)->Collect();
      },
      kDoubleFree, BlockOf(48));
  EXPECT_MISUSE(
      {
        const ArenaHandle arena = Create();
        char* const block =
            Allocate(arena, 48) + (ArenaBin::FreshMax(48) + 10) * 48;
        std::thread([&] { test_free(block); }).join();
        Blame(block);
        for (unsigned i = 0; i < 2 * ArenaBin::FreshMax(48); ++i)
          Allocate(arena, 48);
      },
      kNeverAllocated);
}

TEST_F(ArenaHeapTest, AHeapOfAlignedBlocksServesNothingInAFewInstructions) {
  ArenaOptions options;
  options.alignment = 256;
  const ArenaHandle arena = Create(options);
  EXPECT_FALSE(HeapIn(arena)->Serves(arena));
  for (const size_t size : {0, 1, 16, 100, 5000, 70000})
    EXPECT_EQ(AddressOf(Allocate(arena, size)) % 256, 0u);
  Destroy(arena);
  for (const size_t alignment : {0, 1, 8, 16}) {
    options.alignment = alignment;
    const ArenaHandle other = Create(options);
    EXPECT_TRUE(HeapIn(other)->Serves(other));
    Destroy(other);
  }
}

TEST_F(ArenaHeapTest, SizesThatCannotBe) {
  for (const ArenaHandle arena : {Create(), CreateMonotonic()}) {
    EXPECT_EQ(Allocate(arena, kRequestMax + 1), nullptr);
    EXPECT_EQ(Allocate(arena, ~size_t{0}), nullptr);
    EXPECT_EQ(Allocate(arena, kRequestMax), nullptr);
    EXPECT_NE(Allocate(arena, 0), nullptr);
    EXPECT_NE(Allocate(arena, 0), Allocate(arena, 0));
    Destroy(arena);
  }
}

TEST_F(ArenaHeapTest, ReleaseEmptyGivesTheLastOfEachClassBack) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  EXPECT_FALSE(heap->ReleaseEmpty());
  char* const block = Allocate(arena, 48);
  for (const size_t size : {16, 1024, 20000}) {
    std::vector<char*> blocks;
    for (int i = 0; i < 64; ++i) blocks.push_back(Allocate(arena, size));
    while (Left(heap, ClassOfSize(size)) != 0)
      blocks.push_back(Allocate(arena, size));
    for (char* each : blocks) FreeOwn(heap, each);
  }
  EXPECT_EQ(HeldUnits(arena), 1 + 1 + 1 + 8u);
  EXPECT_TRUE(heap->ReleaseEmpty());
  EXPECT_EQ(HeldUnits(arena), 1u) << "that of the block stays";
  EXPECT_EQ(LedgerUnits(arena), 1u);
  EXPECT_FALSE(heap->ReleaseEmpty());
  FreeOwn(heap, block);
  Destroy(arena);
}

// ---- Runs ----

TEST_F(ArenaHeapTest, RunsAreFilledFromBelow) {
  const ArenaHandle arena = CreateMonotonic();
  ArenaHeap* const heap = HeapIn(arena);
  EXPECT_EQ(heap->TryAllocate(arena, 1), nullptr);
  char* at = Allocate(arena, 1);
  EXPECT_EQ(AddressOf(at) % kUnit, 0u);
  EXPECT_EQ(heap->run_next(), at + 16);
  at += 16;
  Random random;
  while (AddressOf(at) % kUnit < kUnit - 2048) {
    const size_t size = 1 + random.Below(1000);
    ASSERT_EQ(heap->TryAllocate(arena, size), at);
    at += RoundUp(size, 16);
    ASSERT_EQ(heap->run_next(), at);
  }
  EXPECT_EQ(HeldUnits(arena), 1u);
  EXPECT_EQ(LedgerUnits(arena), 1u);
  EXPECT_EQ(heap->touched(), AddressOf(at) % kUnit);
  // What is left of the unit is not overrun.
  const size_t left = kUnit - AddressOf(at) % kUnit;
  EXPECT_EQ(heap->TryAllocate(arena, left + 1), nullptr);
  EXPECT_EQ(heap->TryAllocate(arena, 0), nullptr) << "by the long way";
  EXPECT_EQ(heap->TryAllocate(arena, left), at);
  EXPECT_EQ(heap->TryAllocate(arena, 1), nullptr);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, RunsDoubleUpToABound) {
  const ArenaHandle arena = CreateMonotonic();
  std::vector<size_t> lengths;
  std::set<char*> runs;
  for (int i = 0; i < 100; ++i) {
    char* const block = Allocate(arena, kUnit);
    Slab* const run = SlabOf(block);
    EXPECT_EQ(run->size_class, kRunMark);
    if (runs.insert(run->start).second) lengths.push_back(run->units);
  }
  ASSERT_GE(lengths.size(), 6u);
  lengths.resize(7);
  EXPECT_EQ(lengths, (std::vector<size_t>{1, 2, 4, 8, 16, 16, 16}));
  Destroy(arena);
}

TEST_F(ArenaHeapTest, BlocksOfRunsAreDistinctAlignedAndMayCrossUnits) {
  const ArenaHandle arena = CreateMonotonic();
  ArenaHeap* const heap = HeapIn(arena);
  Random random(3);
  struct Block {
    char* start;
    size_t size;
  };
  std::vector<Block> blocks;
  size_t crossing = 0;
  for (uint64_t i = 0; i < 3000; ++i) {
    const size_t size = random.Size(15);
    const size_t alignment =
        random.Below(3) == 0 ? size_t{1} << random.Below(17) : 8;
    const bool zero = random.Below(2) == 0;
    char* block = nullptr;
    if (!zero && alignment <= 16)
      block = static_cast<char*>(heap->TryAllocate(arena, size));
    if (block == nullptr)
      block = static_cast<char*>(heap->Allocate(size, alignment, zero));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(AddressOf(block) % Max(alignment, 16), 0u);
    ASSERT_TRUE(!zero || IsZero(block, size));
    Fill(block, size, i);
    blocks.push_back({block, size});
    if (AddressOf(block) / kUnit != (AddressOf(block) + size - 1) / kUnit)
      ++crossing;
  }
  EXPECT_GT(crossing, 50u);
  for (size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_TRUE(IsFilled(blocks[i].start, blocks[i].size, i));
    ASSERT_GE(test_malloc_usable_size(blocks[i].start), blocks[i].size);
  }
  for (const Block& block : blocks) test_free(block.start);
  Destroy(arena);
}

// A gap that an alignment leaves belongs to no block, and none begins in it.
TEST_F(ArenaHeapTest, AlignmentGaps) {
  const ArenaHandle arena = CreateMonotonic();
  char* const a = Allocate(arena, 16);
  char* const b = Allocate(arena, 16, 4096);
  EXPECT_EQ(b, a + 4096);
  EXPECT_EQ(test_malloc_usable_size(a), 16u);
  EXPECT_EQ(test_malloc_usable_size(b), 16u);
  EXPECT_MISUSE(
      {
        Blame(a + 16);
        test_free(a + 16);
      },
      "free inside a block at");
  // A gap over units.
  char* const c = Allocate(arena, 16, kUnit);
  EXPECT_EQ(AddressOf(c) % kUnit, 0u);
  EXPECT_NE(AddressOf(c) / kUnit, AddressOf(b) / kUnit);
  EXPECT_EQ(test_malloc_usable_size(b), 16u)
      << "the next one is of another run";
  Allocate(arena, 16);
  char* const d = Allocate(arena, 16, kUnit);
  if (SlabOf(c) == SlabOf(d)) {
    EXPECT_EQ(d, c + kUnit);
    EXPECT_EQ(test_malloc_usable_size(c + 16), 16u);
  }
  for (char* block : {a, b, c, d}) test_free(block);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, TheAlignmentOfAMonotonicArenaIsOfEachBlock) {
  ArenaOptions options;
  options.monotonic = true;
  options.alignment = 128;
  const ArenaHandle arena = Create(options);
  ArenaHeap* const heap = HeapIn(arena);
  EXPECT_TRUE(heap->Serves(arena));
  char* const first = Allocate(arena, 1);
  for (int i = 0; i < 1500; ++i) {
    const size_t size = 1 + static_cast<size_t>(i) % 300;
    char* block = static_cast<char*>(heap->TryAllocate(arena, size));
    if (block == nullptr) block = Allocate(arena, size);
    ASSERT_EQ(AddressOf(block) % 128, 0u);
    Fill(block, size, 1);
  }
  test_free(first);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, ExtendLast) {
  const ArenaHandle arena = CreateMonotonic();
  ArenaHeap* const heap = HeapIn(arena);
  char* const a = Allocate(arena, 32);
  char* const b = Allocate(arena, 32);
  EXPECT_FALSE(heap->ExtendLast(a, 32, 48)) << "not the last one";
  EXPECT_TRUE(heap->ExtendLast(b, 32, 1000));
  EXPECT_EQ(heap->run_next(), b + 1008);
  EXPECT_EQ(test_malloc_usable_size(b), 1008u);
  EXPECT_FALSE(heap->ExtendLast(b, 32, 2000)) << "no longer that size";
  char* const c = static_cast<char*>(heap->TryAllocate(arena, 16));
  EXPECT_EQ(c, b + 1008);
  // Up to the unit's end and not beyond.
  const size_t left = kUnit - AddressOf(c) % kUnit;
  EXPECT_FALSE(heap->ExtendLast(c, 16, left + 1));
  EXPECT_FALSE(heap->ExtendLast(c, 16, ~size_t{0}));
  EXPECT_TRUE(heap->ExtendLast(c, 16, left));
  EXPECT_EQ(test_malloc_usable_size(c), left);
  EXPECT_EQ(heap->TryAllocate(arena, 1), nullptr);
  char* const d = Allocate(arena, 16);
  EXPECT_NE(AddressOf(d) / kUnit, AddressOf(c) / kUnit);
  Destroy(arena);
}

TEST_F(ArenaHeapTest, ExtendLastOfABlockThatCrossesAUnit) {
  const ArenaHandle arena = CreateMonotonic();
  ArenaHeap* const heap = HeapIn(arena);
  Allocate(arena, kUnit);  // the first run has one unit
  Allocate(arena, kUnit / 2);
  char* const block = Allocate(arena, kUnit / 2 + 1000);
  if (AddressOf(block) / kUnit == (AddressOf(block) + kUnit / 2) / kUnit)
    GTEST_SKIP();
  EXPECT_FALSE(heap->ExtendLast(block, kUnit / 2 + 1008, kUnit / 2 + 2000));
  EXPECT_EQ(heap->run_next(), block + kUnit / 2 + 1008);
  Destroy(arena);
}

// ---- Announcements that are late (heap/remote.h, between 1 and 3) ----

// Such a slab is somebody else's when it lands in the stack of a heap that
// retires, and hears of frees ever after.
TEST_F(ArenaHeapTest, RetiringHeapsKeepNoMailOfOthers) {
  const ArenaHandle arena = Create();
  ArenaHeap* const heap = HeapIn(arena);
  const unsigned per_slab = InfoOf(ClassOfSize(1024)).blocks;
  std::vector<char*> blocks;
  for (unsigned i = 0; i < 2 * per_slab; ++i)
    blocks.push_back(Allocate(arena, 1024));
  Slab* const slab = SlabOf(blocks[0]);
  for (unsigned i = 2; i <= per_slab; ++i) FreeOwn(heap, blocks[i]);
  // Steps 1 and 2 of a thread, whose bit another one's announcement brings
  // home.
  SlabOwner* const owner = slab->owner.Load(Order::kSeqCst);
  slab->remote[0].FetchOr(1, Order::kSeqCst);
  std::thread([&] {
    test_free(blocks[1]);
    test_thread_detach();
    fake::Farewell();
  }).join();
  heap->Collect();
  ASSERT_EQ(slab->owner.Load(Order::kRelaxed), nullptr);
  std::vector<void*> mine;
  while (slab->owner.Load(Order::kRelaxed) != CurrentHeap()) {
    ASSERT_LT(mine.size(), 5000u);
    mine.push_back(test_malloc(1024));
  }
  Announce(owner, slab);  // step 3
  Destroy(arena);
  EXPECT_EQ(slab->pending.Load(Order::kRelaxed), 1u) << "sent on";
  EXPECT_TRUE(CurrentHeap()->HasMail());
  CurrentHeap()->Collect();
  EXPECT_EQ(slab->pending.Load(Order::kRelaxed), 0u);
  for (void* block : mine) test_free(block);
}

// And a slab of an arena that ends may be in another heap's stack, which stays
// whole.
TEST_F(ArenaHeapTest, WipedSlabsStayInTheStacksTheyAreIn) {
  if (Config::kArenaQuarantine != 0) GTEST_SKIP() << "no unit comes back";
  Heap* const home = CurrentHeap();
  const unsigned per_slab = InfoOf(ClassOfSize(1024)).blocks;
  std::vector<void*> blocks;
  for (unsigned i = 0; i < 3 * per_slab; ++i)
    blocks.push_back(test_malloc(1024));
  Slab* const slab = SlabOf(blocks[0]);
  Slab* const below = SlabOf(blocks[per_slab]);
  SlabOwner* const late = slab->owner.Load(Order::kSeqCst);
  for (unsigned i = 0; i < per_slab; ++i) test_free(blocks[i]);
  home->Drain();
  ASSERT_EQ(slab->owner.Load(Order::kRelaxed), nullptr);
  const auto take = [&] {
    const ArenaHandle arena = Create();
    while (slab->owner.Load(Order::kRelaxed) == nullptr) Allocate(arena, 1024);
    return arena;
  };
  const auto free_elsewhere = [](void* block) {
    std::thread([&] {
      test_free(block);
      test_thread_detach();
      fake::Farewell();
    }).join();
  };
  const ArenaHandle first = take();
  free_elsewhere(blocks[per_slab]);
  Announce(late, slab);
  Destroy(first);
  const ArenaHandle second = take();
  free_elsewhere(slab->start);
  home->Collect();
  EXPECT_EQ(below->pending.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(below->remote[0].Load(Order::kRelaxed), 0u) << "it came home";
  EXPECT_TRUE(HeapIn(second)->HasMail()) << "and the other was sent on";
  HeapIn(second)->Collect();
  EXPECT_EQ(slab->remote[0].Load(Order::kRelaxed), 0u);
  Destroy(second);
  for (unsigned i = per_slab + 1; i < 3 * per_slab; ++i) test_free(blocks[i]);
}

// ---- Retire ----

// Nothing of what it held is left: by its parts that others see, and by that it
// gives out the same blocks in the same order as a heap that never was used.
TEST_F(ArenaHeapTest, RetireLeavesItAsItWasConstructed) {
  Stack<LedgerGroup>* const spare = g_arenas.spare_groups();
  for (const bool monotonic : {false, true}) {
    ArenaOptions options;
    options.monotonic = monotonic;
    const ArenaHandle arena = Create(options);
    ArenaHeap* const heap = HeapIn(arena);
    Random random(5);
    std::vector<char*> blocks;
    for (int i = 0; i < 3000; ++i)
      blocks.push_back(Allocate(arena, random.Size(14)));
    for (int i = 0; i < 100; ++i) blocks.push_back(Allocate(arena, 100000));
    std::thread([&] {
      for (size_t i = 0; i < blocks.size(); i += 3) test_free(blocks[i]);
      fake::Farewell();
    }).join();
    for (size_t i = 1; i < blocks.size(); i += 3) test_free(blocks[i]);
    Destroy(arena);
    EXPECT_NE(heap->handle(), arena);
    EXPECT_NE(heap->handle(), 0u) << "nor does it fit none";
    EXPECT_FALSE(heap->Serves(arena));
    EXPECT_FALSE(heap->Serves(0));
    EXPECT_FALSE(heap->HasMail());
    EXPECT_EQ(heap->mail(), 0u);
    EXPECT_EQ(heap->run_next(), nullptr);
    EXPECT_EQ(heap->touched(), 0u);
    EXPECT_EQ(heap->unpublished_blocks(), 0);
    EXPECT_EQ(heap->unpublished_bytes(), 0);
    EXPECT_EQ(heap->unpublished_blocks_peak(), 0);
    EXPECT_EQ(heap->unpublished_bytes_peak(), 0);
    EXPECT_EQ(heap->home(), CurrentHeap()) << "this alone stays";
    for (SizeClass c = 1; c <= kSlabClasses; ++c) {
      const ArenaBin& bin = heap->bin(c);
      ASSERT_EQ(bin.mask.Load(Order::kRelaxed), 0u);
      ASSERT_EQ(bin.listed, nullptr);
      ASSERT_EQ(bin.taken.Peek(), 0u);
      ASSERT_EQ(bin.freed.Peek(), 0u);
      ASSERT_EQ(bin.slabs.Peek(), 0u);
    }
    const Ledger fresh;
    EXPECT_EQ(memcmp(static_cast<const void*>(&fresh),
                     static_cast<const void*>(&heap->ledger()), sizeof(fresh)),
              0);
    EXPECT_NE(spare->Pop(), nullptr) << "more than a group was in use";
    EXPECT_EQ(heap->TryAllocate(arena, 10), nullptr);
    EXPECT_EQ(heap->TryAllocate(arena, 0), nullptr);
  }
}

// And the descriptors and bits of its units are as the next user expects: in a
// debug configuration CreateSlab looks.
TEST_F(ArenaHeapTest, UnitsOfARetiredHeapServeAnybody) {
  Random random;
  for (int round = 0; round < 60; ++round) {
    ArenaOptions options;
    options.monotonic = random.Below(2) == 0;
    const ArenaHandle arena = Create(options);
    std::vector<char*> blocks;
    const size_t log = 3 + random.Below(15);
    for (int i = 0; i < 500; ++i) {
      const size_t size = random.Size(static_cast<unsigned>(log));
      char* const block = Allocate(arena, size, 8, true);
      ASSERT_TRUE(IsZero(block, size));
      memset(block, 255, size);
      blocks.push_back(block);
    }
    for (char* block : blocks)
      if (random.Below(3) == 0) test_free(block);
    std::vector<void*> others;
    for (int i = 0; i < 500; ++i) {
      const size_t size = random.Size(static_cast<unsigned>(log));
      others.push_back(test_calloc(1, size));
      ASSERT_TRUE(IsZero(others.back(), size));
      memset(others.back(), 255, size);
    }
    Destroy(arena);
    for (void* other : others) test_free(other);
    if (random.Below(4) == 0) test_purge();
    if (random.Below(4) == 0) CurrentHeap()->Drain();
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
