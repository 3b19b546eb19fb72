// Threads that have nothing to do with each other: each allocates many small
// objects and frees them all, again and again. Ideal for an allocator; whatever
// is lost against one thread is the allocator's own doing. Berger et al. call
// it `threadtest` (Hoard, ASPLOS 2000).
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 4;
constexpr size_t kObjects = 20000;

void ThreadsApart(Run& run, const Workload&) {
  const size_t rounds = run.Times(100);
  run.Start();
  RunThreads(kThreads, [&](size_t thread) {
    Table<void*> objects(kObjects);
    for (size_t round = 0; round < rounds; ++round) {
      for (size_t i = 0; i < kObjects; ++i) {
        objects[i] = Allocate(8 + (i + thread) % 8 * 8);
      }
      for (void* object : objects) std::free(object);
    }
  });
  run.Stop(rounds * kThreads * kObjects);
}

constexpr Workload kRows[] = {
    {"threads_apart", "4 threads, 20 thousand small objects each, all freed",
     ThreadsApart},
};

}  // namespace

std::span<const Workload> ThreadsApartRows() { return kRows; }

}  // namespace bench
