// Where rows come from. A source is an executable of any kind, a script too:
//
//   SOURCE --list           prints a line "name<TAB>what it stands for" for
//   each row SOURCE [--quick] NAME   runs one row, with the column's library in
//   LD_PRELOAD
//
// and reports what it measured in lines of its standard output:
//
//   bench: seconds=0.123      of the measured phase; without it: of the whole
//   process bench: operations=1000    if the row is to be shown per operation
//   bench: peak_kib=4096      without it: the largest process's, from wait4
//   bench: left_kib=2048      what is left after idling, in rows about that
//   bench: malloc=/path.so    what answered malloc; must be the column's
//   library bench: missing=redis-server    with exit code 77: what the row
//   needs and lacks
//
// Exit code 0 with nothing reported is good enough: a real program is a source
// of one row by way of a script of three lines.
#ifndef BENCH_RUNNER_SOURCE_H_
#define BENCH_RUNNER_SOURCE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/runner/child.h"

namespace bench {

struct Row {
  std::string name;
  std::string what;
  std::string source;  // path of the executable
};

// What one run of one row with one column gave.
struct Outcome {
  // Empty: all went well. Else a word or two for the cell: "crashed (SIGSEGV)".
  std::string failure;
  // For the reader of the log: the last line on standard error.
  std::string detail;
  // The row cannot run here at all, whatever the column.
  bool missing = false;
  double seconds = 0;  // per operation if the row counts them
  double peak_kib = 0;
  double left_kib = -1;  // negative: not reported
};

// The rows of a source; on failure none, and a sentence in *error.
std::vector<Row> ListRows(const std::string& source, std::string* error);

// Reads what a run printed. `library` is the path that was preloaded; empty for
// none.
Outcome ParseOutcome(const ChildResult& result, std::string_view library);

// Runs a row once.
Outcome RunRow(const Row& row, const std::string& library, bool quick,
               double timeout_seconds);

}  // namespace bench

#endif  // BENCH_RUNNER_SOURCE_H_
