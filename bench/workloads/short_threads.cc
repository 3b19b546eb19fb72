// Threads that live for a few microseconds and allocate little: std::async, a
// thread per request. What counts is what an allocator sets up for a thread's
// first block and tears down at its end. mimalloc-bench's mstress and mleak
// start threads over and over too.
#include <cstring>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kAtOnce = 4;
constexpr size_t kBlocks = 60;

void ShortThreads(Run& run, const Workload&) {
  const Sizes sizes(16, 2048, Spread::kManySmall);
  const size_t rounds = run.Times(1000);
  run.Start();
  for (size_t round = 0; round < rounds; ++round) {
    RunThreads(kAtOnce, [&](size_t thread) {
      void* blocks[kBlocks];
      for (size_t i = 0; i < kBlocks; ++i) {
        blocks[i] = Allocate(sizes(round * kBlocks + i + thread));
      }
      for (void* block : blocks) std::free(block);
    });
  }
  run.Stop(rounds * kAtOnce);
}

constexpr Workload kRows[] = {
    {"short_threads", "4000 threads that allocate 60 small blocks and end",
     ShortThreads},
};

}  // namespace

std::span<const Workload> ShortThreadsRows() { return kRows; }

}  // namespace bench
