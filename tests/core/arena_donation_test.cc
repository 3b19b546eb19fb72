// Memory that the program gives to one arena: used by it first and by nobody else,
// and the program's again when the arena is gone.
#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>

#include "core/api/state.h"
#include "core/arena/arenas.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class Pages {
 public:
  explicit Pages(size_t size)
      : size_(size),
        base_(static_cast<char*>(mmap(nullptr, size + kUnit,
                                      PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        begin_(base_ + (kUnit - AddressOf(base_) % kUnit) % kUnit) {
    memset(begin_, 0xee, size_);
  }
  ~Pages() { munmap(base_, size_ + kUnit); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  char* get() const { return begin_; }
  size_t size() const { return size_; }
  bool Has(const void* p) const {
    return AddressOf(p) - AddressOf(begin_) < size_;
  }
  // As the owner may, who has it back.
  void Overwrite(int byte) const { memset(begin_, byte, size_); }
  bool IsAll(int byte) const {
    return std::count(begin_, begin_ + size_, static_cast<char>(byte)) ==
           static_cast<ptrdiff_t>(size_);
  }

 private:
  size_t size_;
  char* base_;
  char* begin_;
};

// Where there is no system memory an instance lives in what it was given.
class ArenaDonationTest : public InstanceTest {
 protected:
  ArenaDonationTest() {
    if (Config::kSystemMemory) return;
    world_ = std::make_unique<Pages>(24 * kMiB);
    EXPECT_EQ(test_donate(world_->get(), world_->size()), 0);
  }
  ~ArenaDonationTest() override { EXPECT_EQ(test_shutdown(), 0); }

 private:
  std::unique_ptr<Pages> world_;
};

test_arena* NewArena(unsigned mode = test_arena_general,
                     test_arena* parent = nullptr, size_t hard_quota = 0) {
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.mode = mode;
  options.parent = parent;
  options.hard_quota = hard_quota;
  test_arena* const arena = test_arena_create(&options);
  EXPECT_NE(arena, nullptr);
  return arena;
}

test_arena_stats_t StatsOf(test_arena* arena) {
  test_arena_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(test_arena_stats(arena, &stats), 0);
  return stats;
}

size_t LiveAt(const void* address) {
  return test_donated_visit_blocks(address, nullptr, nullptr);
}

// On a thread each, which says that it is done: where the system is asked nothing,
// nobody would know.
template <typename Body>
void RunDetached(unsigned n, Body body) {
  RunThreads(n, [&](unsigned i) {
    body(i);
    test_thread_detach();
  });
}

// Blocks of all kinds of sizes, written to.
void Use(test_arena* arena, const Pages* pages) {
  for (const size_t size : {size_t{16}, size_t{100}, size_t{3000},
                            size_t{20000}, kUnit, 3 * kUnit}) {
    for (int i = 0; i < 5; ++i) {
      void* const block = test_arena_malloc(arena, size);
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(pages == nullptr || pages->Has(block)) << size;
      Fill(block, size, size);
      EXPECT_EQ(test_arena_of(block), arena);
      EXPECT_GE(test_malloc_usable_size(block), size);
      if (i % 2 == 1) test_free(block);
    }
  }
}

constexpr unsigned kModes[] = {test_arena_general, test_arena_monotonic};

// ---- Use ----

TEST_F(ArenaDonationTest, IsUsedFirstAndByNobodyElse) {
  const Pages pages(8 * kMiB);
  for (const unsigned mode : kModes) {
    test_arena* const other = NewArena(mode);
    test_arena* const arena = NewArena(mode);
    void* const before = test_arena_malloc(arena, 100);
    EXPECT_FALSE(pages.Has(before));
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    EXPECT_TRUE(pages.IsAll(0xee)) << "nothing of ours is in it";
    test_arena* const child = NewArena(mode, arena);
    test_free(before);
    Use(arena, nullptr);  // the first units it had are used up, too
    void* const block = test_arena_calloc(arena, 1, kMiB);
    ASSERT_TRUE(pages.Has(block));
    EXPECT_TRUE(IsZero(block, kMiB));
    EXPECT_EQ(test_owns(block), 1);
    for (const size_t size : {size_t{24}, size_t{700}, 2 * kUnit}) {
      EXPECT_FALSE(pages.Has(test_arena_malloc(other, size)));
      EXPECT_FALSE(pages.Has(test_arena_malloc(child, size)));
      void* const own = test_malloc(size);
      EXPECT_FALSE(pages.Has(own));
      test_free(own);
    }
    test_arena_destroy(other);
    test_arena_destroy(arena);
    pages.Overwrite(0xee);
  }
}

TEST_F(ArenaDonationTest, AllIsInThereAsLongAsItFits) {
  const Pages pages(8 * kMiB);
  for (const unsigned mode : kModes) {
    test_arena* const arena = NewArena(mode);
    const size_t donated = Stats().bytes_donated;
    ASSERT_EQ(test_arena_donate(arena, pages.get() + 1, pages.size() - 1), 0);
    Use(arena, &pages);
    char* const aligned = static_cast<char*>(
        test_arena_aligned_alloc(arena, 4 * kUnit, 5 * kUnit));
    EXPECT_TRUE(pages.Has(aligned));
    EXPECT_EQ(AddressOf(aligned) % (4 * kUnit), 0u);
    char* grown = static_cast<char*>(test_arena_malloc(arena, 2 * kUnit));
    Fill(grown, 2 * kUnit, 3);
    for (size_t size = 3 * kUnit; size < 16 * kUnit; size += kUnit) {
      grown = static_cast<char*>(test_realloc(grown, size));
      ASSERT_TRUE(pages.Has(grown)) << size;
      ASSERT_TRUE(IsFilled(grown, 2 * kUnit, 3));
    }
    const test_arena_stats_t stats = StatsOf(arena);
    EXPECT_EQ(stats.bytes_donated, 8 * kMiB - kUnit);
    EXPECT_EQ(stats.bytes_donated_used, stats.bytes_held);
    EXPECT_EQ(Stats().bytes_donated, donated + stats.bytes_donated);
    test_arena_destroy(arena);
    EXPECT_TRUE(std::all_of(pages.get(), pages.get() + 1, [](char c) {
      return c == '\xee';
    })) << "what is before the first unit stays";
    pages.Overwrite(0xee);
  }
}

TEST_F(ArenaDonationTest, OtherMemoryServesWhatDoesNotFit) {
  const Pages pages(2 * kUnit);
  test_arena* const arena = NewArena();
  ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
  void* const large = test_arena_malloc(arena, 3 * kUnit);
  EXPECT_NE(large, nullptr);
  EXPECT_FALSE(pages.Has(large));
  EXPECT_TRUE(pages.Has(test_arena_malloc(arena, 2 * kUnit)));
  EXPECT_FALSE(pages.Has(test_arena_malloc(arena, 16)));
  EXPECT_EQ(StatsOf(arena).bytes_donated_used, 2 * kUnit);
  test_arena_destroy(arena);
  // With a quota it has nothing else.
  test_arena* const bound = NewArena(test_arena_monotonic, nullptr, 2 * kUnit);
  ASSERT_EQ(test_arena_donate(bound, pages.get(), pages.size()), 0);
  size_t blocks = 0;
  while (void* const block = test_arena_malloc(bound, 1000)) {
    ASSERT_TRUE(pages.Has(block));
    ++blocks;
  }
  EXPECT_GT(blocks * 1000, pages.size() * 9 / 10);
  test_arena_destroy(bound);
}

TEST_F(ArenaDonationTest, TheSystemIsNotAskedAboutIt) {
  const Pages pages(16 * kMiB);
  test_arena* const arena = NewArena();
  test_arena_destroy(NewArena());
  {
    const fake::CallCounter asked(Primitive::kIsWritable);
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    EXPECT_EQ(asked.calls(), Config::kSystemMemory ? 1u : 0u);
  }
  test_free(test_arena_malloc(arena, 1));
  const fake::ScopedForbid purge(Primitive::kPurge);
  const fake::ScopedForbid refresh(Primitive::kRefresh);
  const fake::ScopedForbid move(Primitive::kMovePages);
  const fake::ScopedForbid zero(Primitive::kZeroPages);
  const fake::ScopedForbid commit(Primitive::kCommit);
  const fake::ScopedForbid advise(Primitive::kAdviseHugePages);
  const fake::ScopedForbid unmap(Primitive::kUnmap);
  const fake::ScopedForbid map(Primitive::kMap);
  for (int round = 0; round < 3; ++round) {
    void* const block = test_arena_calloc(arena, 1, 3 * kMiB);
    ASSERT_TRUE(pages.Has(block));
    EXPECT_TRUE(IsZero(block, 3 * kMiB));
    Fill(block, 3 * kMiB, 1);
    void* const moved = test_realloc(block, 5 * kMiB);
    ASSERT_TRUE(pages.Has(moved));
    EXPECT_TRUE(IsFilled(moved, 3 * kMiB, 1));
    test_free(moved);
    Use(arena, &pages);
    test_arena_reset(arena);
    EXPECT_EQ(test_purge(), 0u);
  }
  test_arena_destroy(arena);
  EXPECT_EQ(test_purge(), 0u);
}

TEST_F(ArenaDonationTest, SaysWhatIsLive) {
  const Pages pages(4 * kMiB);
  for (const unsigned mode : kModes) {
    test_arena* const arena = NewArena(mode);
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    EXPECT_EQ(LiveAt(pages.get()), 0u);
    void* const small = test_arena_malloc(arena, 10);
    void* const large = test_arena_malloc(arena, 200000);
    test_free(test_arena_malloc(arena, 20));
    void* const elsewhere = test_arena_malloc(arena, 8 * kMiB);
    EXPECT_FALSE(pages.Has(elsewhere));
    std::vector<void*> seen;
    EXPECT_EQ(test_donated_visit_blocks(
                  pages.get() + kMiB,
                  [](void* block, size_t, void* context) {
                    static_cast<std::vector<void*>*>(context)->push_back(block);
                  },
                  &seen),
              2u);
    std::sort(seen.begin(), seen.end());
    std::vector<void*> expected = {small, large};
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(seen, expected);
    test_free(large);
    EXPECT_EQ(LiveAt(pages.get()), 1u);
    test_arena_destroy(arena);
    EXPECT_EQ(LiveAt(pages.get()), 0u);
  }
}

// Down to the last unit, whatever length slabs and runs have elsewhere.
TEST_F(ArenaDonationTest, IsUsedUp) {
  const Pages pages(9 * kUnit);
  for (const unsigned mode : kModes) {
    for (const size_t size : {size_t{100}, size_t{5000}, size_t{30000}}) {
      test_arena* const arena = NewArena(mode, nullptr, pages.size());
      for (size_t i = 0; i < 9; ++i) {
        ASSERT_EQ(test_arena_donate(arena, pages.get() + i * kUnit, kUnit), 0);
      }
      while (void* const block = test_arena_malloc(arena, size)) {
        ASSERT_TRUE(pages.Has(block)) << size;
        memset(block, 1, size);
      }
      EXPECT_EQ(StatsOf(arena).bytes_donated_used, pages.size()) << size;
      test_arena_destroy(arena);
    }
  }
}

// ---- Errors ----

TEST_F(ArenaDonationTest, RefusesWhatIsNoMemory) {
  const Pages pages(kMiB);
  test_arena* const arena = NewArena();
  EXPECT_EQ(test_arena_donate(arena, nullptr, kMiB), EINVAL);
  EXPECT_EQ(test_arena_donate(arena, pages.get(), 0), EINVAL);
  EXPECT_EQ(test_arena_donate(arena, pages.get(), SIZE_MAX), EINVAL);
  EXPECT_EQ(test_arena_donate(arena, pages.get(), (size_t{1} << 40) + 8192),
            EINVAL);
  EXPECT_EQ(test_arena_donate(
                arena, reinterpret_cast<void*>(UINTPTR_MAX - kMiB), kMiB),
            EINVAL);
  EXPECT_EQ(test_arena_donate(arena, pages.get(), kUnit - 1), EINVAL);
  EXPECT_EQ(test_arena_donate(arena, pages.get() + 1, 2 * kUnit - 2), EINVAL);
  EXPECT_EQ(StatsOf(arena).bytes_donated, 0u);
  EXPECT_TRUE(pages.IsAll(0xee));
  EXPECT_EQ(test_arena_donate(arena, pages.get(), kUnit), 0);
  EXPECT_EQ(test_arena_donate(arena, pages.get() + kUnit + 1, 2 * kUnit - 1), 0)
      << "it has one whole unit";
  EXPECT_EQ(StatsOf(arena).bytes_donated, 2 * kUnit);
  test_arena_destroy(arena);
  EXPECT_DEATH(test_arena_donate(arena, pages.get(), kMiB), "which is gone");
  EXPECT_DEATH(test_arena_donate(nullptr, pages.get(), kMiB),
               "an arena that never was");
}

TEST_F(ArenaDonationTest, RefusesWhatSomebodyHas) {
  const Pages pages(8 * kMiB);
  test_arena* const arena = NewArena();
  test_arena* const other = NewArena();
  char* const middle = pages.get() + 2 * kMiB;
  ASSERT_EQ(test_arena_donate(arena, middle, 2 * kMiB), 0);
  for (test_arena* const who : {arena, other}) {
    EXPECT_EQ(test_arena_donate(who, middle, 2 * kMiB), EINVAL);
    EXPECT_EQ(test_arena_donate(who, middle + kUnit, kUnit), EINVAL);
    EXPECT_EQ(test_arena_donate(who, pages.get(), 2 * kMiB + 4096), EINVAL);
    EXPECT_EQ(test_arena_donate(who, middle + 2 * kMiB - 4096, kMiB), EINVAL);
  }
  EXPECT_EQ(test_donate(middle, kMiB), EINVAL);
  EXPECT_EQ(test_donate(pages.get(), pages.size()), EINVAL);
  EXPECT_EQ(test_arena_donate(other, pages.get(), 2 * kMiB), 0) << "up to it";
  ASSERT_EQ(test_donate(middle + 4 * kMiB, 2 * kMiB), 0);
  EXPECT_EQ(test_arena_donate(arena, middle + 4 * kMiB, kMiB), EINVAL);
  test_arena_destroy(arena);
  EXPECT_EQ(test_arena_donate(other, middle, 2 * kMiB), 0) << "it came back";
  test_arena_destroy(other);
  // What the instance reserved itself.
  test_arena* const third = NewArena();
  void* const block = test_malloc(kMiB);
  EXPECT_EQ(test_arena_donate(third, block, kMiB), EINVAL);
  test_free(block);
  test_arena_destroy(third);
  EXPECT_EQ(test_shutdown(), 0);
}

TEST_F(ArenaDonationTest, RefusesWhatCannotBeWritten) {
  if (!Config::kSystemMemory) GTEST_SKIP() << "it asks nobody";
  const Pages pages(kMiB);
  test_arena* const arena = NewArena();
  for (const size_t at : {size_t{0}, kMiB / 2, kMiB - 4096}) {
    for (const int protection : {PROT_READ, PROT_NONE}) {
      mprotect(pages.get() + at, 4096, protection);
      EXPECT_EQ(test_arena_donate(arena, pages.get(), kMiB), EFAULT) << at;
      mprotect(pages.get() + at, 4096, PROT_READ | PROT_WRITE);
    }
  }
  EXPECT_EQ(test_arena_donate(arena, pages.get(), kMiB), 0);
  test_arena_destroy(arena);
}

TEST_F(ArenaDonationTest, SaysWhereThereIsNoMemoryForItsData) {
  if (!Config::kSystemMemory) GTEST_SKIP() << "of the system's memory";
  const Pages pages(16 * kMiB);
  test_arena* const arena = NewArena();
  {
    const fake::ScopedForbid map(Primitive::kMap);
    // Small ones are in what there is.
    EXPECT_EQ(test_arena_donate(arena, pages.get(), 4 * kUnit), 0);
  }
  {
    const fake::ScopedFailures fail(Primitive::kMap, fake::Failures::Always());
    EXPECT_EQ(test_arena_donate(arena, pages.get() + kMiB, 8 * kMiB), ENOMEM);
  }
  EXPECT_EQ(StatsOf(arena).bytes_donated, 4 * kUnit);
  EXPECT_EQ(test_arena_donate(arena, pages.get() + kMiB, 8 * kMiB), 0);
  test_arena_destroy(arena);
}

TEST_F(ArenaDonationTest, OfThoseThatOverlapOneIsTaken) {
  const Pages pages(4 * kMiB);
  for (int round = 0; round < 50; ++round) {
    test_arena* arenas[3];
    for (test_arena*& arena : arenas) arena = NewArena();
    int results[3];
    // The first and the third do not overlap.
    RunDetached(3, [&](unsigned i) {
      results[i] = test_arena_donate(arenas[i], pages.get() + i * 3 * kMiB / 4,
                                     kMiB + kMiB / 4);
    });
    const auto taken = std::count(results, results + 3, 0);
    EXPECT_EQ(taken, results[1] == 0 ? 1 : 2);
    size_t donated = 0;
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(results[i] == 0 || results[i] == EINVAL) << results[i];
      EXPECT_EQ(StatsOf(arenas[i]).bytes_donated != 0, results[i] == 0);
      donated += StatsOf(arenas[i]).bytes_donated;
    }
    EXPECT_LE(donated, pages.size());
    RunDetached(3, [&](unsigned i) { test_arena_destroy(arenas[i]); });
  }
}

// ---- Its end ----

TEST_F(ArenaDonationTest, TheEndGivesItBack) {
  const Pages pages(4 * kMiB);
  test_free(test_malloc(1));
  test_arena_destroy(NewArena());
  const size_t donated = Stats().bytes_donated;
  for (int round = 0; round < 6; ++round) {
    test_arena* const arena = NewArena(kModes[round % 2]);
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    // Much, little, and nothing: what is kept warm of ends differs.
    if (round / 2 == 0) Use(arena, &pages);
    if (round / 2 == 1) {
      void* const block = test_arena_malloc(arena, 30);
      ASSERT_TRUE(pages.Has(block));
    }
    test_arena_destroy(arena);
    EXPECT_EQ(Stats().bytes_donated, donated);
    EXPECT_EQ(test_owns(pages.get()), 0);
    EXPECT_EQ(test_arena_of(pages.get()), nullptr);
    pages.Overwrite(0xff);
    // Whatever this thread cached would come now.
    for (const unsigned mode : kModes) {
      test_arena* const next = NewArena(mode);
      for (int i = 0; i < 400; ++i) {
        for (const size_t size : {size_t{16}, size_t{1000}, size_t{5000}}) {
          EXPECT_FALSE(pages.Has(test_arena_malloc(next, size)));
          void* const own = test_malloc(size);
          EXPECT_FALSE(pages.Has(own));
          test_free(own);
        }
      }
      test_arena_destroy(next);
    }
    test_purge();
    EXPECT_TRUE(pages.IsAll(0xff)) << "somebody wrote to it";
  }
}

TEST_F(ArenaDonationTest, ResetKeepsIt) {
  const Pages pages(4 * kMiB);
  for (const unsigned mode : kModes) {
    test_arena* const arena = NewArena(mode);
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    for (int round = 0; round < 5; ++round) {
      Use(arena, &pages);
      EXPECT_NE(LiveAt(pages.get()), 0u);
      test_arena_reset(arena);
      EXPECT_EQ(LiveAt(pages.get()), 0u);
      EXPECT_EQ(StatsOf(arena).bytes_donated, pages.size());
      EXPECT_EQ(StatsOf(arena).bytes_donated_used, 0u);
      void* const own = test_malloc(300);
      EXPECT_FALSE(pages.Has(own));
      test_free(own);
    }
    void* const late = test_arena_malloc(arena, 2 * kUnit);
    test_arena_reset(arena);
    EXPECT_DEATH(test_free(late), "which is gone");
    test_arena_destroy(arena);
  }
}

TEST_F(ArenaDonationTest, AParentTakesItsChildrensAlong) {
  const Pages parents(kMiB);
  const Pages childs(kMiB);
  test_arena* const parent = NewArena();
  test_arena* const child = NewArena(test_arena_general, parent);
  ASSERT_EQ(test_arena_donate(parent, parents.get(), kMiB), 0);
  ASSERT_EQ(test_arena_donate(child, childs.get(), kMiB), 0);
  EXPECT_TRUE(parents.Has(test_arena_malloc(parent, 40)));
  EXPECT_TRUE(childs.Has(test_arena_malloc(child, 40)));
  EXPECT_EQ(StatsOf(parent).bytes_held, 2 * kUnit);
  test_arena_reset(parent);
  childs.Overwrite(1);
  EXPECT_EQ(test_owns(childs.get()), 0);
  test_arena* const next = NewArena(test_arena_general, parent);
  ASSERT_EQ(test_arena_donate(next, childs.get(), kMiB), 0);
  EXPECT_TRUE(childs.Has(test_arena_malloc(next, 40)));
  EXPECT_TRUE(parents.Has(test_arena_malloc(parent, 40)));
  test_arena_destroy(parent);
  for (const Pages* const pages : {&parents, &childs}) {
    pages->Overwrite(2);
    EXPECT_EQ(LiveAt(pages->get()), 0u);
    EXPECT_EQ(test_donate(pages->get(), kMiB), 0);
  }
  EXPECT_EQ(test_shutdown(), 0);
}

// What is kept for them is used again, by donations of about the same size.
TEST_F(ArenaDonationTest, ManyOneAfterAnother) {
  const Pages pages(4 * kMiB);
  size_t metadata = 0;
  size_t spans = 0;
  for (int round = 0; round < 60; ++round) {
    test_arena* const arena = NewArena(kModes[round % 2]);
    const size_t units = 33 + static_cast<size_t>(round) % 32;
    ASSERT_EQ(test_arena_donate(arena, pages.get(), units * kUnit), 0) << round;
    void* const block = test_arena_malloc(arena, 100);
    ASSERT_TRUE(pages.Has(block));
    // Of another thread's, freed by this one: announced there and not heard of.
    void* theirs = nullptr;
    std::thread([&] {
      theirs = test_arena_malloc(arena, 100);
      test_thread_detach();
      fake::Farewell();
    }).join();
    ASSERT_TRUE(pages.Has(theirs));
    if (round % 3 == 0) test_free(theirs);
    // Two units are in use.
    ASSERT_TRUE(pages.Has(test_arena_malloc(arena, 16 * kUnit))) << units;
    ASSERT_TRUE(pages.Has(test_arena_malloc(arena, 15 * kUnit))) << units;
    test_arena_destroy(arena);
    pages.Overwrite(round);
    if (round == 10) {
      metadata = Stats().bytes_metadata;
      spans = Stats().bytes_spans;
    }
  }
  EXPECT_EQ(Stats().bytes_metadata, metadata);
  EXPECT_EQ(Stats().bytes_spans, spans);
}

TEST_F(ArenaDonationTest, ManyAtOnce) {
  constexpr size_t kMany = 300;
  const Pages pages(kMany * kUnit);
  // One arena has every third.
  test_arena* const greedy = NewArena();
  std::vector<test_arena*> arenas;
  std::vector<void*> blocks;
  for (size_t i = 0; i < kMany; ++i) {
    test_arena* const arena = i % 3 == 0 ? greedy : NewArena();
    ASSERT_EQ(test_arena_donate(arena, pages.get() + i * kUnit, kUnit), 0);
    if (i % 3 == 0) continue;
    arenas.push_back(arena);
    blocks.push_back(test_arena_malloc(arena, 64));
    ASSERT_EQ(AddressOf(blocks.back()) - AddressOf(pages.get()), i * kUnit);
    Fill(blocks.back(), 64, i);
  }
  EXPECT_EQ(StatsOf(greedy).bytes_donated, (kMany + 2) / 3 * kUnit);
  for (size_t i = 0; i < (kMany + 2) / 3; ++i)
    EXPECT_TRUE(pages.Has(test_arena_malloc(greedy, kUnit)));
  EXPECT_FALSE(pages.Has(test_arena_malloc(greedy, kUnit)));
  for (size_t i = 0; i < arenas.size(); ++i) {
    EXPECT_EQ(test_arena_of(blocks[i]), arenas[i]);
    if (i % 2 == 0) test_free(blocks[i]);
    test_arena_destroy(arenas[i]);
  }
  test_arena_destroy(greedy);
  EXPECT_EQ(test_owns(pages.get()), 0);
  pages.Overwrite(1);
}

TEST_F(ArenaDonationTest, ShutdownGivesItBack) {
  const Pages world(8 * kMiB);
  const Pages pages(kMiB);
  ASSERT_EQ(test_shutdown(), 0);
  for (int round = 0; round < 4; ++round) {
    if (!Config::kSystemMemory) {
      ASSERT_EQ(test_donate(world.get(), world.size()), 0);
    }
    test_arena* const arena = NewArena(kModes[round % 2]);
    ASSERT_EQ(test_arena_donate(arena, pages.get(), pages.size()), 0);
    EXPECT_TRUE(pages.Has(test_arena_malloc(arena, 100)));
    if (round / 2 == 0) {
      ASSERT_EQ(test_shutdown(), 0);
    } else {
      test_abandon();
    }
    EXPECT_EQ(Stats().bytes_donated, 0u);
    EXPECT_EQ(test_owns(pages.get()), 0);
    pages.Overwrite(round);
  }
}

// ---- All at once ----

// Arenas with donations come and go on some threads, others free their blocks and
// allocate elsewhere, and the memory is somebody else's in between.
TEST_F(ArenaDonationTest, ComesAndGoesWhileOthersWork) {
  constexpr unsigned kMakers = 2;
  constexpr int kRounds = 30;
  const Pages pages(kMakers * 2 * kMiB);
  std::atomic<unsigned> working{kMakers};
  // A block for the helper of each maker to free.
  std::atomic<void*> handed[kMakers] = {};
  RunDetached(2 * kMakers + 1, [&](unsigned t) {
    if (t < kMakers) {
      char* const mine = pages.get() + t * 2 * kMiB;
      Random random(t);
      for (int round = 0; round < kRounds; ++round) {
        test_arena* const arena = NewArena(kModes[random.Below(2)]);
        const size_t size = (1 + random.Below(12)) * kUnit;
        ASSERT_EQ(test_arena_donate(arena, mine, size), 0);
        for (int i = 0; i < 60; ++i) {
          const size_t bytes = 1 + random.Below(i % 20 == 0 ? 100000 : 2000);
          void* const block = test_arena_malloc(arena, bytes);
          if (block == nullptr) continue;
          Fill(block, Min(bytes, 64), bytes);
          if (i % 3 == 0) {
            void* expected = nullptr;
            if (!handed[t].compare_exchange_strong(expected, block))
              test_free(block);
          }
        }
        // Nobody is in a call about it from here on.
        while (handed[t].load() != nullptr) std::this_thread::yield();
        test_arena_destroy(arena);
        memset(mine, static_cast<int>(t) + 1, size);
        test_free(test_malloc(1 + random.Below(5000)));
        ASSERT_EQ(std::count(mine, mine + size, static_cast<char>(t + 1)),
                  static_cast<ptrdiff_t>(size));
      }
      --working;
      return;
    }
    Random random(t);
    if (t == 2 * kMakers) {
      while (working.load() != 0) {
        EXPECT_LE(Stats().bytes_donated, pages.size() + 24 * kMiB);
        test_arena* const arena = NewArena();
        void* const block = test_arena_malloc(arena, 1 + random.Below(70000));
        EXPECT_FALSE(pages.Has(block));
        EXPECT_EQ(test_owns(block), 1);
        EXPECT_EQ(test_owns(&arena), 0);
        test_arena_destroy(arena);
      }
      return;
    }
    std::atomic<void*>& from = handed[t - kMakers];
    while (working.load() != 0) {
      if (void* const block = from.load(); block != nullptr) {
        EXPECT_TRUE(test_malloc_usable_size(block) > 0);
        test_free(block);
        from.store(nullptr);
      }
      void* const own = test_malloc(1 + random.Below(3000));
      EXPECT_FALSE(pages.Has(own));
      test_free(own);
    }
  });
  EXPECT_EQ(LiveAt(pages.get()), 0u);
  pages.Overwrite(9);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
