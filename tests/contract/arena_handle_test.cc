// The handle of an arena that is gone, or never was, stops the process.
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

using ArenaHandleDeathTest = ArenaModesTest;
using testing::HasSubstr;

// Every function that takes an arena, but arena_destroy, for which null is one.
std::vector<std::function<void()>> UsesOf(subject::Arena* arena) {
  static subject::ArenaStats stats;
  static subject::ArenaClassStats one;
  static void* block;
  static subject::ArenaOptions options;
  stats.struct_size = sizeof(stats);
  options = Options();
  options.parent = arena;
  return {
      [=] { subject::arena_reset(arena); },
      [=] { subject::arena_malloc(arena, 8); },
      [=] { subject::arena_malloc(arena, kMiB); },
      [=] { subject::arena_calloc(arena, 1, 8); },
      [=] { subject::arena_realloc(arena, nullptr, 8); },
      [=] { subject::arena_reallocarray(arena, nullptr, 1, 8); },
      [=] { subject::arena_aligned_alloc(arena, 64, 8); },
      [=] { subject::arena_posix_memalign(arena, &block, 64, 8); },
      [=] { subject::arena_stats(arena, &stats); },
      [=] { subject::arena_class_stats(arena, &one, 1); },
      [=] {
        subject::arena_visit_blocks(
            arena, [](void*, size_t, void*) {}, nullptr);
      },
      [=] {
        if (arena != nullptr) subject::arena_create(&options);
        subject::arena_reset(arena);
      },
  };
}

TEST_P(ArenaHandleDeathTest, EveryUseOfItsHandle) {
  subject::ArenaOptions options = Options();
  options.name = "departed";
  ScopedArena arena(options);
  subject::Arena* const handle = arena;
  subject::arena_malloc(arena, 100);
  const std::string line = Says(UseOfGone(TextOf(arena)));
  arena.Destroy();
  for (const auto& use : UsesOf(handle)) EXPECT_STOPS(use(), line);
  EXPECT_STOPS(subject::arena_destroy(handle), line);
}

TEST_P(ArenaHandleDeathTest, HandleOfOneWithoutAName) {
  ScopedArena arena(Options());
  subject::Arena* const handle = arena;
  const uint64_t number = StatsOf(arena).number;
  arena.Destroy();
  EXPECT_STOPS(subject::arena_destroy(handle),
               Says(UseOfGone(ArenaText(number, ""))));
}

// By a thread that used it a moment ago, and finds it without looking far.
TEST_P(ArenaHandleDeathTest, HandleThatAThreadKnowsByHeart) {
  subject::ArenaOptions options = Options();
  options.name = "familiar";
  ScopedArena arena(options);
  subject::Arena* const handle = arena;
  for (int i = 0; i < 10; ++i) subject::arena_malloc(arena, 8);
  const std::string line = Says(UseOfGone(TextOf(arena)));
  std::thread([&] { arena.Destroy(); }).join();
  EXPECT_STOPS(subject::arena_malloc(handle, 8), line);
  EXPECT_STOPS(
      {
        // The next one, which may have the same place, is another.
        ScopedArena next(options);
        subject::arena_malloc(next, 8);
        subject::arena_malloc(handle, 8);
      },
      line);
}

TEST_P(ArenaHandleDeathTest, HandlesThatNeverWere) {
  ScopedArena arena(Options());
  subject::arena_malloc(arena, 8);
  int local = 0;
  void* const block = subject::malloc(100);
  const auto handle = [](uintptr_t word) {
    return reinterpret_cast<subject::Arena*>(word);
  };
  for (subject::Arena* const never :
       {handle(0), handle(8), handle(0x123456789abc), handle(UINTPTR_MAX),
        handle(reinterpret_cast<uintptr_t>(&local)),
        handle(reinterpret_cast<uintptr_t>(block))}) {
    const std::string line = Says(std::string(kUseOfNone) + " " + Hex(never));
    for (const auto& use : UsesOf(never)) EXPECT_STOPS(use(), line);
    if (never != nullptr) {
      EXPECT_STOPS(subject::arena_destroy(never), line);
    }
  }
  subject::free(block);
}

TEST_P(ArenaHandleDeathTest, HandleAfterShutdown) {
  const subject::ArenaOptions options = Options();
  subject::Arena* const arena = subject::arena_create(&options);
  subject::arena_malloc(arena, 8);
  ASSERT_EQ(subject::shutdown(), 0);
  EXPECT_STOPS_LIKE(subject::arena_malloc(arena, 8), HasSubstr("]: use of a"));
  ScopedArena next(options);
  subject::arena_malloc(next, 8);
  EXPECT_STOPS_LIKE(subject::arena_malloc(arena, 8), HasSubstr("]: use of a"));
  EXPECT_STOPS_LIKE(subject::arena_destroy(arena), HasSubstr("]: use of a"));
}

INSTANTIATE_IN_BOTH_MODES(ArenaHandleDeathTest);

}  // namespace
}  // namespace contract
