// The malloc family in arenas: contents, sizes of nothing and beyond
// everything, frees by any thread. In both modes.
#include <cerrno>
#include <cstdint>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaMallocTest = ArenaModesTest;

const std::vector<size_t> kAbsurd = {
    SIZE_MAX,
    SIZE_MAX - 1,
    SIZE_MAX - 15,
    SIZE_MAX - 4096,
    SIZE_MAX - 65535,
    size_t{PTRDIFF_MAX} + 1,
    size_t{PTRDIFF_MAX},
    size_t{1} << 62,
    size_t{1} << 47,
};

TEST_P(ArenaMallocTest, BlocksOfEverySize) {
  ScopedArena arena(Options());
  std::vector<void*> blocks;
  for (size_t size = 0; size <= 3000; ++size) {
    blocks.push_back(subject::arena_malloc(arena, size));
    ASSERT_NE(blocks.back(), nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(blocks.back()) % (size < 16 ? 8 : 16),
              0u);
    Fill(blocks.back(), size, size);
  }
  for (size_t size = 0; size <= 3000; ++size) {
    ASSERT_TRUE(Holds(blocks[size], size, size));
    subject::free(blocks[size]);
  }
  EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
}

// To the last byte, with neighbours on both sides.
TEST_P(ArenaMallocTest, UsableSizeIsUsable) {
  ScopedArena arena(Options());
  for (const size_t size : kSizesOfAllKinds) {
    std::vector<std::pair<void*, size_t>> blocks;
    for (int i = 0; i < 5; ++i) {
      void* const block = subject::arena_malloc(arena, size);
      const size_t usable = subject::malloc_usable_size(block);
      ASSERT_GE(usable, size);
      EXPECT_LE(usable, size + size / 2 + kUnit);
      Fill(block, usable, size + i);
      blocks.emplace_back(block, usable);
    }
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(Holds(blocks[i].first, blocks[i].second, size + i));
      ASSERT_EQ(subject::malloc_usable_size(blocks[i].first), blocks[i].second);
      subject::free(blocks[i].first);
    }
  }
}

// Programs count by it, at malloc and again at free.
TEST_P(ArenaMallocTest, UsableSizeStaysWhatItIs) {
  ScopedArena arena(Options());
  std::vector<std::pair<void*, size_t>> blocks;
  for (int round = 0; round < 10; ++round) {
    for (const size_t alignment : {8, 64, 4096, 65536}) {
      for (const size_t size : {24, 1000, 20000, 100000}) {
        void* const block =
            subject::arena_aligned_alloc(arena, alignment, size);
        blocks.emplace_back(block, subject::malloc_usable_size(block));
      }
    }
  }
  for (const auto& [block, usable] : blocks) {
    ASSERT_EQ(subject::malloc_usable_size(block), usable) << block;
    subject::free(block);
  }
  EXPECT_EQ(StatsOf(arena).bytes_live, 0u);
}

TEST_P(ArenaMallocTest, BlocksOfNoBytesAreBlocks) {
  ScopedArena arena(Options());
  std::set<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.insert(subject::arena_malloc(arena, 0));
    blocks.insert(subject::arena_calloc(arena, 0, 8));
    blocks.insert(subject::arena_calloc(arena, 8, 0));
    blocks.insert(subject::arena_realloc(arena, nullptr, 0));
    blocks.insert(subject::arena_aligned_alloc(arena, 64, 0));
  }
  EXPECT_EQ(blocks.size(), 500u);
  EXPECT_EQ(blocks.count(nullptr), 0u);
  EXPECT_EQ(StatsOf(arena).blocks_live, 500u);
  for (void* const block : blocks) subject::free(block);
  EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
}

TEST_P(ArenaMallocTest, AbsurdSizesGiveNull) {
  ScopedArena arena(Options());
  void* const block = subject::arena_malloc(arena, 100);
  Fill(block, 100, 1);
  for (const size_t size : kAbsurd) {
    EXPECT_EQ(subject::arena_malloc(arena, size), nullptr) << size;
    EXPECT_EQ(subject::arena_calloc(arena, 1, size), nullptr) << size;
    EXPECT_EQ(subject::arena_calloc(arena, size, 1), nullptr) << size;
    EXPECT_EQ(subject::arena_realloc(arena, nullptr, size), nullptr) << size;
    EXPECT_EQ(subject::arena_realloc(arena, block, size), nullptr) << size;
    EXPECT_EQ(subject::realloc(block, size), nullptr) << size;
    EXPECT_EQ(subject::arena_reallocarray(arena, block, size, 1), nullptr);
    EXPECT_EQ(subject::arena_aligned_alloc(arena, 8, size), nullptr) << size;
    EXPECT_EQ(subject::arena_aligned_alloc(arena, kMiB, size), nullptr);
    void* other = &other;
    EXPECT_EQ(subject::arena_posix_memalign(arena, &other, 64, size), ENOMEM);
    EXPECT_EQ(other, &other);
  }
  EXPECT_TRUE(Holds(block, 100, 1));
  EXPECT_EQ(StatsOf(arena).blocks_live, 1u);
  EXPECT_EQ(subject::arena_of(block), arena);
}

TEST_P(ArenaMallocTest, ProductsThatOverflowGiveNull) {
  ScopedArena arena(Options());
  void* const block = subject::arena_malloc(arena, 100);
  Fill(block, 100, 2);
  const std::vector<std::pair<size_t, size_t>> products = {
      {size_t{1} << 32, size_t{1} << 32},
      {SIZE_MAX, 2},
      {2, SIZE_MAX},
      {SIZE_MAX / 2 + 1, 2},
      {SIZE_MAX, SIZE_MAX},
      // The first wraps around to 8, the second to a likely 64.
      {(SIZE_MAX / 8) + 2, 8},
      {(SIZE_MAX / 64) + 2, 64},
  };
  for (const auto& [count, size] : products) {
    EXPECT_EQ(subject::arena_calloc(arena, count, size), nullptr);
    EXPECT_EQ(subject::arena_reallocarray(arena, nullptr, count, size),
              nullptr);
    EXPECT_EQ(subject::arena_reallocarray(arena, block, count, size), nullptr);
    EXPECT_EQ(subject::reallocarray(block, count, size), nullptr);
  }
  EXPECT_TRUE(Holds(block, 100, 2));
}

TEST_P(ArenaMallocTest, RefusesWhatIsNoAlignment) {
  ScopedArena arena(Options());
  for (const size_t alignment :
       {size_t{0}, size_t{3}, size_t{24}, size_t{1} << 31, SIZE_MAX}) {
    EXPECT_EQ(subject::arena_aligned_alloc(arena, alignment, 64), nullptr)
        << alignment;
    void* block = &block;
    EXPECT_EQ(subject::arena_posix_memalign(arena, &block, alignment, 64),
              EINVAL);
    EXPECT_EQ(block, &block);
  }
  for (const size_t alignment : {1, 2, 4}) {
    void* block = &block;
    EXPECT_EQ(subject::arena_posix_memalign(arena, &block, alignment, 64),
              EINVAL);
    EXPECT_EQ(block, &block);
  }
}

TEST_P(ArenaMallocTest, ErrnoOfFailures) {
  ScopedArena arena(Options());
  const auto none = [](void* block) { EXPECT_EQ(block, nullptr); };
  EXPECT_EQ(ErrnoAfter([&] { none(subject::arena_malloc(arena, SIZE_MAX)); }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(
      ErrnoAfter([&] { none(subject::arena_calloc(arena, SIZE_MAX, 2)); }),
      ErrnoOf(ENOMEM));
  EXPECT_EQ(ErrnoAfter([&] {
              none(subject::arena_realloc(arena, nullptr, SIZE_MAX));
            }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(ErrnoAfter([&] {
              none(subject::arena_reallocarray(arena, nullptr, SIZE_MAX, 2));
            }),
            ErrnoOf(ENOMEM));
  EXPECT_EQ(
      ErrnoAfter([&] { none(subject::arena_aligned_alloc(arena, 3, 8)); }),
      ErrnoOf(EINVAL));
  void* block = nullptr;
  EXPECT_EQ(ErrnoAfter([&] {
              EXPECT_EQ(
                  subject::arena_posix_memalign(arena, &block, 8, SIZE_MAX),
                  ENOMEM);
            }),
            kUntouched);
}

// ---- Other threads ----

TEST_P(ArenaMallocTest, AnyThreadFreesAndAsksAndResizes) {
  Crew crew(3);
  ScopedArena arena(Options());
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> blocks(600);
    for (size_t i = 0; i < blocks.size(); ++i) {
      const size_t size = kSizesOfAllKinds[i % 9];
      blocks[i] = subject::arena_malloc(arena, size);
      Fill(blocks[i], size, i);
    }
    crew.Do([&](int t) {
      for (size_t i = t; i < blocks.size(); i += crew.size()) {
        const size_t size = kSizesOfAllKinds[i % 9];
        ASSERT_EQ(subject::arena_of(blocks[i]), arena);
        ASSERT_GE(subject::malloc_usable_size(blocks[i]), size);
        ASSERT_TRUE(Holds(blocks[i], size, i));
        if (i % 5 == 0) {
          blocks[i] = subject::realloc(blocks[i], size + 1000);
          ASSERT_EQ(subject::arena_of(blocks[i]), arena);
          ASSERT_TRUE(Holds(blocks[i], size, i));
        }
        if (i % 7 == 0) {
          subject::free_sized(blocks[i],
                              subject::malloc_usable_size(blocks[i]));
        } else {
          subject::free(blocks[i]);
        }
      }
    });
    ASSERT_EQ(StatsOf(arena).blocks_live, 0u);
    ASSERT_EQ(StatsOf(arena).bytes_live, 0u);
  }
}

// What others free of a general arena comes home: it does not grow without end.
TEST_P(ArenaMallocTest, FreedBlocksAreUsedAgain) {
  if (monotonic()) return;
  Crew crew(1);
  ScopedArena arena(Options());
  size_t held = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<void*> blocks(500);
    for (size_t i = 0; i < blocks.size(); ++i)
      blocks[i] = subject::arena_malloc(arena, i % 5 == 0 ? 40 * kKiB : 200);
    crew.DoOn(0, [&] {
      for (void* const block : blocks) subject::free(block);
    });
    if (round == 50) held = StatsOf(arena).bytes_held_peak;
  }
  EXPECT_LE(StatsOf(arena).bytes_held_peak, held + held / 4);
}

INSTANTIATE_IN_BOTH_MODES(ArenaMallocTest);

}  // namespace
}  // namespace contract
