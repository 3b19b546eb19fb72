// Ratios, the tables and the plot, of results made by hand.
#include "bench/runner/report.h"

#include "bench/runner/plot.h"
#include "bench/runner/results.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::HasSubstr;
using testing::Not;

enum { kAlcove, kGlibc, kJemalloc, kGone, kYardstick };

// Two rows that work, one in which jemalloc crashes, one that cannot run.
Results MakeResults() {
  std::vector<Column> columns(5);
  columns[kAlcove].name = "alcove";
  columns[kAlcove].ours = true;
  columns[kGlibc].name = "glibc";
  columns[kJemalloc].name = "jemalloc";
  columns[kGone].name = "gone";
  columns[kGone].absent = "not installed";
  columns[kGone].package = "libgone1";
  columns[kYardstick].name = "yardstick";
  columns[kYardstick].aside = true;
  Results results(columns, {{"first", "does this", "s"},
                            {"second", "does that", "s"},
                            {"third", "crashes <one>", "s"},
                            {"fourth", "needs a server", "s"}});
  const auto set = [&](size_t row, size_t column, double ns, double kib) {
    Cell& cell = results.cell(row, column);
    cell.seconds = {ns * 1e-9, ns * 1.04e-9, ns * 0.96e-9};
    cell.peak_kib = {kib, kib, kib};
  };
  set(0, kAlcove, 10, 2000);
  set(0, kGlibc, 20, 1000);
  set(0, kJemalloc, 40, 4000);
  set(0, kYardstick, 5, 500);
  set(1, kAlcove, 30, 1000);
  set(1, kGlibc, 45, 1000);
  set(1, kJemalloc, 15, 2000);
  set(1, kYardstick, 30, 1000);
  results.cell(1, kAlcove).left_kib = {300, 300, 300};
  set(2, kAlcove, 10, 1000);
  set(2, kGlibc, 10, 1000);
  set(2, kYardstick, 10, 1000);
  results.cell(2, kJemalloc).failure = "crashed (SIGSEGV)";
  results.cell(2, kJemalloc).detail = "this is the end";
  for (size_t row = 0; row < 4; ++row) {
    results.cell(row, kGone).failure = "not installed";
  }
  for (size_t column = 0; column < 5; ++column) {
    results.cell(3, column).failure = "needs some-server";
  }
  return results;
}

ReportContext Context() {
  ReportContext context;
  context.machine.cpu = "A processor";
  context.machine.cores = 2;
  context.commit = "1a2b3c4";
  context.command = "./bazelw run //bench";
  context.repeats = 3;
  return context;
}

TEST(Results, TakesTheBestOfThePeersOnly) {
  const Results results = MakeResults();
  // Neither ours nor what stands aside.
  EXPECT_EQ(results.BestPeer(Measure::kTime, 0), kGlibc);
  EXPECT_EQ(results.BestPeer(Measure::kTime, 1), kJemalloc);
  EXPECT_EQ(results.BestPeer(Measure::kTime, 3), -1);
  EXPECT_DOUBLE_EQ(results.Ratio(Measure::kTime, 0, kAlcove), 0.5);
  EXPECT_DOUBLE_EQ(results.Ratio(Measure::kTime, 1, kAlcove), 2);
  EXPECT_DOUBLE_EQ(results.Ratio(Measure::kPeak, 0, kYardstick), 0.5);
  EXPECT_EQ(results.Ratio(Measure::kTime, 2, kJemalloc), 0);
  EXPECT_EQ(results.Ratio(Measure::kTime, 3, kAlcove), 0);
}

TEST(Results, SummarizesWhatThereIs) {
  const Results results = MakeResults();
  const auto ours = results.AgainstBest(Measure::kTime, kAlcove);
  EXPECT_EQ(ours.rows, 3u);
  EXPECT_NEAR(ours.mean, 1, 1e-9);
  EXPECT_NEAR(ours.worst, 2, 1e-9);
  EXPECT_EQ(ours.worst_row, 1u);
  EXPECT_EQ(results.AgainstBest(Measure::kTime, kJemalloc).rows, 2u);
  EXPECT_EQ(results.AgainstBest(Measure::kTime, kGone).rows, 0u);
  const auto duel = results.Against(Measure::kTime, kAlcove, kYardstick);
  EXPECT_NEAR(duel.worst, 2, 1e-9);
  EXPECT_EQ(duel.worst_row, 0u);
}

TEST(Report, HasARatioTable) {
  const std::string report = MakeReport(MakeResults(), Context());
  EXPECT_THAT(report, HasSubstr("| row | best peer | alcove | glibc | jemalloc "
                                "| gone | *yardstick* |\n"));
  EXPECT_THAT(report, HasSubstr("| first | glibc, 20.0 ns | **0.50** | 1.00 | "
                                "2.00 | not installed | 0.25 |\n"));
  EXPECT_THAT(report,
              HasSubstr("| third | glibc, 10.0 ns | **1.00** | 1.00 | "
                        "crashed (SIGSEGV) | not installed | 1.00 |\n"));
}

TEST(Report, HasFiguresWithTheirSpread) {
  const std::string report = MakeReport(MakeResults(), Context());
  EXPECT_THAT(report, HasSubstr("| first | 10.0 ns ±4% | 20.0 ns ±4% |"));
  EXPECT_THAT(report, HasSubstr("| second | 300 KiB ±0% | – |"));
  EXPECT_THAT(report, HasSubstr("Memory left"));
}

TEST(Report, SaysWhatFailedAndWhereItWasMeasured) {
  const std::string report = MakeReport(MakeResults(), Context());
  EXPECT_THAT(report, HasSubstr("- third, jemalloc: crashed (SIGSEGV): this is "
                                "the end\n"));
  EXPECT_THAT(report, HasSubstr("| processor | A processor, 2 cores |"));
  EXPECT_THAT(report, HasSubstr("| gone | not installed |"));
  EXPECT_THAT(report, Not(HasSubstr("nan")));
  EXPECT_THAT(report, Not(HasSubstr("inf")));
}

TEST(Report, WarnsOfAQuickRun) {
  ReportContext context = Context();
  EXPECT_THAT(MakeReport(MakeResults(), context),
              Not(HasSubstr("A quick run")));
  context.quick = true;
  EXPECT_THAT(MakeReport(MakeResults(), context), HasSubstr("A quick run"));
}

TEST(Report, ListsEveryRun) {
  const std::string table = MakeRawTable(MakeResults());
  EXPECT_THAT(table, HasSubstr("first\talcove\t1\t1e-08\t2000\t\n"));
  EXPECT_THAT(table, HasSubstr("second\talcove\t1\t3e-08\t1000\t300\n"));
}

TEST(InstallCommand, NamesWhatIsAbsent) {
  EXPECT_EQ(InstallCommand(MakeResults()),
            "apt-get install --no-install-recommends libgone1");
  EXPECT_EQ(InstallCommand(Results({}, {})), "");
}

TEST(Plot, ShowsEveryRowAndColumn) {
  const std::string plot = MakePlot(MakeResults(), "caption & more");
  for (const char* text :
       {"first", "fourth", "alcove", "jemalloc", "failed: jemalloc",
        "caption &amp; more", "needs some-server", "not installed"}) {
    EXPECT_THAT(plot, HasSubstr(text));
  }
  EXPECT_THAT(plot, Not(HasSubstr("nan")));
  EXPECT_THAT(plot, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace bench
