// Memory from calloc is zero in arenas, too, whatever it held before.
#include <algorithm>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaCallocTest = ArenaModesTest;

TEST_P(ArenaCallocTest, CallocOfFreshAndOfRecycledMemory) {
  ScopedArena arena(Options());
  for (const size_t size : kSizesOfAllKinds) {
    const size_t count =
        std::max<size_t>(2, std::min<size_t>(1000, 2 * kMiB / size));
    for (int round = 0; round < 3; ++round) {
      std::vector<void*> blocks(count);
      for (void*& block : blocks) {
        block = subject::arena_calloc(arena, 1, size);
        ASSERT_TRUE(IsZero(block, size)) << size << " in round " << round;
        Fill(block, subject::malloc_usable_size(block), 5);
      }
      for (void* const block : blocks) subject::free(block);
    }
    subject::arena_reset(arena);
  }
}

// What a dirty arena was, serves the next one, the same one and the main heap
// as zeros, in all sizes.
TEST_P(ArenaCallocTest, CallocAfterDestroyAndReset) {
  for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
    for (const size_t dirty :
         {size_t{16}, size_t{1000}, 40 * kKiB, 300 * kKiB, 3 * kMiB}) {
      for (const bool destroy : {true, false}) {
        ScopedArena before(Options());
        for (size_t bytes = 0; bytes < 2 * kMiB; bytes += dirty) {
          void* const block = subject::arena_malloc(before, dirty);
          Fill(block, subject::malloc_usable_size(block), bytes);
          if (bytes % 3 == 0) subject::free(block);
        }
        subject::arena_reset(before);
        if (destroy) before.Destroy();
        ScopedArena after(contract::Options(mode));
        for (const size_t size : kSizesOfAllKinds) {
          subject::Arena* const one = destroy || size % 2 == 0 ? after : before;
          void* const block = subject::arena_calloc(one, size, 1);
          ASSERT_TRUE(IsZero(block, size)) << size << " after " << dirty;
          void* const main = subject::calloc(size, 1);
          ASSERT_TRUE(IsZero(main, size)) << size << " after " << dirty;
          subject::free(main);
        }
      }
    }
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaCallocTest);

}  // namespace
}  // namespace contract
