#include "bench/runner/statistics.h"

#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(Median, IsTheMiddleWhateverTheOrder) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({5}), 5);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median({}), 0);
}

TEST(Median, IsNotMovedByOneDisturbedRun) {
  EXPECT_EQ(Median({10, 11, 10, 500, 11}), 11);
}

TEST(Spread, IsTheDistanceOfTheExtremesOverTheMedian) {
  EXPECT_DOUBLE_EQ(Spread({9, 10, 12}), 0.3);
  EXPECT_EQ(Spread({7, 7, 7}), 0);
  EXPECT_EQ(Spread({7}), 0);
  EXPECT_EQ(Spread({}), 0);
}

TEST(GeometricMean, TreatsTwiceAndHalfAsOpposites) {
  EXPECT_DOUBLE_EQ(GeometricMean({2, 0.5}), 1);
  EXPECT_DOUBLE_EQ(GeometricMean({4, 1}), 2);
  EXPECT_EQ(GeometricMean({}), 0);
}

}  // namespace
}  // namespace bench
