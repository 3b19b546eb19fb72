// Counts over all heaps and ranges of an instance.
#ifndef ALCOVE_CORE_STATS_STATS_H_
#define ALCOVE_CORE_STATS_STATS_H_

#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

// Exact while no thread is inside a call; else each number is one that was, or
// nearly was.
struct Snapshot {
  size_t blocks_live = 0;
  size_t bytes_live = 0;
  size_t blocks_peak = 0;
  size_t bytes_peak = 0;
  size_t bytes_cached = 0;
  size_t bytes_spans = 0;
  size_t bytes_spans_peak = 0;
  size_t bytes_dirty = 0;
  size_t bytes_committed = 0;
  size_t bytes_reserved = 0;
  size_t bytes_metadata = 0;
  size_t bytes_break = 0;
  size_t threads = 0;
  uintptr_t address_low = 0;
  uintptr_t address_high = 0;
  size_t bytes_donated = 0;
  size_t bytes_gaps = 0;  // in live blocks, given back in part and not in use
};

// Takes no lock and stops nobody.
Snapshot TakeSnapshot(const Instance& instance);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_STATS_STATS_H_
