// Runs the program as a user would, on good flags and on bad.
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "examples/common/program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using common::Outcome;
using testing::ContainsRegex;
using testing::HasSubstr;

struct Line {
  uint64_t from;
  std::string bar;
  std::string whose;
};

// The lines of pieces in a picture: the first, or the one after the shutdown.
std::vector<Line> Picture(const std::string& output, bool second) {
  const size_t middle = output.find("is shut down");
  const std::string part =
      second ? output.substr(middle) : output.substr(0, middle);
  static const std::regex kLine(
      "(0x[0-9a-f]+) +[0-9.]+ [KMGT]?i?B +[0-9.]+ [KMGT]?i?B  ([#+.]+) +(.*)");
  std::vector<Line> lines;
  for (std::sregex_iterator at(part.begin(), part.end(), kLine), end; at != end;
       ++at) {
    lines.push_back({std::stoull((*at)[1], nullptr, 16), (*at)[2], (*at)[3]});
  }
  return lines;
}

size_t Count(const std::vector<Line>& lines, const std::string& whose) {
  size_t count = 0;
  for (const Line& line : lines) count += line.whose.find(whose) == 0;
  return count;
}

class VersionsTest : public common::ProgramTest {
 protected:
  VersionsTest() : ProgramTest("examples/versions/versions") {}
};

TEST_F(VersionsTest, DrawsBothVersionsAndMalloc) {
  const Outcome run = Run("");
  ASSERT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output,
              HasSubstr("every text is in one store, in memory of its own: "
                        "yes"));
  EXPECT_THAT(run.output, HasSubstr("store_old_ is shut down: yes"));
  EXPECT_THAT(run.output, HasSubstr("store_new_ has its texts: yes"));

  const std::vector<Line> lines = Picture(run.output, false);
  EXPECT_EQ(Count(lines, "the program, versions"), 1u) << run.output;
  EXPECT_EQ(Count(lines, "store_old_ 0.1.0 in versions"), 1u) << run.output;
  EXPECT_EQ(Count(lines, "store_new_ "), 1u) << run.output;
  // The two, unless the system put them side by side and joined them.
  const size_t joined = Count(lines, "data of store_new_, store_old_");
  EXPECT_LE(joined, 1u) << run.output;
  EXPECT_EQ(Count(lines, "store_old_'s own data"), 1 - joined) << run.output;
  EXPECT_EQ(Count(lines, "store_new_'s own data"), 1 - joined) << run.output;
  EXPECT_GE(Count(lines, "malloc of "), 1u) << run.output;
  EXPECT_EQ(Count(lines, "the stack"), 1u) << run.output;
  for (size_t i = 1; i < lines.size(); ++i)
    EXPECT_LT(lines[i - 1].from, lines[i].from) << run.output;
  for (const Line& line : lines) {
    // 50,000 texts in each of the two: memory, some more of it accessible, and a
    // reserve.
    if (line.whose.find(" in versions") != std::string::npos) {
      EXPECT_THAT(line.bar, ContainsRegex("^##########+\\+*\\.+$"));
    }
  }

  const std::vector<Line> after = Picture(run.output, true);
  EXPECT_EQ(Count(after, "store_old_"), 0u) << run.output;
  EXPECT_EQ(Count(after, "store_new_"), 2u) << run.output;
  EXPECT_GE(Count(after, "malloc of "), 1u) << run.output;
}

TEST_F(VersionsTest, FitsATerminal) {
  const Outcome run = Run("");
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 98u) << line;
}

TEST_F(VersionsTest, AnyNumberOfTexts) {
  for (const char* const count : {"1", "2", "3", "200000"}) {
    const Outcome run = Run(std::string("--texts=") + count);
    EXPECT_EQ(run.exit_code, 0) << run.output;
  }
  for (const char* const count : {"0", "10000001"}) {
    const Outcome run = Run(std::string("--texts=") + count);
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.output, HasSubstr("--texts takes 1 to 10000000"));
  }
}

}  // namespace
