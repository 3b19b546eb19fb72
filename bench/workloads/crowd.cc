// More threads than cores, each with a working set of its own: a server with a
// thread per connection. Whoever holds a lock when its time slice ends makes
// the rest wait, and what each thread caches is held 32 times. glibc's
// bench-malloc-thread runs with 8 and 32 threads for this. The larger sizes are
// those for which allocators turn to what their threads share.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 32;
constexpr size_t kLive = 100;

void Crowd(Run& run, const Workload& row) {
  const Sizes sizes(row.size / 64, row.size, Spread::kEven);
  const size_t each = run.Times(row.count);
  run.Start();
  RunThreads(kThreads, [&](size_t thread) {
    Random random(thread);
    void* live[kLive] = {};
    for (size_t i = 0; i < each; ++i) {
      void*& block = live[random.Below(kLive)];
      std::free(block);
      block = Allocate(sizes(i * kThreads + thread));
    }
    for (void* block : live) std::free(block);
  });
  run.Stop(each * kThreads);
}

constexpr Workload kRows[] = {
    {"crowd_1k", "32 threads, 100 live blocks each of up to 1 KiB", Crowd, 1024,
     2000000},
    {"crowd_60k", "32 threads, 100 live blocks each of up to 60 KB", Crowd,
     60000, 300000},
    {"crowd_400k", "32 threads, 100 live blocks each of up to 400 KB", Crowd,
     400000, 40000},
};

}  // namespace

std::span<const Workload> CrowdRows() { return kRows; }

}  // namespace bench
