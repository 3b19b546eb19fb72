// Memory that the program gives: what becomes of it, and what is refused.
#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>

#include "core/api/failure.h"
#include "core/api/state.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGranule = kDonationGranule;

// A mapping of the program's, full of what is no zero, until a shutdown.
class Mapping {
 public:
  explicit Mapping(size_t size)
      : size_(size),
        base_(static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    memset(base_, 0xee, size);
  }
  ~Mapping() {
    EXPECT_EQ(test_shutdown(), 0);
    munmap(base_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  char* get() const { return base_; }
  size_t size() const { return size_; }
  bool Has(const void* p) const {
    return AddressOf(p) - AddressOf(base_) < size_;
  }

 private:
  size_t size_;
  char* base_;
};

class DonationTest : public InstanceTest {};

size_t Live(const void* address) {
  return test_donated_visit_blocks(address, nullptr, nullptr);
}

// ---- The plan ----

TEST_F(DonationTest, PlansStayInsideAndLoseLittle) {
  for (const size_t room : {size_t{0}, size_t{20000}}) {
    for (size_t at = 0; at < kUnit; at += kGranule) {
      for (size_t size = kGranule; size < 8 * kUnit; size += 3 * kGranule) {
        char* const begin = reinterpret_cast<char*>(16 * kUnit + at);
        const DonationPlan plan = Range::PlanDonation(begin, size, room);
        if (plan.units == 0) {
          EXPECT_LT(size, 3 * kUnit) << at;
          continue;
        }
        const char* const end = plan.base + plan.units * kUnit;
        const char* const metadata_end = plan.metadata + plan.metadata_size;
        EXPECT_EQ(AddressOf(plan.base) % kUnit, 0u);
        EXPECT_EQ(AddressOf(plan.metadata) % 64, 0u);
        EXPECT_GE(plan.base, begin);
        EXPECT_GE(plan.metadata, begin);
        EXPECT_LE(end, begin + size);
        EXPECT_LE(metadata_end, begin + size);
        EXPECT_TRUE(metadata_end <= plan.base || plan.metadata >= end);
        EXPECT_GE(plan.metadata_size,
                  plan.units * (kDescriptorBytes + kBitBytes + 4) + room);
        EXPECT_LE(size - plan.units * kUnit, 3 * kUnit);
      }
    }
  }
}

TEST_F(DonationTest, MetadataDoesNotOverlap) {
  const Mapping memory(140 * kMiB);  // more words than are in the object
  const DonationPlan plan =
      Range::PlanDonation(memory.get() + kGranule, 139 * kMiB, 1000);
  ASSERT_GT(plan.units, 2048u);
  EXPECT_NE(plan.units % 64, 0u);
  Range* const range = Range::Donate(plan, 1000);
  EXPECT_TRUE(range->donated());
  memset(range->TakeRoom(), 4, 1000);
  for (size_t i = 0; i < plan.units; ++i) {
    memset(range->descriptor(i), 1, kDescriptorBytes);
    memset(range->bits_as_they_are(i), 2, kBitBytes);
    *range->class_map_slot(i) = 0x03030303;
  }
  for (size_t i = 0; i < plan.units; ++i) {
    ASSERT_EQ(static_cast<char*>(range->descriptor(i))[127], 1);
    ASSERT_EQ(*static_cast<char*>(range->bits_as_they_are(i)), 2);
    ASSERT_EQ(*range->class_map_slot(i), 0x03030303u);
    ASSERT_EQ(AddressOf(range->descriptor(i)) % 64, 0u);
  }
  bool zero = true;
  EXPECT_EQ(range->Allocate(plan.units + 1, 1, &zero), UnitMap::kNone);
  EXPECT_EQ(range->Allocate(plan.units, 1, &zero), 0u);
  EXPECT_FALSE(zero) << "nobody knows what is in it";
  EXPECT_EQ(range->Allocate(1, 1, &zero), UnitMap::kNone);
  range->Free(0, plan.units, true);
  EXPECT_EQ(range->units().dirty(), 0u);
  EXPECT_EQ(range->Purge(), 0u);
  Range::Destroy(range);
  EXPECT_EQ(memory.get()[0], static_cast<char>(0xee)) << "it is still there";
}

// ---- Errors ----

TEST_F(DonationTest, RefusesWhatIsNoMemory) {
  EXPECT_EQ(test_donate(nullptr, kMiB), EINVAL);
  const Mapping memory(kMiB);
  EXPECT_EQ(test_donate(memory.get(), 0), EINVAL);
  EXPECT_EQ(test_donate(memory.get(), SIZE_MAX), EINVAL);
  EXPECT_EQ(test_donate(memory.get(), SIZE_MAX / 2), EINVAL);
  EXPECT_EQ(test_donate(memory.get(), (size_t{1} << 40) + 2 * kGranule),
            EINVAL);
  EXPECT_EQ(test_donate(reinterpret_cast<void*>(UINTPTR_MAX - kMiB), kMiB),
            EINVAL);
  for (const size_t size : {size_t{1}, kGranule, kUnit}) {
    EXPECT_EQ(test_donate(memory.get(), size), EINVAL) << size;
    EXPECT_EQ(test_donate(memory.get() + 1, size), EINVAL) << size;
  }
  EXPECT_EQ(Stats().bytes_donated, 0u);
  EXPECT_EQ(static_cast<size_t>(
                std::count(memory.get(), memory.get() + kMiB, '\xee')),
            kMiB)
      << "nothing was written to it";
}

TEST_F(DonationTest, RefusesWhatItHas) {
  const Mapping memory(4 * kMiB);
  char* const middle = memory.get() + kMiB;
  ASSERT_EQ(test_donate(middle, 2 * kMiB), 0);
  void* const block = test_malloc(1000);
  Fill(block, 1000, 1);
  EXPECT_EQ(test_donate(middle, 2 * kMiB), EINVAL);
  EXPECT_EQ(test_donate(middle + kUnit, kMiB), EINVAL);
  EXPECT_EQ(test_donate(memory.get(), memory.size()), EINVAL);
  EXPECT_EQ(test_donate(memory.get(), kMiB + kGranule), EINVAL);
  EXPECT_EQ(test_donate(middle + 2 * kMiB - kGranule, kMiB), EINVAL);
  EXPECT_TRUE(IsFilled(block, 1000, 1));
  EXPECT_EQ(test_donate(memory.get(), kMiB), 0) << "up to the other";
  EXPECT_EQ(test_donate(middle + 2 * kMiB, kMiB), 0) << "from its end on";
  test_free(block);
}

TEST_F(DonationTest, RefusesItsOwnBlocks) {
  if (!Config::kSystemMemory) GTEST_SKIP() << "all of its blocks are donated";
  void* const block = test_malloc(kMiB);
  EXPECT_EQ(test_donate(block, kMiB), EINVAL);
  test_free(block);
}

TEST_F(DonationTest, RefusesWhatCannotBeWritten) {
  if (!Config::kSystemMemory) GTEST_SKIP() << "it asks nobody";
  const Mapping memory(kMiB);
  for (const size_t at : {size_t{0}, kMiB / 2, kMiB - kGranule}) {
    for (const int protection : {PROT_READ, PROT_NONE}) {
      mprotect(memory.get() + at, kGranule, protection);
      EXPECT_EQ(test_donate(memory.get(), kMiB), EFAULT) << at;
      mprotect(memory.get() + at, kGranule, PROT_READ | PROT_WRITE);
    }
  }
  EXPECT_EQ(test_donate(memory.get(), kMiB), 0);
}

TEST_F(DonationTest, TakesSoManyAndNoMore) {
  constexpr size_t kEach = 256 * 1024;
  const Mapping memory((Region::kDonationsMax + 1) * kEach);
  for (unsigned i = 0; i < Region::kDonationsMax; ++i)
    ASSERT_EQ(test_donate(memory.get() + i * kEach, kEach), 0) << i;
  EXPECT_EQ(test_donate(memory.get() + Region::kDonationsMax * kEach, kEach),
            ENOMEM);
  std::vector<void*> blocks;
  for (unsigned i = 0; i < Region::kDonationsMax; ++i) {
    blocks.push_back(test_malloc(2 * kUnit));
    if (blocks.back() == nullptr) break;
    EXPECT_TRUE(memory.Has(blocks.back()));
  }
  for (void* block : blocks) test_free(block);
}

TEST_F(DonationTest, OfTwoThatOverlapOneIsTaken) {
  const Mapping memory(3 * kMiB);
  for (int round = 0; round < 300; ++round) {
    int results[3];
    RunThreads(3, [&](unsigned i) {
      results[i] =
          test_donate(memory.get() + i * 3 * kMiB / 4, kMiB + kMiB / 4);
    });
    // The first and the third do not overlap.
    const auto taken = std::count(results, results + 3, 0);
    EXPECT_EQ(taken, results[1] == 0 ? 1 : 2);
    for (const int result : results)
      EXPECT_TRUE(result == 0 || result == EINVAL);
    std::vector<void*> blocks;
    for (int i = 0; i < 4; ++i) {
      blocks.push_back(test_calloc(1, kUnit));
      ASSERT_NE(blocks.back(), nullptr);
      EXPECT_TRUE(memory.Has(blocks.back()));
      EXPECT_TRUE(IsZero(blocks.back(), kUnit));
      Fill(blocks.back(), kUnit, i);
    }
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(IsFilled(blocks[i], kUnit, i));
      test_free(blocks[i]);
    }
    ASSERT_EQ(test_shutdown(), 0);
  }
}

// ---- Use ----

TEST_F(DonationTest, IsUsedBeforeAnythingElse) {
  void* const before = Config::kSystemMemory ? test_malloc(100) : nullptr;
  const Mapping memory(8 * kMiB);
  ASSERT_EQ(test_donate(memory.get() + 100, memory.size() - 200), 0);
  EXPECT_GE(Stats().bytes_donated, 7 * kMiB);
  for (const size_t size : {size_t{3000}, size_t{20000}, kUnit, kMiB}) {
    char* const block = static_cast<char*>(test_malloc(size));
    ASSERT_TRUE(memory.Has(block)) << size;
    EXPECT_TRUE(memory.Has(block + size - 1)) << size;
    EXPECT_EQ(test_owns(block), 1);
    EXPECT_EQ(test_owns(block + size - 1), 1);
    Fill(block, size, size);
    EXPECT_TRUE(IsFilled(block, size, size));
    test_free(block);
  }
  test_free(before);
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(DonationTest, TheSystemIsNotAskedAboutIt) {
  const Mapping memory(64 * kMiB);
  {
    const fake::CallCounter written(Primitive::kIsWritable);
    ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
    EXPECT_EQ(written.calls(), Config::kSystemMemory ? 1u : 0u);
  }
  test_free(test_malloc(1));
  const fake::ScopedForbid purge(Primitive::kPurge);
  const fake::ScopedForbid refresh(Primitive::kRefresh);
  const fake::ScopedForbid move(Primitive::kMovePages);
  const fake::ScopedForbid zero(Primitive::kZeroPages);
  const fake::ScopedForbid commit(Primitive::kCommit);
  const fake::ScopedForbid advise(Primitive::kAdviseHugePages);
  for (int round = 0; round < 3; ++round) {
    char* const zeroed = static_cast<char*>(test_calloc(1, 8 * kMiB));
    ASSERT_TRUE(memory.Has(zeroed));
    EXPECT_TRUE(IsZero(zeroed, 8 * kMiB));
    Fill(zeroed, 8 * kMiB, 5);
    void* const guard = test_malloc(kMiB);
    char* const grown = static_cast<char*>(test_realloc(zeroed, 12 * kMiB));
    ASSERT_TRUE(memory.Has(grown));
    EXPECT_TRUE(IsFilled(grown, 8 * kMiB, 5));
    char* const shrunk = static_cast<char*>(test_realloc(grown, 2 * kMiB));
    EXPECT_TRUE(IsFilled(shrunk, 2 * kMiB, 5));
    test_free(shrunk);
    test_free(guard);
    // Arenas, their large blocks and their end.
    test_arena* const arena = test_arena_create(nullptr);
    char* const large =
        static_cast<char*>(test_arena_calloc(arena, 1, 4 * kMiB));
    ASSERT_TRUE(memory.Has(large));
    EXPECT_TRUE(IsZero(large, 4 * kMiB));
    Fill(large, 4 * kMiB, 6);
    void* const next = test_arena_malloc(arena, kMiB);
    ASSERT_NE(next, nullptr);
    char* const moved =
        static_cast<char*>(test_arena_realloc(arena, large, 9 * kMiB));
    ASSERT_TRUE(memory.Has(moved));
    EXPECT_TRUE(IsFilled(moved, 4 * kMiB, 6));
    test_arena_destroy(arena);
    // Slabs of which the range has the bits, for a sweep to find.
    std::vector<void*> small;
    for (int i = 0; i < 100000; ++i) small.push_back(test_malloc(16));
    EXPECT_TRUE(memory.Has(small.back()));
    for (void* block : small) test_free(block);
    test_thread_detach();
    EXPECT_EQ(test_purge(), 0u);
    EXPECT_EQ(Stats().bytes_dirty, 0u);
  }
}

// A block whose pages could be moved if both ends were the instance's own.
TEST_F(DonationTest, ReallocCopiesIntoIt) {
  if (!Config::kSystemMemory) GTEST_SKIP() << "there is no other memory";
  void* const block = test_malloc(4 * kMiB);
  void* const guard = test_malloc(kMiB);
  Fill(block, 4 * kMiB, 1);
  const Mapping memory(32 * kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  const fake::ScopedForbid move(Primitive::kMovePages);
  // It has to move: what is behind it may be free else.
  void* const there = test_malloc(8 * kMiB);
  ASSERT_TRUE(memory.Has(there));
  test_free(guard);
  void* const grown = test_realloc(there, 20 * kMiB);
  EXPECT_TRUE(IsFilled(block, 4 * kMiB, 1));
  test_free(grown);
  test_free(block);
}

TEST_F(DonationTest, ShutdownGivesItBack) {
  const Mapping memory(2 * kMiB);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
    ASSERT_TRUE(memory.Has(test_malloc(100)));
    ASSERT_TRUE(memory.Has(test_malloc(kUnit)));
    ASSERT_EQ(test_shutdown(), 0);
    EXPECT_EQ(Stats().bytes_donated, 0u);
    EXPECT_EQ(Stats().bytes_reserved, 0u);
    EXPECT_EQ(test_owns(memory.get() + kMiB), 0);
    memset(memory.get(), round, memory.size());
  }
}

TEST_F(DonationTest, SaysWhatIsLive) {
  const Mapping memory(4 * kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  const void* const inside = memory.get() + 2 * kMiB;
  EXPECT_EQ(Live(inside), 0u);
  EXPECT_EQ(Live(nullptr), 0u);
  EXPECT_EQ(Live(&memory), 0u);
  std::vector<void*> blocks;
  for (const size_t size : {8, 100, 1000, 5000, 40000, 100000, 700000}) {
    for (int i = 0;
         i < (size < 10000 ? 200 / static_cast<int>(size / 100 + 1) : 1); ++i) {
      blocks.push_back(test_malloc(size));
      ASSERT_NE(blocks.back(), nullptr);
    }
  }
  EXPECT_EQ(Live(inside), blocks.size());
  // What is freed is in caches, on its way home, or home.
  std::vector<void*> left;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 3 == 0) {
      left.push_back(blocks[i]);
    } else if (i % 3 == 1) {
      test_free(blocks[i]);
    }
  }
  std::thread([&] {
    for (size_t i = 2; i < blocks.size(); i += 3) test_free(blocks[i]);
    test_thread_detach();
    fake::Farewell();
  }).join();
  test_arena* const arena = test_arena_create(nullptr);
  left.push_back(test_arena_malloc(arena, 100));
  left.push_back(test_arena_malloc(arena, 200000));
  test_free(test_arena_malloc(arena, 50));
  std::vector<void*> seen;
  EXPECT_EQ(test_donated_visit_blocks(
                inside,
                [](void* block, size_t size, void* context) {
                  EXPECT_NE(size, 0u);
                  static_cast<std::vector<void*>*>(context)->push_back(block);
                },
                &seen),
            left.size());
  std::sort(left.begin(), left.end());
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, left);
  test_arena_destroy(arena);
  left.clear();
  for (size_t i = 0; i < blocks.size(); i += 3) test_free(blocks[i]);
  EXPECT_EQ(Live(inside), 0u);
}

// ---- Donated memory alone ----

class AloneTest : public DonationTest {
 protected:
  void SetUp() override {
    if (Config::kSystemMemory) GTEST_SKIP() << "of system_memory = False";
  }
};

TEST_F(AloneTest, HasNothingBefore) {
  EXPECT_EQ(test_malloc(1), nullptr);
  EXPECT_EQ(test_arena_create(nullptr), nullptr);
  test_free(nullptr);
  test_thread_detach();
}

// Wherever it begins, 256 KiB serve two size classes.
TEST_F(AloneTest, SmallWorlds) {
  const Mapping memory(kMiB);
  char* const even = memory.get() + (kUnit - AddressOf(memory.get()) % kUnit);
  for (size_t at = 0; at < kUnit; at += 1024) {
    ASSERT_EQ(test_donate(even + at, 256 * 1024), 0) << at;
    void* const small = test_malloc(16);
    void* const other = test_malloc(200);
    ASSERT_NE(small, nullptr) << at;
    ASSERT_NE(other, nullptr) << at;
    test_free(small);
    test_free(other);
    ASSERT_EQ(test_shutdown(), 0);
  }
}

TEST_F(AloneTest, NeverAsksTheSystem) {
  const Mapping memory(48 * kMiB);
  std::vector<std::unique_ptr<fake::ScopedForbid>> forbidden;
  for (unsigned i = 0; i < fake::kPrimitives; ++i) {
    const auto primitive = static_cast<Primitive>(i);
    if (primitive != Primitive::kPageSize &&
        primitive != Primitive::kWriteError && primitive != Primitive::kAbort)
      forbidden.push_back(std::make_unique<fake::ScopedForbid>(primitive));
  }
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  std::atomic<void*> passed{nullptr};
  const auto work = [&](unsigned seed) {
    Random random(seed);
    std::vector<std::pair<void*, size_t>> blocks(64);
    for (int i = 0; i < 20000; ++i) {
      auto& [block, size] = blocks[random.Below(blocks.size())];
      if (block != nullptr) {
        ASSERT_TRUE(IsFilled(block, Min(size, 64), size));
        if (random.Below(4) == 0) {
          block = passed.exchange(block);
          test_free(block);
        } else {
          test_free(block);
        }
      }
      size = random.Size(random.Below(100) == 0 ? 20 : 12);
      block = random.Below(2) == 0 ? test_malloc(size) : test_calloc(1, size);
      if (block != nullptr) {
        ASSERT_TRUE(memory.Has(block));
        Fill(block, Min(size, 64), size);
      }
    }
    for (auto& [block, size] : blocks) {
      void* const moved = test_realloc(block, 2 * size + 1);
      test_free(moved != nullptr ? moved : block);
    }
    for (int i = 0; i < 50; ++i) {
      test_arena_options options = {};
      options.struct_size = sizeof(options);
      options.mode = i % 2 == 0 ? test_arena_general : test_arena_monotonic;
      options.reserve = i % 5 == 0 ? kMiB : 0;
      options.name = i % 3 == 0 ? "some" : nullptr;
      test_arena* const arena = test_arena_create(&options);
      if (arena == nullptr) continue;
      options.parent = arena;
      test_arena* const child = test_arena_create(&options);
      for (int j = 0; j < 200; ++j) test_arena_malloc(arena, j * 20);
      if (child != nullptr) test_arena_malloc(child, 100000);
      if (i % 7 == 0) test_arena_reset(arena);
      test_arena_destroy(arena);
    }
    test_purge();
    test_thread_detach();
  };
  RunThreads(3, work);
  work(9);
  test_free(passed.exchange(nullptr));
  test_thread_detach();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().threads, 0u);
  EXPECT_EQ(Live(memory.get() + kMiB), 0u);
  EXPECT_EQ(test_shutdown(), 0);
}

TEST_F(AloneTest, RecoversFromExhaustion) {
  const Mapping memory(4 * kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  // What is made once stays: the table of arenas and its objects.
  test_arena_destroy(test_arena_create(nullptr));
  size_t first[2] = {};
  for (int round = 0; round < 10; ++round) {
    std::vector<void*> blocks;
    const size_t size = round % 2 == 0 ? 100 : 30000;
    for (;;) {
      void* const block = test_malloc(size);
      if (block == nullptr) break;
      blocks.push_back(block);
    }
    EXPECT_GT(blocks.size() * size, 3 * kMiB) << round;
    size_t& expected = first[round % 2];
    if (round < 2) expected = blocks.size();
    EXPECT_EQ(blocks.size(), expected) << round;
    EXPECT_EQ(test_calloc(1, kMiB), nullptr);
    void* const kept = blocks.front();
    Fill(kept, size, 1);
    EXPECT_EQ(test_realloc(kept, kMiB), nullptr);
    EXPECT_TRUE(IsFilled(kept, size, 1));
    test_arena* const arena = test_arena_create(nullptr);
    EXPECT_EQ(test_arena_malloc(arena, kMiB), nullptr);
    test_arena_destroy(arena);
    for (void* block : blocks) test_free(block);
    test_thread_detach();
    EXPECT_EQ(Stats().blocks_live, 0u);
  }
}

// A thread that does not say that it ends keeps its heap, and shutdown waits.
TEST_F(AloneTest, AThreadLivesUntilItDetaches) {
  const Mapping memory(kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  Heap* theirs = nullptr;
  std::thread([&] {
    test_free(test_malloc(1));
    theirs = ThreadHeap();
  }).join();
  test_free(test_malloc(1));
  EXPECT_NE(ThreadHeap(), theirs);
  EXPECT_EQ(test_shutdown(), EBUSY);
  test_abandon();
}

TEST_F(AloneTest, OneThreadTakesOverWhatAnotherDetached) {
  const Mapping memory(kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  for (int i = 0; i < 100; ++i) {
    std::thread([] {
      void* const block = test_malloc(100);
      EXPECT_NE(block, nullptr);
      test_free(block);
      test_thread_detach();
    }).join();
  }
  EXPECT_EQ(Stats().threads, 0u);
}

TEST_F(AloneTest, StopsAtMisuse) {
  const Mapping memory(kMiB);
  ASSERT_EQ(test_donate(memory.get(), memory.size()), 0);
  test_free(test_malloc(1));
  EXPECT_DEATH(test_free(memory.get() + 100), "");
  // What the instance's own objects lie in is no block.
  EXPECT_EQ(test_owns(ThreadHeap()), 0);
  EXPECT_DEATH(test_free(ThreadHeap()), "");
  // Handles of places that the table does not have.
  test_arena_destroy(test_arena_create(nullptr));
  EXPECT_DEATH(test_arena_destroy(
                   reinterpret_cast<test_arena*>(MakeHandle(1, kArenasMax))),
               "use of arena 1");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
