// What is written down of blocks in parts, and how that changes.
#include "core/heap/parts.h"

#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/checks.h"
#include "core/heap/homeless.h"
#include "core/heap/instance.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

// Does what is asked for. False if there is no memory to write it down, and nothing
// has changed.
ALCOVE_COLD bool Parts::Do(Heap* heap, Work work, bool owed) {
  // What somebody was promised may use the last nodes.
  const bool roomy = sets_.Begin(&store_) || (owed && !sets_.scarce());
  Place place;
  if (!Find(work.begin, &place)) {
    Stop(work.size == 0 ? Misuse::kDoubleFree : Misuse::kRangeFreed,
         PointerTo(work.begin));
  }
  uintptr_t end = place.part_end;
  if (work.size == 0) {
    if (work.begin != place.part)
      Stop(Misuse::kFreeInside, PointerTo(work.begin));
  } else {
    if (work.size > end - work.begin)
      Stop(Misuse::kRangeBeyond, PointerTo(work.begin), end - place.part);
    end = work.begin + work.size;
  }
  if (place.is_new && work.begin == place.block && end == place.block_end) {
    // Who is stopped from here on has freed it, or loses it.
    combiner_.Done();
    FreeWhole(heap, place.block);
    return true;
  }
  // What ends a part needs no more than what it sets free.
  if (!roomy && (work.begin != place.part || end != place.part_end))
    return false;
  if constexpr (Config::kZeroOnFree)
    memset(PointerTo(work.begin), 0, end - work.begin);
  Remove(heap, place, work.begin, end);
  return true;
}

ALCOVE_COLD void Parts::EraseGap(uintptr_t begin, uintptr_t end) {
  begin = RoundUp(begin, kGranule);
  end = RoundDown(end, kGranule);
  if (begin >= end) return;
  sets_.Erase(kGaps, {end - begin, begin});
  gap_bytes_now_ -= end - begin;
}

ALCOVE_COLD void Parts::AddGap(uintptr_t begin, uintptr_t end) {
  begin = RoundUp(begin, kGranule);
  end = RoundDown(end, kGranule);
  if (begin >= end) return;
  sets_.Insert(kGaps, {end - begin, begin});
  gap_bytes_now_ += end - begin;
}

ALCOVE_COLD void Parts::Publish() {
  sets_.Commit();
  combiner_.Done();
  Pair largest;
  largest_gap_.Store(
      sets_.AtMostNow(kGaps, {kAny, kAny}, &largest) ? largest.first : 0,
      Order::kRelaxed);
  gap_bytes_.Store(gap_bytes_now_, Order::kRelaxed);
}

// Takes [begin, end) out of a part.
ALCOVE_COLD void Parts::Remove(Heap* heap, const Place& place, uintptr_t begin,
                               uintptr_t end) {
  const bool kept = (place.flags & kKept) != 0;
  gap_bytes_now_ = gap_bytes_.Load(Order::kRelaxed);
  // What lies free before and behind.
  uintptr_t gap_begin = begin;
  uintptr_t gap_end = end;
  Pair neighbour;
  if (place.is_new) {
    sets_.Insert(kSpans,
                 {place.block, EndAndFlags(place.block_end, place.flags)});
    if (place.arena != 0) {
      sets_.Insert(kArenas, {place.arena, place.block});
      arena_blocks_.FetchAdd(1, Order::kRelease);
    }
  } else {
    sets_.Erase(kLive, {place.part, place.part_end});
    if (begin == place.part) {
      gap_begin = place.block;
      if (sets_.AtMostNow(kLive, {begin, kAny}, &neighbour))
        gap_begin = Max(gap_begin, neighbour.second);
      if (!kept) EraseGap(gap_begin, begin);
    }
    if (end == place.part_end) {
      gap_end = place.block_end;
      if (sets_.AtLeastNow(kLive, {end, 0}, &neighbour))
        gap_end = Min(gap_end, neighbour.first);
      if (!kept) EraseGap(end, gap_end);
    }
  }
  if (place.part < begin) sets_.Insert(kLive, {place.part, begin});
  if (end < place.part_end) sets_.Insert(kLive, {end, place.part_end});

  if (kept) return RemoveKept(place, begin, end, gap_begin, gap_end);
  const Range* const range = instance_->region.RangeOf(PointerTo(place.block));
  const bool large =
      ClassOfEntry(EntryOf(*range, PointerTo(place.block))) == kPartsClass;
  if (gap_begin == place.block && gap_end == place.block_end) {
    sets_.Erase(kSpans,
                {place.block, EndAndFlags(place.block_end, place.flags)});
    Publish();
    if (!large) return FreeWhole(heap, place.block);
    GiveUnits(place.block, place.block_end, (place.flags & kMoved) != 0);
    return Count(heap, size_t{0} - 1,
                 size_t{0} - (place.block_end - place.block));
  }
  const uintptr_t from = RoundUp(gap_begin, kUnit);
  const uintptr_t to = RoundDown(gap_end, kUnit);
  // Without memory to write it down they stay.
  if (!large || from >= to || sets_.scarce()) {
    AddGap(gap_begin, gap_end);
    return Publish();
  }
  // Whole units go. What is left is one large block, or two.
  AddGap(gap_begin, from);
  AddGap(to, gap_end);
  sets_.Erase(kSpans, {place.block, EndAndFlags(place.block_end, place.flags)});
  size_t blocks = size_t{0} - 1;
  if (place.block < from) {
    sets_.Insert(kSpans, {place.block, EndAndFlags(from, place.flags)});
    ++blocks;
  }
  if (to < place.block_end) {
    sets_.Insert(kSpans, {to, EndAndFlags(place.block_end, place.flags)});
    ++blocks;
    // Whoever looks for its first unit finds this one.
    const size_t unit = range->IndexOf(PointerTo(to));
    SetEntry(*range, unit,
             MakeEntry(kPartsClass, HeapOfEntry(EntryOf(*range, unit))));
  }
  Publish();
  GiveUnits(from, to, (place.flags & kMoved) != 0);
  Count(heap, blocks, size_t{0} - (to - from));
}

ALCOVE_COLD void Parts::Count(Heap* heap, size_t blocks, size_t bytes) {
  if (heap != nullptr) return heap->CountLarge(blocks, bytes);
  instance_->homeless.blocks.FetchSub(blocks, Order::kRelaxed);
  instance_->homeless.bytes.FetchSub(bytes, Order::kRelaxed);
}

// Gives whole units of a large block to the system and the region.
ALCOVE_COLD void Parts::GiveUnits(uintptr_t begin, uintptr_t end, bool moved) {
  const Span span = instance_->region.SpanAt(PointerTo(begin));
  const size_t units = (end - begin) >> kUnitShift;
  EraseUnits(*span.range, span.first, units);
  const bool zero = !span.range->donated() &&
                    (moved ? platform::Refresh(span.start(), end - begin)
                           : platform::Purge(span.start(), end - begin));
  instance_->region.Free(span, units, !zero);
}

// Frees a block that is given back as a whole.
ALCOVE_COLD void Parts::FreeWhole(Heap* heap, uintptr_t block) {
  char* const p = PointerTo(block);
  const Range& range = *instance_->region.RangeOf(p);
  const MapEntry entry = EntryOfWhole(range, p, EntryOf(range, p));
  if (Config::kWholeBlocks || ClassOfEntry(entry) == kArenaClass)
    return free_kept_.Load(Order::kRelaxed)(p);
  if (heap == nullptr) return FreeHomeless(instance_, range, p, entry);
  FillFreed(instance_->region, p, entry);
  if (ClassOfEntry(entry) == kHugeClass) return heap->ReleaseSpan(p);
  heap->ReturnBlock(ClassOfEntry(entry), p);
}

ALCOVE_COLD bool Parts::FreeRange(Heap* heap, void* p, size_t n) {
  const uintptr_t begin = AddressOf(p);
  if (n > kRequestMax) Stop(Misuse::kRangeBeyond, p);
  store_.Begin(&instance_->region);
  Mark(heap, begin);
  return Submit(heap, {begin, n});
}

ALCOVE_COLD bool Parts::Free(Heap* heap, void* p) {
  if (!combiner_.busy() && !Holds(p)) return false;
  Submit(heap, {AddressOf(p), 0});
  return true;
}

ALCOVE_COLD void* Parts::Take(Heap* heap, size_t size) {
  size = RoundUp(size, kGranule);
  if (!TryEnter(heap)) return nullptr;
  Drain(heap);
  Pair gap;
  uintptr_t block = 0;
  if (sets_.Begin(&store_) && sets_.AtLeastNow(kGaps, {size, 0}, &gap)) {
    block = gap.second;
    gap_bytes_now_ = gap_bytes_.Load(Order::kRelaxed);
    EraseGap(block, block + gap.first);
    AddGap(block + size, block + gap.first);
    sets_.Insert(kLive, {block, block + size});
    Publish();
  }
  Leave(heap);
  return PointerTo(block);
}

ALCOVE_COLD void Parts::Release() {
  arena_blocks_.Store(0, Order::kRelaxed);
  sets_.Reset();
  store_.Release();
  combiner_.Reset();
  largest_gap_.Store(0, Order::kRelaxed);
  gap_bytes_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
