// exhaustion_test.cc for arenas: every primitive fails at every one of its
// calls: the call gives null, what lives keeps its contents, it works again
// afterwards, quotas return to 0, and shutdown leaves nothing.
#include "tests/core/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr Primitive kFailing[] = {
    Primitive::kReserve,          Primitive::kMap,
    Primitive::kCommit,           Primitive::kPurge,
    Primitive::kRefresh,          Primitive::kMovePages,
    Primitive::kThreadMayBeAlive, Primitive::kAdviseHugePages,
};

// Arenas that come and go below one, with blocks of a pattern each; a call that
// fails must leave all of them alone.
class Program {
 public:
  Program(uint64_t stream, bool monotonic)
      : random_(stream), monotonic_(monotonic) {}
  ~Program() {
    for (size_t i = arenas_.size(); i-- > 0;) End(i);
    if (top_ != nullptr) {
      EXPECT_EQ(Held(top_), 0u) << "its children are gone";
      test_arena_destroy(top_);
    }
  }

  // Returns whether nothing failed.
  bool Step() {
    if (top_ == nullptr) return (top_ = Make(nullptr)) != nullptr;
    const size_t action = random_.Below(40);
    if (arenas_.empty() || action == 0) return Begin();
    const size_t i = random_.Below(arenas_.size());
    OneArena& arena = arenas_[i];
    if (action == 1) {
      End(i);
      return true;
    }
    if (action == 2) {
      CheckAll(arena);
      test_arena_reset(arena.handle);
      EXPECT_EQ(Held(arena.handle), 0u);
      arena.blocks.clear();
      return true;
    }
    if (action < 20 || arena.blocks.empty()) return Allocate(arena);
    const size_t which = random_.Below(arena.blocks.size());
    if (action < 30) {
      Check(arena.blocks[which], arena.blocks[which].size);
      test_free(arena.blocks[which].p);
      arena.blocks[which] = arena.blocks.back();
      arena.blocks.pop_back();
      return true;
    }
    if (action < 39) return Resize(arena.blocks[which]);
    if (random_.Below(4) == 0) test_thread_detach();
    if (random_.Below(4) == 0) test_purge();
    return true;
  }

 private:
  struct Block {
    unsigned char* p;
    size_t size;
    uint64_t tag;
  };
  struct OneArena {
    test_arena* handle;
    std::vector<Block> blocks;
  };

  static size_t Checked(size_t size) { return Min(size, 5000); }
  static size_t Held(test_arena* handle) {
    test_arena_stats_t stats;
    stats.struct_size = sizeof(stats);
    EXPECT_EQ(test_arena_stats(handle, &stats), 0);
    return stats.bytes_held;
  }
  size_t RandomSize() { return random_.Size(random_.Below(4) == 0 ? 23 : 13); }

  test_arena* Make(test_arena* parent) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.parent = parent;
    options.mode = monotonic_ ? test_arena_monotonic : test_arena_general;
    if (random_.Below(3) == 0) options.reserve = random_.Size(21);
    if (random_.Below(3) == 0) options.alignment = 64;
    return test_arena_create(&options);
  }

  bool Begin() {
    if (arenas_.size() >= 6) End(random_.Below(arenas_.size()));
    test_arena* const handle = Make(top_);
    if (handle == nullptr) return false;
    arenas_.push_back({handle, {}});
    return true;
  }

  void End(size_t i) {
    CheckAll(arenas_[i]);
    test_arena_destroy(arenas_[i].handle);
    arenas_[i] = arenas_.back();
    arenas_.pop_back();
  }

  static void CheckAll(const OneArena& arena) {
    for (const Block& block : arena.blocks) Check(block, block.size);
    EXPECT_EQ(test_arena_visit_blocks(
                  arena.handle, [](void*, size_t, void*) {}, nullptr),
              arena.blocks.size());
  }

  bool Allocate(OneArena& arena) {
    const size_t size = RandomSize();
    const size_t kind = random_.Below(3);
    void* p = nullptr;
    if (kind == 0) p = test_arena_malloc(arena.handle, size);
    if (kind == 1) p = test_arena_calloc(arena.handle, 1, size);
    if (kind == 2) {
      p = test_arena_aligned_alloc(arena.handle, size_t{1} << random_.Below(19),
                                   size);
    }
    if (p == nullptr) return false;
    EXPECT_TRUE(kind != 1 || IsZero(p, size));
    EXPECT_EQ(test_arena_of(p), arena.handle);
    arena.blocks.push_back(
        {static_cast<unsigned char*>(p), size, random_.Next()});
    const Block& block = arena.blocks.back();
    // Both ends, so that overlaps show.
    Fill(block.p + size - Checked(size), Checked(size), block.tag + 1);
    Fill(block.p, Checked(size), block.tag);
    return true;
  }

  static void Check(const Block& block, size_t size) {
    EXPECT_TRUE(IsFilled(block.p, Checked(size), block.tag));
  }

  bool Resize(Block& block) {
    const size_t size = 1 + RandomSize();
    void* const p = test_realloc(block.p, size);
    if (p == nullptr) {
      Check(block, block.size);
      return false;
    }
    block.p = static_cast<unsigned char*>(p);
    Check(block, Min(size, block.size));
    block.size = size;
    Fill(block.p, Checked(size), block.tag);
    return true;
  }

  Random random_;
  bool monotonic_;
  test_arena* top_ = nullptr;
  std::vector<OneArena> arenas_;
};

class ArenaExhaustionTest
    : public InstanceTest,
      public testing::WithParamInterface<std::tuple<Primitive, bool>> {
 protected:
  static Primitive primitive() { return std::get<0>(GetParam()); }
  static bool monotonic() { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(
    All, ArenaExhaustionTest,
    testing::Combine(testing::ValuesIn(kFailing), testing::Bool()),
    [](const auto& info) {
      return std::string(fake::NameOf(std::get<0>(info.param))) +
             (std::get<1>(info.param) ? "Monotonic" : "General");
    });

TEST_P(ArenaExhaustionTest, OneCallFails) {
  uint64_t calls = 0;
  {
    const fake::CallCounter counter(primitive());
    Program program(1, monotonic());
    for (int i = 0; i < 400; ++i) program.Step();
    calls = counter.calls();
  }
  ASSERT_EQ(test_shutdown(), 0);
  for (uint64_t nth = 1; nth <= Min(calls, 30); ++nth) {
    SCOPED_TRACE(nth);
    {
      const ScopedFailures failures(primitive(), Failures::Nth(nth));
      Program program(1, monotonic());
      for (int i = 0; i < 400; ++i) program.Step();
    }
    ASSERT_EQ(Stats().arenas, 0u);
    ASSERT_EQ(test_shutdown(), 0);
  }
}

TEST_P(ArenaExhaustionTest, FromOneCallOnAllFail) {
  for (uint64_t from = 1; from <= 12; ++from) {
    SCOPED_TRACE(from);
    {
      Program program(2, monotonic());
      {
        const ScopedFailures failures(primitive(), Failures::From(from));
        for (int i = 0; i < 400; ++i) program.Step();
      }
      for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(program.Step()) << "it works again";
    }
    ASSERT_EQ(Stats().arenas, 0u);
    // Every other time as it begins.
    if (from % 2 == 0) {
      ASSERT_EQ(test_shutdown(), 0);
    }
  }
}

TEST_P(ArenaExhaustionTest, EverySecondFails) {
  Program program(3, monotonic());
  {
    const ScopedFailures failures(primitive(), Failures::Every(2));
    for (int i = 0; i < 3000; ++i) program.Step();
  }
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(program.Step());
}

TEST_P(ArenaExhaustionTest, UnderSeveralThreads) {
  {
    const ScopedFailures failures(primitive(), Failures::Every(3));
    RunThreads(4, [](unsigned t) {
      Program program(10 + t, monotonic());
      for (int i = 0; i < 500; ++i) program.Step();
    });
  }
  EXPECT_EQ(Stats().arenas, 0u);
  Program program(4, monotonic());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(program.Step());
}

// Nothing can be had at all: every call says so, and none maps anything.
TEST_F(ArenaExhaustionTest, NothingAtAll) {
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  const ScopedFailures map(Primitive::kMap, Failures::Always());
  const int64_t mapped = fake::MappedBytes();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(test_arena_create(nullptr), nullptr);
  test_arena_destroy(nullptr);
  EXPECT_EQ(test_arena_of(&mapped), nullptr);
  EXPECT_EQ(Stats().arenas, 0u);
  EXPECT_EQ(fake::MappedBytes(), mapped);
}

// A thread that can have no heap frees blocks of arenas all the same.
TEST_F(ArenaExhaustionTest, ThreadsWithoutAHeap) {
  for (const uint32_t mode : {test_arena_general, test_arena_monotonic}) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    test_arena* const arena = test_arena_create(&options);
    std::vector<void*> blocks;
    for (const size_t size : {10, 1000, 20000, 200000})
      blocks.push_back(test_arena_malloc(arena, size));
    const ScopedFailures map(Primitive::kMap, Failures::Always());
    std::thread([&] {
      EXPECT_EQ(test_arena_malloc(arena, 10), nullptr);
      EXPECT_EQ(test_realloc(blocks[0], 100), nullptr);
      for (void* block : blocks) test_free(block);
      EXPECT_EQ(tls_heap, &g_no_heap);
      fake::Farewell();
    }).join();
    EXPECT_EQ(test_arena_visit_blocks(
                  arena, [](void*, size_t, void*) {}, nullptr),
              0u);
    test_arena_destroy(arena);
  }
}

// And ends them.
TEST_F(ArenaExhaustionTest, AThreadWithoutAHeapEndsAnArena) {
  test_arena* const arena = test_arena_create(nullptr);
  for (int i = 0; i < 100; ++i) test_arena_malloc(arena, 1000);
  {
    const ScopedFailures map(Primitive::kMap, Failures::Always());
    std::thread([&] {
      test_arena_reset(arena);
      test_arena_destroy(arena);
      EXPECT_EQ(tls_heap, &g_no_heap);
      fake::Farewell();
    }).join();
    EXPECT_EQ(Stats().arenas, 0u);
    if (Config::kArenaQuarantine == 0) {
      EXPECT_EQ(Stats().bytes_spans, 0u);
    }
  }
  test_arena* const again = test_arena_create(nullptr);
  EXPECT_NE(test_arena_malloc(again, 1000), nullptr);
  test_arena_destroy(again);
}

// One range and no more: it is full, then usable as ever.
TEST_F(ArenaExhaustionTest, FullAndEmptyAgain) {
  if (Config::kRegionReserve > (size_t{64} << 20))
    GTEST_SKIP() << "only where ranges are small";
  if (Config::kArenaQuarantine != 0)
    GTEST_SKIP() << "what arenas left behind is not to be had";
  test_arena* const first = test_arena_create(nullptr);
  ASSERT_NE(test_arena_malloc(first, 100), nullptr);
  const ScopedFailures reserve(Primitive::kReserve, Failures::Always());
  for (int round = 0; round < 6; ++round) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = round % 2 == 0 ? test_arena_general : test_arena_monotonic;
    test_arena* const arena = test_arena_create(&options);
    size_t bytes = 0;
    for (const size_t size : {1000000, 100000, 10000, 1000, 100, 10}) {
      while (test_arena_malloc(arena, size) != nullptr) bytes += size;
    }
    EXPECT_GE(bytes, 3u << 20);
    test_arena_destroy(arena);
  }
  test_arena_destroy(first);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
