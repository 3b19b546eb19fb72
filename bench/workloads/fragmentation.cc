// A long-running store whose objects change their sizes as its users do: the
// live bytes stay the same, but each phase frees a random part of the objects
// and fills up with sizes of its own. Redis's users meet it as
// mem_fragmentation_ratio (RSS over live bytes; redis.io, "Memory
// optimization"); Wilson et al. found that such phases are where allocators
// differ (Dynamic storage allocation: a survey, 1995). The peak is the figure.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kLiveBytes = size_t{20} << 20;
// What share of the objects a phase replaces, in percent.
constexpr size_t kReplaced = 60;
// The middle of the sizes of each phase, in this order, again and again.
constexpr size_t kMiddles[] = {48, 200, 96, 800, 64, 3000, 160, 24, 1400, 320};

struct Object {
  void* block;
  size_t size;
};

void Fragmentation(Run& run, const Workload&) {
  const size_t live_bytes = run.Times(kLiveBytes);
  Table<Object> objects(live_bytes / 8);
  Random random(4);
  size_t count = 0;
  size_t bytes = 0;
  uint64_t operations = 0;

  run.Start();
  for (const int round : {0, 1}) {
    for (const size_t middle : kMiddles) {
      for (size_t left = count * kReplaced / 100; left > 0; --left) {
        Object& object = objects[random.Below(count)];
        std::free(object.block);
        bytes -= object.size;
        object = objects[--count];
        ++operations;
      }
      // The second round is a bit off the first: nothing ever comes back
      // exactly.
      const size_t low = middle * 3 / 4 + round * 5;
      const size_t high = middle * 5 / 4 + round * 9;
      while (bytes < live_bytes) {
        const size_t size = random.Between(low, high);
        void* block = Allocate(size);
        TouchPages(block, size);
        objects[count++] = {block, size};
        bytes += size;
        ++operations;
      }
    }
  }
  run.Stop(operations);
  for (size_t i = 0; i < count; ++i) std::free(objects[i].block);
}

constexpr Workload kRows[] = {
    {"fragmentation",
     "20 MiB of live objects whose sizes change over 20 phases", Fragmentation},
};

}  // namespace

std::span<const Workload> FragmentationRows() { return kRows; }

}  // namespace bench
