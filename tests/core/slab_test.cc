#include "core/slab/slab.h"

#include <set>

#include "core/heap/heap.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class SlabTest : public testing::TestWithParam<SizeClass> {
 protected:
  SlabTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    span_ = region_.Allocate(info().units, kUnit);
    slab_ =
        CreateSlab(span_, GetParam(), owner(), MakeEntry(GetParam(), kHeap));
  }
  ~SlabTest() override { region_.Release(); }

  const ClassInfo& info() const { return InfoOf(GetParam()); }
  char* Block(unsigned index) const {
    return slab_->start + size_t{index} * info().size;
  }
  // Never looked into.
  static Heap* owner() { return reinterpret_cast<Heap*>(0x1000); }

  // Takes every block that is available.
  std::set<char*> TakeAll() {
    std::set<char*> blocks;
    while (slab_->available != 0) {
      const TakenWord taken = TakeWord(slab_, info());
      EXPECT_EQ(taken.count, CountBits(taken.blocks));
      for (BitWord bits = taken.blocks; bits != 0; bits &= bits - 1) {
        EXPECT_TRUE(
            blocks.insert(taken.start + LowestBit(bits) * size_t{info().size})
                .second);
      }
    }
    return blocks;
  }
  void FreeRemotely(unsigned index) {
    slab_->remote[index / 64].FetchOr(BitWord{1} << (index % 64),
                                      Order::kRelaxed);
  }

  static constexpr HeapNumber kHeap = 3;
  Region region_;
  Span span_;
  Slab* slab_;
};
using SlabDeathTest = SlabTest;

// 8 bytes: most blocks, half a unit unused. 80 does not divide a unit. 512 is
// the first with bitmaps in the descriptor. The two kinds of slab meet at
// kSmallMax.
const SizeClass kClasses[] = {
    1,
    2,
    ClassOfSize(80),
    ClassOfSize(448),
    ClassOfSize(512),
    ClassOfSize(kSmallMax),
    ClassOfSize(kSmallMax + 1),
    kSlabClasses,
};
std::string Name(const testing::TestParamInfo<SizeClass>& info) {
  return std::to_string(internal::ComputeSize(info.param));
}
INSTANTIATE_TEST_SUITE_P(All, SlabTest, testing::ValuesIn(kClasses), Name);
INSTANTIATE_TEST_SUITE_P(All, SlabDeathTest, testing::ValuesIn(kClasses), Name);

TEST_P(SlabTest, IsInTheClassMap) {
  for (unsigned i = 0; i < info().units; ++i) {
    const MapEntry entry = EntryOf(*span_.range, span_.first + i);
    EXPECT_EQ(ClassOfEntry(entry), GetParam());
    EXPECT_EQ(HeapOfEntry(entry), kHeap);
    EXPECT_EQ(SlabAt(*span_.range, slab_->start + i * kUnit + 5, entry), slab_);
  }
  EXPECT_EQ(slab_->owner.Load(Order::kRelaxed), owner());
  EXPECT_EQ(slab_->available, info().blocks);
}

TEST_P(SlabTest, PlaceOf) {
  for (unsigned i = 0; i < info().blocks; ++i) {
    const BlockPlace place = PlaceOf(slab_, info(), Block(i));
    ASSERT_EQ(place.index, i);
    ASSERT_TRUE(place.is_start);
    ASSERT_FALSE(PlaceOf(slab_, info(), Block(i) + 1).is_start);
    ASSERT_FALSE(PlaceOf(slab_, info(), Block(i) + info().size - 1).is_start);
  }
  // What is left behind the last block holds none.
  const size_t bytes = info().units * kUnit;
  for (size_t at = size_t{info().blocks} * info().size; at < bytes; at += 8) {
    ASSERT_FALSE(PlaceOf(slab_, info(), slab_->start + at).is_start);
  }
}

TEST_P(SlabTest, HandsOutEveryBlockOnceInOrder) {
  unsigned next = 0;
  while (slab_->available != 0) {
    const TakenWord taken = TakeWord(slab_, info());
    EXPECT_EQ(taken.zero, !Config::kCheckInvariants);
    EXPECT_EQ(taken.start, Block(next));
    EXPECT_EQ(LowestBit(taken.blocks), 0u);
    next += taken.count;
  }
  EXPECT_EQ(next, info().blocks);
}

TEST_P(SlabTest, TakesNoMoreThanAsked) {
  unsigned next = 0;
  while (slab_->available != 0) {
    const TakenWord taken = TakeWord(slab_, info(), 5);
    ASSERT_LE(taken.count, 5u);
    EXPECT_EQ(taken.zero, !Config::kCheckInvariants);
    EXPECT_EQ(taken.start + LowestBit(taken.blocks) * size_t{info().size},
              Block(next));
    next += taken.count;
    ASSERT_EQ(slab_->fresh, next);
  }
  EXPECT_EQ(next, info().blocks);
  for (unsigned i = 0; i < info().blocks; ++i) FreeRemotely(i);
  CollectRemote(slab_, info());
  for (next = 0; slab_->available != 0;) {
    const TakenWord taken = TakeWord(slab_, info(), 3);
    ASSERT_LE(taken.count, 3u);
    EXPECT_FALSE(taken.zero);
    EXPECT_EQ(taken.start + LowestBit(taken.blocks) * size_t{info().size},
              Block(next));
    next += taken.count;
  }
  EXPECT_EQ(next, info().blocks);
}

// What comes back goes out again before memory that was never touched.
TEST_P(SlabTest, UsedBlocksComeBeforeFreshOnes) {
  TakeWord(slab_, info(), 4);
  FreeRemotely(2);
  ASSERT_EQ(CollectRemote(slab_, info()), 1u);
  const TakenWord taken = TakeWord(slab_, info(), 4);
  EXPECT_EQ(taken.blocks, BitWord{1} << 2);
  EXPECT_FALSE(taken.zero);
  EXPECT_EQ(TakeWord(slab_, info(), 4).zero, !Config::kCheckInvariants);
}

TEST_P(SlabTest, FreshBlocksLieSideBySideAndMayBeReturned) {
  const unsigned all = info().blocks;
  const unsigned first = TakeFresh(slab_, info(), 3);
  EXPECT_EQ(first, all < 3 ? all : 3u);
  EXPECT_EQ(slab_->fresh, first);
  EXPECT_EQ(slab_->available, all - first);
  ReturnFresh(slab_, first - 1);
  EXPECT_EQ(slab_->fresh, first - 1);
  EXPECT_EQ(slab_->available, all - first + 1);
  EXPECT_EQ(TakeFresh(slab_, info(), all), all - first + 1) << "all the rest";
  EXPECT_EQ(slab_->fresh, all);
  EXPECT_EQ(slab_->available, 0u);
  // What was handed out and came home has to be taken by words.
  FreeRemotely(0);
  ASSERT_EQ(CollectRemote(slab_, info()), 1u);
  EXPECT_EQ(TakeWord(slab_, info()).blocks, BitWord{1});
  for (unsigned i = 0; i < all; ++i) FreeRemotely(i);
  CollectRemote(slab_, info());
}

// Whatever comes first, every block that is at a multiple is handed out once, and
// the others are there afterwards.
TEST_P(SlabTest, TakesBlocksAtMultiples) {
  const unsigned all = info().blocks;
  for (const size_t odd : {3u, 7u, 31u}) {
    if (info().size % odd == 0 || all < odd) continue;
    const size_t multiple = odd * 8;
    std::set<char*> expected;
    for (unsigned i = 0; i < all; ++i) {
      if (AddressOf(Block(i)) % multiple == 0) expected.insert(Block(i));
    }
    ASSERT_GE(expected.size(), all / odd);
    std::set<char*> taken;
    for (size_t n = expected.size(); n != 0; --n) {
      auto* const block =
          static_cast<char*>(TakeAtMultiple(slab_, info(), multiple, odd));
      ASSERT_NE(block, nullptr);
      ASSERT_TRUE(taken.insert(block).second);
    }
    EXPECT_EQ(taken, expected);
    EXPECT_EQ(TakeAtMultiple(slab_, info(), multiple, odd), nullptr);
    EXPECT_EQ(slab_->available, all - taken.size());
    const std::set<char*> rest = TakeAll();
    EXPECT_EQ(rest.size(), all - taken.size());
    for (char* const block : rest) EXPECT_EQ(taken.count(block), 0u);
    // All come home, so that the next finds none that was never handed out.
    for (unsigned i = 0; i < all; ++i) FreeRemotely(i);
    EXPECT_EQ(CollectRemote(slab_, info()), all);
  }
}

TEST_P(SlabTest, RemoteFreesComeBack) {
  TakeAll();
  EXPECT_EQ(CollectRemote(slab_, info()), 0u);
  std::set<char*> freed;
  for (unsigned i = 0; i < info().blocks; i += 3) {
    FreeRemotely(i);
    freed.insert(Block(i));
  }
  EXPECT_EQ(CollectRemote(slab_, info()), freed.size());
  EXPECT_EQ(slab_->available, freed.size());
  EXPECT_EQ(CollectRemote(slab_, info()), 0u);
  EXPECT_FALSE(TakeWord(slab_, info()).zero) << "they were used";
  slab_->available = 0;  // as after the rest
}

TEST_P(SlabTest, TakenAgainInAddressOrder) {
  TakeAll();
  for (unsigned i = 0; i < info().blocks; ++i) FreeRemotely(i);
  EXPECT_EQ(CollectRemote(slab_, info()), info().blocks);
  EXPECT_EQ(slab_->hint_word, 0u);
  EXPECT_EQ(TakeAll().size(), info().blocks);
}

TEST_P(SlabTest, IsNotZeroTheSecondTime) {
  slab_->zero = false;
  EXPECT_FALSE(TakeWord(slab_, info()).zero);
}

TEST_P(SlabTest, Retire) {
  TakeAll();
  for (unsigned i = 0; i < info().blocks; ++i) FreeRemotely(i);
  CollectRemote(slab_, info());
  RetireSlab(*span_.range, slab_);
  EXPECT_EQ(slab_->owner.Load(Order::kRelaxed), nullptr);
  for (unsigned i = 0; i < info().units; ++i) {
    EXPECT_EQ(EntryOf(*span_.range, span_.first + i), 0u);
  }
  // The same place as a slab of another class: no bit of the old one is left.
  const SizeClass other = GetParam() == 1 ? 2 : 1;
  slab_ = CreateSlab(span_, other, owner(), MakeEntry(other, kHeap));
  EXPECT_EQ(slab_->available, InfoOf(other).blocks);
  EXPECT_EQ(CollectRemote(slab_, InfoOf(other)), 0u);
}

TEST_P(SlabDeathTest, FreedRemotelyAndNeverAllocated) {
  TakeWord(slab_, info(), 4);
  FreeRemotely(6);
  EXPECT_EXIT(
      CollectRemote(slab_, info()), testing::KilledBySignal(SIGABRT),
      "^alcove\\[test_\\]: free of a block never allocated at 0x[0-9a-f]+\n$");
  slab_->remote[0].Store(0, Order::kRelaxed);
}

// As far as it is taken, and in each word.
TEST_P(SlabDeathTest, FreedRemotelyBeforeItIsTakenFresh) {
  const unsigned last = info().blocks - 1;
  FreeRemotely(last);
  for (unsigned taken = 0; taken < last;) {
    const unsigned left = last - taken;
    taken += TakeFresh(slab_, info(), left < 100 ? left : 100);
  }
  EXPECT_EXIT(
      TakeFresh(slab_, info(), 1), testing::KilledBySignal(SIGABRT),
      "^alcove\\[test_\\]: free of a block never allocated at 0x[0-9a-f]+\n$");
  ReturnFresh(slab_, 0);
  EXPECT_EXIT(
      TakeFresh(slab_, info(), last + 1), testing::KilledBySignal(SIGABRT),
      "^alcove\\[test_\\]: free of a block never allocated at 0x[0-9a-f]+\n$");
  slab_->remote[last / 64].Store(0, Order::kRelaxed);
}

TEST_P(SlabDeathTest, FreedRemotelyAndAvailable) {
  const TakenWord taken = TakeWord(slab_, info());
  FreeRemotely(0);
  CollectRemote(slab_, info());
  FreeRemotely(0);
  EXPECT_EXIT(CollectRemote(slab_, info()), testing::KilledBySignal(SIGABRT),
              "^alcove\\[test_\\]: double free of 0x[0-9a-f]+ \\(a block of " +
                  std::to_string(info().size) + " bytes\\)\n$");
  ASSERT_EQ(taken.start, Block(0));
  slab_->remote[0].Store(0, Order::kRelaxed);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
