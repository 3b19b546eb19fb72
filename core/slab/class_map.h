// The class map's entry for one unit, 32 bits. One look answers whether a unit
// is live, what size class it holds and whose slab it is:
//
//   bits 0..15   the size class times the size of a bin (heap/bin.h): what to
//                add to the address of the first bin; 0: no span has the unit
//   bits 16..31  the number of the heap that owns the slab or took the span; of
//                kArenaClass, and of kInteriorClass in an arena, the arena's
//                place
#ifndef ALCOVE_CORE_SLAB_CLASS_MAP_H_
#define ALCOVE_CORE_SLAB_CLASS_MAP_H_

#include "core/region/range.h"
#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {

using MapEntry = uint32_t;
using HeapNumber = uint16_t;  // 0 is no heap's

inline constexpr uint32_t kHeapNumberMax = 0xffff;
static_assert(kClassLimit << kBinShift <= 0x10000);

constexpr MapEntry MakeEntry(SizeClass c, HeapNumber heap) {
  return c << kBinShift | uint32_t{heap} << 16;
}
inline constexpr uint32_t kBinOffsetMax = 0xffff;

// What to add to the address of a heap's first bin.
ALCOVE_INLINE size_t BinOffsetOfEntry(MapEntry entry) { return entry & 0xffff; }
ALCOVE_INLINE SizeClass ClassOfEntry(MapEntry entry) {
  return (entry & 0xffff) >> kBinShift;
}
ALCOVE_INLINE HeapNumber HeapOfEntry(MapEntry entry) {
  return static_cast<HeapNumber>(entry >> 16);
}

ALCOVE_INLINE MapEntry LoadEntry(const uint32_t* slot) {
  return __atomic_load_n(slot, __ATOMIC_RELAXED);
}
// The entry of the unit with this index, or that an address of the range is in.
inline MapEntry EntryOf(const Range& range, size_t index) {
  return LoadEntry(range.class_map_slot(index));
}
inline MapEntry EntryOf(const Range& range, const void* p) {
  return EntryOf(range, range.IndexOf(p));
}
inline void SetEntry(const Range& range, size_t index, MapEntry entry) {
  __atomic_store_n(range.class_map_slot(index), entry, __ATOMIC_RELAXED);
}

// Sets it if it still is `before`.
inline bool ReplaceEntry(const Range& range, size_t index, MapEntry before,
                         MapEntry after) {
  return __atomic_compare_exchange_n(range.class_map_slot(index), &before,
                                     after, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED);
}

typedef uint32_t FourEntries [[gnu::vector_size(16), gnu::may_alias]];

// Enters a slab of `units`.
inline void EnterSlab(const Range& range, size_t first, unsigned units,
                      MapEntry entry) {
  for (unsigned i = 0; i < units; ++i) SetEntry(range, first + i, entry);
}

// Sets the entries of `units` >= 1 units.
inline void SetEntries(const Range& range, size_t first, size_t units,
                       MapEntry entry) {
  // The map runs backwards.
  uint32_t* slot = range.class_map_slot(first + units - 1);
  uint32_t* const end = slot + units;
  // Four at a time: what an aligned vector store writes, it writes by whole
  // words at least.
  const FourEntries four = {entry, entry, entry, entry};
  while (slot != end && AddressOf(slot) % sizeof(four) != 0) {
    __atomic_store_n(slot++, entry, __ATOMIC_RELAXED);
  }
  for (; end - slot >= 4; slot += 4) {
    *reinterpret_cast<volatile FourEntries*>(slot) = four;
  }
  while (slot != end) __atomic_store_n(slot++, entry, __ATOMIC_RELAXED);
}

// What a live span has in the map. A short one's free is a push to its bin and
// no more; a longer one's can afford to mark it as free (kShelvedClass).
constexpr SizeClass EntryClassOfSpan(size_t units) {
  return units <= kExactUnitsMax ? SpanClass(units) : kHugeClass;
}

// Enters units [from, units) of a large block's span.
inline void EnterSpan(const Range& range, size_t first, size_t from,
                      size_t units, HeapNumber heap) {
  if (from < units) {
    SetEntries(range, first + from, units - from,
               MakeEntry(kInteriorClass, heap));
  }
  SetEntry(range, first, MakeEntry(EntryClassOfSpan(units), heap));
}

// The first unit of the large block that a unit belongs to; any other unit itself.
inline size_t FirstUnitOf(const Range& range, size_t unit) {
  while (unit != 0 && ClassOfEntry(EntryOf(range, unit)) == kInteriorClass)
    --unit;
  return unit;
}

// Takes units out of the map.
inline void EraseUnits(const Range& range, size_t first, size_t units) {
  SetEntries(range, first, units, 0);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_SLAB_CLASS_MAP_H_
