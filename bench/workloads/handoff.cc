// Blocks that one thread allocates and another frees: messages, log records,
// work items. Lever and Boreham described it (malloc() performance in a
// multithreaded Linux environment, USENIX 2000); xmalloc-test of SuperMalloc
// and mimalloc-bench is the extreme form, whose queue has no bound, so that
// memory grows with speed; here the queue is bounded. Caches of threads fill on
// one side and run dry on the other.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kMessages = 4000000;

struct Message {
  uint64_t number;
};

// `count` pairs of a producer and a consumer; sizes up to `variant` if `size`
// is 0.
void Handoff(Run& run, const Workload& row) {
  const size_t pairs = row.count;
  const size_t batches = run.Times(kMessages) / pairs / Batch::kSize;
  const size_t low = row.size != 0 ? row.size : 16;
  const size_t high = row.size != 0 ? row.size : row.variant;
  const Sizes sizes(low, high, Spread::kEven);
  Table<Channel> channels(pairs);

  run.Start();
  RunThreads(2 * pairs, [&](size_t thread) {
    Channel& channel = channels[thread / 2];
    Batch batch;
    uint64_t number = 0;
    for (size_t i = 0; i < batches; ++i) {
      if (thread % 2 == 0) {
        for (void*& item : batch.items) {
          auto* message =
              static_cast<Message*>(Allocate(sizes(number + thread)));
          message->number = number++;
          item = message;
        }
        channel.Push(batch);
      } else {
        channel.Pop(&batch);
        for (void* item : batch.items) {
          auto* message = static_cast<Message*>(item);
          if (message->number != number++) Fail("a message was overwritten");
          std::free(message);
        }
      }
    }
  });
  run.Stop(batches * Batch::kSize * pairs);
}

constexpr Workload kRows[] = {
    {"handoff_64", "a producer allocates 64 B, a consumer frees", Handoff, 64,
     1, 0},
    {"handoff_mixed", "a producer allocates 16 B to 1 KiB, a consumer frees",
     Handoff, 0, 1, 1024},
    {"handoff_8_pairs", "8 producers allocate 16 B to 2 KiB, 8 consumers free",
     Handoff, 0, 8, 2048},
};

}  // namespace

std::span<const Workload> HandoffRows() { return kRows; }

}  // namespace bench
