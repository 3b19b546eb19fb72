#include "core/arena/arena_blocks.h"

#include "tests/core/arenas.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr char kDoubleFree[] = "double free of";
constexpr char kFreeInside[] = "free inside a block at";
constexpr char kNeverAllocated[] = "free of a block never allocated at";
constexpr char kUseNoBlock[] =
    "size or realloc asked of memory that is in no block, at";
constexpr char kUseInside[] =
    "size or realloc asked of the inside of a block at";

class ArenaBlocksTest : public ArenaInstanceTest {
 protected:
  static ArenaBlock Find(const void* address, BlockUse use = BlockUse::kOther) {
    Range* const range = g_instance.region.RangeOf(address);
    return FindArenaBlock(g_arenas, range, address, EntryOf(*range, address),
                          use);
  }
  static size_t SizeOf(const void* block) {
    return ArenaBlockSize(Find(block), block);
  }
  static void Free(void* block, Heap* home = CurrentHeap()) {
    FreeArenaBlock(home, Find(block, BlockUse::kFree), block);
  }
  static char* Reallocate(void* block, size_t size,
                          Heap* home = CurrentHeap()) {
    uint64_t crossed;
    return static_cast<char*>(ReallocateArenaBlock(&g_arenas, home, Find(block),
                                                   block, size, &crossed));
  }
  static void FindBlamed(const char* address, BlockUse use) {
    Blame(address);
    Find(address, use);
  }
};

// ---- Finding ----

TEST_F(ArenaBlocksTest, EveryKindIsFound) {
  const ArenaHandle general = Create();
  const ArenaHandle monotonic = CreateMonotonic();
  for (const ArenaHandle arena : {general, monotonic}) {
    for (const size_t size : {1, 16, 100, 5000, 20000, 65536, 200000}) {
      for (int i = 0; i < 20; ++i) {
        char* const block = Allocate(arena, size);
        for (const BlockUse use : {BlockUse::kFree, BlockUse::kOther}) {
          const ArenaBlock found = Find(block, use);
          ASSERT_EQ(found.arena, At(arena));
          ASSERT_TRUE(found.range->Contains(block));
          ASSERT_LE(found.slab->start, block);
          ASSERT_LT(block, found.slab->start + found.slab->units * kUnit);
        }
        const bool run = arena == monotonic && size <= kSlabMax;
        ASSERT_EQ(Find(block).size, run ? 0 : GoodSize(size)) << size;
        ASSERT_EQ(SizeOf(block), run ? RoundUp(size, 16) : GoodSize(size));
      }
    }
    Destroy(arena);
  }
}

TEST_F(ArenaBlocksTest, StopsInSlabs) {
  for (const size_t size : {48, 100, 20000}) {
    const ArenaHandle arena = Create();
    char* const block = Allocate(arena, size);
    const size_t usable = SizeOf(block);
    for (const size_t off : {size_t{1}, size_t{16}, usable - 1, usable + 8}) {
      EXPECT_MISUSE(FindBlamed(Allocate(arena, size) + off, BlockUse::kFree),
                    kFreeInside);
      EXPECT_MISUSE(FindBlamed(Allocate(arena, size) + off, BlockUse::kOther),
                    kUseInside);
    }
    // Behind the last block.
    const ClassInfo& info = InfoOf(ClassOfSize(size));
    const size_t end = size_t{info.blocks} * info.size;
    if (end + 16 < info.units * kUnit) {
      EXPECT_MISUSE(FindBlamed(Find(Allocate(arena, size)).slab->start + end,
                               BlockUse::kFree),
                    kFreeInside);
    }
    Destroy(arena);
  }
}

TEST_F(ArenaBlocksTest, StopsInLargeBlocks) {
  const ArenaHandle arena = Create();
  for (const size_t off : {1, 16, 65535}) {
    EXPECT_MISUSE(FindBlamed(Allocate(arena, 200000) + off, BlockUse::kFree),
                  kFreeInside);
    EXPECT_MISUSE(FindBlamed(Allocate(arena, 200000) + off, BlockUse::kOther),
                  kUseInside);
  }
  // The other units are known by the class map.
  for (const size_t off : {kUnit, 2 * kUnit + 16}) {
    EXPECT_MISUSE(
        {
          char* const inside = Allocate(arena, 200000) + off;
          Blame(inside);
          test_free(inside);
        },
        kFreeInside);
    EXPECT_MISUSE(
        {
          char* const inside = Allocate(arena, 200000) + off;
          Blame(inside);
          test_malloc_usable_size(inside);
        },
        kUseInside);
  }
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 200000);
        Free(block);
        Blame(block);
        test_malloc_usable_size(block);
      },
      kUseNoBlock);
  Destroy(arena);
}

TEST_F(ArenaBlocksTest, StopsInRuns) {
  const ArenaHandle arena = CreateMonotonic();
  const auto block = [&] {
    char* const b = Allocate(arena, 100);  // 112
    Allocate(arena, 16);
    return b;
  };
  for (const size_t off : {1, 8, 16, 96, 111}) {
    EXPECT_MISUSE(FindBlamed(block() + off, BlockUse::kFree), kFreeInside);
    EXPECT_MISUSE(FindBlamed(block() + off, BlockUse::kOther), kUseInside);
  }
  // Beyond what was handed out, aligned or not.
  for (const size_t off : {128, 129, 1024, 65520}) {
    EXPECT_MISUSE(FindBlamed(block() + off, BlockUse::kFree), kNeverAllocated);
    EXPECT_MISUSE(FindBlamed(block() + off, BlockUse::kOther), kUseNoBlock);
  }
  // In the rest of a run that is not the last one any more.
  EXPECT_MISUSE(
      {
        char* const b = block();
        for (int i = 0; i < 4; ++i) Allocate(arena, kUnit);
        FindBlamed(b + 4096, BlockUse::kFree);
      },
      kNeverAllocated);
  // Inside a block that crosses into another unit.
  EXPECT_MISUSE(
      {
        Allocate(arena, kUnit);
        Allocate(arena, 60000);
        char* const b = Allocate(arena, 20000);
        char* const next =
            reinterpret_cast<char*>(RoundUp(AddressOf(b) + 1, kUnit));
        if (next >= b + 20000) _exit(1);
        FindBlamed(next, BlockUse::kFree);
      },
      kFreeInside);
  // Freed.
  EXPECT_MISUSE(
      {
        char* const b = block();
        Free(b);
        FindBlamed(b, BlockUse::kOther);
      },
      kUseNoBlock);
  EXPECT_MISUSE(
      {
        char* const b = block();
        Free(b);
        Blame(b);
        Free(b);
      },
      kDoubleFree);
  EXPECT_MISUSE(
      {
        char* const b = block();
        std::thread([&] { test_free(b); }).join();
        Blame(b);
        Free(b);
      },
      kDoubleFree);
  Destroy(arena);
}

// ---- Sizes in runs ----

TEST_F(ArenaBlocksTest, ABlockOfARunReachesToTheNext) {
  const ArenaHandle arena = CreateMonotonic();
  Random random;
  std::vector<std::pair<char*, size_t>> blocks;
  for (int i = 0; i < 2000; ++i) {
    const size_t size = random.Size(13);
    blocks.push_back({Allocate(arena, size), RoundUp(size, 16)});
    ASSERT_EQ(SizeOf(blocks.back().first), blocks.back().second)
        << "as long as it is the last one";
  }
  for (const auto& [block, size] : blocks) ASSERT_EQ(SizeOf(block), size);
  // Frees change nothing.
  for (size_t i = 0; i < blocks.size(); i += 2) Free(blocks[i].first);
  for (size_t i = 1; i < blocks.size(); i += 2)
    ASSERT_EQ(SizeOf(blocks[i].first), blocks[i].second);
  Destroy(arena);
}

TEST_F(ArenaBlocksTest, LongBlocksAndGapsAcrossWords) {
  const ArenaHandle arena = CreateMonotonic();
  // Words of bits are 1 KiB long.
  for (const size_t size : {1008, 1024, 1040, 2048, 10000, 65536, 40000}) {
    char* const block = Allocate(arena, size);
    EXPECT_EQ(SizeOf(block), RoundUp(size, 16)) << size;
    Allocate(arena, 16);
    EXPECT_EQ(SizeOf(block), RoundUp(size, 16)) << size;
  }
  Destroy(arena);
}

// Another thread asks, and frees, while the owner goes on.
TEST_F(ArenaBlocksTest, SizesAreKnownToOthersMeanwhile) {
  const ArenaHandle arena = CreateMonotonic();
  constexpr size_t kBlocks = 30000;
  std::vector<std::atomic<char*>> blocks(kBlocks);
  size_t wrong = 0;
  RunThreads(2, [&](unsigned t) {
    for (size_t i = 0; i < kBlocks; ++i) {
      const size_t size = 1 + i % 700;
      if (t == 0) {
        blocks[i] = Allocate(arena, size);
        continue;
      }
      char* block;
      while ((block = blocks[i].load()) == nullptr) std::this_thread::yield();
      if (SizeOf(block) != RoundUp(size, 16)) ++wrong;
      test_free(block);
    }
  });
  EXPECT_EQ(wrong, 0u);
  Destroy(arena);
}

// ---- Freeing ----

TEST_F(ArenaBlocksTest, WithoutAHeapBlocksGoHomeByTheBits) {
  const ArenaHandle arena = Create();
  const SizeClass c = ClassOfSize(48);
  char* const small = Allocate(arena, 48);
  char* const large = Allocate(arena, 200000);
  Free(small, nullptr);
  Free(large, nullptr);
  EXPECT_TRUE(HeapIn(arena)->HasMail());
  EXPECT_EQ(At(arena)->freed_remotely[c].Load(Order::kRelaxed), 1u);
  EXPECT_EQ(HeldUnits(arena), 1u);
  HeapIn(arena)->Collect();
  EXPECT_EQ(Find(small).slab->available + ArenaBin::FreshMax(48) - 1,
            InfoOf(c).blocks);
  EXPECT_MISUSE(
      {
        char* const block = Allocate(arena, 48);
        Free(block, nullptr);
        Blame(block);
        Free(block, nullptr);
      },
      kDoubleFree, BlockOf(48));
  Destroy(arena);
  const ArenaHandle runs = CreateMonotonic();
  char* const block = Allocate(runs, 48);
  Free(block, nullptr);
  EXPECT_MISUSE(FindBlamed(block, BlockUse::kOther), kUseNoBlock);
  Destroy(runs);
}

TEST_F(ArenaBlocksTest, TwoOtherThreadsFreeABlock) {
  for (const bool monotonic : {false, true}) {
    ArenaOptions options;
    options.monotonic = monotonic;
    EXPECT_MISUSE(
        {
          const ArenaHandle arena = Create(options);
          char* const block = Allocate(arena, 48);
          Blame(block);
          RunThreads(2, [&](unsigned) { test_free(block); });
          _exit(1);
        },
        kDoubleFree, monotonic ? "" : BlockOf(48));
  }
}

// ---- Resizing ----

TEST_F(ArenaBlocksTest, InPlaceWhileHalfOfItStaysInUse) {
  const ArenaHandle arena = Create();
  char* const block = Allocate(arena, 1024);
  Fill(block, 1024, 1);
  for (const size_t size : {1024, 1000, 600, 512})
    ASSERT_EQ(Reallocate(block, size), block);
  char* const shorter = Reallocate(block, 511);
  EXPECT_NE(shorter, block);
  EXPECT_EQ(SizeOf(shorter), GoodSize(511));
  EXPECT_TRUE(IsFilled(shorter, 511, 1));
  char* const longer = Reallocate(shorter, 20000);
  EXPECT_TRUE(IsFilled(longer, 511, 1));
  char* const large = Reallocate(longer, 200000);
  EXPECT_TRUE(IsFilled(large, 511, 1));
  EXPECT_EQ(Reallocate(large, 300000), large) << "into free units";
  EXPECT_EQ(Reallocate(large, 70000), large);
  EXPECT_EQ(SizeOf(large), 2 * kUnit);
  char* const small = Reallocate(large, 100);
  EXPECT_TRUE(IsFilled(small, 100, 1));
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 0u);
  EXPECT_EQ(Find(small).arena, At(arena));
  Free(small);
  Destroy(arena);
}

TEST_F(ArenaBlocksTest, TheLastOfARunGrowsInPlaceAndOthersMove) {
  const ArenaHandle arena = CreateMonotonic();
  char* const first = Allocate(arena, 100);
  char* const last = Allocate(arena, 100);
  Fill(first, 100, 1);
  Fill(last, 100, 2);
  EXPECT_EQ(Reallocate(first, 1), first) << "what is left is lost anyway";
  EXPECT_EQ(SizeOf(first), 112u);
  EXPECT_EQ(Reallocate(last, 5000), last);
  EXPECT_TRUE(IsFilled(last, 100, 2));
  EXPECT_GE(SizeOf(last), 5000u);
  char* const moved = Reallocate(first, 200);
  EXPECT_NE(moved, first);
  EXPECT_TRUE(IsFilled(moved, 100, 1));
  EXPECT_MISUSE(FindBlamed(first, BlockUse::kOther), kUseNoBlock);
  // Another thread's last one is not this one's to extend.
  std::thread([&] {
    Fill(moved, 200, 3);
    char* const theirs = Reallocate(moved, 300);
    EXPECT_NE(theirs, moved);
    EXPECT_TRUE(IsFilled(theirs, 200, 3));
    fake::Farewell();
  }).join();
  char* const large = Reallocate(last, 300000);
  EXPECT_TRUE(IsFilled(large, 100, 2));
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 1u);
  char* const back = Reallocate(large, 1000);
  EXPECT_TRUE(IsFilled(back, 100, 2));
  EXPECT_EQ(At(arena)->large_blocks.Load(Order::kRelaxed), 0u);
  Destroy(arena);
}

TEST_F(ArenaBlocksTest, ResizingKeepsTheArenasAlignment) {
  for (const bool monotonic : {false, true}) {
    ArenaOptions options;
    options.monotonic = monotonic;
    options.alignment = 4096;
    const ArenaHandle arena = Create(options);
    Random random;
    char* block = Allocate(arena, 10);
    size_t before = 10;
    Fill(block, before, 1);
    for (int i = 0; i < 300; ++i) {
      const size_t size = random.Size(18);
      block = Reallocate(block, size);
      ASSERT_NE(block, nullptr);
      ASSERT_EQ(AddressOf(block) % 4096, 0u);
      ASSERT_TRUE(IsFilled(block, Min(before, size), 1));
      Fill(block, size, 1);
      before = size;
    }
    Destroy(arena);
  }
}

TEST_F(ArenaBlocksTest, ARefusedResizeLeavesTheBlockAsItWas) {
  for (const bool monotonic : {false, true}) {
    ArenaOptions options;
    options.monotonic = monotonic;
    options.hard_quota = 3 * kUnit;
    const ArenaHandle arena = Create(options);
    char* const block = Allocate(arena, 1000);
    Fill(block, 1000, 1);
    EXPECT_EQ(Reallocate(block, 200000), nullptr);
    EXPECT_EQ(Reallocate(block, ~size_t{0}), nullptr);
    EXPECT_TRUE(IsFilled(block, 1000, 1));
    char* const large = Allocate(arena, 2 * kUnit);
    Fill(large, 2 * kUnit, 2);
    EXPECT_EQ(Reallocate(large, 4 * kUnit), nullptr);
    EXPECT_TRUE(IsFilled(large, 2 * kUnit, 2));
    EXPECT_EQ(HeldUnits(arena), 3u);
    // Without a heap there is none to move it to.
    EXPECT_EQ(Reallocate(block, 1100, nullptr), nullptr);
    EXPECT_EQ(Reallocate(block, 900, nullptr), block);
    EXPECT_TRUE(IsFilled(block, 1000, 1));
    EXPECT_EQ(LedgerUnits(arena), 3u);
    Free(block);
    Free(large);
    Destroy(arena);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
