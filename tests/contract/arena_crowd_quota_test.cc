// Hard quotas while many threads allocate at once: never exceeded, whoever
// looks, and nobody else's business.
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaCrowdQuotaTest = ArenaModesTest;

subject::ArenaOptions WithQuota(subject::ArenaOptions options, size_t hard) {
  options.hard_quota = hard;
  return options;
}

// Allocates until there is no more.
std::vector<void*> Exhaust(subject::Arena* arena, size_t size) {
  std::vector<void*> blocks;
  while (void* const block = subject::arena_malloc(arena, size)) {
    blocks.push_back(block);
    if (blocks.size() > 100000) break;
  }
  return blocks;
}

void FreeAll(const std::vector<void*>& blocks) {
  for (void* const block : blocks) subject::free(block);
}

// A thread that looks at arenas all the time, but while one is reset.
class Watch {
 public:
  explicit Watch(std::vector<subject::Arena*> arenas)
      : thread_([this, arenas] {
          do {
            const std::unique_lock lock(mutex_);
            for (subject::Arena* const arena : arenas) {
              const subject::ArenaStats stats = StatsOf(arena);
              if (stats.bytes_held > stats.hard_quota ||
                  stats.bytes_held_peak > stats.hard_quota)
                ++exceeded_;
            }
            ++looks_;
          } while (!end_);
        }) {}
  ~Watch() {
    end_ = true;
    thread_.join();
    EXPECT_GT(looks_, 0);
    EXPECT_EQ(exceeded_, 0) << "of " << looks_;
  }
  void Reset(subject::Arena* arena) {
    const std::unique_lock lock(mutex_);
    subject::arena_reset(arena);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> end_ = false;
  int looks_ = 0;
  int exceeded_ = 0;
  std::thread thread_;
};

TEST_P(ArenaCrowdQuotaTest, ExactUnderSixteenThreads) {
  constexpr size_t kQuota = 257 * kUnit;
  Crew crew(16);
  ScopedArena arena(WithQuota(Options(), kQuota));
  ScopedArena sibling(WithQuota(Options(), 8 * kUnit));
  Watch watch({arena, sibling});
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<void*>> blocks(crew.size());
    crew.Do([&](int t) { blocks[t] = Exhaust(arena, 2 * kUnit); });
    size_t count = 0;
    for (const auto& some : blocks) count += some.size();
    ASSERT_EQ(count, 128u);
    EXPECT_EQ(StatsOf(arena).bytes_held, 256 * kUnit);
    EXPECT_EQ(StatsOf(arena).bytes_held_peak, 256 * kUnit);
    // Full is one arena, not the other.
    EXPECT_EQ(Exhaust(sibling, 2 * kUnit).size(), 4u);
    watch.Reset(sibling);
    if (monotonic()) {
      watch.Reset(arena);
      continue;
    }
    crew.Do([&](int t) { FreeAll(blocks[(t + round) % crew.size()]); });
    EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
  }
}

// There is room for one: two threads that both found it free would show.
TEST_P(ArenaCrowdQuotaTest, ThereIsRoomForOne) {
  if (monotonic()) GTEST_SKIP() << "which never gives out a block twice";
  Crew crew(16);
  ScopedArena arena(WithQuota(Options(), 3 * kUnit));
  std::atomic<int> holders = 0;
  std::atomic<int> too_many = 0;
  std::atomic<int> served = 0;
  crew.Do([&](int) {
    for (int i = 0; i < 10000; ++i) {
      void* const block = subject::arena_malloc(arena, 2 * kUnit);
      if (block == nullptr) continue;
      ++served;
      if (++holders > 1) ++too_many;
      --holders;
      subject::free(block);
    }
  });
  EXPECT_EQ(too_many, 0) << "of " << served;
  EXPECT_GT(served, 0);
  EXPECT_EQ(StatsOf(arena).bytes_held_peak, 2 * kUnit);
}

// All sizes come and go at once at the limit.
TEST_P(ArenaCrowdQuotaTest, NeverExceededInTheCrowd) {
  Crew crew(16);
  ScopedArena parent(WithQuota(Options(), 150 * kUnit));
  subject::ArenaOptions options = WithQuota(Options(), 100 * kUnit);
  options.parent = parent;
  subject::Arena* const children[] = {subject::arena_create(&options),
                                      subject::arena_create(&options)};
  Watch watch({parent, children[0], children[1]});
  std::atomic<int> refused = 0;
  std::atomic<int> served = 0;
  for (int round = 0; round < 5; ++round) {
    crew.Do([&](int t) {
      std::mt19937 random(t + round * 100);
      std::vector<void*> blocks;
      for (int i = 0; i < 1000; ++i) {
        const size_t size =
            random() % 4 == 0 ? random() % (6 * kUnit) : random() % 2000;
        void* const block = subject::arena_malloc(children[t % 2], size);
        ++(block == nullptr ? refused : served);
        if (block != nullptr) blocks.push_back(block);
        if (block == nullptr || random() % 3 == 0) {
          FreeAll(blocks);
          blocks.clear();
        }
      }
      FreeAll(blocks);
    });
    ASSERT_EQ(StatsOf(children[0]).blocks_live, 0u);
    ASSERT_EQ(StatsOf(parent).bytes_held, StatsOf(children[0]).bytes_held +
                                              StatsOf(children[1]).bytes_held);
    if (round % 2 == 1 || monotonic()) {
      watch.Reset(children[0]);
      watch.Reset(children[1]);
      ASSERT_EQ(StatsOf(parent).bytes_held, 0u);
    }
  }
  EXPECT_GT(served, 0);
  EXPECT_GT(refused, 0) << "the limit was never reached";
}

INSTANTIATE_IN_BOTH_MODES(ArenaCrowdQuotaTest);

}  // namespace
}  // namespace contract
