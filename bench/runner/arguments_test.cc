#include "bench/runner/arguments.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(MergeRepeated, JoinsEveryForm) {
  EXPECT_THAT(MergeRepeated({"bench", "--peer=a=1.so", "--quick", "--peer",
                             "b=2.so", "-peer=c=3.so"},
                            "peer"),
              ElementsAre("bench", "--quick", "--peer=a=1.so,b=2.so,c=3.so"));
}

TEST(MergeRepeated, LeavesOtherFlagsAlone) {
  EXPECT_THAT(MergeRepeated({"bench", "--peers=glibc", "x"}, "peer"),
              ElementsAre("bench", "--peers=glibc", "x"));
}

TEST(QuoteFlags, NamesNoFolderOfThisMachine) {
  EXPECT_EQ(QuoteFlags({"bench", "--out=/tmp/x", "--repeats=7",
                        "--peer=mine=/home/me/mine.so,b=b.so"}),
            " --repeats=7 --peer=mine=mine.so,b=b.so");
}

TEST(Matches, TakesStarsForAnyLetters) {
  EXPECT_TRUE(Matches("pair_16", "pair_16"));
  EXPECT_FALSE(Matches("pair_16", "pair_16k"));
  EXPECT_TRUE(Matches("pair_*", "pair_16k"));
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_TRUE(Matches("*mixed", "set_2m_mixed"));
  EXPECT_TRUE(Matches("s*m*d", "set_2m_mixed"));
  EXPECT_FALSE(Matches("*mixed", "mixed_set"));
  EXPECT_FALSE(Matches("pair_*", "pai"));
}

TEST(ChooseRows, KeepsTheOrderAndRefusesWhatMatchesNothing) {
  const std::vector<Row> rows = {{"a1", "", ""}, {"b", "", ""}, {"a2", "", ""}};
  std::string error;
  const std::vector<Row> chosen = ChooseRows(rows, {"a2", "a*"}, &error);
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].name, "a1");
  EXPECT_EQ(chosen[1].name, "a2");
  EXPECT_EQ(ChooseRows(rows, {}, &error).size(), 3u);
  EXPECT_EQ(error, "");
  EXPECT_TRUE(ChooseRows(rows, {"b", "c*"}, &error).empty());
  EXPECT_THAT(error, HasSubstr("no row matches c*"));
}

}  // namespace
}  // namespace bench
