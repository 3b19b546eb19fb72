// Blocks passed round a ring of threads: a pipeline, in which each stage works
// on what the one before made, drops some of it and adds its own. Every thread
// allocates, and frees what each of the others allocated. mimalloc-bench's
// mstress and MicroQuill's sh8bench have objects migrate like this; here all of
// them do.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kThreads = 4;
// Fewer than a channel holds, so that the ring cannot block.
constexpr size_t kBatches = 12;

void Ring(Run& run, const Workload& row) {
  const Sizes sizes(16, row.size, Spread::kManySmall);
  Table<Channel> channels(kThreads);
  // Each batch goes round so often.
  const size_t rounds = run.Times(row.count);

  run.Start();
  RunThreads(kThreads, [&](size_t thread) {
    Channel& in = channels[thread];
    Channel& out = channels[(thread + 1) % kThreads];
    Random random(thread);
    const auto make = [&](void*& item) {
      item = Allocate(sizes(random.Next() >> 40));
      *static_cast<uint64_t*>(item) = thread;
    };
    // The first thread makes the batches, and in the end takes them out again.
    if (thread == 0) {
      for (size_t i = 0; i < kBatches; ++i) {
        Batch batch;
        for (void*& item : batch.items) make(item);
        out.Push(batch);
      }
    }
    for (size_t i = 0; i < rounds * kBatches; ++i) {
      Batch batch;
      in.Pop(&batch);
      for (void*& item : batch.items) {
        if (*static_cast<uint64_t*>(item) >= kThreads) Fail("overwritten");
        // Half of it in each stage: a block lives for half a round.
        if (random.Below(2) == 0) {
          std::free(item);
          make(item);
        }
      }
      if (thread == 0 && i >= (rounds - 1) * kBatches) {
        for (void* item : batch.items) std::free(item);
      } else {
        out.Push(batch);
      }
    }
  });
  run.Stop(rounds * kBatches * kThreads * Batch::kSize / 2);
}

constexpr Workload kRows[] = {
    {"ring_small", "blocks of 16 to 512 B passed round a ring of 4 threads",
     Ring, 512, 1000},
    {"ring_mixed", "blocks of 16 B to 32 KiB passed round a ring of 4 threads",
     Ring, 32 << 10, 1000},
};

}  // namespace

std::span<const Workload> RingRows() { return kRows; }

}  // namespace bench
