#include "bench/runner/format.h"

#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(FormatSeconds, HasThreeDigitsAndTheUnitThatFits) {
  EXPECT_EQ(FormatSeconds(2.084e-9), "2.08 ns");
  EXPECT_EQ(FormatSeconds(31.44e-9), "31.4 ns");
  EXPECT_EQ(FormatSeconds(512e-9), "512 ns");
  EXPECT_EQ(FormatSeconds(0.9999e-6), "1.00 µs");
  EXPECT_EQ(FormatSeconds(0.0314), "31.4 ms");
  EXPECT_EQ(FormatSeconds(2.5), "2.50 s");
  EXPECT_EQ(FormatSeconds(120), "120 s");
}

TEST(FormatSeconds, RoundsOnlyOnce) {
  EXPECT_EQ(FormatSeconds(9.996e-9), "10.0 ns");
  EXPECT_EQ(FormatSeconds(99.96e-9), "100 ns");
}

TEST(FormatKib, ChoosesTheUnit) {
  EXPECT_EQ(FormatKib(844), "844 KiB");
  EXPECT_EQ(FormatKib(12.3 * 1024), "12.3 MiB");
  EXPECT_EQ(FormatKib(391 * 1024), "391 MiB");
}

TEST(FormatRatio, HasAsManyDigitsAsMeanSomething) {
  EXPECT_EQ(FormatRatio(0.934), "0.93");
  EXPECT_EQ(FormatRatio(12.34), "12.3");
  EXPECT_EQ(FormatRatio(180.4), "180");
}

TEST(FormatSpread, IsHalfOfItRoundedUp) {
  EXPECT_EQ(FormatSpread(0.08), "±4%");
  EXPECT_EQ(FormatSpread(0.081), "±5%");
  EXPECT_EQ(FormatSpread(0), "±0%");
}

}  // namespace
}  // namespace bench
