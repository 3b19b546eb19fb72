// Giving back a part of a block.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/seal.h"
#include "core/arena/arena_blocks.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

void StopIfGone(const void* p) {
  const Range* const range = g_instance.region.RangeOf(p);
  if (range != nullptr && ClassOfEntry(EntryOf(*range, p)) == kGoneClass)
    g_arenas.StopGone("free_range of", p, *range);
}

// The block that holds an address in a unit that is no arena's; its extent.
bool FindOwn(const Range& range, uintptr_t at, uintptr_t* begin,
             uintptr_t* end) {
  const auto* const p = reinterpret_cast<const char*>(at);
  size_t unit = range.IndexOf(p);
  MapEntry entry = Parts::EntryOfWhole(range, p, EntryOf(range, unit));
  if (const SizeClass c = ClassOfEntry(entry); IsSlabClass(c)) {
    Slab* const slab = DescriptorOf(range, p);
    const ClassInfo& info = InfoOf(c);
    const BlockPlace place = PlaceOf(slab - slab->place, info, p);
    *begin = AddressOf((slab - slab->place)->start) +
             place.index * size_t{info.size};
    *end = *begin + info.size;
    return place.index < info.blocks;
  }
  while (unit != 0 && ClassOfEntry(entry) == kInteriorClass)
    entry = EntryOf(range, --unit);
  const SizeClass c = ClassOfEntry(entry);
  if ((c <= kSlabClasses || c > kHugeClass) && c != kPartsClass) return false;
  *begin = AddressOf(range.AddressOfUnit(unit));
  *end = *begin + LargeSize(range, reinterpret_cast<const void*>(*begin));
  return at < *end;
}

bool FindKept(uintptr_t at, uintptr_t* begin, uintptr_t* end, uint64_t* arena) {
  const auto* const p = reinterpret_cast<const void*>(at);
  Range* const range = g_instance.region.RangeOf(p);
  *arena = 0;
  if (!(ArenaHolding(p) != 0
            ? FindArenaBlockHolding(g_arenas, range, p, begin, end, arena)
            : FindOwn(*range, at, begin, end)))
    return false;
  if constexpr (Config::kCanaries) {
    const void* const block = reinterpret_cast<const void*>(*begin);
    *end = *begin + SealedSize(range, block,
                               Parts::EntryOfWhole(*range, block,
                                                   EntryOf(*range, block)));
  }
  return at < *end;
}

void FreeKept(Heap*, void* block) { FreeAllParts(block); }

}  // namespace

bool FreeRange(void* p, size_t n) {
  if (Config::kWholeBlocks || ArenaHolding(p) != 0)
    g_instance.parts.Serve(FindKept, FreeKept);
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
