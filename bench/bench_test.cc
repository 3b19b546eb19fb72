// The benchmark from end to end: on rows that misbehave, and on a short run of
// ours.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "bench/runner/child.h"
#include "bench/runner/runfiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class BenchTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }

  ChildResult Bench(std::vector<std::string> flags) {
    flags.insert(flags.begin(), RunfilePath("bench/bench"));
    flags.push_back("--out=" + folder_);
    return RunChild(flags, "", 120);
  }

  std::string File(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }

  const std::string folder_ =
      std::string(getenv("TEST_TMPDIR")) + "/" + std::to_string(getpid());
};

TEST_F(BenchTest, MeasuresRowsThatMisbehave) {
  const ChildResult result =
      Bench({"--sources=bench/runner/fake_source", "--repeats=2",
             "--peers=alcove,glibc", "--rows=good,crashes*,fails,misses",
             "--peer", "none=/nowhere/x.so"});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  const std::string report = File("RESULTS.md");
  EXPECT_THAT(report,
              HasSubstr("| row | best peer | alcove | glibc | none |\n"));
  EXPECT_THAT(report, HasSubstr("| good | glibc, 250 ms | **1.00** | 1.00 | no "
                                "such file |"));
  EXPECT_THAT(report, HasSubstr("| crashes_preloaded | glibc, 250 ms | crashed "
                                "(SIGABRT) | 1.00 | no such file |"));
  EXPECT_THAT(report, HasSubstr("failed (exit code 3)"));
  EXPECT_THAT(report, HasSubstr("needs some-server"));
  EXPECT_THAT(report, HasSubstr("--peer=none=x.so"));
  EXPECT_THAT(File("results.svg"), HasSubstr("</svg>"));
  EXPECT_THAT(File("results.tsv"), HasSubstr("good\tglibc\t2\t0.25"));
  // Once and not once a repeat.
  EXPECT_THAT(result.standard_error,
              ContainsRegex("crashes, glibc: crashed .SIGABRT.: this is the "
                            "end"));
}

TEST_F(BenchTest, RunsEveryRowOfOurOwn) {
  const ChildResult result = Bench({"--quick", "--peers=alcove,alcove-hosted",
                                    "--sources=bench/workloads/workloads"});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_THAT(File("RESULTS.md"), HasSubstr("A quick run"));
  EXPECT_THAT(File("RESULTS.md"), HasSubstr("| dead_threads |"));
  EXPECT_THAT(File("RESULTS.md"), Not(HasSubstr("What failed")));
}

TEST_F(BenchTest, RefusesWhatItCannotMean) {
  for (const char* flag : {"--peers=hoard", "--rows=nothing", "--peer=x",
                           "--repeats=0", "--sources=/nowhere/x", "stray"}) {
    const ChildResult result = Bench({flag});
    EXPECT_EQ(result.exit_code, 64) << flag;
    EXPECT_THAT(result.standard_error, Not(testing::IsEmpty())) << flag;
  }
}

TEST_F(BenchTest, ListsColumnsAndRows) {
  const ChildResult result = Bench({"--list"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.standard_output, ContainsRegex("column alcove +"));
  EXPECT_THAT(result.standard_output, ContainsRegex("row +pair_16 +malloc"));
}

}  // namespace
}  // namespace bench
