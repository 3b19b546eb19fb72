// Runs the program as a user would, on good input and on bad.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "examples/common/program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;
using common::Outcome;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class CoexistTest : public common::ProgramTest {
 protected:
  CoexistTest() : ProgramTest("examples/coexist/coexist") {}

  Outcome Coexist(const std::string& arguments,
                  const std::string& environment = "") const {
    return Run(arguments, environment);
  }

  static void ExpectAllHeld(const Outcome& run) {
    EXPECT_THAT(run.output, HasSubstr("malloc is jemalloc's: yes"));
    EXPECT_THAT(run.output, HasSubstr("every block has one owner: yes"));
    EXPECT_THAT(run.output, HasSubstr("the answer is std::allocator's: yes"));
    EXPECT_THAT(run.output, HasSubstr("nothing is left of the instances: yes"));
  }
};

// Enough text for every thread to be busy.
std::string LongText() {
  std::string text;
  for (int i = 0; i < 50000; ++i) {
    text += "The word" + std::to_string(i % 5000) + " of Line" +
            std::to_string(i) + "\n";
  }
  return text;
}

TEST_F(CoexistTest, ShowsAndChecksEveryAllocator) {
  const Outcome run = Coexist("--top=2 " + Write("a.txt", LongText()) + " " +
                              Write("b.txt", "of\n"));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  ExpectAllHeld(run);
  EXPECT_THAT(run.output, HasSubstr("2 files, "));
  EXPECT_THAT(run.output,
              HasSubstr("200001 words, 55002 different; 9 threads"));
  EXPECT_THAT(run.output, HasSubstr("     50001  of\n     50000  the\n\n"));
  EXPECT_THAT(run.output, ContainsRegex("malloc +words_ +catalog_ +report_\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("is +jemalloc +alcove +alcove +alcove\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("version +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("preset +- +default +debug +own knobs\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("check_invariants +- +false +true +false\n"));
  EXPECT_THAT(run.output, ContainsRegex("purge_delay_ms +- +100 +100 +0\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("blocks live +- +0 +[0-9,]+ +[0-9,]+\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("addresses from +- +0x[0-9a-f]+ +0x[0-9a-f]+ +0x"));
  EXPECT_THAT(run.output,
              ContainsRegex("words_ owns +0 +[1-9][0-9,]* +0 +0\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("catalog_ owns +0 +0 +[1-9][0-9,]* +0\n"));
  EXPECT_THAT(run.output,
              ContainsRegex("report_ owns +0 +0 +0 +[1-9][0-9,]*\n"));
  for (const char* name : {"words_", "catalog_", "report_"}) {
    EXPECT_THAT(run.output,
                ContainsRegex(std::string(name) +
                              " +mappings in its range: [1-9], now 0"));
  }
}

TEST_F(CoexistTest, AnyNumberOfThreads) {
  const std::string text = Write("a.txt", LongText());
  for (const char* threads : {"1", "2", "64"}) {
    const Outcome run =
        Coexist(std::string("--threads=") + threads + " " + text);
    EXPECT_EQ(run.exit_code, 0) << run.output;
    ExpectAllHeld(run);
  }
  for (const char* threads : {"0", "-1", "65"}) {
    const Outcome run =
        Coexist(std::string("--threads=") + threads + " " + text);
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.output, HasSubstr("--threads takes 1 to 64"));
  }
}

TEST_F(CoexistTest, WithoutFilesReadsTheWorkspace) {
  Write("a.txt", "workspace text");
  Write(".hidden", "not read");
  Write("binary", std::string("not\0read", 8));
  fs::create_directory(Path("bazel-out"));
  Write("bazel-out/b.txt", "not read");
  fs::create_directory(Path("folder"));
  Write("folder/c.txt", "text again");
  const Outcome run =
      Coexist("--verbose", "BUILD_WORKSPACE_DIRECTORY=" + Path(""));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("2 files, 24 bytes, 4 words, 3 different"));
  EXPECT_THAT(run.output, HasSubstr("folder/c.txt"));
  EXPECT_THAT(run.output, HasSubstr("\"prefix\":\"words_\""));
}

TEST_F(CoexistTest, RelativeNamesStartWhereTheUserIs) {
  Write("a.txt", "some text");
  const Outcome run = Coexist("a.txt", "BUILD_WORKING_DIRECTORY=" + Path(""));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  ExpectAllHeld(run);
}

TEST_F(CoexistTest, NamesEveryFileThatItCannotRead) {
  const std::string good = Write("good.txt", "still read");
  const std::string binary = Write("binary", std::string("\x7f"
                                                         "ELF\0\xff\x01",
                                                         7));
  fs::create_directory(Path("folder"));
  const Outcome run = Coexist(Path("missing.txt") + " " + good + " " + binary +
                              " " + Path("folder") + " /dev/zero");
  EXPECT_EQ(run.exit_code, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr("coexist: " + Path("missing.txt") +
                                    ": there is no such file\n"));
  EXPECT_THAT(run.output, HasSubstr("coexist: " + binary + ": is not text\n"));
  EXPECT_THAT(run.output,
              HasSubstr("coexist: " + Path("folder") +
                        ": is a directory; name the files in it\n"));
  EXPECT_THAT(run.output,
              HasSubstr("coexist: /dev/zero: is not a regular file\n"));
  EXPECT_THAT(run.output, HasSubstr("1 files, 10 bytes, 2 words"));
  ExpectAllHeld(run);
}

TEST_F(CoexistTest, NothingToRead) {
  const Outcome missing = Coexist(Path("missing.txt"));
  EXPECT_EQ(missing.exit_code, 2) << missing.output;
  EXPECT_THAT(missing.output, Not(HasSubstr("The allocators")));
  const Outcome empty = Coexist("", "BUILD_WORKSPACE_DIRECTORY=" + Path(""));
  EXPECT_EQ(empty.exit_code, 2) << empty.output;
  EXPECT_THAT(empty.output, HasSubstr("there is no text to read below it"));
}

TEST_F(CoexistTest, NoPermission) {
  const std::string locked = Write("locked.txt", "secret");
  chmod(locked.c_str(), 0);
  if (access(locked.c_str(), R_OK) == 0)
    GTEST_SKIP() << "this user may read everything";
  const Outcome run = Coexist(locked);
  EXPECT_EQ(run.exit_code, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr(locked + ": Permission denied\n"));
}

TEST_F(CoexistTest, OddText) {
  // Nothing; no word; a word of 8 MiB; every byte but 0; no line end.
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += static_cast<char>(i % 255 + 1);
  const Outcome run = Coexist(
      Write("empty", "") + " " + Write("none", "1 2 3\n\n") + " " +
      Write("huge", std::string(8 << 20, 'X')) + " " + Write("bytes", bytes));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("4 files"));
  ExpectAllHeld(run);
  EXPECT_LT(run.output.size(), 10000u);
}

TEST_F(CoexistTest, OnlyEmptyFiles) {
  const Outcome run = Coexist(Write("empty", ""));
  EXPECT_EQ(run.exit_code, 2) << run.output;
  EXPECT_THAT(run.output, HasSubstr("there is no word in these files"));
}

}  // namespace
