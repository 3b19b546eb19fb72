// A server whose threads come and go: each serves for a while, replacing random
// objects of its connection table, then ends and leaves its objects to a
// successor, who frees what others allocated. Larson and Krishnan saw this
// "bleeding" of objects from thread to thread in real servers (Memory
// allocation for long-running server applications, ISMM 1998); `larson` is in
// every suite since.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 4;
constexpr size_t kObjects = 1000;
constexpr size_t kRequests = 10000;

void ServerChurn(Run& run, const Workload&) {
  const Sizes sizes(8, 1000, Spread::kEven);
  Table<void*> objects(kThreads * kObjects);
  const size_t generations = run.Times(150);

  run.Start();
  for (size_t generation = 0; generation < generations; ++generation) {
    RunThreads(kThreads, [&](size_t thread) {
      // Another table each time.
      void** mine = &objects[(thread + generation) % kThreads * kObjects];
      Random random(generation * kThreads + thread);
      for (size_t i = 0; i < kRequests; ++i) {
        void*& object = mine[random.Below(kObjects)];
        std::free(object);
        object = Allocate(sizes(random.Next() >> 30));
      }
    });
  }
  for (void* object : objects) std::free(object);
  run.Stop(generations * kThreads * kRequests);
}

constexpr Workload kRows[] = {
    {"server_churn", "server threads that come and go and inherit objects",
     ServerChurn},
};

}  // namespace

std::span<const Workload> ServerChurnRows() { return kRows; }

}  // namespace bench
