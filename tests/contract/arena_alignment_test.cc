// Where blocks of arenas begin: as elsewhere, and as the arena's options ask.
#include <cstdint>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaAlignmentTest = ArenaModesTest;

bool IsAligned(const void* block, size_t alignment) {
  return block != nullptr &&
         reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

TEST_P(ArenaAlignmentTest, IsKeptByEveryFunction) {
  for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    subject::ArenaOptions options = Options();
    options.alignment = alignment;
    ScopedArena arena(options);
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{24}, size_t{100}, size_t{1000},
          size_t{5000}, 40 * kKiB, 70 * kKiB, 300 * kKiB, 2 * kMiB}) {
      void* second = nullptr;
      std::vector<void*> blocks = {
          subject::arena_malloc(arena, size),
          subject::arena_malloc(arena, size),
          subject::arena_calloc(arena, 1, size),
          subject::arena_realloc(arena, nullptr, size),
          subject::arena_reallocarray(arena, nullptr, 1, size),
          subject::arena_aligned_alloc(arena, 1, size),
          subject::arena_aligned_alloc(arena, 32, size),
      };
      ASSERT_EQ(subject::arena_posix_memalign(arena, &second, 8, size), 0);
      blocks.push_back(second);
      const size_t bigger = size * 3 + 1;
      blocks.push_back(
          subject::realloc(subject::arena_malloc(arena, size), bigger));
      blocks.push_back(
          subject::reallocarray(subject::arena_malloc(arena, size), 1, bigger));
      blocks.push_back(subject::arena_realloc(
          arena, subject::arena_malloc(arena, size), bigger));
      blocks.push_back(subject::arena_reallocarray(
          arena, subject::arena_malloc(arena, bigger), size / 3 + 1, 1));
      for (size_t i = 0; i < blocks.size(); ++i) {
        ASSERT_TRUE(IsAligned(blocks[i], alignment))
            << blocks[i] << ", number " << i << " of " << size << " bytes, to "
            << alignment;
        ASSERT_TRUE(IsAligned(blocks[i], size >= 16 ? 16 : 8));
      }
      for (void* const block : blocks) {
        ASSERT_EQ(subject::arena_of(block), arena);
        subject::free(block);
      }
    }
    EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
    subject::arena_reset(arena);
    ASSERT_TRUE(IsAligned(subject::arena_malloc(arena, 24), alignment));
    ASSERT_TRUE(IsAligned(subject::arena_malloc(arena, 24), alignment));
  }
}

// The size that a block was asked with is one it can have had, though the
// arena's alignment made it longer.
TEST_P(ArenaAlignmentTest, SizedFreesKnowTheAlignment) {
  for (const size_t alignment : {0, 64, 256, 4096}) {
    subject::ArenaOptions options = Options();
    options.alignment = alignment;
    ScopedArena arena(options);
    for (const size_t size : kSizesOfAllKinds) {
      for (int i = 0; i < 3; ++i)
        subject::free_sized(subject::arena_malloc(arena, size), size);
      subject::free_aligned_sized(subject::arena_aligned_alloc(arena, 32, size),
                                  32, size);
      subject::free_aligned_sized(
          subject::arena_aligned_alloc(arena, 1024, size), 1024, size);
    }
    EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
    subject::thread_detach();  // which has everything looked at
    EXPECT_EQ(StatsOf(arena).bytes_live, 0u);
  }
}

TEST_P(ArenaAlignmentTest, EveryPowerOfTwoWithEveryKindOfSize) {
  ScopedArena arena(Options());
  for (size_t alignment = 1; alignment <= 4 * kMiB; alignment *= 2) {
    for (const size_t size : kSizesOfAllKinds) {
      std::vector<void*> blocks = {
          subject::arena_aligned_alloc(arena, alignment, size),
          subject::arena_aligned_alloc(arena, alignment, size),
      };
      if (alignment >= sizeof(void*)) {
        void* block = nullptr;
        ASSERT_EQ(subject::arena_posix_memalign(arena, &block, alignment, size),
                  0);
        blocks.push_back(block);
      }
      for (void* const block : blocks) {
        ASSERT_TRUE(IsAligned(block, alignment))
            << alignment << " " << size << " " << block;
        ASSERT_EQ(subject::arena_of(block), arena);
        ASSERT_GE(subject::malloc_usable_size(block), size);
        Fill(block, size, alignment);
      }
      for (void* const block : blocks) {
        ASSERT_TRUE(Holds(block, size, alignment));
        subject::free(block);
      }
    }
    subject::arena_reset(arena);
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaAlignmentTest);

}  // namespace
}  // namespace contract
