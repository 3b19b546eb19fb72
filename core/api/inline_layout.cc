// What the inline header says of this instance is so. Where a line here does
// not compile, a layout changed: correct the header (instance_inline.h.tpl).
// And if a release had the old layout, count the number in the name of
// `thread_heap` up, there, in state.h and in public_names.def, so that code
// compiled for the old one does not link.
#include "core/api/entry_points.h"
#include "core/api/state.h"
#include "core/heap/checks.h"
#include "core/size/size_class.h"
#include "core/slab/class_map.h"
#include ALCOVE_INLINE_HEADER

// Heap has private members and public ones; compilers lay them out all the
// same.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace ALCOVE_CORE_NAMESPACE {

struct InlineLayout {
  using Layout = ALCOVE_PUBLIC_NAMESPACE::inlined::internal::Layout;

  static_assert(Layout::kChecked == Config::kOnlyCalls);
  static_assert(Layout::kAsyncSignalSafe == Config::kAsyncSignalSafe);

  static constexpr size_t kView = offsetof(Heap, view_);
  static_assert(Layout::kRangeLast == kView + offsetof(Region::View, last));
  static_assert(Layout::kRangeUnits == kView + offsetof(Region::View, units));
  static_assert(Layout::kClassMap == kView + offsetof(Region::View, class_map));
  static_assert(Layout::kBins == offsetof(Heap, bins_));

  static_assert(Layout::kTop == offsetof(Bin, top));
  static_assert(Layout::kLimit == offsetof(Bin, limit));
  static_assert(Layout::kBottom == offsetof(Bin, bottom));
  static_assert(Layout::kOwnEntry == offsetof(Bin, own_entry));
  static_assert(Layout::kBinSize == sizeof(Bin));
  static_assert(sizeof(Bin::top) == sizeof(void**) &&
                sizeof(Bin::limit) == sizeof(void**) &&
                sizeof(Bin::bottom) == sizeof(void**));
  static_assert(sizeof(Bin::own_entry) == sizeof(uint32_t));
  static_assert(sizeof(MapEntry) == sizeof(uint32_t));

  static_assert(Layout::kArenaSlots ==
                offsetof(Heap, above_) + offsetof(ThreadArenas, slots));
  static_assert(Layout::kArenaSlotCount == ThreadArenas::kSlots);
  static_assert(Layout::kSlabHandle == offsetof(ArenaHeap, slab_handle_));
  static_assert(Layout::kRunHandle == offsetof(ArenaHeap, run_handle_));
  static_assert(Layout::kRunLimit == offsetof(ArenaHeap, run_limit_));
  static_assert(Layout::kRunNext == offsetof(ArenaHeap, run_next_));
  static_assert(Layout::kRunBegun == offsetof(ArenaHeap, run_begun_));
  static_assert(Layout::kRunIndex == offsetof(ArenaHeap, run_index_));
  static_assert(Layout::kRunMarks == offsetof(ArenaHeap, run_marks_));
  static_assert(Layout::kRunMask == offsetof(ArenaHeap, granule_mask_));
  static_assert(Layout::kArenaBins == offsetof(ArenaHeap, bins_));
  static_assert(Layout::kNext == offsetof(ArenaBin, next));
  static_assert(Layout::kEnd == offsetof(ArenaBin, end));
  static_assert(Layout::kBlockSize == offsetof(ArenaBin, size));
  static_assert(Layout::kBinSize == sizeof(ArenaBin));
  static_assert(sizeof(ArenaBin::size) == sizeof(uint32_t));
  static_assert(Layout::kRunGranule == kRunGranule);
  static_assert(sizeof(BitWord) == sizeof(uint64_t) &&
                sizeof(ArenaHandle) == sizeof(uintptr_t));

  static_assert(Layout::kUnitShift == kUnitShift);
  static_assert(Layout::kClassMask == kBinOffsetMax);

  static constexpr bool ClassesAgree() {
    for (size_t size = 1; size <= Layout::kLargest; ++size) {
      const SizeClass c = internal::ComputeClass(size);
      if (Layout::ClassOf(size) != c || !IsSlabClass(c)) return false;
      // What an entry says of a class is the place of its bin.
      if ((MakeEntry(c, kHeapNumberMax) & Layout::kClassMask) !=
          c * Layout::kBinSize) {
        return false;
      }
    }
    return true;
  }
};
static_assert(InlineLayout::ClassesAgree());

}  // namespace ALCOVE_CORE_NAMESPACE
