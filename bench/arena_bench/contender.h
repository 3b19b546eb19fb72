// The columns: what can be a temporary heap.
#ifndef BENCH_ARENA_BENCH_CONTENDER_H_
#define BENCH_ARENA_BENCH_CONTENDER_H_

#include <vector>

#include "bench/arena_bench/cycle.h"
#include "bench/runner/column.h"

namespace bench {

// Heaps that give freed blocks out again, and those that do not. Each is
// compared with its own kind.
enum class Kind { kGeneral, kMonotonic };

struct Contender {
  Kind kind;
  RunFunction run;
  Column column;
};

std::vector<Contender> AlcoveContenders();
// Of the C++ library, and the loops alone.
std::vector<Contender> StandardContenders();
// Loads jemalloc, mimalloc and tbbmalloc.
std::vector<Contender> PeerContenders();

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_CONTENDER_H_
