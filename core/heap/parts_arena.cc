// Blocks of arenas in parts, and others that are kept.
#include "core/heap/instance.h"
#include "core/heap/parts.h"

namespace ALCOVE_CORE_NAMESPACE {

// The rest of it for a block that is kept.
ALCOVE_COLD void Parts::RemoveKept(const Place& place, uintptr_t begin,
                                   uintptr_t end, uintptr_t gap_begin,
                                   uintptr_t gap_end) {
  if (gap_begin == place.block && gap_end == place.block_end) {
    sets_.Erase(kSpans,
                {place.block, EndAndFlags(place.block_end, place.flags)});
    const uint64_t arena = ArenaAt(place);
    if (arena != 0) sets_.Erase(kArenas, {arena, place.block});
    Publish();
    if (arena != 0) arena_blocks_.FetchSub(1, Order::kRelaxed);
    return free_kept_.Load(Order::kRelaxed)(PointerTo(place.block));
  }
  Publish();
  // Only those that have just become free.
  const uintptr_t from =
      Max(RoundUp(gap_begin, kUnit), RoundDown(begin, kUnit));
  const uintptr_t to = Min(RoundDown(gap_end, kUnit), RoundUp(end, kUnit));
  if (from < to && !instance_->region.RangeOf(PointerTo(from))->donated())
    platform::Purge(PointerTo(from), to - from);
}

// The number of the arena whose block it is; 0: it is none's.
ALCOVE_COLD uint64_t Parts::ArenaAt(const Place& place) const {
  const char* const p = PointerTo(place.block);
  const Range& range = *instance_->region.RangeOf(p);
  if (ClassOfEntry(EntryOf(range, p)) != kArenaClass) return 0;
  return DescriptorOf(range, p)->arena;
}

ALCOVE_COLD void Parts::ForgetArena(Heap* heap, uint64_t arena) {
  Pair span;
  const bool any =
      sets_.AtMost(kArenas, {arena, kAny}, &span) && span.first == arena;
  if (!any && !combiner_.busy()) return;
  Enter(heap);
  Drain(heap);
  for (;;) {
    sets_.Begin(&store_);
    if (!sets_.AtMostNow(kArenas, {arena, kAny}, &span) || span.first != arena)
      break;
    Pair block;
    if (!sets_.AtMostNow(kSpans, {span.second, kAny}, &block)) break;
    // One at a time: a change may be only so large. The block last, by which others
    // are found.
    Pair part;
    if (sets_.AtLeastNow(kLive, {block.first, 0}, &part) &&
        part.first < EndOf(block)) {
      sets_.Erase(kLive, part);
    } else {
      sets_.Erase(kSpans, block);
      sets_.Erase(kArenas, span);
      arena_blocks_.FetchSub(1, Order::kRelaxed);
    }
    sets_.Commit();
  }
  Leave(heap);
}

}  // namespace ALCOVE_CORE_NAMESPACE
