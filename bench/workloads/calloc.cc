// Zeroed memory: tables and images, of which a program often touches only a
// part. An allocator that knows fresh memory from the system to be zero need
// not clear it; one that recycles has to, or to give it back first. libc-bench
// and mimalloc-bench's malloc-large allocate blocks of such sizes.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

// `count` live blocks of `size`/2 to `size`, random ones replaced; every
// `variant`th page is written and another read.
void Calloc(Run& run, const Workload& row) {
  const Sizes sizes(row.size / 2, row.size, Spread::kEven);
  Table<unsigned char*> blocks(row.count);
  Random random(5);
  const size_t stride = static_cast<size_t>(row.variant) * 4096;

  uint64_t calls = 0;
  run.Start();
  do {
    for (size_t i = 0; i < row.count; ++i) {
      unsigned char*& block = blocks[random.Below(row.count)];
      std::free(block);
      const size_t size = sizes(calls++);
      block = static_cast<unsigned char*>(std::calloc(size / 16, 16));
      if (block == nullptr) Fail("calloc gave null");
      if (block[size / 2] != 0) Fail("calloc gave memory that is not zero");
      block[size / 2] = 1;
      for (size_t at = 0; at < size / 16 * 16; at += stride) block[at] = 1;
    }
  } while (run.Continue());
  run.Stop(calls);
  for (unsigned char* block : blocks) std::free(block);
}

constexpr Workload kRows[] = {
    {"calloc_small", "zeroed blocks of 64 to 128 B, 1000 live", Calloc, 128,
     1000, 1},
    {"calloc_200k", "zeroed blocks of 100 to 200 KB, 32 live, pages written",
     Calloc, 200000, 32, 1},
    {"calloc_4m", "zeroed blocks of 2 to 4 MiB, 8 live, a tenth written",
     Calloc, 4 << 20, 8, 10},
};

}  // namespace

std::span<const Workload> CallocRows() { return kRows; }

}  // namespace bench
