#include "core/hardening/invariant.h"

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class InvariantDeathTest : public testing::Test {
 protected:
  InvariantDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(InvariantDeathTest, IsCheckedWhereThePresetSaysSo) {
  ALCOVE_INVARIANT(1 + 1 == 2);
  if constexpr (Config::kCheckInvariants) {
    EXPECT_EXIT(
        ALCOVE_INVARIANT(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
        "^alcove\\[test_\\]: internal error: 1 \\+ 1 == 3 does not hold at "
        "invariant_test.cc:[0-9]+\n$");
  } else {
    ALCOVE_INVARIANT(1 + 1 == 3);
  }
}

TEST_F(InvariantDeathTest, CostsNothingWhereOff) {
  int evaluations = 0;
  ALCOVE_INVARIANT(++evaluations > 0);
  EXPECT_EQ(evaluations, Config::kCheckInvariants ? 1 : 0);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
