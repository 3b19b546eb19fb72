#include "bench/runner/tables.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/runner/format.h"
#include "bench/runner/statistics.h"

namespace bench {

namespace {

std::string FormatValue(Measure measure, double value) {
  return measure == Measure::kTime ? FormatSeconds(value) : FormatKib(value);
}

std::vector<std::string> Head(const Results& results, const std::string& first,
                              const std::vector<std::string>& then) {
  std::vector<std::string> head = {first};
  head.insert(head.end(), then.begin(), then.end());
  for (const Column& column : results.columns()) {
    head.push_back(column.aside ? absl::StrCat("*", column.name, "*")
                                : column.name);
  }
  return head;
}

}  // namespace

MarkdownTable::MarkdownTable(const std::vector<std::string>& head) {
  Add(head);
  text_ += "| --- |";
  for (size_t i = 1; i < head.size(); ++i) text_ += " ---: |";
  text_ += "\n";
}

void MarkdownTable::Add(const std::vector<std::string>& cells) {
  absl::StrAppend(&text_, "| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string RatioTable(const Results& results, Measure measure) {
  MarkdownTable table(Head(results, "row", {"best peer"}));
  for (size_t row = 0; row < results.rows().size(); ++row) {
    if (measure == Measure::kLeft && !results.Has(measure, row)) continue;
    const int best = results.BestPeer(measure, row);
    std::vector<std::string> cells = {
        results.rows()[row].name,
        best < 0 ? kNoFigure
                 : absl::StrCat(results.columns()[best].name, ", ",
                                FormatValue(measure, results.Value(measure, row,
                                                                   best)))};
    for (size_t column = 0; column < results.columns().size(); ++column) {
      const double ratio = results.Ratio(measure, row, column);
      const std::string& failure = results.cell(row, column).failure;
      if (!failure.empty()) {
        cells.push_back(failure);
      } else if (ratio <= 0) {
        // Without a peer there is no ratio, but there may be a figure.
        const double value = results.Value(measure, row, column);
        cells.push_back(value > 0 ? FormatValue(measure, value) : kNoFigure);
      } else if (results.columns()[column].ours) {
        cells.push_back(absl::StrCat("**", FormatRatio(ratio), "**"));
      } else {
        cells.push_back(FormatRatio(ratio));
      }
    }
    table.Add(cells);
  }
  return table.text();
}

std::string FiguresTable(const Results& results, Measure measure) {
  MarkdownTable table(Head(results, "row", {}));
  for (size_t row = 0; row < results.rows().size(); ++row) {
    if (!results.Has(measure, row)) continue;
    std::vector<std::string> cells = {results.rows()[row].name};
    for (size_t column = 0; column < results.columns().size(); ++column) {
      const double value = results.Value(measure, row, column);
      if (value <= 0) {
        cells.push_back(kNoFigure);
        continue;
      }
      std::string text = FormatValue(measure, value);
      const auto& values = results.cell(row, column).values(measure);
      // One run has no spread, which is not the same as none.
      if (values.size() > 1) {
        absl::StrAppend(&text, " ", FormatSpread(Spread(values)));
      }
      cells.push_back(text);
    }
    table.Add(cells);
  }
  return table.text();
}

std::string MachineTable(const std::vector<Column>& columns,
                         const ReportContext& context) {
  const Machine& machine = context.machine;
  std::string text = "| | |\n| --- | --- |\n";
  const auto add = [&](const std::string& key, const std::string& value) {
    absl::StrAppend(&text, "| ", key, " | ", value, " |\n");
  };
  add("commit", context.commit);
  add("date", context.date);
  add("processor", absl::StrCat(machine.cpu, ", ", machine.cores,
                                machine.cores == 1 ? " core" : " cores"));
  add("memory", machine.memory);
  add("system", absl::StrCat(machine.system, ", ", machine.kernel,
                             ", transparent huge pages: ", machine.huge_pages));
  add("load when it began", absl::StrFormat("%.2f", machine.load));
  add("it took", absl::StrFormat("%.1f minutes", context.minutes));
  for (const Column& column : columns) {
    add(column.name, column.absent.empty() ? column.version : column.absent);
  }
  return text;
}

}  // namespace bench
