// Giving back a part of a block.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/arena/arena_blocks.h"
#include "core/base/mem.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

void StopIfGone(const void* p) {
  const Range* const range = g_instance.region.RangeOf(p);
  if (range != nullptr && ClassOfEntry(EntryOf(*range, p)) == kGoneClass)
    g_arenas.StopGone("free_range of", p, *range);
}

bool FindInArena(uintptr_t at, uintptr_t* begin, uintptr_t* end,
                 uint64_t* arena) {
  const auto* const p = reinterpret_cast<const void*>(at);
  Range* const range = g_instance.region.RangeOf(p);
  return FindArenaBlockHolding(g_arenas, range, p, begin, end, arena);
}

void FreeInArena(Heap* heap, void* block) {
  Range* const range = g_instance.region.RangeOf(block);
  const ArenaBlock found = FindArenaBlock(
      g_arenas, range, block, EntryOf(*range, block), BlockUse::kFree);
  if constexpr (Config::kZeroOnFree)
    memset(block, 0, ArenaBlockSize(found, block));
  FreeArenaBlock(heap, found, block);
}

}  // namespace

// What there is no part of: a whole block, or with the knobs that guard its end,
// something else, which is refused.
static int FreeWholeOnly(void* p, size_t n) {
  MapEntry entry;
  Range* const range = FindBlock(p, &entry);
  if (ClassOfEntry(entry) == kArenaClass) return kNotSupported;
  const size_t size = Config::kCanaries ? SealedSize(range, p, entry)
                                        : SizeIn(*range, p, entry);
  if (n != size) return kNotSupported;
  FreeSlow(p);
  return 0;
}

bool FreeRange(void* p, size_t n) {
  if (ArenaHolding(p) != 0)
    g_instance.parts.ServeArenas(FindInArena, FreeInArena);
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
  if constexpr (core::Config::kWholeBlocks) return core::FreeWholeOnly(p, n);
  return core::FreeRange(p, n) ? 0 : core::kNoMemory;
}
