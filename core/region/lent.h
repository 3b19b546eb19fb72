// Memory of the program that one arena has until it ends: the arena's own range.
//
// Unlike a region's other ranges it goes again, while other threads look for the
// range of some address. So what they read is of this type for good: whose memory
// it is at the moment is in one word, `extent`, which is emptied first. And so is
// all metadata, which lies in memory of the instance's own and is used for another
// donation of no more units later: whoever is late with a descriptor, as an
// announcement of heap/remote.h may be, finds a descriptor.
#ifndef ALCOVE_CORE_REGION_LENT_H_
#define ALCOVE_CORE_REGION_LENT_H_

#include "core/region/range.h"

namespace ALCOVE_CORE_NAMESPACE {

struct LentRange {
  // The number of the first unit, counted from address 0, above how many there
  // are; 0 while it is nobody's.
  Atomic<uint64_t> extent;
  Atomic<uint64_t> claim;    // as the region's claims are; 0: free to be taken
  Atomic<LentRange*> next;   // in the region's list, for good
  LentRange* next_of_arena;  // in the list of the arena that has it
  Range* range;              // stays, and so do the next three
  char* metadata;
  size_t capacity;  // for so many units is there metadata
  size_t mapped;    // bytes in pages of their own, for metadata

  static constexpr unsigned kUnitsBits = 32;
  static uint64_t Extent(const void* base, size_t units) {
    return AddressOf(base) >> kUnitShift << kUnitsBits | units;
  }
  static size_t UnitsOf(uint64_t extent) {
    return extent & ((uint64_t{1} << kUnitsBits) - 1);
  }
  static uintptr_t BaseOf(uint64_t extent) {
    return extent >> kUnitsBits << kUnitShift;
  }

  bool Contains(const void* p) const {
    const uint64_t now = extent.Load(Order::kAcquire);
    return (AddressOf(p) >> kUnitShift) - (now >> kUnitsBits) < UnitsOf(now);
  }
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_LENT_H_
