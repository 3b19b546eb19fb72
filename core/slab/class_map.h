// The class map's entry for one unit, 32 bits. One load answers whether a unit
// is live, what size class it holds and whose slab it is:
//
//   bits 0..7    size class; 0: the unit is in no span
//   bits 8..10   the unit's place in its slab (a slab has up to 8 units)
//   bits 11..31  the number of the heap that owns the slab, or that took the
//   span
#ifndef ALCOVE_CORE_SLAB_CLASS_MAP_H_
#define ALCOVE_CORE_SLAB_CLASS_MAP_H_

#include "core/region/range.h"
#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {

using MapEntry = uint32_t;

inline constexpr unsigned kPlaceShift = 8;
inline constexpr unsigned kTagShift = 11;
inline constexpr uint32_t kHeapNumberMax = (1u << (32 - kTagShift)) - 1;
static_assert(kMediumUnits <= 1u << (kTagShift - kPlaceShift));

ALCOVE_INLINE SizeClass ClassOfEntry(MapEntry entry) { return entry & 0xff; }
ALCOVE_INLINE unsigned PlaceOfEntry(MapEntry entry) {
  return (entry >> kPlaceShift) & ((1u << (kTagShift - kPlaceShift)) - 1);
}
// Whether the entry carries `tag`, a heap's number shifted by kTagShift.
ALCOVE_INLINE bool HasTag(MapEntry entry, uint32_t tag) {
  return ((entry ^ tag) >> kTagShift) == 0;
}

ALCOVE_INLINE MapEntry LoadEntry(const uint32_t* map, size_t index) {
  return __atomic_load_n(map + index, __ATOMIC_RELAXED);
}
inline void StoreEntry(uint32_t* map, size_t index, MapEntry entry) {
  __atomic_store_n(map + index, entry, __ATOMIC_RELAXED);
}

// Enters a slab of `units`.
inline void EnterSlab(const Range& range, size_t first, unsigned units,
                      SizeClass c, uint32_t tag) {
  for (unsigned place = 0; place < units; ++place) {
    StoreEntry(range.class_map(), first + place,
               c | place << kPlaceShift | tag);
  }
}

// Enters units [from, units) of a large block's span.
inline void EnterSpan(const Range& range, size_t first, size_t from,
                      size_t units, uint32_t tag) {
  for (size_t i = from; i < units; ++i) {
    StoreEntry(range.class_map(), first + i, kInteriorClass | tag);
  }
  StoreEntry(range.class_map(), first, SpanClass(units) | tag);
}

// Takes units out of the map.
inline void EraseUnits(const Range& range, size_t first, size_t units) {
  for (size_t i = 0; i < units; ++i)
    StoreEntry(range.class_map(), first + i, 0);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_SLAB_CLASS_MAP_H_
