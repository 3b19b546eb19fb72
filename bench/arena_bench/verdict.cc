#include "bench/arena_bench/verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/runner/format.h"
#include "bench/runner/report.h"

namespace bench {

namespace {

const char* Title(Kind kind) {
  return kind == Kind::kGeneral ? "General" : "Monotonic";
}

// Each once, though it may be of both kinds.
std::vector<Column> AllColumns(const std::vector<KindResults>& all) {
  std::vector<Column> columns;
  for (const KindResults& results : all) {
    for (const Column& column : results.inside.columns()) {
      const bool known = std::any_of(
          columns.begin(), columns.end(),
          [&](const Column& other) { return other.name == column.name; });
      if (!known) columns.push_back(column);
    }
  }
  return columns;
}

}  // namespace

double Bound(Kind kind, size_t blocks) {
  return kind == Kind::kGeneral && blocks <= 1000 ? 1.0 / 3 : 1;
}

std::string Verdict(const KindResults& results,
                    const std::vector<Load>& loads) {
  const std::vector<Column>& columns = results.inside.columns();
  const auto ours =
      std::find_if(columns.begin(), columns.end(),
                   [](const Column& column) { return column.ours; });
  size_t judged = 0;
  std::vector<std::string> beyond;
  for (size_t row = 0; row < loads.size() && ours != columns.end(); ++row) {
    const double ratio =
        results.inside.Ratio(Measure::kTime, row, ours - columns.begin());
    if (ratio <= 0) continue;
    ++judged;
    const double bound = Bound(results.kind, loads[row].blocks);
    if (ratio > bound) {
      beyond.push_back(absl::StrCat(loads[row].name, " (", FormatRatio(ratio),
                                    ", at most ", FormatRatio(bound), ")"));
    }
  }
  return absl::StrCat("Within the bound in ", judged - beyond.size(), " of ",
                      judged, " rows", beyond.empty() ? "" : "; not in ",
                      absl::StrJoin(beyond, ", "), ".");
}

std::string MakeFieldReport(const std::vector<KindResults>& all,
                            const std::vector<Load>& loads,
                            const ReportContext& context) {
  std::string text = absl::StrCat("# Temporary heaps\n\nWritten by `",
                                  context.command, "`; do not edit.\n\n");
  if (context.quick) {
    absl::StrAppend(&text,
                    "**A quick run: it shows that everything works, and no "
                    "figure in it means anything.**\n\n");
  }
  absl::StrAppend(
      &text,
      "The time to create a heap, allocate N blocks from it, write to each, "
      "and "
      "destroy the heap with all of them: medians of ",
      context.repeats, context.repeats == 1 ? " sample" : " samples",
      ", in which the columns took turns, and half the distance of the "
      "extremes. With 4 threads it is what all of them spent at that, without "
      "what they waited for each other. A ratio is against the best peer of "
      "its row; smaller is better. Columns in italics are nobody's peer. "
      "README.md says what each of them does.\n\n| row | a cycle |\n| --- | "
      "--- "
      "|\n");
  for (const Load& load : loads) {
    absl::StrAppend(&text, "| ", load.name, " | ", load.what, " |\n");
  }
  std::string install;
  for (const KindResults& results : all) {
    absl::StrAppend(&text, "\n## ", Title(results.kind), "\n\n",
                    Verdict(results, loads), "\n\n",
                    RatioTable(results.inside, Measure::kTime), "\n",
                    FiguresTable(results.inside, Measure::kTime));
    if (install.empty()) install = InstallCommand(results.inside);
  }
  if (!install.empty()) {
    absl::StrAppend(&text, "\nMissing peers: `", install, "`\n");
  }
  const bool threads =
      std::any_of(loads.begin(), loads.end(),
                  [](const Load& load) { return load.threads > 1; });
  if (threads) {
    absl::StrAppend(&text,
                    "\n## 4 threads, by the clock on the wall\n\nThe same "
                    "samples, with what the threads wait for each other, which "
                    "*empty* has, too.\n\n");
    for (const KindResults& results : all) {
      absl::StrAppend(&text, FiguresTable(results.wall, Measure::kTime), "\n");
    }
  } else {
    text += "\n";
  }
  absl::StrAppend(&text, "## Machine and versions\n\n",
                  MachineTable(AllColumns(all), context));
  return text;
}

}  // namespace bench
