// With `guard_pages` whoever runs off the end of a slab or of a large block, or uses
// what went back to the region, is stopped by the CPU.
#include <sys/mman.h>

#include "core/api/allocate.h"
#include "core/heap/large.h"
#include "tests/core/misuse.h"
#include "tests/platform/mappings.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kGuardPages);

class GuardTest : public InstanceTest {
 protected:
  static bool IsThere(const void* p) {
    return platform::IsReadable(
        reinterpret_cast<const void*>(RoundDown(AddressOf(p), 8)));
  }
  // One past the span that `p` is in.
  static char* EndOfSpan(const void* p) {
    const Range* const range = g_instance.region.RangeOf(p);
    size_t unit = range->IndexOf(p);
    const MapEntry entry = EntryOf(*range, unit);
    const auto* slab = static_cast<const Slab*>(range->descriptor(unit));
    if (IsSlabClass(ClassOfEntry(entry)) || ClassOfEntry(entry) == kArenaClass)
      slab -= slab->place;
    return slab->start + (size_t{slab->units} << kUnitShift);
  }
  static void ExpectGuarded(const void* p) {
    EXPECT_TRUE(IsThere(p));
    EXPECT_TRUE(IsThere(EndOfSpan(p) - 1));
    EXPECT_FALSE(IsThere(EndOfSpan(p)));
    EXPECT_FALSE(IsThere(EndOfSpan(p) + kUnit - 1));
  }
};
using GuardDeathTest = GuardTest;

TEST_F(GuardTest, BehindEachSpanAndBeforeTheFirst) {
  for (const size_t size : {16, 1000, 20000, 70000, 200000, 2000000}) {
    for (int i = 0; i < 3; ++i) {
      auto* const block = static_cast<char*>(test_malloc(size));
      memset(block, 1, size);
      ExpectGuarded(block);
    }
  }
  ExpectGuarded(test_aligned_alloc(size_t{1} << 20, 100));
  EXPECT_FALSE(IsThere(g_instance.region.range(0)->base()));
}

TEST_F(GuardDeathTest, ACopyThatRunsOff) {
  for (const size_t size : {64, 20000, 100000}) {
    EXPECT_EXIT(
        {
          auto* const block = static_cast<char*>(test_malloc(size));
          *static_cast<volatile char*>(EndOfSpan(block)) = 1;
        },
        testing::KilledBySignal(SIGSEGV), "");
  }
}

TEST_F(GuardDeathTest, AUseOfWhatWentBack) {
  EXPECT_EXIT(
      {
        auto* const block = static_cast<volatile char*>(test_malloc(3000000));
        *block = 1;
        test_free(const_cast<char*>(block));
        test_thread_detach();
        *block = 2;
      },
      testing::KilledBySignal(SIGSEGV), "");
}

// The guard moves with the end.
TEST_F(GuardTest, WhereABlockGrowsAndShrinks) {
  auto* const block = static_cast<char*>(test_malloc(300000));
  for (const size_t size : {1000000, 400000, 2000000, 130000, 3000000}) {
    const size_t is = test_try_realloc_in_place(block, size, size);
    EXPECT_GE(is, size);
    memset(block, 1, is);
    ExpectGuarded(block);
  }
  EXPECT_EQ(EndOfSpan(block),
            block + (SpanUnits(3000000 + kCanaryBytes) << kUnitShift));
  test_free(block);
  // realloc, which moves the pages of long ones.
  auto* moving = static_cast<char*>(test_malloc(2000000));
  Fill(moving, 2000000, 3);
  void* const in_the_way = test_malloc(2000000);
  for (const size_t size : {5000000, 9000000, 70000}) {
    moving = static_cast<char*>(test_realloc(moving, size));
    EXPECT_TRUE(IsFilled(moving, Min(size, 2000000), 3));
    ExpectGuarded(moving);
  }
  test_free(in_the_way);
  test_free(moving);
}

TEST_F(GuardTest, InArenas) {
  for (const uint32_t mode :
       {uint32_t{test_arena_general}, uint32_t{test_arena_monotonic}}) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    options.reserve = 1 << 20;  // a hint that is not taken
    test_arena* const arena = test_arena_create(&options);
    std::vector<void*> blocks;
    for (const size_t size : {16, 1000, 20000, 70000, 2000000}) {
      blocks.push_back(test_arena_malloc(arena, size));
      memset(blocks.back(), 1, size);
      ExpectGuarded(blocks.back());
    }
    void* const large = blocks.back();
    test_try_realloc_in_place(large, 3000000, 3000000);
    ExpectGuarded(large);
    test_try_realloc_in_place(large, 0, 200000);
    ExpectGuarded(large);
    test_arena_destroy(arena);
    test_purge();
    for (const void* const block : blocks) EXPECT_FALSE(IsThere(block));
  }
}

TEST_F(GuardTest, AreNotCounted) {
  void* const small = test_malloc(16);
  void* const large = test_malloc(5 * kUnit - 100);
  EXPECT_EQ(Stats().bytes_spans, 6 * kUnit);
  EXPECT_EQ(Stats().bytes_committed, 6 * kUnit);
  test_free(large);
  test_free(small);
  test_thread_detach();
  EXPECT_EQ(Stats().bytes_spans, 0u);
  EXPECT_EQ(Stats().bytes_committed, 0u);
}

// Nothing is lost where spans come and go, long ones over short ones.
TEST_F(GuardTest, UnitsComeBack) {
  Random random;
  std::vector<std::pair<char*, size_t>> blocks;
  for (int i = 0; i < 500; ++i) {
    if (blocks.size() < 20 || random.Below(2) == 0) {
      const size_t size = 65536 + random.Below(1000000);
      blocks.emplace_back(static_cast<char*>(test_malloc(size)), size);
      blocks.back().first[0] = blocks.back().first[size - 1] = 1;
    } else {
      std::swap(blocks[random.Below(blocks.size())], blocks.back());
      if (random.Below(2) == 0) {
        test_try_realloc_in_place(blocks.back().first, 0,
                                  65536 + random.Below(500000));
      }
      test_free(blocks.back().first);
      blocks.pop_back();
    }
  }
  for (const auto& [block, size] : blocks) test_free(block);
  test_thread_detach();
  EXPECT_EQ(Stats().bytes_spans, 0u);
  EXPECT_EQ(g_instance.region.range(0)->units().used(), 1u)
      << "the first guard";
  EXPECT_EQ(g_instance.region.range(0)->guards(), 1u);
}

TEST_F(GuardTest, WhereTheSystemRefuses) {
  {
    const ScopedFailures failures(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(test_malloc(100), nullptr);
    EXPECT_EQ(test_malloc(1000000), nullptr);
  }
  auto* const block = static_cast<char*>(test_malloc(1000000));
  ASSERT_NE(block, nullptr);
  {
    const ScopedFailures failures(Primitive::kCommit, Failures::Always());
    EXPECT_LT(test_try_realloc_in_place(block, 5000000, 5000000), 5000000u);
  }
  ExpectGuarded(block);
  // Without a mapping to spare free memory stays as it is.
  const ScopedFailures failures(Primitive::kProtect, Failures::Always());
  test_free(block);
  auto* const again = static_cast<char*>(test_malloc(1000000));
  memset(again, 1, 1000000);
  test_free(again);
}

TEST_F(GuardTest, DonatedMemoryIsAsItWas) {
  constexpr size_t kSize = 32 * kUnit;
  char* const memory =
      static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memset(memory, 0x77, kSize);
  ASSERT_EQ(test_donate(memory, kSize), 0);
  for (const size_t size : {16, 1000, 100000}) {
    auto* const block = static_cast<char*>(test_malloc(size));
    EXPECT_LT(static_cast<size_t>(block - memory), kSize);
    memset(block, 1, size);
    test_free(block);
  }
  for (size_t at = 0; at < kSize; at += 4096) EXPECT_TRUE(IsThere(memory + at));
  EXPECT_EQ(test_shutdown(), 0);
  munmap(memory, kSize);
}

TEST_F(GuardTest, PartsOfABlockAreKeptUntilAllOfItIsGone) {
  auto* const block = static_cast<char*>(test_malloc(200000));
  const size_t size = test_malloc_usable_size(block);
  memset(block, 1, size);
  EXPECT_EQ(test_free_range(block, 65536), 0);
  EXPECT_EQ(block[0], 0) << "its memory is the system's again";
  EXPECT_EQ(block[65536], 1);
  for (int i = 0; i < 100; ++i) {
    auto* const other = static_cast<char*>(test_malloc(20000));
    EXPECT_GE(static_cast<size_t>(other - block), size);
    test_free(other);
  }
  EXPECT_EQ(test_free_range(static_cast<char*>(block) + 65536, size - 65536),
            0);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
