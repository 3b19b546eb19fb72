// Which addresses may be in parts, and what is there.
#include "core/hardening/misuse.h"
#include "core/heap/checks.h"
#include "core/heap/instance.h"
#include "core/heap/large.h"
#include "core/heap/parts.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

constexpr bool IsPartsClass(SizeClass c) {
  return c == kPartsClass || c == kPartsSlabClass;
}

// Of a block of a slab, in Slab::in_parts.
uint64_t PartsBit(const Slab& slab, const void* p) {
  const auto offset =
      static_cast<uint64_t>(static_cast<const char*>(p) - slab.start);
  return uint64_t{1} << ((offset * InfoOf(slab.size_class).inverse >>
                          kInverseShift) %
                         64);
}

}  // namespace

ALCOVE_COLD bool Parts::MayHold(const Range& range, const void* p,
                                MapEntry entry) const {
  switch (ClassOfEntry(entry)) {
    case kPartsSlabClass: {
      const Slab& slab = *SlabHolding(range, p);
      return (slab.in_parts.Load(Order::kRelaxed) & PartsBit(slab, p)) != 0;
    }
    case kPartsClass:
      return true;
    case kArenaClass:
      return MayHoldArenas();
    case kInteriorClass:
      return sets_.version() != 0 || combiner_.busy();
    default:
      return false;
  }
}

ALCOVE_COLD MapEntry Parts::EntryOfWhole(const Range& range, const void* p,
                                         MapEntry entry) {
  switch (ClassOfEntry(entry)) {
    case kPartsSlabClass:
      return MakeEntry(SlabHolding(range, p)->size_class, HeapOfEntry(entry));
    case kPartsClass:
      return MakeEntry(kHugeClass, HeapOfEntry(entry));
    default:
      return entry;
  }
}

// The part that holds `at`; false if it was given back.
ALCOVE_COLD bool Parts::Find(uintptr_t at, Place* place) const {
  Pair span;
  if (!sets_.AtMostNow(kSpans, {at, kAny}, &span) || at >= EndOf(span)) {
    if (!WholeAt(at, place)) Stop(Misuse::kFreeNoBlock, PointerTo(at));
    return true;
  }
  place->block = span.first;
  place->block_end = EndOf(span);
  place->flags = FlagsOf(span);
  place->arena = 0;
  place->is_new = false;
  Pair part;
  if (!sets_.AtMostNow(kLive, {at, kAny}, &part) || at >= part.second)
    return false;
  place->part = part.first;
  place->part_end = part.second;
  return true;
}

// The block that holds `at` in a unit that is marked, if no part of it was given
// back; false if there is none. Of a slab: which one, and where in it.
ALCOVE_COLD bool Parts::WholeAt(uintptr_t at, Place* place) const {
  const char* const p = PointerTo(at);
  const Range* const range = instance_->region.RangeOf(p);
  if (range == nullptr) return false;
  place->flags = 0;
  place->arena = 0;
  place->is_new = true;
  const size_t unit = FirstUnitOf(*range, range->IndexOf(p));
  const SizeClass c = ClassOfEntry(EntryOf(*range, unit));
  if (c == kPartsSlabClass) {
    Slab* const slab = SlabHolding(*range, p);
    const ClassInfo& info = InfoOf(slab->size_class);
    const BlockPlace found = PlaceOf(slab, info, p);
    if (found.index >= slab->blocks) return false;
    place->block = AddressOf(slab->start) + found.index * size_t{info.size};
    place->block_end = place->block + info.size;
  } else if (c == kPartsClass) {
    const auto* const slab = static_cast<const Slab*>(range->descriptor(unit));
    place->block = AddressOf(range->AddressOfUnit(unit));
    place->block_end = place->block + (size_t{slab->units} << kUnitShift);
    if (AddressOf(slab->start) != place->block || at >= place->block_end)
      return false;
    if (slab->moved != Moved::kNo) place->flags = kMoved;
  } else if (c != kArenaClass) {
    return false;
  }
  if (Config::kWholeBlocks || c == kArenaClass) {
    const FindKept find = find_kept_.Load(Order::kAcquire);
    if (find == nullptr ||
        !find(at, &place->block, &place->block_end, &place->arena))
      return false;
    place->flags = kKept;
  }
  place->part = place->block;
  place->part_end = place->block_end;
  return true;
}

ALCOVE_COLD void Parts::MarkInSlab(const Heap* heap, const Range& range,
                                   const char* p, MapEntry entry) {
  Slab* const slab = SlabHolding(range, p);
  if (heap != nullptr) {
    const SizeClass c = slab->size_class;
    const ClassInfo& info = InfoOf(c);
    const BlockPlace place = PlaceOf(slab, info, p);
    if (place.index >= slab->blocks) Stop(Misuse::kFreeNoBlock, p);
    const char* const block = slab->start + place.index * size_t{info.size};
    CheckFreed(*heap, block, entry);
    if (heap->Caches(c, block)) Stop(Misuse::kDoubleFree, block, info.size);
    // What is out is for the owner to know.
    if (HeapOfEntry(entry) == heap->number()) {
      if (place.index >= slab->fresh) Stop(Misuse::kFreeNeverAllocated, block);
      if ((slab->local[place.index / 64] >> (place.index % 64) & 1) != 0)
        Stop(Misuse::kDoubleFree, block, info.size);
    }
  }
  // The bit first, for whoever finds the entry.
  slab->in_parts.FetchOr(PartsBit(*slab, p), Order::kSeqCst);
  if (ClassOfEntry(entry) == kPartsSlabClass) return;
  EnterSlab(range, range.IndexOf(slab->start), slab->units,
            MakeEntry(kPartsSlabClass, HeapOfEntry(entry)));
}

// Has the class map say of the block or part that holds `at` that it may be given
// back in parts, before anybody has work to do with it: a free of the whole block
// has to look for that.
ALCOVE_COLD void Parts::Mark(const Heap* heap, uintptr_t at) {
  char* const p = PointerTo(at);
  if (Holds(p)) return;
  Range* const range = instance_->region.RangeOf(p);
  if (range == nullptr) Stop(Misuse::kFreeForeign, p);
  const size_t unit = range->IndexOf(p);
  const MapEntry entry = EntryOf(*range, unit);
  const SizeClass c = ClassOfEntry(entry);
  if (IsSlabClass(c) || c == kPartsSlabClass)
    return MarkInSlab(heap, *range, p, entry);
  for (;;) {
    const size_t first = FirstUnitOf(*range, unit);
    const MapEntry head = EntryOf(*range, first);
    const SizeClass of_head = ClassOfEntry(head);
    if (IsPartsClass(of_head) || of_head == kArenaClass) return;
    if (of_head <= kSlabClasses || of_head > kHugeClass) {
      // Who gives another part back meanwhile may have had the units before this one
      // leave; that there is a part here was published before.
      if (Holds(p)) return;
      Stop(Misuse::kFreeNoBlock, p);
    }
    if (heap != nullptr) {
      char* const block = range->AddressOfUnit(first);
      CheckFreed(*heap, block, head);
      if (of_head <= kCachedClasses && heap->Caches(of_head, block))
        Stop(Misuse::kDoubleFree, block);
    }
    // Not by a store: by now the unit may have left, too.
    if (ReplaceEntry(*range, first, head,
                     MakeEntry(kPartsClass, HeapOfEntry(head))))
      return;
  }
}

ALCOVE_COLD size_t Parts::SizeOf(const void* p) const {
  const uintptr_t at = AddressOf(p);
  Pair part;
  combiner_.Read(
      [this] { return sets_.version(); },
      [&](bool busy) {
        if (sets_.AtMost(kLive, {at, kAny}, &part) && at < part.second)
          return busy;
        Place whole;
        part = {};
        if (!busy || Holds(p) || !WholeAt(at, &whole)) return false;
        part = {whole.part, whole.part_end};
        return true;
      },
      // What is to be given back is no block's any more.
      [&](Work work) {
        const uintptr_t end = work.begin + work.size;
        if (work.begin > at) part.second = Min(part.second, work.begin);
        if (work.begin < end && work.begin <= at)
          part.first = Max(part.first, end);
      });
  return part.first == at && at != 0 ? part.second - at : 0;
}

ALCOVE_COLD bool Parts::Holds(const void* p) const {
  Pair span;
  return sets_.AtMost(kSpans, {AddressOf(p), kAny}, &span) &&
         AddressOf(p) < EndOf(span);
}

}  // namespace ALCOVE_CORE_NAMESPACE
