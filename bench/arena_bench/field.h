// Runs all rows with all columns.
#ifndef BENCH_ARENA_BENCH_FIELD_H_
#define BENCH_ARENA_BENCH_FIELD_H_

#include <functional>
#include <vector>

#include "bench/arena_bench/contender.h"
#include "bench/arena_bench/load.h"
#include "bench/runner/results.h"

namespace bench {

struct FieldOptions {
  int repeats = 9;
  double sample_seconds = 0.03;
};

// What was measured of one kind: a row for each load, in their order.
struct KindResults {
  Kind kind;
  Results inside;  // Timing::inside
  Results wall;    // Timing::wall, of loads with several threads
};

// Within a row the contenders take turns, of both kinds, so that what disturbs
// the machine for a while disturbs all of them alike. Tells `progress` each row
// that is done.
std::vector<KindResults> MeasureField(
    const std::vector<Contender>& contenders, const std::vector<Load>& loads,
    const FieldOptions& options,
    const std::function<void(const Load&)>& progress);

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_FIELD_H_
