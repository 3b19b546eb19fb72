// The four allocators of this process behind one interface: jemalloc, which is
// malloc, and the instances.
#ifndef EXAMPLES_COEXIST_HEAPS_H_
#define EXAMPLES_COEXIST_HEAPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "examples/coexist/ownership.h"

namespace coexist {

// Numbers of one allocator at one moment, in blocks and bytes. jemalloc does
// not tell all.
struct Figures {
  size_t blocks_live = 0;
  size_t blocks_peak = 0;
  size_t bytes_live = 0;
  size_t bytes_peak = 0;
  size_t bytes_spans = 0;  // handed out to blocks and caches, as whole spans
  size_t bytes_committed = 0;  // accessible
  size_t bytes_reserved = 0;   // address space for blocks
  size_t bytes_metadata = 0;   // address space for the allocator's own data
  uintptr_t address_low = 0;
  uintptr_t address_high = 0;
};

struct Heap {
  const char* name;  // "malloc", or the instance's prefix
  const char* job;
  const char* preset;
  std::string (*version)();
  const char* (*config)();  // a flat JSON object
  Figures (*figures)();
  // Null for malloc:
  bool (*owns)(const void* address);
  int (*shutdown)();
};

// In the order of Owner.
const std::array<Heap, kOwners>& Heaps();

// The knobs in which the instances differ: each one's value for every heap, as
// JSON.
std::map<std::string, std::array<std::string, kOwners>> DifferingKnobs();

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_HEAPS_H_
