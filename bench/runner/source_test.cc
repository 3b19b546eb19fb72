// Running and reading rows, of a source that behaves in every bad way.
#include "bench/runner/source.h"

#include "bench/runner/runfiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::HasSubstr;

constexpr double kLong = 60;

std::string FakeSource() { return RunfilePath("bench/runner/fake_source"); }

Outcome RunFake(const std::string& row, const std::string& library = "",
                double timeout = kLong) {
  return RunRow({row, "", FakeSource()}, library, false, timeout);
}

ChildResult Printed(const std::string& text) {
  ChildResult result;
  result.exit_code = 0;
  result.seconds = 7;
  result.peak_kib = 4096;
  result.standard_output = text;
  return result;
}

TEST(ListRows, ReadsNamesAndSentences) {
  std::string error;
  const auto rows = ListRows(FakeSource(), &error);
  EXPECT_EQ(error, "");
  ASSERT_GT(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "good");
  EXPECT_EQ(rows[0].what, "works, and says all there is to say");
  EXPECT_EQ(rows[0].source, FakeSource());
}

TEST(ListRows, SaysWhatIsWrong) {
  std::string error;
  EXPECT_TRUE(ListRows("/nowhere/source", &error).empty());
  EXPECT_THAT(error, HasSubstr("No such file"));
}

TEST(ParseOutcome, ReadsEveryFigure) {
  const Outcome outcome = ParseOutcome(
      Printed("chatter\nbench: seconds=0.5\nbench: operations=1000\n"
              "bench: peak_kib=100\nbench: left_kib=50\n"),
      "");
  EXPECT_EQ(outcome.failure, "");
  EXPECT_DOUBLE_EQ(outcome.seconds, 0.0005);
  EXPECT_EQ(outcome.peak_kib, 100);
  EXPECT_EQ(outcome.left_kib, 50);
}

TEST(ParseOutcome, FallsBackOnTheProcess) {
  const Outcome outcome = ParseOutcome(Printed("nothing to see\n"), "");
  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(outcome.seconds, 7);
  EXPECT_EQ(outcome.peak_kib, 4096);
  EXPECT_LT(outcome.left_kib, 0);
}

TEST(ParseOutcome, RefusesFiguresThatAreNone) {
  for (const char* text :
       {"bench: seconds=\n", "bench: seconds=fast\n", "bench: seconds=-1\n",
        "bench: seconds=0\n", "bench: seconds\n"}) {
    EXPECT_EQ(ParseOutcome(Printed(text), "").failure, "garbled figures")
        << text;
  }
}

TEST(ParseOutcome, RefusesAnotherAllocatorsFigures) {
  const auto failure = [](const char* malloc_path, const char* library) {
    return ParseOutcome(
               Printed(std::string("bench: malloc=") + malloc_path + "\n"),
               library)
        .failure;
  };
  EXPECT_EQ(failure("/nowhere/libx.so.1", "/elsewhere/libx.so.1"), "");
  EXPECT_EQ(failure("/nowhere/libc.so.6", "/elsewhere/libx.so.1"),
            "malloc was libc.so.6's");
  // Nothing was preloaded, so nothing can be wrong.
  EXPECT_EQ(failure("/nowhere/libc.so.6", ""), "");
}

TEST(RunRow, RunsWhatWorks) {
  const Outcome outcome = RunFake("good");
  EXPECT_EQ(outcome.failure, "");
  EXPECT_DOUBLE_EQ(outcome.seconds, 0.25);
  EXPECT_EQ(outcome.left_kib, 2048);
}

TEST(RunRow, MeasuresWhatSaysNothing) {
  const Outcome outcome = RunFake("silent");
  EXPECT_EQ(outcome.failure, "");
  EXPECT_GT(outcome.seconds, 0);
  EXPECT_GT(outcome.peak_kib, 0);
}

TEST(RunRow, NamesTheSignalOfACrash) {
  const Outcome outcome = RunFake("crashes");
  EXPECT_EQ(outcome.failure, "crashed (SIGABRT)");
  EXPECT_EQ(outcome.detail, "this is the end");
  EXPECT_FALSE(outcome.missing);
}

TEST(RunRow, NamesTheExitCode) {
  EXPECT_EQ(RunFake("fails").failure, "failed (exit code 3)");
}

TEST(RunRow, SaysWhatIsMissing) {
  const Outcome outcome = RunFake("misses");
  EXPECT_EQ(outcome.failure, "needs some-server");
  EXPECT_TRUE(outcome.missing);
}

TEST(RunRow, KillsWhatDoesNotEnd) {
  EXPECT_EQ(RunFake("hangs", "", 0.2).failure, "timed out");
}

TEST(RunRow, DoesNotWaitForADaemonThatKeepsItsOutput) {
  const Outcome outcome = RunFake("daemon");
  EXPECT_EQ(outcome.failure, "");
  EXPECT_LT(outcome.seconds, 5);
}

TEST(RunRow, NoticesALibraryThatIsNotThere) {
  EXPECT_EQ(RunFake("good", "/nowhere/libx.so").failure, "not preloaded");
}

TEST(RunRow, NoticesAProgramThatIsNotThere) {
  EXPECT_EQ(RunRow({"x", "", "/nowhere/source"}, "", false, kLong).failure,
            "did not start");
}

TEST(RunRow, HidesTheUsersSettings) {
  setenv("MALLOC_CONF", "narenas:1", 1);
  setenv("LD_PRELOAD_OTHER", "stays", 1);
  EXPECT_EQ(RunFake("environment").failure, "");
}

}  // namespace
}  // namespace bench
