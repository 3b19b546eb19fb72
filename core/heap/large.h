// Blocks larger than a slab serves, and blocks aligned to more than a unit:
// each is a span of its own.
#ifndef ALCOVE_CORE_HEAP_LARGE_H_
#define ALCOVE_CORE_HEAP_LARGE_H_

#include "core/heap/heap.h"

namespace ALCOVE_CORE_NAMESPACE {

// A block of at least `size` bytes at a multiple of `alignment` (a power of
// two); if `zero`, it reads as zero, and memory that is fresh is not cleared.
// Null if there is no memory.
void* AllocateLarge(Heap* heap, size_t size, size_t alignment, bool zero);

// Gives the span of the large block at `start` back to the region; misuse if
// none begins there. `clean`: it reads as zero. Returns its bytes.
size_t ReturnSpan(Region& region, void* start, bool clean);

// Frees what the map calls a block of kHugeClass.
void FreeHuge(Heap* heap, const Range& range, void* block);

// Makes the large block at `block` as long as `size` > kSlabMax asks without
// moving it: returns its units to the region or takes free ones behind it.
// False if it cannot.
bool ResizeLargeInPlace(Heap* heap, void* block, size_t size);

// Moves a large block that cannot grow in place; long ones without copying.
// Null if there is no memory, and the block is as it was.
void* MoveLarge(Heap* heap, void* block, size_t size);

// Clears a large block; of one that is sparsely used, no more pages will hold
// memory.
void ClearLarge(const Region& region, void* block, size_t size);

// Carries the contents of a large block of `old_size` bytes over to another of
// at least `size`, the longer ones by moving their pages. kLost: the memory of
// `to` is gone, its units must stay claimed.
enum class Carried { kMoved, kCopied, kLost };
Carried CarryOver(Slab* from, Slab* to, size_t old_size, size_t size,
                  bool may_move);

// Where the pages of a large block that is freed came by moving, replaces them
// by fresh ones. Whether it did, so that they read as zero.
bool RefreshMoved(Slab* slab, size_t units);

// The usable size of the large block that begins at `block`.
size_t LargeSize(const Range& range, const void* block);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_LARGE_H_
