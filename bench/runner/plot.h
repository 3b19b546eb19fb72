// results.svg: every row at a glance.
#ifndef BENCH_RUNNER_PLOT_H_
#define BENCH_RUNNER_PLOT_H_

#include <string>

#include "bench/runner/results.h"

namespace bench {

// Two panels, time and peak memory, that share their rows. Above, a bar for
// each column's geometric mean; below, a dot for each column in each row. The
// axis is the ratio to the row's best peer, logarithmic: twice as fast and half
// as fast are equally far from 1. What lies beyond the axis is an arrow at its
// end.
std::string MakePlot(const Results& results, const std::string& caption);

}  // namespace bench

#endif  // BENCH_RUNNER_PLOT_H_
