// The blocks of threads that have ended, freed by another and allocated again:
// a program that loads its data in parallel, drops it and loads it anew.
// mimalloc-bench's mleak asks whether dead threads' memory is lost; many an
// allocator keeps it for threads that never come, and the peak doubles. The
// last figure is what the process has left after a second without a call.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 8;
constexpr size_t kLow = 64;
constexpr size_t kHigh = 1024;
constexpr size_t kBytes = size_t{391} << 20;
constexpr size_t kCount = kBytes / ((kLow + kHigh) / 2);

void DeadThreads(Run& run, const Workload&) {
  const Sizes sizes(kLow, kHigh, Spread::kEven);
  const size_t each = run.Times(kCount / kThreads);
  Table<void*> blocks(each * kThreads);
  const auto free_all = [&] {
    for (void*& block : blocks) std::free(std::exchange(block, nullptr));
  };

  run.Start();
  RunThreads(kThreads, [&](size_t thread) {
    for (size_t i = 0; i < each; ++i) {
      blocks[thread * each + i] = Allocate(sizes(i));
    }
  });
  free_all();
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = Allocate(sizes(i));
  free_all();
  run.Stop(2 * blocks.size());
  run.IdleAndReportLeft();
}

constexpr Workload kRows[] = {
    {"dead_threads",
     "391 MiB of 8 dead threads freed by main, allocated again, freed",
     DeadThreads},
};

}  // namespace

std::span<const Workload> DeadThreadsRows() { return kRows; }

}  // namespace bench
