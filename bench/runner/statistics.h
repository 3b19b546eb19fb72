// What five runs say.
#ifndef BENCH_RUNNER_STATISTICS_H_
#define BENCH_RUNNER_STATISTICS_H_

#include <vector>

namespace bench {

// The middle value, or the mean of the two; 0 for none. The median, and not the
// mean or the minimum: one run that another process disturbed does not move it,
// and a machine's lucky moment does not either.
double Median(std::vector<double> values);

// How far the runs lie apart: (largest - smallest) / median. 0 for fewer than
// two.
double Spread(const std::vector<double>& values);

// Of positive values; 0 for none. Of ratios, for which no other mean makes
// sense.
double GeometricMean(const std::vector<double>& values);

}  // namespace bench

#endif  // BENCH_RUNNER_STATISTICS_H_
