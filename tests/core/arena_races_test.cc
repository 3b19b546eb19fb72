// Arenas end while other threads hold caches of them, use other arenas and end
// themselves. What each block holds is checked, and the thread sanitizer looks
// on (--config=tsan).
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class ArenaRacesTest : public InstanceTest {};

struct Block {
  void* p;
  size_t size;
  uint64_t tag;
};

// An arena that several threads use. Whoever is inside of it counts as a user;
// it is ended by a thread that finds none.
struct Shared {
  test_arena* arena;
  test_arena* parent;
  unsigned users = 0;
  std::mutex mutex;  // for `blocks`
  std::vector<Block> blocks;
};

class Server {
 public:
  explicit Server(size_t arenas) : shared_(arenas) {}
  ~Server() {
    for (auto& shared : shared_) {
      if (shared != nullptr) End(*shared);
    }
  }

  void Work(uint64_t stream, int rounds) {
    Random random(stream);
    for (int i = 0; i < rounds; ++i) {
      const size_t which = random.Below(shared_.size());
      if (random.Below(20) == 0) {
        EndIfUnused(which);
        continue;
      }
      Shared* const shared = Enter(which, random);
      for (size_t n = random.Below(60); n != 0; --n) Step(*shared, random);
      if (random.Below(50) == 0) Look(*shared);
      Leave(*shared);
    }
  }

 private:
  static void End(Shared& shared) {
    for (const Block& block : shared.blocks)
      EXPECT_TRUE(IsFilled(block.p, Min(block.size, 300), block.tag));
    test_arena_destroy(shared.parent != nullptr ? shared.parent : shared.arena);
  }

  Shared* Enter(size_t which, Random& random) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Shared>& slot = shared_[which];
    if (slot == nullptr) {
      slot = std::make_unique<Shared>();
      test_arena_options options = {};
      options.struct_size = sizeof(options);
      if (random.Below(3) == 0) options.parent = test_arena_create(nullptr);
      options.mode =
          random.Below(2) == 0 ? test_arena_general : test_arena_monotonic;
      options.name = "shared";
      slot->parent = options.parent;
      slot->arena = test_arena_create(&options);
      EXPECT_NE(slot->arena, nullptr);
    }
    ++slot->users;
    return slot.get();
  }

  void Leave(Shared& shared) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --shared.users;
  }

  void EndIfUnused(size_t which) {
    std::unique_ptr<Shared> last;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (shared_[which] == nullptr || shared_[which]->users != 0) return;
      last = std::move(shared_[which]);
    }
    End(*last);
  }

  static void Step(Shared& shared, Random& random) {
    if (random.Below(3) != 0) {
      Block block;
      block.size = random.Below(100) == 0 ? random.Size(20) : random.Size(10);
      block.tag = random.Next() % 1000;
      block.p = random.Below(10) == 0
                    ? test_arena_calloc(shared.arena, 1, block.size)
                    : test_arena_malloc(shared.arena, block.size);
      ASSERT_NE(block.p, nullptr);
      Fill(block.p, Min(block.size, 300), block.tag);
      const std::lock_guard<std::mutex> lock(shared.mutex);
      shared.blocks.push_back(block);
      return;
    }
    Block block;
    {
      const std::lock_guard<std::mutex> lock(shared.mutex);
      if (shared.blocks.empty()) return;
      const size_t which = random.Below(shared.blocks.size());
      block = shared.blocks[which];
      shared.blocks[which] = shared.blocks.back();
      shared.blocks.pop_back();
    }
    EXPECT_TRUE(IsFilled(block.p, Min(block.size, 300), block.tag));
    EXPECT_GE(test_malloc_usable_size(block.p), block.size);
    if (random.Below(4) == 0) {
      block.p = test_realloc(block.p, block.size * 2);
      EXPECT_TRUE(IsFilled(block.p, Min(block.size, 300), block.tag));
    }
    test_free(block.p);
  }

  static void Look(Shared& shared) {
    test_arena_stats_t stats = {};
    stats.struct_size = sizeof(stats);
    EXPECT_EQ(test_arena_stats(shared.arena, &stats), 0);
    test_arena_class_stats(shared.arena, nullptr, 0);
    Stats();
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Shared>> shared_;
};

TEST_F(ArenaRacesTest, ArenasEndWhileOthersHoldCachesOfThem) {
  Server server(6);
  RunThreads(6, [&](unsigned i) { server.Work(i, 1500); });
}

// A thread joins an arena with the heap and the units that it left behind in the
// one before, while another thread looks at what all threads have of it.
TEST_F(ArenaRacesTest, ThreadsJoinWhileOthersLook) {
  constexpr int kRounds = 4000;
  test_arena* arena = nullptr;
  std::atomic<int> begun{0};
  std::atomic<int> joined{0};
  std::thread joiner([&] {
    for (int i = 1; i <= kRounds; ++i) {
      while (begun != i) std::this_thread::yield();
      EXPECT_NE(test_arena_malloc(arena, 40), nullptr);
      joined = i;
    }
    test_thread_detach();
  });
  for (int i = 1; i <= kRounds; ++i) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = i % 3 == 0 ? test_arena_general : test_arena_monotonic;
    arena = test_arena_create(&options);
    EXPECT_NE(arena, nullptr);
    begun = i;
    while (joined != i) {
      EXPECT_LE(test_arena_class_stats(arena, nullptr, 0), 1u);
      std::this_thread::yield();
    }
    test_arena_destroy(arena);
  }
  joiner.join();
}

TEST_F(ArenaRacesTest, ThreadsEndWhileArenasEnd) {
  Server server(4);
  RunThreads(3, [&](unsigned i) {
    for (unsigned n = 0; n < 60; ++n) {
      std::thread([&] {
        server.Work(100 + i * 100 + n, 20);
        if (n % 3 == 0) test_thread_detach();
        fake::Farewell();
      }).join();
    }
  });
}

// What is freed late comes home to an arena that lives on, from threads that
// never used it and from those that are about to end.
TEST_F(ArenaRacesTest, LateFreesByThreadsThatEnd) {
  test_arena* const arena = test_arena_create(nullptr);
  constexpr unsigned kRounds = 40;
  for (unsigned round = 0; round < kRounds; ++round) {
    std::vector<void*> blocks;
    for (unsigned i = 0; i < 3000; ++i)
      blocks.push_back(test_arena_malloc(arena, 1 + i % 200));
    RunThreads(4, [&](unsigned t) {
      for (size_t i = t; i < blocks.size(); i += 4) test_free(blocks[i]);
    });
  }
  test_arena_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  test_arena_stats(arena, &stats);
  EXPECT_EQ(stats.blocks_live, 0u);
  // Four rounds' worth at most: what was freed was used again.
  EXPECT_LE(stats.bytes_held_peak, size_t{4} << 20);
  test_arena_destroy(arena);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
