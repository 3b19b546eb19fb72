// The way from the entry points to arenas.
#ifndef ALCOVE_CORE_API_ARENA_ENTRY_H_
#define ALCOVE_CORE_API_ARENA_ENTRY_H_

#include "core/api/state.h"
#include "core/arena/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {

// A block of an arena when the fast path had none.
ALCOVE_NOINLINE void* ArenaAllocateSlow(ArenaHandle handle, size_t size,
                                        size_t alignment, bool zero);

// The same without asking anybody: null where there is no memory.
void* TryArenaAllocate(ArenaHandle handle, size_t size, size_t alignment,
                       bool zero);

// The arena that a block which holds this address is in; 0 for none.
ArenaHandle ArenaHolding(const void* address);

// Calls a soft quota's function.
void CallSoftQuotaOf(SoftQuotaCallback callback, ArenaHandle handle,
                     size_t bytes, void* context);

ALCOVE_INLINE void* ArenaAllocate(ArenaHandle handle, size_t size) {
  if constexpr (Config::kCanaries || Config::kCheckFreed)
    return ArenaAllocateSlow(handle, size, 8, false);
  ArenaHeap* const heap = ThreadArenas::Of(ThreadHeap())->SlotFor(handle);
  if (ALCOVE_LIKELY(heap != nullptr)) {
    void* const block = heap->TryAllocate(handle, size);
    if (ALCOVE_LIKELY(block != nullptr)) return block;
  }
  return ArenaAllocateSlow(handle, size, 8, false);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_ARENA_ENTRY_H_
