#include "bench/runner/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/runner/format.h"

namespace bench {

namespace {

bool Anywhere(const Results& results, Measure measure) {
  for (size_t row = 0; row < results.rows().size(); ++row) {
    if (results.Has(measure, row)) return true;
  }
  return false;
}

std::string FormatSummary(const Results& results,
                          const Results::Summary& summary) {
  if (summary.rows == 0) return kNoFigure;
  return absl::StrCat(FormatRatio(summary.worst), " ",
                      results.rows()[summary.worst_row].name);
}

std::string MeansTable(const Results& results) {
  MarkdownTable table({"", "time", "worst row", "rows above 1.05",
                       "peak memory", "worst row", "rows"});
  for (size_t column = 0; column < results.columns().size(); ++column) {
    const Column& allocator = results.columns()[column];
    if (!allocator.absent.empty()) {
      table.Add({allocator.name, allocator.absent, "", "", "", "", ""});
      continue;
    }
    const Results::Summary time = results.AgainstBest(Measure::kTime, column);
    const Results::Summary peak = results.AgainstBest(Measure::kPeak, column);
    size_t behind = 0;
    for (size_t row = 0; row < results.rows().size(); ++row) {
      behind += results.Ratio(Measure::kTime, row, column) > 1.05;
    }
    const auto mean = [&](const Results::Summary& summary) {
      const std::string text =
          summary.rows == 0 ? kNoFigure : FormatRatio(summary.mean);
      return allocator.ours ? absl::StrCat("**", text, "**") : text;
    };
    table.Add({allocator.aside ? absl::StrCat("*", allocator.name, "*")
                               : allocator.name,
               mean(time), FormatSummary(results, time), absl::StrCat(behind),
               mean(peak), FormatSummary(results, peak),
               absl::StrCat(time.rows)});
  }
  return table.text();
}

// The first of our columns against each other column.
std::string DuelTable(const Results& results) {
  size_t ours = 0;
  while (ours < results.columns().size() && !results.columns()[ours].ours) {
    ++ours;
  }
  if (ours == results.columns().size() || results.columns().size() < 2)
    return "";
  MarkdownTable table({absl::StrCat(results.columns()[ours].name, " against"),
                       "time", "worst row", "peak memory", "worst row"});
  for (size_t other = 0; other < results.columns().size(); ++other) {
    if (other == ours || !results.columns()[other].absent.empty()) continue;
    const auto time = results.Against(Measure::kTime, ours, other);
    const auto peak = results.Against(Measure::kPeak, ours, other);
    table.Add({results.columns()[other].name,
               time.rows == 0 ? kNoFigure : FormatRatio(time.mean),
               FormatSummary(results, time),
               peak.rows == 0 ? kNoFigure : FormatRatio(peak.mean),
               FormatSummary(results, peak)});
  }
  return table.text();
}

// Empty if there were none.
std::string FailuresList(const Results& results) {
  std::string text;
  for (size_t row = 0; row < results.rows().size(); ++row) {
    for (size_t column = 0; column < results.columns().size(); ++column) {
      const Column& allocator = results.columns()[column];
      const Cell& cell = results.cell(row, column);
      if (cell.failure.empty() || !allocator.absent.empty()) continue;
      absl::StrAppend(&text, "- ", results.rows()[row].name, ", ",
                      allocator.name, ": ", cell.failure,
                      cell.detail.empty() ? "" : ": ", cell.detail, "\n");
    }
  }
  return text;
}

std::string RowsTable(const Results& results) {
  std::string text = "| row | what it does |\n| --- | --- |\n";
  for (const Row& row : results.rows()) {
    absl::StrAppend(&text, "| ", row.name, " | ", row.what, " |\n");
  }
  return text;
}

}  // namespace

std::string MakeReport(const Results& results, const ReportContext& context) {
  std::string text = "# Results\n\n";
  absl::StrAppend(&text, "Written by `", context.command,
                  "`; do not edit.\n\n");
  if (context.quick) {
    absl::StrAppend(
        &text,
        "**A quick run: it shows that everything works, and no figure in it "
        "means anything.**\n\n");
  }
  absl::StrAppend(
      &text, "Medians of ", context.repeats,
      context.repeats == 1 ? " run" : " runs",
      ", in which the allocators took turns. A ratio is against the best peer "
      "of its "
      "row; smaller is better, and below 1 is ahead of every peer. Alcove's "
      "own "
      "columns",
      std::any_of(results.columns().begin(), results.columns().end(),
                  [](const Column& column) { return column.aside; })
          ? ", and those in italics,"
          : "",
      " are nobody's peer. README.md says how to read and repeat this.\n\n");
  absl::StrAppend(&text, "![Time and memory of every row](results.svg)\n\n");

  absl::StrAppend(&text, "## Geometric means\n\n", MeansTable(results), "\n");
  const std::string duel = DuelTable(results);
  if (!duel.empty()) absl::StrAppend(&text, duel, "\n");

  absl::StrAppend(&text, "## Time, ratio to the best peer\n\n",
                  RatioTable(results, Measure::kTime), "\n");
  absl::StrAppend(&text, "## Peak memory, ratio to the smallest peer\n\n",
                  RatioTable(results, Measure::kPeak), "\n");
  if (Anywhere(results, Measure::kLeft)) {
    absl::StrAppend(
        &text, "## Memory left when all is freed and a second has passed\n\n",
        FiguresTable(results, Measure::kLeft), "\n");
  }
  absl::StrAppend(
      &text,
      "## Figures\n\nMedian, and half the distance between the extremes. "
      "Time is per operation where a row counts them.\n\n",
      FiguresTable(results, Measure::kTime), "\n",
      FiguresTable(results, Measure::kPeak), "\n");
  const std::string failures = FailuresList(results);
  if (!failures.empty()) {
    absl::StrAppend(&text, "## What failed\n\n", failures, "\n");
  }
  absl::StrAppend(&text, "## Rows\n\n", RowsTable(results), "\n");
  absl::StrAppend(&text, "## Machine and versions\n\n",
                  MachineTable(results.columns(), context));
  return text;
}

std::string MakeRawTable(const Results& results) {
  std::string text = "row\tcolumn\trepeat\tseconds\tpeak_kib\tleft_kib\n";
  for (size_t row = 0; row < results.rows().size(); ++row) {
    for (size_t column = 0; column < results.columns().size(); ++column) {
      const Cell& cell = results.cell(row, column);
      for (size_t i = 0; i < cell.seconds.size(); ++i) {
        absl::StrAppendFormat(
            &text, "%s\t%s\t%d\t%.6g\t%.0f\t%s\n", results.rows()[row].name,
            results.columns()[column].name, i + 1, cell.seconds[i],
            cell.peak_kib[i],
            i < cell.left_kib.size() ? absl::StrFormat("%.0f", cell.left_kib[i])
                                     : "");
      }
    }
  }
  return text;
}

std::string InstallCommand(const Results& results) {
  std::vector<std::string> packages;
  for (const Column& column : results.columns()) {
    if (!column.absent.empty() && !column.package.empty()) {
      packages.push_back(column.package);
    }
  }
  return packages.empty()
             ? ""
             : absl::StrCat("apt-get install --no-install-recommends ",
                            absl::StrJoin(packages, " "));
}

}  // namespace bench
