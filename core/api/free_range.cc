// Giving back a part of a block.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/seal.h"
#include "core/arena/arena_blocks.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

void StopIfGone(const void* p) {
  const Range* const range = g_instance.region.RangeOf(p);
  if (range != nullptr && ClassOfEntry(EntryOf(*range, p)) == kGoneClass)
    g_arenas.StopGone("free_range of", p, *range);
}

bool FindKept(uintptr_t at, uintptr_t* begin, uintptr_t* end, uint64_t* arena) {
  const auto* const p = reinterpret_cast<const void*>(at);
  Range* const range = g_instance.region.RangeOf(p);
  if (ArenaHolding(p) != 0 &&
      !FindArenaBlockHolding(g_arenas, range, p, begin, end, arena))
    return false;
  if constexpr (Config::kCanaries) {
    const void* const block = reinterpret_cast<const void*>(*begin);
    const MapEntry entry =
        Parts::EntryOfWhole(*range, block, EntryOf(*range, block));
    *end = *begin + SealedSize(range, block, entry);
  }
  return at < *end;
}

}  // namespace

bool FreeRange(void* p, size_t n) {
  if (Config::kWholeBlocks || ArenaHolding(p) != 0)
    g_instance.parts.Serve(FindKept, FreeAllParts);
  Heap* const heap = CurrentHeap();
  [[maybe_unused]] const background::Tending tending;
  return g_instance.parts.FreeRange(heap, p, n);
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT int ALCOVE_PUBLIC(free_range)(void* p, size_t n) noexcept {
  if (n == 0) return 0;
  const core::KeepErrno keep_errno;
  const core::Call call;
  core::StopIfGone(p);
  return core::FreeRange(p, n) ? 0 : core::kNoMemory;
}
