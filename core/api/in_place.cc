// Growing and shrinking a block where it is.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/arena/arena_blocks.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// From `from` bytes as far towards `to` as it goes, which is refused already;
// `resize` says whether there is so much. No step is shorter than `step`.
template <typename Resize>
void GrowTowards(size_t from, size_t to, size_t step, Resize resize) {
  while (to - from > step) {
    const size_t middle = from + (to - from) / 2;
    (resize(middle) ? from : to) = middle;
  }
}

// Whether what begins behind a large block is a free span that this heap caches.
bool CachesWhatFollows(const Heap& heap, const Range& range, const void* block,
                       size_t bytes) {
  const size_t next =
      range.IndexOf(block) + (bytes >> kUnitShift) + range.guard();
  if (next >= range.units().units()) return false;
  const SizeClass c = ClassOfEntry(EntryOf(range, next));
  if (c == kShelvedClass) return true;
  return c > kSlabClasses && c <= kCachedClasses &&
         heap.Caches(c, range.AddressOfUnit(next));
}

// Has resize(bytes), which cannot fail to shrink, come as near to `max` as it can,
// if that is `min` at least. Where it does not come to `min`, make_room() says
// whether to try again.
template <typename Resize, typename MakeRoom>
void ResizeBetween(size_t old_size, size_t min, size_t max, size_t step,
                   Resize resize, MakeRoom make_room) {
  if (resize(max)) return;
  if (min > old_size && !resize(min) && !(make_room() && resize(min))) return;
  GrowTowards(Max(min, old_size), max, step, resize);
}

size_t ResizeInArenaInPlace(Range* range, void* block, MapEntry entry,
                            size_t min, size_t max) {
  const ArenaBlock found =
      FindArenaBlock(g_arenas, range, block, entry, BlockUse::kOther);
  const size_t old_size = ArenaBlockSize(found, block);
  Heap* const home = CurrentHeap();
  if (home == nullptr) return old_size;
  [[maybe_unused]] const background::Tending tending;
  uint64_t crossed = 0;
  ResizeBetween(
      old_size, min, max,
      found.slab->size_class == kRunMark ? kRunGranule : kUnit,
      [&](size_t size) {
        uint64_t more = 0;
        const bool done =
            ResizeArenaBlockInPlace(&g_arenas, home, found, block, size, &more);
        crossed |= more;
        return done;
      },
      [] { return false; });
  const size_t size = ArenaBlockSize(
      FindArenaBlock(g_arenas, range, block, entry, BlockUse::kOther), block);
  Arenas::CallBack(found.arena, crossed, CallSoftQuotaOf);
  return size;
}

size_t ResizeOpenInPlace(Range* range, void* block, MapEntry entry, size_t min,
                         size_t max) {
  // More than that is refused by its length, not by what lies behind.
  max = Min(Max(min, max), kRequestMax);
  if (ClassOfEntry(entry) == kArenaClass)
    return ResizeInArenaInPlace(range, block, entry, min, max);
  const size_t old_size = SizeIn(*range, block, entry);
  if (IsSlabClass(ClassOfEntry(entry))) return old_size;
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return old_size;
  [[maybe_unused]] const background::Tending tending;
  CheckFreed(*heap, block, entry);
  ResizeBetween(
      old_size, min, max, kUnit,
      [&](size_t size) { return ResizeLargeInPlace(heap, block, size); },
      [&] {
        if (!CachesWhatFollows(*heap, *range, block, old_size)) return false;
        heap->DrainSpans();
        return true;
      });
  return LargeSize(*range, block);
}

}  // namespace

size_t ResizeInPlace(void* block, size_t min, size_t max) {
  MapEntry entry;
  Range* const range = FindBlock(block, &entry);
  if (ALCOVE_UNLIKELY(ClassOfEntry(entry) == kPartsClass)) {
    const size_t before = SizeIn(*range, block, entry);
    const size_t most = Max(Max(min, max), 1);
    // It can be cut to the byte; what cannot be written down stays.
    if (most < before)
      FreeRange(static_cast<char*>(block) + most, before - most);
    return SizeIn(*range, block, entry);
  }
  const size_t old_size = OpenSeal(range, block, entry);
  const size_t extent =
      ResizeOpenInPlace(range, block, entry, WithCanary(min), WithCanary(max));
  if constexpr (!Config::kCanaries) return extent;
  const size_t room = extent - kCanaryBytes;
  // As the layers below, which do not grow it then.
  const size_t size = room < min ? old_size : Min(room, Max(min, max));
  Sealed(block, size);
  return size;
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(try_realloc_in_place)(
    void* block, size_t min_size, size_t max_size) noexcept {
  if (block == nullptr) return 0;
  const core::Call call;
  return core::ResizeInPlace(block, min_size, max_size);
}
