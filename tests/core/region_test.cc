#include "core/region/region.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class RegionTest : public testing::Test {
 protected:
  RegionTest() : mapped_(fake::MappedBytes()) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
  ~RegionTest() override {
    region_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped_);
  }
  unsigned Ranges() const {
    unsigned n = 0;
    while (n < Region::kRangesMax && region_.range(n) != nullptr) ++n;
    return n;
  }
  // The length of the range after one of this length.
  static size_t Grown(size_t size) {
    return RoundUp(size * ALCOVE_KNOB_region_growth_percent / 100,
                   kRangeGranule);
  }
  // Enough to fill what a range of the configured size has.
  static constexpr size_t kWhole = Config::kRegionReserve >> kUnitShift;

  int64_t mapped_;
  Region region_;
};
using RegionDeathTest = RegionTest;

TEST_F(RegionTest, EachFurtherRangeIsLongerAsTheKnobSays) {
  if (Config::kRegionReserve > 64 * kMiB)
    GTEST_SKIP() << "the first one is never used up";
  size_t expected = Config::kRegionReserve;
  for (unsigned i = 0; i < 5; ++i) {
    while (Ranges() == i) ASSERT_NE(region_.Allocate(16, kUnit).range, nullptr);
    EXPECT_EQ(region_.range(i)->size(), expected) << i;
    expected = Grown(expected);
  }
}

TEST_F(RegionTest, MapsNothingBeforeTheFirstAllocation) {
  EXPECT_EQ(fake::MappedBytes(), mapped_);
  EXPECT_EQ(region_.RangeOf(this), nullptr);
  EXPECT_EQ(region_.RangeOf(nullptr), nullptr);
  EXPECT_EQ(region_.PrimaryView().units, 0u);
  EXPECT_EQ(region_.Purge(), 0u);
}

TEST_F(RegionTest, TheFirstRangeIsFoundFast) {
  const Span span = region_.Allocate(2, kUnit);
  ASSERT_NE(span.range, nullptr);
  EXPECT_TRUE(span.zero);
  EXPECT_EQ(region_.RangeOf(span.start()), span.range);
  const Region::View view = region_.PrimaryView();
  EXPECT_EQ(view.class_map + view.SlotOf(span.start()),
            span.range->class_map_slot(span.first));
  EXPECT_EQ(view.class_map, span.range->class_map());
  EXPECT_EQ(view.units, span.range->units().units());
  EXPECT_EQ(view.SlotOf(span.range->base()), view.units - 1);
  EXPECT_EQ(view.SlotOf(span.range->base() + span.range->size() - 1), 0u);
  EXPECT_GE(view.SlotOf(span.range->base() - 1), view.units);
  EXPECT_GE(view.SlotOf(span.range->base() + span.range->size()), view.units);
  EXPECT_GE(view.SlotOf(nullptr), view.units);
}

TEST_F(RegionTest, TheRoomIsForOne) {
  auto* const room = static_cast<char*>(region_.TakeRoom(10000));
  ASSERT_NE(room, nullptr);
  EXPECT_EQ(AddressOf(room) % kCacheLine, 0u);
  for (size_t i = 0; i < 10000; ++i) ASSERT_EQ(room[i], 0) << i;
  EXPECT_EQ(region_.TakeRoom(10000), nullptr);
  // Beside what every free of a young instance reads, and nothing else.
  const Span span = region_.Allocate(1, kUnit);
  EXPECT_EQ(AddressOf(span.range->class_map_slot(0)) / 4096,
            AddressOf(room) / 4096);
  const uintptr_t end = AddressOf(room) + 10000;
  EXPECT_LE(AddressOf(span.range->class_map_slot(0) + 1), AddressOf(room));
  EXPECT_GE(AddressOf(span.range), end);
  EXPECT_GE(AddressOf(span.range->descriptor(0)), end);
}

TEST_F(RegionTest, NoRoomWhereTheFirstRangeIsThere) {
  region_.Allocate(1, kUnit);
  EXPECT_EQ(region_.TakeRoom(10000), nullptr);
}

TEST_F(RegionTest, Alignment) {
  for (size_t alignment = kUnit; alignment <= size_t{1} << 30; alignment *= 2) {
    const Span span = region_.Allocate(2, alignment);
    ASSERT_NE(span.range, nullptr) << alignment;
    EXPECT_EQ(AddressOf(span.start()) % alignment, 0u);
  }
}

TEST_F(RegionTest, GrowsByRanges) {
  if (kWhole > 1000) GTEST_SKIP() << "only where ranges are small";
  const Span first = region_.Allocate(kWhole, kUnit);
  ASSERT_NE(first.range, nullptr);
  const Span second = region_.Allocate(1, kUnit);
  ASSERT_NE(second.range, nullptr);
  EXPECT_NE(second.range, first.range);
  EXPECT_EQ(region_.RangeOf(second.start()), second.range);
  EXPECT_GE(region_.PrimaryView().SlotOf(second.start()),
            region_.PrimaryView().units);
  // One that is longer than a range usually is.
  const Span third = region_.Allocate(3 * kWhole, 4 * kMiB);
  ASSERT_NE(third.range, nullptr);
  EXPECT_EQ(AddressOf(third.start()) % (4 * kMiB), 0u);
  EXPECT_EQ(Ranges(), 3u);
  // What is freed is used again before the region grows.
  region_.Free(first, kWhole, true);
  const Span again = region_.Allocate(kWhole / 2, kUnit);
  EXPECT_EQ(again.range, first.range);
  EXPECT_EQ(Ranges(), 3u);
}

// Ranges of the least size must not bound what an instance can have.
TEST_F(RegionTest, GrowsFarBeyondTheFirstRange) {
  if (kWhole > 1000) GTEST_SKIP() << "only where ranges are small";
  constexpr size_t kWanted = size_t{4} << 30;
  size_t got = 0;
  for (; got < kWanted; got += 16 * kUnit) {
    if (region_.Allocate(16, kUnit).range == nullptr) break;
  }
  EXPECT_GE(got, kWanted) << "stopped after " << got / kMiB << " MiB in "
                          << Ranges() << " ranges";
}

TEST_F(RegionTest, RefusesWhatCannotBe) {
  EXPECT_EQ(region_.Allocate(SpanUnits(kRequestMax), kUnit).range, nullptr);
  EXPECT_EQ(region_.Allocate(size_t{1} << 40, kUnit).range, nullptr);
  EXPECT_EQ(region_.Allocate(size_t{1} << 31, size_t{1} << 30).range, nullptr);
  EXPECT_NE(region_.Allocate(1, kUnit).range, nullptr);
}

TEST_F(RegionTest, ReserveRefusedOnceAsksForLess) {
  const ScopedFailures failures(Primitive::kReserve, Failures::Nth(1));
  const Span span = region_.Allocate(1, kUnit);
  if (Config::kRegionReserve <= kRangeGranule) {
    EXPECT_EQ(span.range, nullptr) << "there is no less";
    return;
  }
  ASSERT_NE(span.range, nullptr);
  // Half was granted; an eighth of that leaves room for the rest of the
  // process.
  EXPECT_EQ(span.range->size(),
            Max(Config::kRegionReserve / 2 / 8, kRangeGranule));
  EXPECT_EQ(Ranges(), 1u);
}

// Where the system grants only the shortest ranges, time and again, a place is
// left for what it grants when it is generous.
TEST_F(RegionTest, ShortRangesLeavePlaces) {
  for (int i = 0; i < 100; ++i) {
    // Each range is to be longer than the one before, up to 128 GiB.
    size_t wanted = Config::kRegionReserve;
    for (unsigned n = Ranges(); n != 0 && wanted < size_t{128} << 30; --n)
      wanted = Grown(wanted);
    uint64_t refused = 0;
    for (; wanted > kRangeGranule; wanted = RoundUp(wanted / 2, kRangeGranule))
      ++refused;
    const ScopedFailures failures(Primitive::kReserve, {1, refused, 1});
    region_.Allocate(kRangeGranule / kUnit, kUnit);
  }
  EXPECT_GT(Ranges(), 10u);
  EXPECT_LT(Ranges(), Region::kRangesMax);
  EXPECT_NE(region_.Allocate(1000, kUnit).range, nullptr);
}

TEST_F(RegionTest, ReserveRefusedAlways) {
  {
    const ScopedFailures failures(Primitive::kReserve, Failures::Always());
    EXPECT_EQ(region_.Allocate(1, kUnit).range, nullptr);
    EXPECT_LT(failures.failed(), 64u) << "gives up soon";
  }
  EXPECT_EQ(fake::MappedBytes(), mapped_);
  EXPECT_NE(region_.Allocate(1, kUnit).range, nullptr);
}

TEST_F(RegionTest, MetadataRefusedAlways) {
  {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(region_.Allocate(1, kUnit).range, nullptr);
  }
  EXPECT_EQ(fake::MappedBytes(), mapped_);
  EXPECT_NE(region_.Allocate(1, kUnit).range, nullptr);
}

// Memory is refused, not address space: more of the latter would not help.
TEST_F(RegionTest, CommitRefusedAddsNoRanges) {
  ASSERT_NE(region_.Allocate(1, kUnit).range, nullptr);
  const size_t committed = region_.range(0)->committed() >> kUnitShift;
  if (committed >= kWhole) GTEST_SKIP() << "committed whole";
  {
    const ScopedFailures failures(Primitive::kCommit, Failures::Always());
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(region_.Allocate(committed, kUnit).range, nullptr);
    }
  }
  EXPECT_EQ(Ranges(), 1u);
  EXPECT_NE(region_.Allocate(committed, kUnit).range, nullptr);
}

TEST_F(RegionTest, ReleaseIsABeginning) {
  ASSERT_NE(region_.Allocate(5, kUnit).range, nullptr);
  region_.Release();
  EXPECT_EQ(fake::MappedBytes(), mapped_);
  EXPECT_EQ(region_.PrimaryView().units, 0u);
  EXPECT_NE(region_.Allocate(5, kUnit).range, nullptr);
}

// ---- When memory goes back ----

class PurgeTest : public RegionTest {
 protected:
  // Frees a dirty span of `units`.
  void FreeSome(size_t units) {
    const Span span = region_.Allocate(units, kUnit);
    ASSERT_NE(span.range, nullptr);
    region_.Free(span, units, true);
  }
  static void WaitForDelay() {
    fake::WaitForTicks((Config::kPurgeDelayMs + 1) *
                       platform::kTicksPerMillisecondMin);
  }
  fake::ScopedClock clock_{1000000};
};

TEST_F(PurgeTest, WaitsForTheDelay) {
  const fake::CallCounter purges(Primitive::kPurge);
  const fake::CallCounter clock(Primitive::kMilliseconds);
  FreeSome(4);
  EXPECT_EQ(purges.calls(), 0u);
  clock_.Advance(10 * Config::kPurgeDelayMs);
  if (Config::kPurgeDelayMs >= 100) {
    for (int i = 0; i < 100; ++i) FreeSome(4);
    EXPECT_EQ(clock.calls(), 1u)
        << "the clock is looked at no more often than the delay";
    EXPECT_EQ(purges.calls(), 0u);
  }
  WaitForDelay();
  FreeSome(4);
  EXPECT_EQ(purges.calls(), 1u);
  EXPECT_EQ(region_.range(0)->units().dirty(), 0u);
}

TEST_F(PurgeTest, TheClockDecidesNotTheTicks) {
  const fake::CallCounter purges(Primitive::kPurge);
  FreeSome(4);
  // Ticks have passed, time has not: the CPU may be faster than its bound.
  WaitForDelay();
  FreeSome(4);
  EXPECT_EQ(purges.calls(), 0u);
  clock_.Advance(Config::kPurgeDelayMs);
  WaitForDelay();
  FreeSome(4);
  EXPECT_EQ(purges.calls(), 1u);
}

TEST_F(PurgeTest, TooMuchDirtDoesNotWait) {
  const size_t limit = Config::kPurgeDirtyMax >> kUnitShift;
  const fake::CallCounter purges(Primitive::kPurge);
  const Span span = region_.Allocate(limit + 1, kUnit);
  ASSERT_NE(span.range, nullptr);
  Span part = span;
  region_.Free(part, 1, true);
  EXPECT_EQ(purges.calls(), 0u);
  part.first += 1;
  region_.Free(part, limit, true);
  EXPECT_GT(purges.calls(), 0u);
  EXPECT_EQ(span.range->units().dirty(), 0u);
}

// A program that frees all it has and falls silent leaves little.
TEST_F(PurgeTest, SilenceLeavesLittle) {
  constexpr size_t kUnits = 1000;
  const Span span = region_.Allocate(kUnits, kUnit);
  ASSERT_NE(span.range, nullptr);
  const fake::CallCounter purges(Primitive::kPurge);
  Span part = span;
  for (size_t i = 0; i < kUnits; ++i, ++part.first) {
    region_.Free(part, 1, true);
    const size_t used = kUnits - 1 - i;
    EXPECT_LE(span.range->units().dirty(), region_.DirtyBound(used));
  }
  EXPECT_LE(span.range->units().dirty() * kUnit,
            Min(Config::kPurgeDirtyMin, Config::kPurgeDirtyMax));
  if (Config::kPurgeDirtyMin >= 1024 * 1024) {
    EXPECT_LE(purges.calls(), 60u) << "in large steps";
  }
}

// What it had purged is wanted again, and again: it purges less and less. When
// nobody wants it any more, it forgets.
TEST_F(PurgeTest, LearnsFromRegret) {
  if (Config::kPurgeDirtyMax < 16 * Config::kPurgeDirtyMin) GTEST_SKIP();
  const size_t least = region_.DirtyBound(0);
  const auto more = [&] {
    const size_t units = region_.DirtyBound(0) + 1;
    const Span span = region_.Allocate(units, kUnit);
    region_.Free(span, units, true);
  };
  for (int i = 0; i < 4; ++i) more();
  EXPECT_GT(region_.DirtyBound(0), least);
  EXPECT_LE(region_.DirtyBound(0), Config::kPurgeDirtyMax >> kUnitShift);
  // As if it were other memory each time: no regret.
  for (int i = 0; region_.DirtyBound(0) != least; ++i) {
    ASSERT_LT(i, 30);
    clock_.Advance(1000);
    const size_t units = region_.DirtyBound(0) + 1;
    const Span span = region_.Allocate(units, kUnit);
    span.range->TakeRefilled();
    region_.Free(span, units, true);
  }
}

TEST_F(PurgeTest, NothingDirtyAsksNobody) {
  const fake::ScopedForbid clock(Primitive::kMilliseconds);
  const fake::ScopedForbid purge(Primitive::kPurge);
  const Span span = region_.Allocate(4, kUnit);
  region_.Free(span, 4, false);
}

TEST_F(PurgeTest, AFailingPurgeIsTriedAgain) {
  FreeSome(4);
  {
    const ScopedFailures failures(Primitive::kPurge, Failures::Always());
    EXPECT_EQ(region_.Purge(), 0u);
  }
  EXPECT_EQ(region_.Purge(), 4 * kUnit);
}

// ---- Threads ----

TEST_F(RegionTest, ManyThreadsMakeOneFirstRange) {
  for (int round = 0; round < 30; ++round) {
    std::atomic<int> failed{0};
    RunThreads(4, [&](unsigned) {
      const Span span = region_.Allocate(1, kUnit);
      failed +=
          span.range == nullptr || region_.RangeOf(span.start()) != span.range;
    });
    ASSERT_EQ(failed, 0);
    ASSERT_EQ(Ranges(), 1u);
    region_.Release();
    ASSERT_EQ(fake::MappedBytes(), mapped_) << "losers give theirs back";
  }
}

TEST_F(RegionTest, AllocateFreeAndPurgeAtOnce) {
  SCOPED_TRACE(Random::Seed());
  std::atomic<int> bad{0};
  RunThreads(4, [&](unsigned t) {
    Random random(t);
    for (int i = 0; i < 1500; ++i) {
      const size_t units = random.Size(4);
      const Span span = region_.Allocate(units, kUnit);
      if (span.range == nullptr) {
        ++bad;
        continue;
      }
      if (span.zero)
        bad += !IsZero(span.start(), 256) ||
               !IsZero(span.start() + kUnit - 64, 64);
      for (size_t u = 0; u < units; ++u)
        memset(span.start() + u * kUnit, t + 1, 4096);
      for (size_t u = 0; u < units; ++u)
        bad += span.start()[u * kUnit + 4095] != char(t + 1);
      region_.Free(span, units, true);
      if (random.Below(20) == 0) region_.Purge();
    }
  });
  EXPECT_EQ(bad, 0);
}

// ---- Scarce address space ----

// In a process of its own, since a limit cannot be lifted again.
[[noreturn]] void FillUnderALimit(Region* region) {
  const rlimit limit = {size_t{1} << 30, size_t{1} << 30};
  setrlimit(RLIMIT_AS, &limit);
  size_t got = 0;
  while (got < size_t{1} << 30) {
    const Span span = region->Allocate(16, kUnit);
    if (span.range == nullptr) break;
    memset(span.start(), 1, 64);
    got += 16 * kUnit;
  }
  region->Release();
  fprintf(stderr, "got %zu MiB\n", got / kMiB);
  _exit(got >= 600 * kMiB ? 0 : 1);
}

TEST_F(RegionDeathTest, LivesUnderALimitOfTheAddressSpace) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer needs more address space";
#endif
  if (kWhole < 1000) GTEST_SKIP() << "only where a range does not fit";
  EXPECT_EXIT(FillUnderALimit(&region_), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
