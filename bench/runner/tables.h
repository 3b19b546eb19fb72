// Tables of results, in Markdown.
#ifndef BENCH_RUNNER_TABLES_H_
#define BENCH_RUNNER_TABLES_H_

#include <string>
#include <vector>

#include "bench/runner/machine.h"
#include "bench/runner/results.h"

namespace bench {

// Stands where there is nothing to show.
inline constexpr char kNoFigure[] = "–";

// Built line by line. All columns but the first are aligned right.
class MarkdownTable {
 public:
  explicit MarkdownTable(const std::vector<std::string>& head);
  void Add(const std::vector<std::string>& cells);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What a reader has to know of a run.
struct ReportContext {
  Machine machine;
  std::string commit;
  std::string date;
  std::string command;  // that repeats the run
  int repeats = 0;
  bool quick = false;
  double minutes = 0;  // that it took
};

// A line for each row: its best peer, and each column's ratio to it.
std::string RatioTable(const Results& results, Measure measure);

// A line for each row: each column's median and spread.
std::string FiguresTable(const Results& results, Measure measure);

// Where and when it was measured, and of which versions.
std::string MachineTable(const std::vector<Column>& columns,
                         const ReportContext& context);

}  // namespace bench

#endif  // BENCH_RUNNER_TABLES_H_
