// RESULTS.md and the table of every single run.
#ifndef BENCH_RUNNER_REPORT_H_
#define BENCH_RUNNER_REPORT_H_

#include <string>

#include "bench/runner/results.h"
#include "bench/runner/tables.h"

namespace bench {

// The whole of RESULTS.md; the plot is linked as results.svg.
std::string MakeReport(const Results& results, const ReportContext& context);

// A line for each run: row, column, repeat, seconds, peak_kib, left_kib; tabs
// between.
std::string MakeRawTable(const Results& results);

// The apt command that installs what absent columns need; empty if none does.
std::string InstallCommand(const Results& results);

}  // namespace bench

#endif  // BENCH_RUNNER_REPORT_H_
