// One thread after the other; what comes of threads at once is for tests/model and, with
// parts of blocks, for parts_test.
#include "core/heap/combiner.h"

#include <set>
#include <vector>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr unsigned kSlots = 3;
using Combined = Combiner<kSlots>;

struct Shared {
  Combined combiner;
  std::vector<size_t> done;
  std::set<uint64_t> gone;
  uint64_t version = 0;
  bool refuses = false;
  unsigned waits = 0;
};

struct Client {
  Shared* shared;
  uint64_t self;

  uint64_t name() const { return self; }
  bool IsGone(uint64_t name) const { return shared->gone.count(name) != 0; }
  uint64_t version() const { return shared->version; }
  bool Do(Combined::Work work, bool owed) const {
    EXPECT_EQ(work.begin, work.size * 16);
    if (shared->refuses && owed) return false;
    shared->done.push_back(work.size);
    ++shared->version;
    shared->combiner.Done();
    return true;
  }
  bool MayWait(Combined::Work work) const { return work.size >= 10; }
  void Wait(uint64_t holder) const {
    ++shared->waits;
    // Or this one would wait for ever.
    Client other{shared, holder};
    shared->combiner.Leave(other);
  }
};

class CombinerTest : public testing::Test {
 protected:
  bool Submit(uint64_t who, size_t what) {
    Client client{&shared_, who};
    return shared_.combiner.Submit(client, {what * 16, what});
  }
  bool TryEnter(uint64_t who) {
    Client client{&shared_, who};
    return shared_.combiner.TryEnter(client);
  }
  void Leave(uint64_t who) {
    Client client{&shared_, who};
    shared_.combiner.Leave(client);
  }
  bool Drain(uint64_t who) {
    Client client{&shared_, who};
    return shared_.combiner.Drain(client);
  }
  // What a reader hears of, but for what is done.
  std::vector<size_t> Read() {
    std::vector<size_t> left;
    shared_.combiner.Read(
        [this] { return shared_.version; },
        [&](bool busy) {
          left.clear();
          return busy;
        },
        [&](Combined::Work work) { left.push_back(work.size); });
    return left;
  }

  using List = std::vector<size_t>;
  Shared shared_;
};

TEST_F(CombinerTest, WhoIsAloneDoesItAtOnce) {
  EXPECT_TRUE(Submit(1, 5));
  EXPECT_TRUE(Submit(2, 6));
  EXPECT_EQ(shared_.done, (List{5, 6}));
  EXPECT_FALSE(shared_.combiner.busy());
}

TEST_F(CombinerTest, WhoComesMeanwhileGoesOn) {
  ASSERT_TRUE(TryEnter(1));
  EXPECT_FALSE(TryEnter(2));
  EXPECT_TRUE(Submit(2, 5));
  EXPECT_TRUE(Submit(3, 6));
  EXPECT_TRUE(Submit(2, 7));
  EXPECT_EQ(shared_.waits, 0u);
  EXPECT_EQ(shared_.done, List{});
  EXPECT_TRUE(shared_.combiner.busy());
  EXPECT_EQ(Read(), (List{5, 6, 7}));
  Leave(1);
  EXPECT_EQ(shared_.done, (List{5, 6, 7})) << "in the order of their coming";
  EXPECT_FALSE(shared_.combiner.busy());
  EXPECT_EQ(Read(), List{});
}

TEST_F(CombinerTest, WhoFindsNoSlotWaits) {
  ASSERT_TRUE(TryEnter(1));
  for (size_t i = 0; i < kSlots; ++i) EXPECT_TRUE(Submit(2, i));
  EXPECT_TRUE(Submit(3, 9));
  EXPECT_EQ(shared_.waits, 1u);
  EXPECT_EQ(shared_.done, (List{0, 1, 2, 9}));
}

TEST_F(CombinerTest, WhoIsStoppedIsSucceeded) {
  ASSERT_TRUE(TryEnter(1));
  EXPECT_TRUE(Submit(2, 5));
  shared_.gone = {1};
  EXPECT_TRUE(Submit(3, 6));
  EXPECT_EQ(shared_.done, (List{5, 6}));
}

TEST_F(CombinerTest, NobodyKnowsWhetherTheNamelessAreThere) {
  ASSERT_TRUE(TryEnter(Combined::kNameless));
  shared_.gone = {Combined::kNameless};
  EXPECT_FALSE(TryEnter(2));
  Leave(Combined::kNameless);
  EXPECT_TRUE(TryEnter(2));
}

TEST_F(CombinerTest, SlotsAreUsedAgain) {
  for (unsigned round = 0; round < 3; ++round) {
    ASSERT_TRUE(TryEnter(1));
    for (size_t i = 0; i < kSlots; ++i) EXPECT_TRUE(Submit(2 + round, i));
    Leave(1);
  }
  EXPECT_EQ(shared_.waits, 0u);
  EXPECT_EQ(shared_.done.size(), size_t{3} * kSlots);
}

TEST_F(CombinerTest, WhatCannotBeDoneStays) {
  ASSERT_TRUE(TryEnter(1));
  EXPECT_TRUE(Submit(2, 5));
  shared_.refuses = true;
  EXPECT_FALSE(Drain(1));
  Leave(1);
  EXPECT_FALSE(Submit(3, 6)) << "it would come before what was left";
  EXPECT_TRUE(Submit(3, 11)) << "this may wait";
  EXPECT_EQ(shared_.done, List{});
  EXPECT_EQ(Read(), (List{5, 11}));
  shared_.refuses = false;
  EXPECT_TRUE(Submit(3, 7));
  EXPECT_EQ(shared_.done, (List{5, 11, 7}));
}

TEST_F(CombinerTest, AChildGoesOnUnderAnotherName) {
  ASSERT_TRUE(TryEnter(1));
  shared_.combiner.Rename(1, 4);
  shared_.gone = {1};
  EXPECT_FALSE(TryEnter(2));
  Leave(4);
  EXPECT_TRUE(TryEnter(2));
  shared_.combiner.Rename(1, 4);
  EXPECT_FALSE(TryEnter(3)) << "it was not that one's";
}

TEST_F(CombinerTest, ResetForgetsAll) {
  ASSERT_TRUE(TryEnter(1));
  EXPECT_TRUE(Submit(2, 5));
  shared_.combiner.Reset();
  EXPECT_FALSE(shared_.combiner.busy());
  EXPECT_TRUE(Submit(3, 6));
  EXPECT_EQ(shared_.done, List{6});
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
