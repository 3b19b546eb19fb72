// Runs the rows.
#ifndef BENCH_RUNNER_MEASURE_H_
#define BENCH_RUNNER_MEASURE_H_

#include <functional>
#include <string>

#include "bench/runner/results.h"

namespace bench {

struct MeasureOptions {
  int repeats = 5;
  bool quick = false;
  double timeout_seconds = 60;
};

// Told after each run: how many are done of how many, and what just ran.
struct Progress {
  size_t done;
  size_t total;
  size_t row;
  size_t column;
  int repeat;
  const Outcome& outcome;
};

// Fills every cell. Within a row the columns take turns (A B C A B C ...), so
// that what disturbs the machine for a while disturbs all of them alike. A
// column that fails in a row is not run again there.
void MeasureAll(const MeasureOptions& options, Results& results,
                const std::function<void(const Progress&)>& progress);

}  // namespace bench

#endif  // BENCH_RUNNER_MEASURE_H_
