// What came of it: the tables, and which rows are as fast as they are to be.
#ifndef BENCH_ARENA_BENCH_VERDICT_H_
#define BENCH_ARENA_BENCH_VERDICT_H_

#include <string>
#include <vector>

#include "bench/arena_bench/field.h"
#include "bench/runner/tables.h"

namespace bench {

// The time of Alcove's first column is to be at most so much of the best
// peer's: general arenas are to be three times as fast up to 1000 blocks.
double Bound(Kind kind, size_t blocks);

// "Within the bound in 15 of 16 rows; not in a (0.40, at most 0.33)."
std::string Verdict(const KindResults& results, const std::vector<Load>& loads);

// The whole of RESULTS.md.
std::string MakeFieldReport(const std::vector<KindResults>& all,
                            const std::vector<Load>& loads,
                            const ReportContext& context);

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_VERDICT_H_
