#include "core/region/range.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kNone = UnitMap::kNone;
constexpr size_t kMiB = size_t{1} << 20;

class RangeTest : public testing::Test {
 protected:
  RangeTest() : mapped_(fake::MappedBytes()), range_(Range::Create(kSize)) {}
  ~RangeTest() override {
    if (range_ != nullptr) Range::Destroy(range_);
    EXPECT_EQ(fake::MappedBytes(), mapped_);
  }

  static constexpr size_t kSize = 16 * kMiB;
  int64_t mapped_;
  Range* range_;
  bool zero_ = false;
};

TEST_F(RangeTest, CoversItsAddresses) {
  ASSERT_NE(range_, nullptr);
  EXPECT_EQ(range_->size(), kSize);
  EXPECT_EQ(AddressOf(range_->base()) % (2 * kMiB), 0u);
  EXPECT_TRUE(range_->Contains(range_->base()));
  EXPECT_TRUE(range_->Contains(range_->base() + kSize - 1));
  EXPECT_FALSE(range_->Contains(range_->base() + kSize));
  EXPECT_FALSE(range_->Contains(range_->base() - 1));
  EXPECT_FALSE(range_->Contains(nullptr));
  EXPECT_EQ(range_->IndexOf(range_->base() + 3 * kUnit + 5), 3u);
  EXPECT_EQ(range_->AddressOfUnit(3), range_->base() + 3 * kUnit);
}

// What is kept for the units neither overlaps nor leaves the metadata's
// mapping.
TEST_F(RangeTest, MetadataDoesNotOverlap) {
  const size_t units = kSize / kUnit;
  for (size_t i = 0; i < units; ++i) {
    memset(range_->descriptor(i), 1, kDescriptorBytes);
    memset(range_->bits(i), 2, kBitBytes);
    *range_->class_map_slot(i) = 0x03030303;
  }
  for (size_t i = 0; i < units; ++i) {
    EXPECT_EQ(*static_cast<char*>(range_->descriptor(i)), 1);
    EXPECT_EQ(*static_cast<char*>(range_->bits(i)), 2);
    EXPECT_EQ(*range_->class_map_slot(i), 0x03030303u);
    EXPECT_EQ(range_->IndexOfDescriptor(range_->descriptor(i)), i);
    EXPECT_EQ(AddressOf(range_->descriptor(i)) % 64, 0u);
    EXPECT_EQ(AddressOf(range_->bits(i)) % 8, 0u);
  }
  EXPECT_EQ(range_->Allocate(units, 1, &zero_), 0u) << "the unit map is intact";
}

TEST_F(RangeTest, AllocatesAccessibleZeroes) {
  const size_t first = range_->Allocate(3, 1, &zero_);
  ASSERT_EQ(first, 0u);
  EXPECT_TRUE(zero_);
  EXPECT_TRUE(IsZero(range_->AddressOfUnit(0), 3 * kUnit));
  memset(range_->AddressOfUnit(0), 1, 3 * kUnit);
  range_->Free(0, 3, true);
  ASSERT_EQ(range_->Allocate(1, 1, &zero_), 0u);
  EXPECT_FALSE(zero_);
}

TEST_F(RangeTest, CommitsInChunks) {
  const size_t chunk = Min(Config::kCommitChunk, kSize);
  const fake::CallCounter commits(Primitive::kCommit);
  range_->Allocate(1, 1, &zero_);
  EXPECT_EQ(commits.calls(), 1u);
  EXPECT_EQ(commits.bytes(), chunk);
  EXPECT_EQ(range_->committed(), chunk);
  range_->Allocate(1, 1, &zero_);
  EXPECT_EQ(commits.calls(), chunk > kUnit ? 1u : 2u);
  EXPECT_NE(range_->Allocate(kSize / kUnit - 2, 1, &zero_), kNone);
  EXPECT_EQ(range_->committed(), kSize);
}

TEST_F(RangeTest, CommitsLessWhereTheChunkIsRefused) {
  if (Config::kCommitChunk == kUnit) GTEST_SKIP() << "chunks of one unit";
  const ScopedFailures failures(Primitive::kCommit, Failures::Nth(1));
  EXPECT_EQ(range_->Allocate(1, 1, &zero_), 0u);
  EXPECT_EQ(range_->committed(), kUnit);
}

TEST_F(RangeTest, CommitFailure) {
  {
    const ScopedFailures failures(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(range_->Allocate(2, 1, &zero_), Range::kRefused);
    EXPECT_FALSE(range_->Extend(0, 5));
  }
  EXPECT_EQ(range_->units().used(), 0u);
  EXPECT_EQ(range_->committed(), 0u);
  EXPECT_EQ(range_->Allocate(2, 1, &zero_), 0u);
  EXPECT_TRUE(zero_);
}

TEST_F(RangeTest, Extend) {
  ASSERT_EQ(range_->Allocate(2, 1, &zero_), 0u);
  ASSERT_EQ(range_->Allocate(2, 1, &zero_), 2u);
  EXPECT_FALSE(range_->Extend(2, 1));
  EXPECT_TRUE(range_->Extend(4, 100));
  memset(range_->AddressOfUnit(4), 1, 100 * kUnit);
  EXPECT_FALSE(range_->Extend(104, kSize / kUnit));
}

TEST_F(RangeTest, PurgeGivesBackWhatIsFree) {
  ASSERT_EQ(range_->Allocate(200, 1, &zero_), 0u);
  memset(range_->base(), 0x5a, 200 * kUnit);
  range_->Free(10, 150, true);
  const fake::CallCounter purges(Primitive::kPurge);
  EXPECT_EQ(range_->Purge(), 150 * kUnit);
  EXPECT_GE(purges.calls(), 3u) << "in runs of 64 units at most";
  EXPECT_EQ(purges.bytes(), 150 * kUnit);
  EXPECT_EQ(range_->Purge(), 0u) << "once";
  ASSERT_EQ(range_->Allocate(150, 1, &zero_), 10u);
  EXPECT_TRUE(zero_);
  EXPECT_TRUE(IsZero(range_->AddressOfUnit(10), 150 * kUnit));
  EXPECT_EQ(range_->base()[10 * kUnit - 1], 0x5a) << "what is in use stays";
  EXPECT_EQ(range_->base()[160 * kUnit], 0x5a);
}

TEST_F(RangeTest, PurgeThatFailsChangesNothing) {
  ASSERT_EQ(range_->Allocate(100, 1, &zero_), 0u);
  range_->Free(0, 100, true);
  {
    const ScopedFailures failures(Primitive::kPurge, Failures::Nth(1));
    EXPECT_EQ(range_->Purge(), 36 * kUnit) << "the second run";
  }
  EXPECT_EQ(range_->units().dirty(), 64u);
  ASSERT_EQ(range_->Allocate(64, 1, &zero_), 0u);
  EXPECT_FALSE(zero_) << "its contents are undefined";
  range_->Free(0, 64, true);
  EXPECT_EQ(range_->Purge(), 64 * kUnit);
}

// While the system purges a run, no other thread can be given a unit of it.
TEST_F(RangeTest, UnitsBeingPurgedAreOutOfReach) {
  ASSERT_EQ(range_->Allocate(100, 1, &zero_), 0u);
  range_->Free(0, 64, true);
  struct Context {
    Range* range;
    size_t got;
  } context{range_, 0};
  const fake::ScopedHook hook(
      Primitive::kPurge,
      [](void* raw) {
        auto* const c = static_cast<Context*>(raw);
        bool zero;
        c->got = c->range->Allocate(1, 1, &zero);
      },
      &context);
  EXPECT_EQ(range_->Purge(), 64 * kUnit);
  EXPECT_EQ(context.got, 100u);
}

TEST_F(RangeTest, CreateFails) {
  const int64_t before = fake::MappedBytes();
  {
    const ScopedFailures failures(Primitive::kReserve, Failures::Always());
    EXPECT_EQ(Range::Create(kSize), nullptr);
  }
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(Range::Create(kSize), nullptr);
  }
  EXPECT_EQ(fake::MappedBytes(), before) << "nothing is left";
}

// The class map of the first units, the range and the first descriptors share a
// page.
TEST_F(RangeTest, YoungRangesCostFewPagesOfMetadata) {
  // The smallest that a knob allows to begin with, and a large one.
  for (const size_t size : {kRangeGranule, size_t{64} << 30}) {
    Range* const range = Range::Create(size);
    ASSERT_NE(range, nullptr);
    const uintptr_t page = AddressOf(range) >> 12;
    EXPECT_EQ(AddressOf(range->class_map_slot(0)) >> 12, page);
    EXPECT_EQ(AddressOf(range->class_map_slot(63)) >> 12, page);
    EXPECT_EQ(AddressOf(range->descriptor(0)) >> 12, page);
    EXPECT_EQ(AddressOf(range->descriptor(7)) >> 12, page);
    Range::Destroy(range);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
