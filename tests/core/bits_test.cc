#include "core/base/bits.h"

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

TEST(Bits, IsPowerOfTwo) {
  EXPECT_FALSE(IsPowerOfTwo(0));
  for (unsigned shift = 0; shift < 64; ++shift) {
    const size_t n = size_t{1} << shift;
    EXPECT_TRUE(IsPowerOfTwo(n));
    if (shift > 1) {
      EXPECT_FALSE(IsPowerOfTwo(n - 1));
    }
    if (shift > 0) {
      EXPECT_FALSE(IsPowerOfTwo(n + 1));
    }
  }
  EXPECT_FALSE(IsPowerOfTwo(~size_t{0}));
}

TEST(Bits, Rounding) {
  EXPECT_EQ(RoundUp(0, 16), 0u);
  EXPECT_EQ(RoundUp(1, 16), 16u);
  EXPECT_EQ(RoundUp(16, 16), 16u);
  EXPECT_EQ(RoundUp(17, 16), 32u);
  EXPECT_EQ(RoundUp(5, 1), 5u);
  EXPECT_EQ(RoundUp(~size_t{0} - 15, 16), ~size_t{0} - 15);
  EXPECT_EQ(RoundDown(0, 16), 0u);
  EXPECT_EQ(RoundDown(15, 16), 0u);
  EXPECT_EQ(RoundDown(16, 16), 16u);
  EXPECT_EQ(RoundDown(~size_t{0}, 16), ~size_t{0} - 15);
}

TEST(Bits, LowestAndHighest) {
  for (unsigned low = 0; low < 64; ++low) {
    for (unsigned high = low; high < 64; ++high) {
      const uint64_t word = uint64_t{1} << low | uint64_t{1} << high;
      EXPECT_EQ(LowestBit(word), low);
      EXPECT_EQ(HighestBit(word), high);
    }
  }
}

TEST(Bits, CountBits) {
  EXPECT_EQ(CountBits(0), 0u);
  EXPECT_EQ(CountBits(~uint64_t{0}), 64u);
  uint64_t word = 0x9e3779b97f4a7c15;
  for (int i = 0; i < 10000; ++i) {
    word ^= word << 13;
    word ^= word >> 7;
    word ^= word << 17;
    ASSERT_EQ(CountBits(word),
              static_cast<unsigned>(__builtin_popcountll(word)))
        << word;
  }
}

TEST(Bits, BitRange) {
  for (unsigned first = 0; first < 64; ++first) {
    for (unsigned count = 1; first + count <= 64; ++count) {
      const uint64_t range = BitRange(first, count);
      ASSERT_EQ(CountBits(range), count);
      ASSERT_EQ(LowestBit(range), first);
      ASSERT_EQ(HighestBit(range), first + count - 1);
    }
  }
}

TEST(Bits, MinMax) {
  EXPECT_EQ(Min(1, 2), 1u);
  EXPECT_EQ(Min(2, 1), 1u);
  EXPECT_EQ(Max(0, ~size_t{0}), ~size_t{0});
  EXPECT_EQ(Max(3, 3), 3u);
}

TEST(Bits, AddressOf) {
  int object = 0;
  EXPECT_EQ(AddressOf(&object), reinterpret_cast<uintptr_t>(&object));
  EXPECT_EQ(AddressOf(nullptr), 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
