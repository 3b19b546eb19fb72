// Buffers that grow by realloc. Vectors and strings grow by a factor, of
// which 1.5 is folly's and many a library's choice (folly/docs/FBVector.md says
// why, and what an allocator that grows in place is worth); a program that
// reads a stream appends until it ends. mimalloc-bench has no row for it.
#include <cstring>

#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kHuge = size_t{64} << 20;

void* Grow(void* block, size_t size) {
  block = std::realloc(block, size);
  if (block == nullptr) Fail("realloc gave null");
  return block;
}

// One buffer to 64 MiB, with a byte written at each end: how much is moved
// shows alone.
void HugeGrowth(Run& run, const Workload&) {
  uint64_t buffers = 0;
  run.Start();
  do {
    auto* buffer = static_cast<unsigned char*>(Allocate(16));
    for (size_t size = 16; size < kHuge;) {
      size += size / 2;
      buffer = static_cast<unsigned char*>(Grow(buffer, size));
      buffer[size - 1] = 1;
    }
    if (buffer[0] != 1) Fail("realloc lost the contents");
    std::free(buffer);
    ++buffers;
  } while (run.Continue());
  run.Stop(buffers);
}

// A stream that is read to its end: every byte is written once.
void AppendGrowth(Run& run, const Workload&) {
  const size_t end = run.Times(kHuge);
  const size_t streams = run.Times(4);
  run.Start();
  for (size_t stream = 0; stream < streams; ++stream) {
    size_t capacity = 4096;
    size_t filled = 0;
    auto* buffer = static_cast<char*>(Allocate(capacity));
    while (filled < end) {
      if (filled == capacity) {
        capacity += capacity / 2;
        buffer = static_cast<char*>(Grow(buffer, capacity));
      }
      std::memset(buffer + filled, 7, capacity - filled);
      filled = capacity;
    }
    if (buffer[0] != 7) Fail("realloc lost the contents");
    std::free(buffer);
  }
  run.Stop();
}

// A thousand strings that grow in turn to a few KiB, start again when they are
// full.
void SmallGrowth(Run& run, const Workload&) {
  constexpr size_t kStrings = 1000;
  constexpr size_t kFull = 6000;
  struct String {
    char* text;
    size_t capacity;
  };
  Table<String> strings(kStrings);
  Random random(3);
  const size_t steps = run.Times(4000000);
  run.Start();
  for (size_t i = 0; i < steps; ++i) {
    String& string = strings[random.Below(kStrings)];
    if (string.capacity > kFull) {
      std::free(string.text);
      string = {};
    }
    const size_t capacity =
        string.capacity == 0 ? 24 : string.capacity + string.capacity / 2;
    string.text = static_cast<char*>(Grow(string.text, capacity));
    string.text[string.capacity] = 1;
    string.capacity = capacity;
  }
  for (String& string : strings) std::free(string.text);
  run.Stop(steps);
}

constexpr Workload kRows[] = {
    {"realloc_huge", "a buffer grown by 1.5 to 64 MiB, its ends written",
     HugeGrowth},
    {"realloc_append", "a 64 MiB stream read into a buffer that grows by 1.5",
     AppendGrowth},
    {"realloc_strings", "1000 strings grown by 1.5 in turn to 6 KB",
     SmallGrowth},
};

}  // namespace

std::span<const Workload> GrowthRows() { return kRows; }

}  // namespace bench
