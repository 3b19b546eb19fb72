// Many blocks of one size, then all of them freed: a list built and dropped, a
// request's objects. glibc's bench-malloc-simple frees in the order of
// allocation (FIFO) in batches of 25 to 1600; a stack unwinds the other way
// (LIFO); a hash table is torn down in neither. An allocator with per-thread
// caches shows here what it costs when a batch is larger than its cache.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

enum Order { kLifo, kFifo, kShuffled };

void Batches(Run& run, const Workload& row) {
  const size_t n = row.count;
  Table<void*> blocks(n);
  Table<uint32_t> order(n);
  for (size_t i = 0; i < n; ++i) {
    order[i] = static_cast<uint32_t>(row.variant == kLifo ? n - 1 - i : i);
  }
  if (row.variant == kShuffled) {
    Random random(1);
    for (size_t i = n - 1; i > 0; --i) {
      std::swap(order[i], order[random.Below(i + 1)]);
    }
  }

  uint64_t batches = 0;
  run.Start();
  do {
    for (void*& block : blocks) block = Allocate(row.size);
    for (const uint32_t i : order) std::free(blocks[i]);
    ++batches;
  } while (run.Continue());
  run.Stop(batches * n);
}

constexpr Workload kRows[] = {
    {"batch_fifo_8", "4000 blocks of 8 B, freed first to last", Batches, 8,
     4000, kFifo},
    {"batch_lifo_64", "4000 blocks of 64 B, freed last to first", Batches, 64,
     4000, kLifo},
    {"batch_random_64", "4000 blocks of 64 B, freed in random order", Batches,
     64, 4000, kShuffled},
    {"batch_random_1k", "1000 blocks of 1 KiB, freed in random order", Batches,
     1024, 1000, kShuffled},
    {"batch_fifo_32k", "200 blocks of 32 KiB, freed first to last", Batches,
     32 << 10, 200, kFifo},
    {"batch_random_256k", "50 blocks of 256 KiB, freed in random order",
     Batches, 256 << 10, 50, kShuffled},
    {"batch_lifo_8m", "8 blocks of 8 MiB, freed last to first", Batches,
     8 << 20, 8, kLifo},
};

}  // namespace

std::span<const Workload> BatchRows() { return kRows; }

}  // namespace bench
