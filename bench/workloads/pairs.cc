// malloc and free of one size, in turn: a function that needs a buffer for the
// length of a call. The shortest path an allocator has; every allocator's own
// benchmark begins with it (glibc's bench-malloc-simple, google/tcmalloc's
// malloc_benchmark). A few neighbours stay live, for a heap that is empty
// otherwise is what no program has.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kNeighbours = 5;

void Pairs(Run& run, const Workload& row) {
  void* neighbours[kNeighbours];
  for (void*& block : neighbours) block = Allocate(row.size);
  // One in the middle goes, so that the pair has a place between live blocks.
  std::free(std::exchange(neighbours[kNeighbours / 2], nullptr));

  uint64_t pairs = 0;
  run.Start();
  do {
    for (size_t i = 0; i < row.count; ++i) {
      void* block = Allocate(row.size);
      Use(block);
      std::free(block);
    }
    pairs += row.count;
  } while (run.Continue());
  run.Stop(pairs);
  for (void* block : neighbours) std::free(block);
}

// The count is how many pairs to make between two looks at the clock: few where
// an allocator may ask the system for each.
constexpr Workload kRows[] = {
    {"pair_16", "malloc and free of 16 B in turn", Pairs, 16, 10000},
    {"pair_64", "malloc and free of 64 B in turn", Pairs, 64, 10000},
    {"pair_1k", "malloc and free of 1 KiB in turn", Pairs, 1024, 10000},
    {"pair_16k", "malloc and free of 16 KiB in turn", Pairs, 16 << 10, 1000},
    {"pair_64k", "malloc and free of 64 KiB in turn", Pairs, 64 << 10, 1000},
    {"pair_1m", "malloc and free of 1 MiB in turn", Pairs, 1 << 20, 100},
    {"pair_8m", "malloc and free of 8 MiB in turn", Pairs, 8 << 20, 20},
};

}  // namespace

std::span<const Workload> PairRows() { return kRows; }

}  // namespace bench
