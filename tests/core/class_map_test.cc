#include "core/slab/class_map.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

TEST(ClassMap, FieldsDoNotMeet) {
  for (SizeClass c = 0; c < kClassLimit; ++c) {
    for (const HeapNumber heap :
         {HeapNumber{1}, HeapNumber{0x1234}, HeapNumber{kHeapNumberMax}}) {
      const MapEntry entry = MakeEntry(c, heap);
      ASSERT_EQ(ClassOfEntry(entry), c);
      ASSERT_EQ(HeapOfEntry(entry), heap);
      ASSERT_EQ(BinOffsetOfEntry(entry), c << kBinShift);
      ASSERT_LE(BinOffsetOfEntry(entry), kBinOffsetMax);
    }
  }
}

// What the fast path of free relies on.
TEST(ClassMap, EntriesLessThoseOfAHeapAreBinsOnlyForItsOwn) {
  for (const HeapNumber heap :
       {HeapNumber{1}, HeapNumber{7}, HeapNumber{kHeapNumberMax}}) {
    const MapEntry own = MakeEntry(0, heap);
    for (SizeClass c = 0; c < kClassLimit; ++c) {
      EXPECT_EQ(MakeEntry(c, heap) - own, c << kBinShift);
      const auto other = static_cast<HeapNumber>(heap - 1);
      EXPECT_GT(MakeEntry(c, other) - own, kBinOffsetMax);
      EXPECT_EQ(BinOffsetOfEntry(MakeEntry(c, other) - own), c << kBinShift);
    }
    EXPECT_GT(MapEntry{0} - own, kBinOffsetMax) << "a unit in no span";
  }
}

class ClassMapTest : public testing::Test {
 protected:
  ClassMapTest() : range_(Range::Create(kRangeGranule)) {}
  ~ClassMapTest() override { Range::Destroy(range_); }
  MapEntry At(size_t index) const { return EntryOf(*range_, index); }

  static constexpr HeapNumber kHeap = 5;
  Range* range_;
};

TEST_F(ClassMapTest, Slab) {
  EnterSlab(*range_, 3, 8, MakeEntry(40, kHeap));
  EXPECT_EQ(At(2), 0u);
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(ClassOfEntry(At(3 + i)), 40u);
    EXPECT_EQ(HeapOfEntry(At(3 + i)), kHeap);
  }
  EXPECT_EQ(At(11), 0u);
  EraseUnits(*range_, 3, 8);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(At(i), 0u);
}

TEST_F(ClassMapTest, SpanAndItsGrowth) {
  EnterSpan(*range_, 4, 1, 16, kHeap);
  EXPECT_EQ(ClassOfEntry(At(4)), SpanClass(16));
  for (size_t i = 5; i < 20; ++i)
    EXPECT_EQ(ClassOfEntry(At(i)), kInteriorClass);
  EXPECT_EQ(At(20), 0u);
  EnterSpan(*range_, 4, 16, 17, kHeap);
  EXPECT_EQ(ClassOfEntry(At(4)), kHugeClass);
  EXPECT_EQ(ClassOfEntry(At(20)), kInteriorClass);
  EXPECT_EQ(At(21), 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
