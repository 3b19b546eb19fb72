// The rows: how many blocks, from how many threads, of which sizes.
#ifndef BENCH_ARENA_BENCH_LOAD_H_
#define BENCH_ARENA_BENCH_LOAD_H_

#include <cstddef>
#include <string>
#include <vector>

#include "bench/workloads/toolbox.h"

namespace bench {

struct Load {
  std::string name;  // "mixed_1000_t4"
  std::string what;
  size_t blocks;  // of a cycle; at least one for each thread
  int threads;    // 1 or Crew::kSize
  const Sizes* sizes;
};

// In the order of the table.
std::vector<Load> AllLoads();

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_LOAD_H_
