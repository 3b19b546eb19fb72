#include "tests/coexistence/heaps.h"

#include <jemalloc/jemalloc.h>

#include <cstdint>
#include <cstdlib>

#include "tests/coexistence/heaps_list.h"

namespace coexistence {

namespace {

// Every instance has a stats_t of its own; their members are the same.
template <typename Stats, int (*take)(Stats*)>
Figures FiguresOf() {
  Stats stats = {};
  stats.struct_size = sizeof(stats);
  take(&stats);
  return {stats.bytes_cached, stats.bytes_reserved, stats.bytes_metadata,
          stats.threads};
}

uint64_t AllocatedByThisThread() {
  uint64_t bytes = 0;
  size_t size = sizeof(bytes);
  mallctl("thread.allocated", &bytes, &size, nullptr, 0);
  return bytes;
}

}  // namespace

#define COEXISTENCE_HEAP(prefix, release, preset, label) \
  Heap{#prefix,                                          \
       release,                                          \
       preset,                                           \
       label,                                            \
       ISOLATION_FUNCTIONS(prefix),                      \
       prefix##version,                                  \
       prefix##thread_detach,                            \
       prefix##shutdown,                                 \
       prefix##abandon,                                  \
       FiguresOf<prefix##stats_t, prefix##stats>},

const std::array<Heap, kHeaps>& Heaps() {
  static constexpr std::array<Heap, kHeaps> kAll = {
      {COEXISTENCE_HEAPS(COEXISTENCE_HEAP)}};
  return kAll;
}

size_t CountOwners(const void* address, const Heap** owner) {
  size_t count = 0;
  for (const Heap& heap : Heaps()) {
    if (heap.functions.owns(address) == 0) continue;
    *owner = &heap;
    ++count;
  }
  return count;
}

bool MallocIsJemalloc() {
  constexpr size_t kBytes = 100000;
  const uint64_t before = AllocatedByThisThread();
  void* volatile block = std::malloc(kBytes);
  auto* volatile object = new char[kBytes];
  const uint64_t allocated = AllocatedByThisThread() - before;
  std::free(block);
  delete[] object;
  return allocated >= 2 * kBytes;
}

}  // namespace coexistence
