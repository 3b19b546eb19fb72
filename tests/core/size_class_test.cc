#include "core/size/size_class.h"

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

TEST(SizeClass, EverySizeFitsItsClassAndNoSmallerOne) {
  for (size_t size = 0; size <= kSlabMax; ++size) {
    const SizeClass c = ClassOfSize(size);
    ASSERT_GE(c, 1u);
    ASSERT_LE(c, kSlabClasses);
    ASSERT_GE(InfoOf(c).size, size);
    if (c > 1) {
      ASSERT_LT(InfoOf(c - 1).size, size == 0 ? 1 : size);
    }
    if (size <= kLookupMax) {
      ASSERT_EQ(LookupClass(size), c);
    }
  }
}

TEST(SizeClass, RoundingIsAtMostAFifthFrom64On) {
  for (size_t size = 65; size <= kSlabMax; ++size) {
    const size_t rounded = InfoOf(ClassOfSize(size)).size;
    ASSERT_LE((rounded - size) * 5, rounded) << size;
  }
}

TEST(SizeClass, Alignment) {
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    EXPECT_EQ(InfoOf(c).size % (c == 1 ? 8 : 16), 0u) << c;
  }
  // What AlignedClass in core/api relies on.
  for (size_t alignment = 16; alignment <= kUnit; alignment *= 2) {
    EXPECT_EQ(kSlabMax % alignment, 0u);
  }
}

TEST(SizeClass, SlabsHoldAtLeastEightBlocksAndWasteLittle) {
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const ClassInfo& info = InfoOf(c);
    const size_t bytes = info.units * kUnit;
    EXPECT_GE(info.blocks, 8u) << c;
    EXPECT_LE(info.blocks, kBlocksMax);
    EXPECT_LE(size_t{info.blocks} * info.size, bytes);
    if (c > 1) {
      EXPECT_LE((bytes - size_t{info.blocks} * info.size) * 8, bytes) << c;
    }
  }
}

TEST(SizeClass, InverseDivides) {
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const ClassInfo& info = InfoOf(c);
    for (size_t offset = 0; offset < info.units * kUnit; ++offset) {
      ASSERT_EQ(offset * info.inverse >> kInverseShift, offset / info.size)
          << c;
    }
  }
}

TEST(SizeClass, KindsDoNotOverlap) {
  EXPECT_FALSE(IsSlabClass(0));
  EXPECT_TRUE(IsSlabClass(1));
  EXPECT_TRUE(IsSlabClass(kSlabClasses));
  EXPECT_FALSE(IsSlabClass(kSlabClasses + 1));
  EXPECT_FALSE(IsSlabClass(kHugeClass));
  EXPECT_FALSE(IsSlabClass(kInteriorClass));
  EXPECT_LT(kInteriorClass, kClassLimit);
}

TEST(SizeClass, Spans) {
  EXPECT_EQ(SpanUnits(1), 2u);
  EXPECT_EQ(SpanUnits(kUnit + 1), 2u);
  EXPECT_EQ(SpanUnits(2 * kUnit), 2u);
  EXPECT_EQ(SpanUnits(2 * kUnit + 1), 3u);
  EXPECT_EQ(SpanUnits(kRequestMax), kRequestMax >> kUnitShift);
  for (size_t units = 2; units <= kSpanUnitsMax; ++units) {
    const SizeClass c = SpanClass(units);
    if (units > kExactUnitsMax) {
      EXPECT_GE(UnitsOfSpanClass(c), units);
      EXPECT_LT(UnitsOfSpanClass(c - 1), units);
      EXPECT_LE(UnitsOfSpanClass(c), units + (units - 1) / 4);
      EXPECT_EQ(SpanUnits(units * kUnit), UnitsOfSpanClass(c));
      continue;
    }
    EXPECT_GT(c, kSlabClasses);
    EXPECT_LE(c, kCachedClasses);
    EXPECT_EQ(UnitsOfSpanClass(c), units);
  }
  EXPECT_EQ(SpanClass(2), kSlabClasses + 1);
  EXPECT_EQ(SpanClass(kSpanUnitsMax), kCachedClasses);
  EXPECT_EQ(SpanClass(kSpanUnitsMax + 1), kHugeClass);
  EXPECT_EQ(SpanClass(size_t{1} << 40), kHugeClass);
}

TEST(SizeClass, GoodSize) {
  EXPECT_EQ(GoodSize(0), 8u);
  EXPECT_EQ(GoodSize(8), 8u);
  EXPECT_EQ(GoodSize(9), 16u);
  EXPECT_EQ(GoodSize(kSlabMax), kSlabMax);
  EXPECT_EQ(GoodSize(kSlabMax + 1), 2 * kUnit);
  EXPECT_EQ(GoodSize(5 * kUnit), 5 * kUnit);
  EXPECT_EQ(GoodSize(kRequestMax), kRequestMax);
  EXPECT_EQ(GoodSize(kRequestMax + 1), 0u);
  EXPECT_EQ(GoodSize(~size_t{0}), 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
