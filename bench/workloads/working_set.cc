// A set of live objects of which random ones are replaced by others: what most
// programs' heaps look like after a while. glibc's bench-malloc-thread does it
// with 1024 objects, rpmalloc-benchmark with some ten thousand per thread.
// Where the set is larger than the processor's caches, what counts is how many
// cold cache lines a free and a malloc touch.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

// Variant: 0 frees without looking at the object; 1 reads it first, as a
// destructor does.
enum Reading { kBlind, kRead };

void WorkingSet(Run& run, const Workload& row) {
  const bool one_size = row.size != 0;
  const Sizes sizes(8, 4096, Spread::kManySmall);
  const size_t live = run.Times(row.count);
  Table<uint64_t*> objects(live);
  Random random(2);

  uint64_t made = 0;
  const auto make = [&] {
    auto* object = static_cast<uint64_t*>(
        Allocate(one_size ? row.size : sizes(random.Next() >> 20)));
    *object = ++made;
    return object;
  };

  const size_t replacements = run.Times(row.count < 100000 ? 6000000 : 2500000);
  uint64_t seen = 0;
  // Filling is part of it: a program that runs for a short while does little
  // else.
  run.Start();
  for (uint64_t*& object : objects) object = make();
  for (size_t i = 0; i < replacements; ++i) {
    uint64_t*& object = objects[random.Below(live)];
    if (row.variant == kRead) seen += *object;
    std::free(object);
    object = make();
  }
  for (uint64_t* object : objects) std::free(object);
  run.Stop(live + replacements);
  Use(&seen);
}

constexpr Workload kRows[] = {
    {"set_10k_mixed", "10 thousand live objects of mixed size, random replaced",
     WorkingSet, 0, 10000, kRead},
    {"set_200k_mixed",
     "200 thousand live objects of mixed size, random replaced", WorkingSet, 0,
     200000, kRead},
    {"set_1m_64", "1 million live objects of 64 B, random replaced", WorkingSet,
     64, 1000000, kBlind},
    {"set_2m_mixed", "2 million live objects of mixed size, random replaced",
     WorkingSet, 0, 2000000, kRead},
};

}  // namespace

std::span<const Workload> WorkingSetRows() { return kRows; }

}  // namespace bench
