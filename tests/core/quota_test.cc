#include "core/arena/quota.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// Counts what its charges crossed.
class CountedQuota : public Quota {
 public:
  bool Charge(size_t bytes) {
    bool crossed = false;
    if (!Quota::Charge(bytes, &crossed)) {
      EXPECT_FALSE(crossed);
      return false;
    }
    if (crossed) ++crossings_;
    return true;
  }
  uint32_t TakeCrossings() { return crossings_.exchange(0); }

 private:
  std::atomic<uint32_t> crossings_{0};
};

TEST(QuotaTest, BoundsAreAsGiven) {
  CountedQuota quota;
  quota.Begin(100, 50);
  EXPECT_EQ(quota.hard(), 100u);
  EXPECT_EQ(quota.soft(), 50u);
  quota.Begin(0, 7);
  EXPECT_EQ(quota.hard(), 0u);
  EXPECT_EQ(quota.soft(), 7u);
  quota.Begin(9, 0);
  EXPECT_EQ(quota.hard(), 9u);
  EXPECT_EQ(quota.soft(), 0u);
}

TEST(QuotaTest, ChargesUpToTheBoundAndNoFurther) {
  CountedQuota quota;
  quota.Begin(100, 0);
  EXPECT_TRUE(quota.Charge(60));
  EXPECT_FALSE(quota.Charge(41));
  EXPECT_EQ(quota.held(), 60u) << "a refused charge leaves nothing";
  EXPECT_TRUE(quota.Charge(40));
  EXPECT_EQ(quota.held(), 100u);
  EXPECT_FALSE(quota.Charge(1));
  EXPECT_TRUE(quota.Charge(0));
  quota.Uncharge(1);
  EXPECT_TRUE(quota.Charge(1));
}

TEST(QuotaTest, MoreThanTheBoundIsRefusedWithoutWrappingAround) {
  CountedQuota quota;
  quota.Begin(100, 0);
  EXPECT_FALSE(quota.Charge(~size_t{0}));
  EXPECT_FALSE(quota.Charge(101));
  EXPECT_TRUE(quota.Charge(10));
  EXPECT_FALSE(quota.Charge(~size_t{0}));
  EXPECT_FALSE(quota.Charge(~size_t{0} - 9));
  EXPECT_EQ(quota.held(), 10u);
}

TEST(QuotaTest, WithoutABound) {
  CountedQuota quota;
  quota.Begin(0, 0);
  EXPECT_TRUE(quota.Charge(size_t{1} << 62));
  EXPECT_TRUE(quota.Charge(size_t{1} << 62));
  EXPECT_EQ(quota.held(), size_t{1} << 63);
  EXPECT_EQ(quota.TakeCrossings(), 0u);
}

TEST(QuotaTest, ThePeakIsTheMostThatWasHeld) {
  CountedQuota quota;
  quota.Begin(0, 0);
  quota.Charge(10);
  EXPECT_EQ(quota.peak(), 10u);
  quota.Charge(20);
  quota.Uncharge(25);
  EXPECT_EQ(quota.peak(), 30u);
  quota.Charge(20);
  EXPECT_EQ(quota.peak(), 30u);
  quota.Charge(6);
  EXPECT_EQ(quota.peak(), 31u);
  quota.Uncharge(31);
  EXPECT_EQ(quota.peak(), 31u);
}

TEST(QuotaTest, WhatIsUndoneWasNeverHeld) {
  CountedQuota quota;
  quota.Begin(100, 0);
  quota.Charge(10);
  quota.Charge(50);
  quota.Undo(50);
  EXPECT_EQ(quota.held(), 10u);
  EXPECT_EQ(quota.peak(), 10u);
}

TEST(QuotaTest, AllowsWhatAChargeWouldGet) {
  CountedQuota quota;
  quota.Begin(100, 0);
  quota.Charge(60);
  EXPECT_TRUE(quota.Allows(40));
  EXPECT_FALSE(quota.Allows(41));
  EXPECT_FALSE(quota.Allows(~size_t{0}));
  EXPECT_EQ(quota.held(), 60u);
  quota.Begin(0, 0);
  EXPECT_TRUE(quota.Allows(~size_t{0}));
}

TEST(QuotaTest, BeginsWithWhatIsHeldAlready) {
  CountedQuota quota;
  quota.Begin(100, 50, 40);
  EXPECT_EQ(quota.held(), 40u);
  EXPECT_EQ(quota.peak(), 40u);
  EXPECT_FALSE(quota.Charge(61));
  EXPECT_TRUE(quota.Charge(20));
  EXPECT_EQ(quota.TakeCrossings(), 1u);
}

TEST(QuotaTest, ForgetKeepsTheBounds) {
  CountedQuota quota;
  quota.Begin(100, 50);
  quota.Charge(80);
  quota.Forget();
  EXPECT_EQ(quota.held(), 0u);
  EXPECT_EQ(quota.peak(), 0u);
  EXPECT_EQ(quota.hard(), 100u);
  EXPECT_EQ(quota.soft(), 50u);
  EXPECT_TRUE(quota.Charge(100));
  EXPECT_FALSE(quota.Charge(1));
}

TEST(QuotaTest, CrossingsAreOfTheBoundFromBelow) {
  CountedQuota quota;
  quota.Begin(0, 50);
  quota.Charge(50);
  EXPECT_EQ(quota.TakeCrossings(), 0u) << "as much as the bound is not above";
  quota.Charge(1);
  EXPECT_EQ(quota.TakeCrossings(), 1u);
  EXPECT_EQ(quota.TakeCrossings(), 0u) << "each is taken once";
  quota.Charge(10);
  EXPECT_EQ(quota.TakeCrossings(), 0u) << "it was above already";
  quota.Uncharge(11);
  quota.Charge(5);
  quota.Uncharge(5);
  quota.Charge(5);
  EXPECT_EQ(quota.TakeCrossings(), 2u);
}

TEST(QuotaTest, ARefusedChargeCrossesNothing) {
  CountedQuota quota;
  quota.Begin(60, 50);
  EXPECT_FALSE(quota.Charge(61));
  EXPECT_EQ(quota.TakeCrossings(), 0u);
}

TEST(QuotaTest, ExactUnderManyThreads) {
  constexpr size_t kHard = 1000;
  CountedQuota quota;
  quota.Begin(kHard, 0);
  // Counted beside it: what threads hold for sure.
  std::atomic<size_t> held{0};
  std::atomic<size_t> refused{0};
  RunThreads(16, [&](unsigned t) {
    Random random(t);
    std::vector<size_t> mine;
    for (int i = 0; i < 5000; ++i) {
      const size_t bytes = 1 + random.Below(120);
      if (quota.Charge(bytes)) {
        ASSERT_LE(held.fetch_add(bytes) + bytes, kHard);
        ASSERT_LE(quota.held(), kHard);
        mine.push_back(bytes);
      } else {
        ++refused;
      }
      while (mine.size() > random.Below(3)) {
        held -= mine.back();
        quota.Uncharge(mine.back());
        mine.pop_back();
      }
    }
    for (const size_t bytes : mine) {
      held -= bytes;
      quota.Uncharge(bytes);
    }
  });
  EXPECT_EQ(quota.held(), 0u);
  EXPECT_LE(quota.peak(), kHard);
  EXPECT_GT(quota.peak(), 120u);
  EXPECT_TRUE(quota.Charge(kHard)) << "nothing got lost";
}

// As much as there is goes to exactly as many threads as it is for.
TEST(QuotaTest, TheLastBytesGoToOne) {
  for (int round = 0; round < 200; ++round) {
    CountedQuota quota;
    quota.Begin(10, 0);
    std::atomic<int> granted{0};
    RunThreads(4, [&](unsigned) {
      if (quota.Charge(4)) ++granted;
    });
    ASSERT_EQ(granted, 2);
    ASSERT_EQ(quota.held(), 8u);
  }
}

TEST(QuotaTest, EachCrossingIsOnesOfManyThreads) {
  for (int round = 0; round < 200; ++round) {
    CountedQuota quota;
    quota.Begin(0, 10);
    std::atomic<uint32_t> crossings{0};
    RunThreads(4, [&](unsigned) {
      for (int i = 0; i < 4; ++i) {
        quota.Charge(1);
        crossings += quota.TakeCrossings();
      }
    });
    ASSERT_EQ(crossings, 1u);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
