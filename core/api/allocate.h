// The paths behind the malloc family, without names and errors: the fast ones
// inline, the slow ones out of line.
#ifndef ALCOVE_CORE_API_ALLOCATE_H_
#define ALCOVE_CORE_API_ALLOCATE_H_

#include "core/api/seal.h"
#include "core/heap/checks.h"

namespace ALCOVE_CORE_NAMESPACE {

// What posix_memalign and the public header promise; alignments beyond one unit
// take spans.
inline constexpr size_t kAlignmentMax = size_t{1} << 30;

constexpr bool ValidAlignment(size_t alignment) {
  return IsPowerOfTwo(alignment) && alignment <= kAlignmentMax;
}

// The alignment of malloc's blocks.
constexpr size_t DefaultAlignment(size_t size) { return size < 16 ? 8 : 16; }

// A block of any size and of malloc's alignment, when the fast path had none.
ALCOVE_NOINLINE void* AllocateSlow(size_t size);

// The same, zeroed.
void* AllocateZeroed(size_t size);

// A block at a multiple of `alignment`, a power of two.
void* AllocateAligned(size_t alignment, size_t size);

// Frees any block, null included, when the fast path could not; stops for what
// is not one.
ALCOVE_NOINLINE void FreeSlow(void* block);
// The same for one whose seal is open.
ALCOVE_NOINLINE void FreeOpenSlow(void* block);

// `size` is not 0, `block` not null.
void* Reallocate(void* block, size_t size);

// The usable size of a live block; misuse for anything else.
size_t UsableSize(const void* block);

// The range and map entry of what should be a live block; stops if it is none.
Range* FindBlock(const void* block, MapEntry* entry);

// The extent of a live block that is not an arena's.
size_t SizeIn(const Range& range, const void* block, MapEntry entry);

// A block of slab class `c` by any path but the inlined one, not sealed; null if
// there is no memory.
void* AllocateClass(Heap* heap, SizeClass c);

// Gives the live block from `min` to `max` bytes where it is, if that can be had:
// as many as can, or as few as it can be cut to. Returns its usable size.
size_t ResizeInPlace(void* block, size_t min, size_t max);

// Frees a block all parts of which were given back.
void FreeAllParts(void* block);

// Gives [p, p + n), n >= 1, of a live block back; false if there is no memory to
// write that down.
bool FreeRange(void* p, size_t n);

// Whether the live block, of so many usable bytes, may be that of a request for
// `size`.
bool MayHaveSize(const void* block, size_t usable, size_t size);

// `heap()` is the calling thread's, or &g_no_heap. Asked where it is needed: then
// it is added to the offset in the instruction that reads it.
// `slow` is asked when its bin has none.
template <void* (*slow)(size_t), typename GetHeap>
ALCOVE_INLINE void* AllocateFromOr(GetHeap heap, size_t size) {
  if (ALCOVE_LIKELY(size <= kLookupMax)) {
    void* const block = heap()->BinAt(LookupBinOffset(size)).Pop();
    if (ALCOVE_LIKELY(block != nullptr)) {
      CheckAllocated(*heap(), LookupClass(size), block);
      return block;
    }
  }
  return slow(size);
}
template <typename GetHeap>
ALCOVE_INLINE void* AllocateFrom(GetHeap heap, size_t size) {
  return AllocateFromOr<AllocateSlow>(heap, size);
}

ALCOVE_INLINE void FreeTo(Heap* heap, void* block) {
  if constexpr (Config::kSlowFree) return FreeSlow(block);
  const Region::View& view = heap->view();
  const size_t slot = view.SlotOf(block);
  if (ALCOVE_LIKELY(slot < view.units)) {
    const MapEntry entry = LoadEntry(view.class_map + slot);
    if constexpr (Config::kCheckInvariants) {
      CheckFreed(*heap, block, entry);
      FillFreed(g_instance.region, block, entry);
    }
    // Less what the entries of this heap's units have in common, an entry is
    // the place of a bin; that of another heap's unit, or of none, is not below
    // it. A class that is not cached has a bin that is always full.
    const uint32_t own = entry - heap->own_entries();
    if (ALCOVE_LIKELY(own <= kBinOffsetMax)) {
      if (ALCOVE_LIKELY(heap->BinAt(own).PushOwn(block))) return;
    } else {
      // The lower half is as it was.
      if (heap->BinAt(BinOffsetOfEntry(own)).PushOther(block)) return;
    }
  }
  FreeSlow(block);
}

ALCOVE_INLINE void* Allocate(size_t size) {
  if constexpr (Config::kCanaries) return AllocateSlow(size);
  return AllocateFrom([] { return ThreadHeap(); }, size);
}

ALCOVE_INLINE void Free(void* block) { FreeTo(ThreadHeap(), block); }
ALCOVE_INLINE void FreeOpen(void* block) {
  if constexpr (Config::kCanaries) return FreeOpenSlow(block);
  Free(block);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_ALLOCATE_H_
