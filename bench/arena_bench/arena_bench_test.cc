// A short run from end to end, and the verdict on figures made by hand.
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/arena_bench/load.h"
#include "bench/arena_bench/verdict.h"
#include "bench/runner/child.h"
#include "bench/runner/runfiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

ChildResult ArenaBench(std::vector<std::string> flags) {
  flags.insert(flags.begin(), RunfilePath("bench/arena_bench/arena_bench"));
  return RunChild(flags, "", 60);
}

TEST(ArenaBench, HasEveryRowOfBothKinds) {
  const std::string out = std::string(getenv("TEST_TMPDIR")) + "/report.md";
  const ChildResult result = ArenaBench({"--quick", "--out=" + out});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  std::ostringstream text;
  text << std::ifstream(out).rdbuf();
  const std::string report = text.str();
  EXPECT_EQ(report, result.standard_output);
  EXPECT_THAT(report, HasSubstr("A quick run"));
  EXPECT_THAT(report, HasSubstr("| malloc below *pmr* and tbb | libc.so.6"));
  const std::string monotonic = report.substr(report.find("## Monotonic"));
  const std::string wall = report.substr(report.find("## 4 threads"));
  for (const Load& load : AllLoads()) {
    // What of the peers is not installed has a cell that says so.
    EXPECT_THAT(report, ContainsRegex("\n. " + load.name +
                                      " . [^|]+, [^|]+s . [*][*][0-9.]+[*]"));
    EXPECT_THAT(monotonic, HasSubstr("| " + load.name + " | pmr monotonic, "));
    if (load.threads > 1) {
      EXPECT_THAT(wall, HasSubstr("| " + load.name + " | "));
    }
  }
  for (const char* column : {"jemalloc", "jemalloc, tcache", "mimalloc", "tbb",
                             "[*]pmr pool[*]", "[*]empty[*]"}) {
    EXPECT_THAT(report, ContainsRegex(std::string(". ") + column + " .*\n"));
  }
}

TEST(ArenaBench, RunsSomeRowsAndColumns) {
  const ChildResult result =
      ArenaBench({"--quick", "--rows=*_10_t1", "--peers=alcove,empty"});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_THAT(result.standard_output, HasSubstr("| row | alcove | *empty* |"));
  EXPECT_THAT(result.standard_output, HasSubstr("| fixed_10_t1 |"));
  EXPECT_THAT(result.standard_output, Not(HasSubstr("fixed_1000_t1")));
  EXPECT_THAT(result.standard_output, Not(HasSubstr("mimalloc")));
}

TEST(ArenaBench, RefusesWhatItCannotMean) {
  for (const char* flag : {"--rows=nothing", "--peers=hoard", "--repeats=0",
                           "--sample_ms=0", "stray"}) {
    const ChildResult result = ArenaBench({flag});
    EXPECT_EQ(result.exit_code, 64) << flag;
    EXPECT_THAT(result.standard_error, Not(testing::IsEmpty())) << flag;
  }
}

// Three rows: of 10 blocks, of 100000, and one in which no peer has a figure.
KindResults MakeResults(Kind kind) {
  enum { kAlcove, kPeer, kGone };
  std::vector<Column> columns(3);
  columns[kAlcove].name = "alcove";
  columns[kAlcove].ours = true;
  columns[kPeer].name = "peer";
  columns[kGone].name = "gone";
  columns[kGone].absent = "not installed";
  columns[kGone].package = "libgone1";
  const std::vector<Row> rows = {
      {"few", "", ""}, {"many", "", ""}, {"alone", "", ""}};
  KindResults results = {kind, Results(columns, rows), Results(columns, rows)};
  for (size_t row = 0; row < rows.size(); ++row) {
    results.inside.cell(row, kAlcove).seconds = {50e-9};
    results.inside.cell(row, kGone).failure = "not installed";
  }
  results.inside.cell(0, kPeer).seconds = {100e-9};
  results.inside.cell(1, kPeer).seconds = {40e-9};
  return results;
}

std::vector<Load> MakeLoads() {
  return {{"few", "", 10, 1, nullptr},
          {"many", "", 100000, 1, nullptr},
          {"alone", "", 10, 1, nullptr}};
}

TEST(Verdict, AsksMoreOfGeneralArenasWithFewBlocks) {
  EXPECT_EQ(Verdict(MakeResults(Kind::kGeneral), MakeLoads()),
            "Within the bound in 0 of 2 rows; not in few (0.50, at most 0.33), "
            "many (1.25, at most 1.00).");
  EXPECT_EQ(Verdict(MakeResults(Kind::kMonotonic), MakeLoads()),
            "Within the bound in 1 of 2 rows; not in many (1.25, at most "
            "1.00).");
}

TEST(Report, SaysWhichPeersAreMissing) {
  const std::string report = MakeFieldReport({MakeResults(Kind::kGeneral)},
                                             MakeLoads(), ReportContext());
  EXPECT_THAT(report, HasSubstr("| few | peer, 100 ns | **0.50** | 1.00 | not "
                                "installed |"));
  EXPECT_THAT(report, HasSubstr("apt-get install --no-install-recommends "
                                "libgone1"));
  EXPECT_THAT(report, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace bench
