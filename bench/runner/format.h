// Figures as a reader likes them.
#ifndef BENCH_RUNNER_FORMAT_H_
#define BENCH_RUNNER_FORMAT_H_

#include <string>

namespace bench {

// Three digits and a unit: "2.08 ns", "31.4 µs", "512 ms".
std::string FormatSeconds(double seconds);

// "844 KiB", "12.3 MiB", "391 MiB".
std::string FormatKib(double kib);

// "0.93", "12.4", "180": as many digits as mean something.
std::string FormatRatio(double ratio);

// "±4%", half of what Spread says, rounded up.
std::string FormatSpread(double spread);

}  // namespace bench

#endif  // BENCH_RUNNER_FORMAT_H_
