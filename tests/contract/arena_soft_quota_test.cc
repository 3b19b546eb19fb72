// A soft quota calls once for each time that it comes to be exceeded, with
// nothing held that the callback could need.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"
#include "tests/contract/watched.h"

namespace contract {
namespace {

using ArenaSoftQuotaTest = ArenaModesTest;

void* AllocateUnits(const Watched& watched, size_t units) {
  return subject::arena_malloc(watched.arena, units * kUnit);
}

size_t HeldBy(const Watched& watched) {
  return StatsOf(watched.arena).bytes_held;
}

TEST_P(ArenaSoftQuotaTest, CallsWhenItIsExceededAndNotBefore) {
  Watched watched(Options(), 6 * kUnit);
  AllocateUnits(watched, 3);
  AllocateUnits(watched, 3);
  EXPECT_EQ(HeldBy(watched), 6 * kUnit);
  EXPECT_EQ(watched.calls, 0) << "reached is not exceeded";
  void* const block = AllocateUnits(watched, 2);
  EXPECT_EQ(watched.calls, 1);
  EXPECT_EQ(watched.called_for, watched.arena);
  EXPECT_EQ(watched.held, 8 * kUnit);
  EXPECT_EQ(watched.caller, std::this_thread::get_id());
  Fill(block, 2 * kUnit, 1);
  for (int i = 0; i < 10; ++i) AllocateUnits(watched, 2);
  EXPECT_EQ(watched.calls, 1) << "it was exceeded already";
}

TEST_P(ArenaSoftQuotaTest, CallsOnceForEachCrossing) {
  Watched watched(Options(), 4 * kUnit);
  for (int crossing = 1; crossing <= 10; ++crossing) {
    std::vector<void*> blocks;
    for (int i = 0; i < 4; ++i) blocks.push_back(AllocateUnits(watched, 2));
    EXPECT_EQ(watched.calls, crossing);
    if (monotonic()) {
      subject::arena_reset(watched.arena);
    } else {
      for (void* const block : blocks) subject::free(block);
    }
    EXPECT_LE(HeldBy(watched), 4 * kUnit);
  }
}

// Up and down around the quota: as many calls as there are ways up.
TEST_P(ArenaSoftQuotaTest, CallsAsOftenAsItIsExceeded) {
  Watched watched(Options(), 5 * kUnit);
  int expected = 0;
  void* const kept = AllocateUnits(watched, 4);
  ASSERT_NE(kept, nullptr);
  for (int i = 0; i < 200; ++i) {
    const bool below = HeldBy(watched) <= watched.soft;
    void* const block = AllocateUnits(watched, i % 3 == 0 ? 4 : 2);
    ASSERT_NE(block, nullptr);
    expected += below && HeldBy(watched) > watched.soft;
    ASSERT_EQ(watched.calls, expected) << i;
    subject::free(block);
  }
  if (!monotonic()) {
    EXPECT_EQ(expected, 200);
  }
}

TEST_P(ArenaSoftQuotaTest, SmallBlocksCrossItOnce) {
  Watched watched(Options(), 4 * kUnit);
  for (size_t bytes = 0; bytes < 20 * kUnit; bytes += 500)
    subject::arena_malloc(watched.arena, 500);
  EXPECT_EQ(watched.calls, 1);
  EXPECT_GT(watched.held, 4 * kUnit);
  EXPECT_EQ(watched.held % kUnit, 0u);
}

TEST_P(ArenaSoftQuotaTest, EveryFunctionThatNeedsMemoryCalls) {
  Watched watched(Options(), 2 * kUnit);
  subject::Arena* const arena = watched.arena;
  const size_t size = 4 * kUnit;
  const auto expect_call = [&](int calls) {
    EXPECT_EQ(watched.calls, calls);
    subject::arena_reset(arena);
    EXPECT_EQ(watched.calls, calls);
  };
  subject::arena_calloc(arena, 1, size);
  expect_call(1);
  subject::arena_realloc(arena, nullptr, size);
  expect_call(2);
  subject::arena_reallocarray(arena, nullptr, 1, size);
  expect_call(3);
  subject::arena_aligned_alloc(arena, 64, size);
  expect_call(4);
  void* block = nullptr;
  EXPECT_EQ(subject::arena_posix_memalign(arena, &block, 64, size), 0);
  EXPECT_NE(block, nullptr);
  expect_call(5);
  subject::realloc(subject::arena_malloc(arena, 100), size);
  expect_call(6);
  subject::reallocarray(subject::arena_malloc(arena, 100), 1, size);
  expect_call(7);
  subject::arena_realloc(arena, subject::arena_malloc(arena, 2 * kUnit), size);
  expect_call(8);
  subject::arena_realloc(arena, subject::arena_malloc(arena, 2 * kUnit),
                         8 * kMiB);
  expect_call(9);
}

// A block that has to move, for its neighbour is in the way: whatever was tried
// on the way there, it is one call that exceeds.
TEST_P(ArenaSoftQuotaTest, AMoveCrossesOnce) {
  Watched watched(Options(), 4 * kUnit);
  void* const block = AllocateUnits(watched, 2);
  void* const neighbour = AllocateUnits(watched, 2);
  ASSERT_NE(neighbour, nullptr);
  Fill(block, 2 * kUnit, 1);
  void* const moved = subject::realloc(block, 4 * kUnit);
  EXPECT_TRUE(Holds(moved, 2 * kUnit, 1));
  EXPECT_EQ(watched.calls, 1);
  EXPECT_EQ(watched.held, HeldBy(watched));
}

TEST_P(ArenaSoftQuotaTest, NeverCallsForWhatIsRefused) {
  subject::ArenaOptions options = Options();
  options.hard_quota = 8 * kUnit;
  Watched watched(options, 8 * kUnit);
  while (AllocateUnits(watched, 2) != nullptr) {
  }
  EXPECT_EQ(AllocateUnits(watched, 100), nullptr);
  EXPECT_EQ(watched.calls, 0);
  // Nor is there anything to call where no function was given.
  options.soft_quota = kUnit;
  ScopedArena arena(options);
  EXPECT_NE(subject::arena_malloc(arena, 5 * kUnit), nullptr);
}

// ---- What a callback may do ----

TEST_P(ArenaSoftQuotaTest, TheCallbackMayUseTheArena) {
  Watched watched(Options(), 4 * kUnit, [](Watched& self) {
    std::vector<void*> blocks;
    for (const size_t size : kSizesOfAllKinds) {
      blocks.push_back(subject::arena_calloc(self.arena, 1, size));
      ASSERT_NE(blocks.back(), nullptr);
      blocks.push_back(subject::malloc(size));
    }
    for (void* const block : blocks) subject::free(block);
    subject::purge();
    ScopedArena other(contract::Options());
    Fill(subject::arena_malloc(other, 1000), 1000, 1);
    subject::ArenaOptions options = contract::Options();
    options.parent = self.arena;
    ScopedArena child(options);
    Fill(subject::arena_malloc(child, 1000), 1000, 1);
    EXPECT_GE(StatsOf(self.arena).blocks_live, 2u);
  });
  AllocateUnits(watched, 4);
  void* const block = AllocateUnits(watched, 2);
  ASSERT_NE(block, nullptr);
  Fill(block, 2 * kUnit, 1);
  EXPECT_EQ(watched.calls, 1);
  EXPECT_EQ(StatsOf(watched.arena).blocks_live, 2u);
}

// The callback makes room, as a cache would that throws out its oldest.
TEST_P(ArenaSoftQuotaTest, TheCallbackMayMakeRoom) {
  if (monotonic()) GTEST_SKIP() << "frees give nothing back";
  static std::vector<void*> oldest;
  oldest.clear();
  Watched watched(Options(), 16 * kUnit, [](Watched&) {
    for (void* const block : oldest) subject::free(block);
    oldest.clear();
  });
  for (int i = 0; i < 90; ++i) oldest.push_back(AllocateUnits(watched, 2));
  // Each ninth one goes beyond: what is there is freed, but for itself, which
  // comes into the list only then.
  EXPECT_EQ(watched.calls, (90 - 1) / 8);
  for (void* const block : oldest) subject::free(block);
}

// It waits for another thread that uses the arena and the instance: whoever
// held a lock would wait forever.
TEST_P(ArenaSoftQuotaTest, TheCallbackRunsOutsideOfAnyLock) {
  static std::atomic<bool> others_done;
  others_done = false;
  Watched watched(Options(), 4 * kUnit, [](Watched& self) {
    auto other = std::async(std::launch::async, [&self] {
      for (const size_t size : kSizesOfAllKinds) {
        subject::free(subject::arena_malloc(self.arena, size));
        subject::free(subject::malloc(size));
        subject::ArenaOptions options = contract::Options();
        options.parent = self.arena;
        ScopedArena child(options);
        subject::arena_malloc(child, size);
        ScopedArena stranger;
        subject::arena_malloc(stranger, size);
        subject::arena_reset(stranger);
      }
      StatsOf(self.arena);
      subject::purge();
      subject::thread_detach();
    });
    others_done =
        other.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    if (!others_done) std::abort();  // or the future waits as long as they do
  });
  AllocateUnits(watched, 6);
  EXPECT_EQ(watched.calls, 1);
  EXPECT_TRUE(others_done);
}

// ---- Threads and generations ----

TEST_P(ArenaSoftQuotaTest, SixteenThreadsCrossItOnce) {
  Crew crew(16);
  Watched watched(Options(), 100 * kUnit);
  for (int crossing = 1; crossing <= 30; ++crossing) {
    std::vector<std::vector<void*>> blocks(crew.size());
    crew.Do([&](int t) {
      for (int i = 0; i < 8; ++i) {
        void* const block = AllocateUnits(watched, 2);
        ASSERT_NE(block, nullptr);
        blocks[t].push_back(block);
      }
    });
    ASSERT_EQ(watched.calls, crossing);
    ASSERT_GT(watched.held, watched.soft);
    if (monotonic()) {
      subject::arena_reset(watched.arena);
    } else {
      crew.Do([&](int t) {
        for (void* const block : blocks[t]) subject::free(block);
      });
    }
    ASSERT_LE(HeldBy(watched), watched.soft);
  }
}

TEST_P(ArenaSoftQuotaTest, ChildrenCountForTheirParents) {
  Watched parent(Options(), 8 * kUnit);
  subject::ArenaOptions options = Options();
  options.parent = parent.arena;
  Watched child(options, 4 * kUnit);
  AllocateUnits(child, 4);
  EXPECT_EQ(child.calls + parent.calls, 0);
  AllocateUnits(child, 2);
  EXPECT_EQ(child.calls, 1);
  EXPECT_EQ(parent.calls, 0);
  AllocateUnits(child, 4);
  EXPECT_EQ(child.calls, 1);
  EXPECT_EQ(parent.calls, 1);
  EXPECT_EQ(parent.called_for, parent.arena);
  EXPECT_EQ(parent.held, 10 * kUnit);
  subject::arena_reset(child.arena);
  // One call that goes beyond both.
  AllocateUnits(child, 20);
  EXPECT_EQ(child.calls, 2);
  EXPECT_EQ(parent.calls, 2);
  child.arena.Destroy();
  AllocateUnits(parent, 10);
  EXPECT_EQ(parent.calls, 3);
}

// All that there can be, by one call.
TEST_P(ArenaSoftQuotaTest, EveryGenerationIsCalled) {
  std::vector<std::unique_ptr<Watched>> line;
  subject::ArenaOptions options = Options();
  for (int generation = 0; generation < 64; ++generation) {
    line.push_back(std::make_unique<Watched>(options, kUnit));
    options.parent = line.back()->arena;
  }
  AllocateUnits(*line.back(), 2);
  for (const auto& one : line) {
    EXPECT_EQ(one->calls, 1);
    EXPECT_EQ(one->called_for, one->arena);
    EXPECT_EQ(one->held, 2 * kUnit);
  }
  while (!line.empty()) line.pop_back();  // children first
}

INSTANTIATE_IN_BOTH_MODES(ArenaSoftQuotaTest);

}  // namespace
}  // namespace contract
