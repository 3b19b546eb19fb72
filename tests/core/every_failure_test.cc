// One story that comes to every primitive which can fail, told once for each of
// its calls: that call fails, or all from it on. Where nothing else was refused
// the next try is served; every live block keeps its contents; in the end all is
// freed and nothing is left mapped.
#include <errno.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// IsZero, quickly.
bool AllZero(const void* p, size_t size) {
  const auto* const bytes = static_cast<const char*>(p);
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

// A few blocks of each kind, and what is done with them. The sizes are such that
// each way through the core is gone: what stays, grows in place, moves by copy or
// by pages, shrinks, is cleared page by page.
class Story {
 public:
  // `once`: what is refused is served at the next try.
  explicit Story(bool once) : once_(once) {}
  ~Story() { End(); }

  void Tell() {
    Family();
    Large();
    InArenas(test_arena_general);
    InArenas(test_arena_monotonic);
    OtherThreads();
    Family();
    test_thread_detach();
    test_purge();
    Large();
    Verify();
  }

  // Frees what there is. Nothing that is refused is in the way.
  void End() {
    Verify();
    for (const Block& block : blocks_) test_free(block.p);
    blocks_.clear();
  }

 private:
  struct Block {
    unsigned char* p;
    size_t size;
    uint64_t tag;
  };

  // Both ends, and the middle.
  static constexpr size_t kFilled = 3000;
  static void FillAll(const Block& block) {
    Fill(block.p, Min(block.size, kFilled), block.tag);
  }
  static void Check(const Block& block, size_t size) {
    EXPECT_TRUE(IsFilled(block.p, Min(size, kFilled), block.tag));
  }
  void Verify() const {
    for (const Block& block : blocks_) Check(block, block.size);
  }

  // The call, and where it gives null, once more.
  template <typename Call>
  auto Try(Call call) {
    auto* const result = call();
    if (result != nullptr) return result;
    Verify();
    auto* const again = call();
    EXPECT_TRUE(again != nullptr || !once_) << "not served again";
    return again;
  }

  // Returns its place among the blocks, or kNone.
  static constexpr size_t kNone = ~size_t{0};
  size_t Keep(void* p, size_t size) {
    if (p == nullptr) return kNone;
    blocks_.push_back({static_cast<unsigned char*>(p), size, ++tags_});
    FillAll(blocks_.back());
    return blocks_.size() - 1;
  }
  template <typename Call>
  size_t New(size_t size, Call call) {
    return Keep(Try(call), size);
  }
  void Free(size_t which) {
    if (which == kNone) return;
    Check(blocks_[which], blocks_[which].size);
    test_free(blocks_[which].p);
    blocks_[which] = {nullptr, 0, 0};
  }
  void Resize(size_t which, size_t size) {
    if (which == kNone) return;
    Block& block = blocks_[which];
    void* const p = Try([&] { return test_realloc(block.p, size); });
    if (p == nullptr) return;
    block.p = static_cast<unsigned char*>(p);
    Check(block, Min(block.size, size));
    block.size = size;
    FillAll(block);
  }

  void Family() {
    for (const size_t size : {8, 100, 1000, 9000, 40000, 100000, 700000}) {
      const size_t a = New(size, [&] { return test_malloc(size); });
      const size_t b = New(size, [&] {
        void* const p = test_calloc(1, size);
        EXPECT_TRUE(p == nullptr || AllZero(p, size));
        return p;
      });
      New(size, [&] { return test_aligned_alloc(4096, size); });
      const size_t c = New(size, [&] {
        void* p = nullptr;
        const int error = test_posix_memalign(&p, size_t{256} << 10, size);
        EXPECT_EQ(error, p != nullptr ? 0 : ENOMEM);
        return p;
      });
      Free(a);
      Resize(b, size * 3);
      Resize(b, size / 3 + 1);
      Free(c);
    }
    // Slabs that come and go.
    std::vector<size_t> small;
    for (int i = 0; i < 300; ++i)
      small.push_back(New(1000, [] { return test_malloc(1000); }));
    for (const size_t which : small) Free(which);
  }

  void Large() {
    constexpr size_t kSize = 3 * kMiB / 2;
    const auto allocate = [] { return test_malloc(kSize); };
    const size_t a = New(kSize, allocate);
    const size_t b = New(kSize, allocate);
    Resize(a, 2 * kSize);  // moves, by its pages
    Resize(a, 2 * kSize + kMiB);
    Resize(a, kMiB + 1);  // what was moved is cut off
    Resize(b, 3 * kSize);
    Free(b);  // what was moved is made anew
    const size_t c = New(kSize, [] {
      void* const p = test_calloc(1, kSize);
      EXPECT_TRUE(p == nullptr || AllZero(p, kSize));
      return p;
    });
    test_purge();
    Free(a);
    Free(c);
    // Longer than what is cached.
    const size_t d = New(40 * kMiB, [] { return test_malloc(40 * kMiB); });
    Resize(d, 2 * kMiB);
    Free(d);
    test_purge();
  }

  test_arena* Create(uint32_t mode, test_arena* parent, bool bounded) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    options.parent = parent;
    options.reserve = kMiB / 2;
    if (bounded) {
      options.hard_quota = 4 * kMiB;
      options.soft_quota = kMiB / 4;
      options.on_soft_quota = [](test_arena*, size_t, void* count) {
        ++*static_cast<int*>(count);
      };
      options.context = &crossed_;
    }
    return Try([&] { return test_arena_create(&options); });
  }

  static test_arena_stats_t StatsOf(test_arena* arena) {
    test_arena_stats_t stats;
    stats.struct_size = sizeof(stats);
    EXPECT_EQ(test_arena_stats(arena, &stats), 0);
    return stats;
  }
  static size_t Held(test_arena* arena) { return StatsOf(arena).bytes_held; }

  // Fills it, and forgets what was in it before it goes.
  void Use(test_arena* arena, bool bounded) {
    const size_t before = blocks_.size();
    for (const size_t size : {10, 1000, 20000, 200000}) {
      const size_t a =
          New(size, [&] { return test_arena_malloc(arena, size); });
      const size_t b = New(size, [&] {
        void* const p = test_arena_calloc(arena, 1, size);
        EXPECT_TRUE(p == nullptr || AllZero(p, size));
        return p;
      });
      New(size, [&] { return test_arena_aligned_alloc(arena, 8192, size); });
      Resize(b, size * 2);
      Resize(b, size / 2);
      Free(a);
    }
    if (!bounded) {
      constexpr size_t kSize = 3 * kMiB / 2;
      const size_t a =
          New(kSize, [&] { return test_arena_malloc(arena, kSize); });
      New(kSize, [&] { return test_arena_malloc(arena, kSize); });
      Resize(a, 2 * kSize);
      Resize(a, kMiB + 1);
      Free(a);
    } else {
      EXPECT_EQ(test_arena_malloc(arena, 8 * kMiB), nullptr);
      EXPECT_LE(Held(arena), 4 * kMiB);
    }
    Verify();
    // What quotas count is there.
    const test_arena_stats_t stats = StatsOf(arena);
    if (stats.children == 0) {
      EXPECT_LE(stats.bytes_held, stats.bytes_mapped);
    }
    size_t live = 0;
    for (size_t i = before; i < blocks_.size(); ++i)
      live += blocks_[i].p != nullptr;
    EXPECT_EQ(test_arena_visit_blocks(
                  arena, [](void*, size_t, void*) {}, nullptr),
              live);
    EXPECT_EQ(stats.blocks_live, live);
    blocks_.resize(before);
  }

  void InArenas(uint32_t mode) {
    test_arena* const top = Create(mode, nullptr, false);
    if (top == nullptr) return;
    for (const bool bounded : {false, true}) {
      test_arena* const arena = Create(mode, top, bounded);
      if (arena == nullptr) continue;
      crossed_ = 0;
      Use(arena, bounded);
      EXPECT_TRUE(!bounded || !once_ || crossed_ > 0);
      test_arena_reset(arena);
      EXPECT_EQ(Held(arena), 0u);
      Use(arena, bounded);
      test_arena_destroy(arena);
    }
    EXPECT_EQ(Held(top), 0u);
    // With a child, and blocks in both.
    test_arena* const child = Create(mode, top, false);
    if (child != nullptr) Use(child, false);
    Use(top, false);
    test_arena_destroy(top);
  }

  // Some end with what they have, one hands it back; what they have of others
  // goes home.
  void OtherThreads() {
    for (int i = 0; i < 3; ++i) {
      const size_t a = New(100, [] { return test_malloc(100); });
      const size_t b = New(300000, [] { return test_malloc(300000); });
      std::thread([&] {
        Free(a);
        Free(b);
        const size_t size = size_t{500} << i;
        New(size, [&] { return test_malloc(size); });
        Free(New(size, [&] { return test_malloc(size); }));
        Free(New(kMiB, [] { return test_malloc(kMiB); }));
        if (i == 1) {
          InArenas(test_arena_general);
          test_thread_detach();
        }
        fake::Farewell();
      }).join();
    }
  }

  const bool once_;
  uint64_t tags_ = 0;
  int crossed_ = 0;
  std::vector<Block> blocks_;
};

std::vector<Primitive> AllThatCanFail() {
  std::vector<Primitive> all;
  for (unsigned i = 0; i < fake::kPrimitives; ++i) {
    const auto primitive = static_cast<Primitive>(i);
    // A child of fork asks it, and is told when it fails what it is told anyway.
    if (primitive == Primitive::kSharesMemory) continue;
    if (fake::CanFail(primitive)) all.push_back(primitive);
  }
  return all;
}

class StoryTest : public InstanceTest {
 protected:
  // Everything is freed; nothing may be left, but what could not be taken back.
  void EndInstance(Primitive failing) {
    test_thread_detach();
    test_purge();
    test_purge();  // one call of the first may have failed
    const test_stats_t stats = Stats();
    EXPECT_EQ(stats.blocks_live, 0u);
    EXPECT_EQ(stats.bytes_live, 0u);
    EXPECT_EQ(stats.bytes_cached, 0u);
    EXPECT_EQ(stats.arenas, 0u);
    // The thread that purges has units out of reach for a moment.
    if (Config::kArenaQuarantine == 0 && !Config::kBackgroundPurge) {
      if (!gives_up_) {
        EXPECT_EQ(stats.bytes_spans, 0u);
      }
      EXPECT_EQ(stats.bytes_dirty, 0u);
    }
    // A thread that may be alive is in the way.
    if (test_shutdown() != 0) {
      EXPECT_EQ(failing, Primitive::kThreadMayBeAlive);
      EXPECT_EQ(test_shutdown(), 0);
    }
    EXPECT_EQ(Stats().bytes_reserved, 0u);
    EXPECT_EQ(Stats().bytes_spans, 0u);
    EXPECT_EQ(Stats().bytes_metadata, 0u);
    const int64_t left = fake::MappedBytes() - mapped_;
    if (failing == Primitive::kUnmap) {
      EXPECT_GE(left, 0);
      mapped_ = fake::MappedBytes();
      ExpectLeft(mapped_);
    } else {
      EXPECT_EQ(left, 0);
    }
  }

  // How many calls the story and the end of the instance make.
  uint64_t CountCalls(Primitive primitive) {
    const fake::CallCounter counter(primitive);
    Story(true).Tell();
    EndInstance(primitive);
    return counter.calls();
  }

  // Places are given up: their units stay claimed.
  bool gives_up_ = false;
  const fake::ScopedClock clock_{1000};  // or each time would be another story

 private:
  int64_t mapped_ = fake::MappedBytes();
};

class EveryFailureTest : public StoryTest,
                         public testing::WithParamInterface<Primitive> {};

INSTANTIATE_TEST_SUITE_P(All, EveryFailureTest,
                         testing::ValuesIn(AllThatCanFail()),
                         [](const auto& info) {
                           return std::string(fake::NameOf(info.param));
                         });

TEST_P(EveryFailureTest, TheStoryComesToIt) {
  if (GetParam() == Primitive::kAdviseHugePages && Config::kHugePagesFrom == 0)
    GTEST_SKIP() << "nothing is advised";
  if (GetParam() == Primitive::kProtect && !Config::kGuardPages)
    GTEST_SKIP() << "nothing is guarded";
  if (GetParam() == Primitive::kIsReadable && Config::kBacktraceFrames == 0)
    GTEST_SKIP() << "no frame is looked for";
  if (GetParam() == Primitive::kEntropy && !Config::kUsesRandom &&
      !Config::kCanaries)
    GTEST_SKIP() << "nothing is random";
  EXPECT_GT(CountCalls(GetParam()), 0u);
}

TEST_P(EveryFailureTest, EachCallOnce) {
  const uint64_t calls = CountCalls(GetParam());
  RecordProperty("calls", static_cast<int>(calls));
  for (uint64_t nth = 1; nth <= calls && !HasFailure(); ++nth) {
    SCOPED_TRACE(nth);
    const ScopedFailures failures(GetParam(), Failures::Nth(nth));
    Story(true).Tell();
    EndInstance(GetParam());
    // The thread that purges in the background comes when it likes.
    if (!Config::kBackgroundPurge) {
      EXPECT_EQ(failures.failed(), 1u);
    }
  }
}

TEST_P(EveryFailureTest, AllFromEachCallOn) {
  const uint64_t calls = CountCalls(GetParam());
  for (uint64_t from = 1; from <= calls && !HasFailure();
       from += 1 + from / 4) {
    SCOPED_TRACE(from);
    {
      Story story(false);
      {
        const ScopedFailures failures(GetParam(), Failures::From(from));
        story.Tell();
      }
      Story(true).Tell();
    }
    EndInstance(GetParam());
  }
}

// Pages that cannot be moved to where there is no memory: that place is given
// up, and the block stays where it was.
TEST_F(StoryTest, NoPagesMoveAndEachCommitFailsOnce) {
  const ScopedFailures moves(Primitive::kMovePages, Failures::Always());
  const uint64_t calls = CountCalls(Primitive::kCommit);
  EXPECT_GT(moves.failed(), 0u);
  gives_up_ = true;
  for (uint64_t nth = 1; nth <= calls && !HasFailure(); ++nth) {
    SCOPED_TRACE(nth);
    const ScopedFailures failures(Primitive::kCommit, Failures::Nth(nth));
    Story(true).Tell();
    EndInstance(Primitive::kCommit);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
