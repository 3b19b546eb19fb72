// Runs the program as a user would, on good input and on bad.
#include <string>

#include "examples/common/program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using common::Outcome;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class ArenasTest : public common::ProgramTest {
 protected:
  ArenasTest() : ProgramTest("examples/arenas/arenas") {}

  Outcome Arenas(const std::string& arguments,
                 const std::string& environment = "") const {
    return Run(arguments, environment);
  }

  static void ExpectAllHeld(const Outcome& run) {
    EXPECT_EQ(run.exit_code, 0) << run.output;
    EXPECT_THAT(run.output, HasSubstr("the reference's, on malloc: yes\n"));
    EXPECT_THAT(run.output, HasSubstr("its arena and its quota: yes\n"));
    EXPECT_THAT(run.output, HasSubstr("failed, and it alone: yes\n"));
    EXPECT_THAT(run.output, HasSubstr("the soft quota was told so: yes\n"));
    ExpectNothingLeft(run);
  }

  static void ExpectNothingLeft(const Outcome& run) {
    EXPECT_THAT(run.output,
                HasSubstr("nothing is left in the instance: yes "
                          "(arenas 0, blocks 0, bytes left 0; at its peak "));
    EXPECT_THAT(run.output,
                HasSubstr("nothing is left of the instance: yes\n"));
    EXPECT_THAT(
        run.output,
        ContainsRegex("request_ +mappings in its ranges?[a-z ]*: [1-9]"));
  }
};

TEST_F(ArenasTest, ServesAllButTheBadRequest) {
  const Outcome run = Arenas("--requests=601");
  ExpectAllHeld(run);
  EXPECT_THAT(run.output,
              ContainsRegex("4 threads in [0-9.]+ s: 600 requests served, 1 "
                            "failed; [0-9,]+ requests per second\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("arena cost per request, median: [0-9.,]+ [nu]s to "
                            "create, [0-9.,]+ [nu]s to destroy; [0-9.]+ % of "
                            "all time in requests\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("failed: request [0-9]+, bad.json: std::bad_alloc, "
                            "its quota is 8.0 MiB"));
  for (const char* name :
       {"order", "users", "nested", "texts", "series", "catalog"}) {
    EXPECT_THAT(run.output,
                ContainsRegex(std::string(name) +
                              "\\.json .* +100 +0 +[0-9.]+ [KM]iB"));
  }
  EXPECT_THAT(run.output, ContainsRegex("bad\\.json .* +0 +1 +[0-9.]+ [KM]iB"));
  // The bad request goes beyond it, and the largest of the others.
  EXPECT_THAT(run.output,
              ContainsRegex("soft quota of 3.0 MiB: exceeded by 101 requests, "
                            "told by [0-9]+ calls\n"));
}

TEST_F(ArenasTest, ServesForAWhile) {
  const Outcome run = Arenas("--seconds=0.2");
  ExpectAllHeld(run);
}

TEST_F(ArenasTest, AnyNumberOfThreads) {
  for (const char* threads : {"1", "2", "64"})
    ExpectAllHeld(Arenas(std::string("--requests=200 --threads=") + threads));
}

TEST_F(ArenasTest, MonotonicArenas) {
  ExpectAllHeld(Arenas("--requests=200 --monotonic --hard_quota_kib=65536"));
}

TEST_F(ArenasTest, WithoutSoftQuota) {
  const Outcome run = Arenas("--requests=20 --soft_quota_kib=0");
  ExpectAllHeld(run);
  EXPECT_THAT(run.output, HasSubstr("soft quota: none\n"));
}

// Requests that should have been served are a broken promise, and are named;
// even so nothing of theirs is left.
TEST_F(ArenasTest, AQuotaForNobody) {
  const Outcome run = Arenas("--requests=50 --hard_quota_kib=64");
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("failed, and it alone: NO\n"));
  EXPECT_THAT(run.output, HasSubstr("order.json: std::bad_alloc"));
  EXPECT_THAT(run.output, ContainsRegex("failed: [0-9]+ more\n"));
  ExpectNothingLeft(run);
}

TEST_F(ArenasTest, RelativeNamesStartWhereTheUserIs) {
  Write("a.json", "{\"some\": [1, 2.5, \"text\"]}");
  const Outcome run =
      Arenas("--requests=11 a.json", "BUILD_WORKING_DIRECTORY=" + Path(""));
  ExpectAllHeld(run);
  EXPECT_THAT(run.output, ContainsRegex("a\\.json +26 B +5 +2 +10 +0 "));
}

TEST_F(ArenasTest, NamesEveryFileThatItCannotUse) {
  const std::string good = Write("good.json", "[]");
  const std::string bad = Write("malformed.json", "{\"a\": [1,\n2}");
  const std::string deep = Write("deep.json", std::string(100000, '['));
  const Outcome run = Arenas("--requests=4 " + Path("missing.json") + " " +
                             good + " " + bad + " " + deep + " " + Path(""));
  EXPECT_EQ(run.exit_code, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr("arenas: " + Path("missing.json") +
                                    ": there is no such file\n"));
  EXPECT_THAT(run.output,
              HasSubstr("arenas: " + bad +
                        ": line 2, column 2: ',' or ']' is missing before "
                        "'}'\n"));
  EXPECT_THAT(run.output,
              HasSubstr("arenas: " + deep +
                        ": line 1, column 501: arrays and objects are more "
                        "than 500 deep\n"));
  EXPECT_THAT(run.output, HasSubstr(": is a directory; name the files in it"));
  EXPECT_THAT(run.output, HasSubstr("3 requests served, 1 failed"));
  ExpectNothingLeft(run);
}

TEST_F(ArenasTest, NothingToServe) {
  const Outcome run = Arenas(Write("empty.json", ""));
  EXPECT_EQ(run.exit_code, 2) << run.output;
  EXPECT_THAT(run.output,
              HasSubstr("empty.json: line 1, column 1: a value is missing "
                        "before the end of the text\n"));
  EXPECT_THAT(run.output, Not(HasSubstr("requests served")));
}

TEST_F(ArenasTest, FlagsThatMakeNoSense) {
  for (const char* flag :
       {"--threads=0", "--threads=65", "--requests=1", "--seconds=0",
        "--seconds=nan", "--seconds=3601", "--hard_quota_kib=63",
        "--hard_quota_kib=1048577", "--soft_quota_kib=1048577"}) {
    const Outcome run = Arenas(flag);
    EXPECT_EQ(run.exit_code, 2) << flag;
    const std::string name(flag, std::string(flag).find('='));
    EXPECT_THAT(run.output, HasSubstr("arenas: " + name + " takes "));
  }
  for (const char* flag : {"--thread=1", "--threads=many", "--requests=-5"}) {
    const Outcome run = Arenas(flag);
    EXPECT_NE(run.exit_code, 0) << flag;
    EXPECT_THAT(run.output, HasSubstr("ERROR: "));
  }
}

}  // namespace
