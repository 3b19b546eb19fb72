// All state of an instance. There is exactly one object of this type in a
// stamped copy (core/api/state.cc), and no other variable but the thread's
// pointer to its heap.
#ifndef ALCOVE_CORE_HEAP_INSTANCE_H_
#define ALCOVE_CORE_HEAP_INSTANCE_H_

#include "core/hardening/secret.h"
#include "core/heap/parts.h"
#include "core/heap/registry.h"
#include "core/heap/traces.h"
#include "core/region/break.h"
#include "core/region/region.h"

namespace ALCOVE_CORE_NAMESPACE {

// What was taken from the spans over all heaps, in steps, and the largest that
// it was.
struct LiveCount {
  Atomic<size_t> blocks;
  Atomic<size_t> bytes;
  Atomic<size_t> blocks_peak;
  Atomic<size_t> bytes_peak;

  void Add(ptrdiff_t more_blocks, ptrdiff_t more_bytes);
  void Reset();
};

// What was freed without a heap (homeless.h).
struct HomelessCount {
  Atomic<size_t> blocks;
  Atomic<size_t> bytes;

  void Reset();
};

struct Instance {
  Region region;
  Registry registry{&region.fork_generation()};
  Break program_break;
  LiveCount live;
  HomelessCount homeless;
  Atomic<size_t> span_units;  // that all heaps' span bins have room for
  Parts parts{this};
  Secret secret;
  [[no_unique_address]] Traces<Config::kBacktraceFrames != 0> traces;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_INSTANCE_H_
