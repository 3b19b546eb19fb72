// A burst of 300 MB, freed, and then nothing: a service at night, a build tool
// between builds. What it still has after a second is what it keeps from its
// neighbours on the machine; purging by a timer that only calls of the
// allocator look at never comes. jemalloc's background threads (TUNING.md of
// jemalloc) were made for this.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kBurst = 300'000'000;

void BurstIdle(Run& run, const Workload& row) {
  const Sizes sizes(row.size / 16, row.size, Spread::kEven);
  const size_t burst = run.Times(kBurst);
  Table<void*> blocks(burst / (row.size / 16));
  size_t count = 0;

  run.Start();
  for (size_t bytes = 0; bytes < burst;) {
    const size_t size = sizes(count);
    blocks[count] = Allocate(size);
    TouchPages(blocks[count++], size);
    bytes += size;
  }
  for (size_t i = 0; i < count; ++i) std::free(blocks[i]);
  run.Stop(count);
  run.IdleAndReportLeft();
}

constexpr Workload kRows[] = {
    {"burst_small", "300 MB of blocks up to 1 KiB, freed, then a second idle",
     BurstIdle, 1024},
    {"burst_large", "300 MB of blocks up to 1 MiB, freed, then a second idle",
     BurstIdle, 1 << 20},
};

}  // namespace

std::span<const Workload> BurstIdleRows() { return kRows; }

}  // namespace bench
