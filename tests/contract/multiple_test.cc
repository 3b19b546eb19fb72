// alloc_at_multiple: blocks at multiples of any number.
#include <cerrno>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using MultipleTest = ContractTest;
using ArenaMultipleTest = ArenaModesTest;

constexpr size_t kGiB = 1024 * kMiB;

bool IsAt(const void* block, size_t multiple) {
  return reinterpret_cast<uintptr_t>(block) % multiple == 0;
}

// Whether one can be had, as the header says it.
bool MayBe(size_t multiple) {
  return multiple != 0 && multiple <= kGiB &&
         std::lcm(multiple, 64 * kKiB) <= kGiB;
}

TEST_F(MultipleTest, EveryNumberWithEveryKindOfSize) {
  std::vector<size_t> multiples(200);
  std::iota(multiples.begin(), multiples.end(), 1);
  multiples.insert(multiples.end(),
                   {1000, 1001, 3 * 4096, 4095, 4097, 16383, 15 << 16, 100000,
                    3 << 20, 5 << 16, 16383 << 16, 16384, 65536, 1 << 26});
  for (const size_t multiple : multiples) {
    ASSERT_TRUE(MayBe(multiple)) << multiple;
    for (const size_t size : kSizesOfAllKinds) {
      void* blocks[3];
      for (void*& block : blocks) {
        block = subject::alloc_at_multiple(multiple, size);
        ASSERT_NE(block, nullptr) << multiple << " " << size;
        ASSERT_TRUE(IsAt(block, multiple))
            << multiple << " " << size << " " << block;
        ASSERT_GE(subject::malloc_usable_size(block), size);
        if (size <= 64 * kKiB) Fill(block, size, multiple);
      }
      for (void* const block : blocks) {
        if (size <= 64 * kKiB) {
          ASSERT_TRUE(Holds(block, size, multiple));
        }
        subject::free(block);
      }
    }
  }
}

// They come from slabs: no memory but theirs.
TEST_F(MultipleTest, ShortBlocksTakeNoMoreThanOthers) {
  for (const size_t multiple :
       {24, 48, 40, 56, 72, 80, 3, 7, 15, 96, 240, 31, 33, 62}) {
    for (const size_t size : {size_t{8}, size_t{24}, size_t{100}, kKiB}) {
      std::vector<void*> blocks;
      // What is there to begin with: a slab for the class.
      blocks.push_back(subject::alloc_at_multiple(multiple, size));
      for (int i = 0; i < 20; ++i) {
        blocks.push_back(subject::alloc_at_multiple(multiple, size));
        ASSERT_LE(subject::malloc_usable_size(blocks.back()),
                  2 * std::max(std::max(size, size_t{16}), multiple))
            << multiple << " " << size;
      }
      for (void* const block : blocks) subject::free(block);
    }
  }
}

// One unit more than the least span, at the most.
TEST_F(MultipleTest, OthersTakeAShortSpan) {
  void* const block = subject::alloc_at_multiple(1001, kKiB);
  EXPECT_LE(subject::malloc_usable_size(block), 128 * kKiB);
  subject::free(block);
}

TEST_F(MultipleTest, RefusesWhatCannotBe) {
  for (const size_t multiple :
       {size_t{0}, 2 * kGiB, kGiB + 1, size_t{65537}, size_t{16385}, SIZE_MAX,
        SIZE_MAX / 2 + 1, SIZE_MAX - 1, size_t{3} << 62}) {
    ASSERT_FALSE(MayBe(multiple)) << multiple;
    EXPECT_EQ(ErrnoAfter([&] {
                EXPECT_EQ(subject::alloc_at_multiple(multiple, 1), nullptr);
              }),
              ErrnoOf(EINVAL))
        << multiple;
  }
  for (const size_t multiple : {size_t{8}, size_t{24}, size_t{1001}, kGiB}) {
    for (const size_t size : {SIZE_MAX, SIZE_MAX - multiple, size_t{1} << 48}) {
      EXPECT_EQ(ErrnoAfter([&] {
                  EXPECT_EQ(subject::alloc_at_multiple(multiple, size),
                            nullptr);
                }),
                ErrnoOf(ENOMEM))
          << multiple << " " << size;
    }
  }
}

TEST_F(MultipleTest, UpToAGibibyte) {
  if (Config()["region_reserve_mib"] == "4")
    GTEST_SKIP() << "ranges are too short";
  for (const size_t multiple : {kGiB, kGiB / 2, size_t{3} << 28}) {
    void* const block = subject::alloc_at_multiple(multiple, 100);
    ASSERT_NE(block, nullptr) << multiple;
    EXPECT_TRUE(IsAt(block, multiple));
    subject::free(block);
  }
}

TEST_P(ArenaMultipleTest, InAnArena) {
  const ScopedArena arena(Options());
  for (const size_t multiple : {1, 8, 16, 24, 64, 100, 1001, 12288, 196608}) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, 100 * kKiB}) {
      void* const block =
          subject::arena_alloc_at_multiple(arena, multiple, size);
      ASSERT_NE(block, nullptr) << multiple << " " << size;
      EXPECT_TRUE(IsAt(block, multiple)) << multiple << " " << size;
      EXPECT_EQ(subject::arena_of(block), arena);
      Fill(block, size, multiple);
      EXPECT_TRUE(Holds(block, size, multiple));
      subject::free(block);
    }
  }
  EXPECT_EQ(ErrnoAfter([&] {
              EXPECT_EQ(subject::arena_alloc_at_multiple(arena, 0, 8), nullptr);
            }),
            ErrnoOf(EINVAL));
}

INSTANTIATE_IN_BOTH_MODES(ArenaMultipleTest);

}  // namespace
}  // namespace contract
