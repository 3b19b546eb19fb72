// Arenas that are made, used, reset and destroyed by different threads, whoever
// holds caches of them.
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaThreadsTest = ArenaModesTest;

std::vector<void*> AllocateAllKinds(subject::Arena* arena) {
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds)
    blocks.push_back(subject::arena_malloc(arena, size));
  return blocks;
}

TEST_P(ArenaThreadsTest, MadeUsedAndDestroyedByDifferentThreads) {
  for (int i = 0; i < 50; ++i) {
    const subject::ArenaOptions options = Options();
    subject::Arena* arena = nullptr;
    std::thread([&] { arena = subject::arena_create(&options); }).join();
    ASSERT_NE(arena, nullptr);
    std::vector<void*> blocks;
    std::thread([&] { blocks = AllocateAllKinds(arena); }).join();
    std::thread([&] { subject::free(blocks[3]); }).join();
    EXPECT_EQ(StatsOf(arena).blocks_live, blocks.size() - 1);
    std::thread([&] { subject::arena_destroy(arena); }).join();
    for (void* const block : blocks) EXPECT_EQ(subject::owns(block), 0);
  }
}

// Caches of threads that live on, full of blocks that were freed, are dropped:
// what they hold must not come back, neither in the arena nor in the next.
TEST_P(ArenaThreadsTest, EndsWhileThreadsHoldCachesOfIt) {
  Crew crew(4);
  const subject::ArenaOptions options = Options();
  subject::Arena* arena = subject::arena_create(&options);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<void*>> blocks(crew.size());
    crew.Do([&](int t) {
      for (int i = 0; i < 300; ++i) {
        const size_t size = 16 + 16 * (i % 8);
        void* const block = subject::arena_malloc(arena, size);
        ASSERT_NE(block, nullptr);
        ASSERT_EQ(subject::arena_of(block), arena);
        Fill(block, size, t * 1000 + i);
        blocks[t].push_back(block);
      }
    });
    // Each verifies its own, and frees part of its neighbour's.
    crew.Do([&](int t) {
      for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(Holds(blocks[t][i], 16 + 16 * (i % 8), t * 1000 + i));
      }
    });
    crew.Do([&](int t) {
      const auto& neighbours = blocks[(t + 1) % crew.size()];
      for (int i = 0; i < 300; i += 2) subject::free(neighbours[i]);
    });
    EXPECT_EQ(StatsOf(arena).blocks_live, 600u);
    crew.DoOn(round % crew.size(), [&] {
      if (round % 3 == 0) return subject::arena_reset(arena);
      subject::arena_destroy(arena);
      arena = subject::arena_create(&options);
    });
    EXPECT_EQ(StatsOf(arena).blocks_live, 0u);
  }
  subject::arena_destroy(arena);
}

// Threads end, with and without handing their caches back, before the arena
// does, after it, and at the same time.
TEST_P(ArenaThreadsTest, EndsWhileThreadsEnd) {
  for (int round = 0; round < 100; ++round) {
    ScopedArena arena(Options());
    std::vector<std::thread> threads;
    std::atomic<int> busy = 3;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        void* const block = subject::arena_malloc(arena, 64 << t);
        subject::free(subject::arena_malloc(arena, 64 << t));
        Fill(block, 64 << t, t);
        ASSERT_TRUE(Holds(block, 64 << t, t));
        --busy;
        if (t == 0) subject::thread_detach();
      });
    }
    if (round % 2 == 0) {
      for (std::thread& thread : threads) thread.join();
      threads.clear();
    }
    while (busy != 0) std::this_thread::yield();
    arena.Destroy();
    for (std::thread& thread : threads) thread.join();
  }
}

// Eight threads make arenas, use those of others and destroy what they find.
TEST_P(ArenaThreadsTest, ArenasGoFromHandToHand) {
  struct Parcel {
    subject::Arena* arena;
    std::vector<void*> blocks;
    uint64_t seed;
  };
  std::mutex mutex;
  std::deque<Parcel> parcels;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 400; ++i) {
        Parcel parcel = {};
        {
          const std::unique_lock lock(mutex);
          if (parcels.size() > 8) {
            parcel = std::move(parcels.front());
            parcels.pop_front();
          }
        }
        if (parcel.arena == nullptr) {
          const subject::ArenaOptions options = Options();
          parcel.arena = subject::arena_create(&options);
          parcel.seed = t * 1000 + i;
          ASSERT_NE(parcel.arena, nullptr);
        }
        for (size_t b = 0; b < parcel.blocks.size(); ++b)
          ASSERT_TRUE(Holds(parcel.blocks[b], 40 + b, parcel.seed + b));
        if (random() % 3 == 0) {
          subject::arena_destroy(parcel.arena);
          continue;
        }
        if (random() % 2 == 0 && !parcel.blocks.empty()) {
          subject::free(parcel.blocks.back());
          parcel.blocks.pop_back();
        }
        for (int more = 0; more < 5; ++more) {
          const size_t b = parcel.blocks.size();
          void* const block = subject::arena_malloc(parcel.arena, 40 + b);
          ASSERT_NE(block, nullptr);
          Fill(block, 40 + b, parcel.seed + b);
          parcel.blocks.push_back(block);
        }
        const std::unique_lock lock(mutex);
        parcels.push_back(std::move(parcel));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(GetStats().arenas, parcels.size());
  for (const Parcel& parcel : parcels) subject::arena_destroy(parcel.arena);
}

INSTANTIATE_IN_BOTH_MODES(ArenaThreadsTest);

}  // namespace
}  // namespace contract
