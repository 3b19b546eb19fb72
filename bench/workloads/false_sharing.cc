// Passive false sharing: one thread allocates small objects, which lie side by
// side, and gives one to each of several threads; they free them, and from then
// on allocate, write and free objects of their own. Does the allocator hand
// each of them the memory that its neighbours share a cache line with? Berger
// et al. asked with `cache-scratch` (Hoard, ASPLOS 2000).
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 2;
constexpr size_t kObjectSize = 8;
constexpr size_t kRounds = 200000;
constexpr size_t kWrites = 1000;

void FalseSharing(Run& run, const Workload&) {
  void* given[kThreads];
  for (void*& object : given) object = Allocate(kObjectSize);
  const size_t rounds = run.Times(kRounds);

  run.Start();
  RunThreads(kThreads, [&](size_t thread) {
    std::free(given[thread]);
    for (size_t round = 0; round < rounds; ++round) {
      auto* object = static_cast<volatile char*>(Allocate(kObjectSize));
      for (size_t i = 0; i < kWrites; ++i) {
        object[i % kObjectSize] =
            static_cast<char>(object[i % kObjectSize] + 1);
      }
      std::free(const_cast<char*>(object));
    }
  });
  run.Stop();
}

constexpr Workload kRows[] = {
    {"false_sharing",
     "2 threads write to small objects that one thread gave them",
     FalseSharing},
};

}  // namespace

std::span<const Workload> FalseSharingRows() { return kRows; }

}  // namespace bench
