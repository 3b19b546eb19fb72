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

// The first unit of the large block that a unit belongs to, if it does.
size_t HeadOf(const Range& range, size_t unit) {
  while (unit != 0 && ClassOfEntry(EntryOf(range, unit)) == kInteriorClass)
    --unit;
  return unit;
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

ALCOVE_COLD Slab* Parts::SlabOf(const Range& range, const void* p) {
  Slab* const slab = DescriptorOf(range, p);
  return slab - slab->place;
}

ALCOVE_COLD bool Parts::MayHold(const Range& range, const void* p,
                                MapEntry entry) const {
  switch (ClassOfEntry(entry)) {
    case kPartsSlabClass: {
      const Slab& slab = *SlabOf(range, p);
      return (slab.in_parts.Load(Order::kRelaxed) & PartsBit(slab, p)) != 0;
    }
    case kPartsClass:
      return true;
    case kArenaClass:
      return MayHoldArenas();
    case kInteriorClass:
      return sets_.version() != 0 || posted_.Load(Order::kAcquire) != 0;
    default:
      return false;
  }
}

ALCOVE_COLD MapEntry Parts::EntryOfWhole(const Range& range, const void* p,
                                         MapEntry entry) {
  switch (ClassOfEntry(entry)) {
    case kPartsSlabClass:
      return MakeEntry(SlabOf(range, p)->size_class, HeapOfEntry(entry));
    case kPartsClass:
      return MakeEntry(kHugeClass, HeapOfEntry(entry));
    default:
      return entry;
  }
}

// The part that holds `at`; false if it was given back.
ALCOVE_COLD bool Parts::Find(const Heap* heap, uintptr_t at,
                             Place* place) const {
  Pair span;
  if (!sets_.AtMostNow(kSpans, {at, kAny}, &span) || at >= EndOf(span)) {
    if (!WholeAt(at, place)) Stop(Misuse::kFreeNoBlock, PointerTo(at));
    StopIfFree(heap, place->block);
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
  size_t unit = HeadOf(*range, range->IndexOf(p));
  if (Config::kWholeBlocks ||
      ClassOfEntry(EntryOf(*range, unit)) == kArenaClass) {
    const FindKept find = find_kept_.Load(Order::kAcquire);
    if (find == nullptr ||
        !find(at, &place->block, &place->block_end, &place->arena))
      return false;
    place->flags = kKept;
    place->part = place->block;
    place->part_end = place->block_end;
    return true;
  }
  if (ClassOfEntry(EntryOf(*range, unit)) == kPartsSlabClass) {
    Slab* const slab = SlabOf(*range, p);
    const ClassInfo& info = InfoOf(slab->size_class);
    const BlockPlace found = PlaceOf(slab, info, p);
    if (found.index >= slab->blocks) return false;
    place->block = AddressOf(slab->start) + found.index * size_t{info.size};
    place->block_end = place->block + info.size;
  } else {
    const auto* const slab = static_cast<const Slab*>(range->descriptor(unit));
    if (ClassOfEntry(EntryOf(*range, unit)) != kPartsClass ||
        AddressOf(slab->start) != AddressOf(range->AddressOfUnit(unit)) ||
        at - AddressOf(slab->start) >= size_t{slab->units} << kUnitShift) {
      return false;
    }
    place->block = AddressOf(slab->start);
    place->block_end = place->block + (size_t{slab->units} << kUnitShift);
    if (slab->moved != Moved::kNo) place->flags = kMoved;
  }
  place->part = place->block;
  place->part_end = place->block_end;
  return true;
}

ALCOVE_COLD void Parts::StopIfFree(const Heap* heap, uintptr_t block) const {
  const char* const p = PointerTo(block);
  const Range& range = *instance_->region.RangeOf(p);
  const MapEntry entry = EntryOf(range, p);
  // What is out is for the owner to know.
  if (heap == nullptr || ClassOfEntry(entry) != kPartsSlabClass ||
      HeapOfEntry(entry) != heap->number())
    return;
  Slab* const slab = SlabOf(range, p);
  const ClassInfo& info = InfoOf(slab->size_class);
  const BlockPlace place = PlaceOf(slab, info, p);
  if (place.index >= slab->fresh) Stop(Misuse::kFreeNeverAllocated, p);
  if ((slab->local[place.index / 64] >> (place.index % 64) & 1) != 0)
    Stop(Misuse::kDoubleFree, p, info.size);
}

ALCOVE_COLD void Parts::MarkInSlab(const Heap* heap, const Range& range,
                                   const char* p, MapEntry entry) {
  Slab* const slab = SlabOf(range, p);
  if (heap != nullptr) {
    const SizeClass c = slab->size_class;
    const ClassInfo& info = InfoOf(c);
    const BlockPlace place = PlaceOf(slab, info, p);
    if (place.index >= slab->blocks) Stop(Misuse::kFreeNoBlock, p);
    const char* const block = slab->start + place.index * size_t{info.size};
    CheckFreed(*heap, block, entry);
    if (heap->Caches(c, block)) Stop(Misuse::kDoubleFree, block, info.size);
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
    const size_t first = HeadOf(*range, unit);
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

// False if a slot changed meanwhile.
ALCOVE_COLD bool Parts::SizeNow(const void* p, size_t* size) const {
  const uintptr_t at = AddressOf(p);
  const bool posted = posted_.Load(Order::kAcquire) != 0;
  *size = 0;
  Pair part;
  if (!sets_.AtMost(kLive, {at, kAny}, &part) || at >= part.second) {
    Place whole;
    if (!posted || Holds(p) || !WholeAt(at, &whole)) return true;
    part = {whole.part, whole.part_end};
  }
  for (unsigned i = 0; posted && i < kSlots; ++i) {
    // What is to be given back is no block's any more.
    const Slot& slot = slots_[i];
    const uint64_t ticket = slot.ticket.Load(Order::kAcquire);
    if (ticket == 0) continue;
    const uintptr_t begin = slot.begin.Load(Order::kAcquire);
    const uintptr_t end = begin + slot.size.Load(Order::kAcquire);
    if (slot.ticket.Load(Order::kRelaxed) != ticket) return false;
    if (begin > at) part.second = Min(part.second, begin);
    if (begin < end && begin <= at) part.first = Max(part.first, end);
  }
  if (part.first == at) *size = part.second - at;
  return true;
}

ALCOVE_COLD size_t Parts::SizeOf(const void* p) const {
  uint64_t version;
  size_t size = 0;
  bool settled;
  do {
    version = sets_.version();
    settled = SizeNow(p, &size);
    // What was in a slot may be in the sets by now.
  } while (!settled || sets_.version() != version);
  return size;
}

ALCOVE_COLD bool Parts::Holds(const void* p) const {
  Pair span;
  return sets_.AtMost(kSpans, {AddressOf(p), kAny}, &span) &&
         AddressOf(p) < EndOf(span);
}

}  // namespace ALCOVE_CORE_NAMESPACE
