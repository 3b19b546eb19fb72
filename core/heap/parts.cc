#include "core/heap/parts.h"

#include "core/base/line.h"
#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"
#include "core/heap/checks.h"
#include "core/heap/homeless.h"
#include "core/heap/instance.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

constexpr uint64_t kAny = ~uint64_t{0};

// Of those who have no heap; nobody can tell whether one of them lives.
constexpr uint64_t kHomelessName = kAny;

char* PointerTo(uintptr_t address) { return reinterpret_cast<char*>(address); }

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

// ---- One at a time ----

ALCOVE_COLD uint64_t Parts::NameOf(const Heap* heap) {
  if (heap == nullptr) return kHomelessName;
  return uint64_t{heap->number()} << 32 | heap->tenancy.turn();
}

// Whether the thread that goes by this name is gone.
ALCOVE_COLD bool Parts::IsGone(uint64_t name) {
  if (name == kHomelessName) return false;
  Heap* heap = instance_->registry.first();
  while (heap != nullptr && heap->number() != name >> 32)
    heap = heap->next_heap;
  if (heap == nullptr) return true;
  if (NameOf(heap) == name) instance_->registry.CleanUpIfDead(heap);
  return NameOf(heap) != name;
}

ALCOVE_COLD bool Parts::TryLock(Heap* heap) {
  const uint64_t self = NameOf(heap);
  uint64_t holder = 0;
  if (holder_.CompareExchange(holder, self, Order::kSeqCst)) return true;
  // With the knob `async_signal_safe` this may be the thread of a level above.
  if (holder == self || !IsGone(holder)) return false;
  return holder_.CompareExchange(holder, self, Order::kSeqCst);
}

ALCOVE_COLD void Parts::Unlock(Heap* heap) {
  bool done = true;
  while (done) {
    holder_.Store(0, Order::kSeqCst);
    // Either this sees what was left meanwhile, or who left it gets the lock.
    if (!AnyPosted() || !TryLock(heap)) return;
    done = Drain(heap);
  }
  holder_.Store(0, Order::kSeqCst);
}

// Whether the call that this one interrupted is at it.
ALCOVE_COLD bool Parts::IsHeldBeneath(const Heap* heap) const {
  const uint64_t holder = holder_.Load(Order::kRelaxed);
  const Heap* other = instance_->registry.first();
  while (other != nullptr && NameOf(other) != holder) other = other->next_heap;
  return other != nullptr && heap != nullptr &&
         other->thread() == heap->thread();
}

ALCOVE_COLD void Parts::Rename(uint64_t before, uint64_t after) {
  holder_.CompareExchange(before, after, Order::kRelaxed);
}

ALCOVE_COLD bool Parts::AnyPosted() const {
  for (const Slot& slot : slots_) {
    if (slot.ticket.Load(Order::kSeqCst) != 0) return true;
  }
  return false;
}

// False if all slots are in use.
ALCOVE_COLD bool Parts::Post(Heap* heap, Work work) {
  const uint64_t self = NameOf(heap);
  for (Slot& slot : slots_) {
    uint64_t owner = slot.owner.Load(Order::kRelaxed);
    if (owner != 0 &&
        (slot.ticket.Load(Order::kAcquire) != 0 || !IsGone(owner)))
      continue;
    if (!slot.owner.CompareExchange(owner, self, Order::kAcquire)) continue;
    slot.begin.Store(work.begin, Order::kRelaxed);
    slot.size.Store(work.size, Order::kRelaxed);
    posted_.FetchAdd(1, Order::kRelaxed);
    slot.ticket.Store(tickets_.FetchAdd(1, Order::kRelaxed) + 1,
                      Order::kSeqCst);
    return true;
  }
  return false;
}

// False if memory is short for what is left to be done.
ALCOVE_COLD bool Parts::Drain(Heap* heap) {
  while (posted_.Load(Order::kAcquire) != 0) {
    Slot* first = nullptr;
    uint64_t ticket = kAny;
    for (Slot& slot : slots_) {
      const uint64_t its = slot.ticket.Load(Order::kAcquire);
      if (its != 0 && its < ticket) {
        first = &slot;
        ticket = its;
      }
    }
    if (first == nullptr) return true;
    const Work work = {first->begin.Load(Order::kRelaxed),
                       first->size.Load(Order::kRelaxed)};
    // Before it is done: done twice, it would be misuse.
    first->ticket.Store(0, Order::kRelaxed);
    KeepOrder();
    if (!Do(heap, work)) {
      first->ticket.Store(ticket, Order::kRelease);
      return false;
    }
    posted_.FetchSub(1, Order::kRelaxed);
    first->owner.Store(0, Order::kRelease);
  }
  return true;
}

ALCOVE_COLD bool Parts::Submit(Heap* heap, Work work) {
  for (;;) {
    if (TryLock(heap)) {
      Drain(heap);
      const bool done = Do(heap, work);
      Unlock(heap);
      return done;
    }
    if (Post(heap, work)) {
      if (TryLock(heap)) {
        Drain(heap);
        Unlock(heap);
      }
      return true;
    }
    if constexpr (Config::kAsyncSignalSafe) {
      if (IsHeldBeneath(heap))
        TextLine().Text("too many frees of parts in a signal handler").Stop();
    }
    if constexpr (Config::kSystemMemory) {
      platform::Yield();
    } else {
      platform::SpinHint();
    }
  }
}

// ---- What there is to do ----

// The part that holds `at`; false if it was given back.
ALCOVE_COLD bool Parts::Find(const Heap* heap, uintptr_t at,
                             Place* place) const {
  Pair span;
  if (!sets_.AtMostNow(kSpans, {at, kAny}, &span) ||
      at >= (span.second & ~kMoved)) {
    if (!WholeAt(at, place)) Stop(Misuse::kFreeNoBlock, PointerTo(at));
    StopIfFree(heap, place->block);
    return true;
  }
  place->block = span.first;
  place->block_end = span.second & ~kMoved;
  place->moved = (span.second & kMoved) != 0;
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
  size_t unit = range->IndexOf(p);
  place->moved = false;
  place->is_new = true;
  if (ClassOfEntry(EntryOf(*range, unit)) == kPartsSlabClass) {
    Slab* const slab = SlabOf(*range, p);
    const ClassInfo& info = InfoOf(slab->size_class);
    const BlockPlace found = PlaceOf(slab, info, p);
    if (found.index >= slab->blocks) return false;
    place->block = AddressOf(slab->start) + found.index * size_t{info.size};
    place->block_end = place->block + info.size;
  } else {
    while (unit != 0 && ClassOfEntry(EntryOf(*range, unit)) == kInteriorClass)
      --unit;
    const auto* const slab = static_cast<const Slab*>(range->descriptor(unit));
    if (ClassOfEntry(EntryOf(*range, unit)) != kPartsClass ||
        AddressOf(slab->start) != AddressOf(range->AddressOfUnit(unit)) ||
        at - AddressOf(slab->start) >= size_t{slab->units} << kUnitShift) {
      return false;
    }
    place->block = AddressOf(slab->start);
    place->block_end = place->block + (size_t{slab->units} << kUnitShift);
    place->moved = slab->moved != Moved::kNo;
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

// Does what is asked for. False if there is no memory to write it down, and nothing
// has changed.
ALCOVE_COLD bool Parts::Do(Heap* heap, Work work) {
  const bool roomy = sets_.Begin(&store_);
  Place place;
  if (!Find(heap, work.begin, &place)) {
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
  Pair largest;
  largest_gap_.Store(
      sets_.AtMostNow(kGaps, {kAny, kAny}, &largest) ? largest.first : 0,
      Order::kRelaxed);
  gap_bytes_.Store(gap_bytes_now_, Order::kRelaxed);
}

// Takes [begin, end) out of a part.
ALCOVE_COLD void Parts::Remove(Heap* heap, const Place& place, uintptr_t begin,
                               uintptr_t end) {
  const uint64_t moved = place.moved ? kMoved : 0;
  gap_bytes_now_ = gap_bytes_.Load(Order::kRelaxed);
  // What lies free before and behind.
  uintptr_t gap_begin = begin;
  uintptr_t gap_end = end;
  Pair neighbour;
  if (place.is_new) {
    sets_.Insert(kSpans, {place.block, place.block_end | moved});
  } else {
    sets_.Erase(kLive, {place.part, place.part_end});
    if (begin == place.part) {
      gap_begin = place.block;
      if (sets_.AtMostNow(kLive, {begin, kAny}, &neighbour))
        gap_begin = Max(gap_begin, neighbour.second);
      EraseGap(gap_begin, begin);
    }
    if (end == place.part_end) {
      gap_end = place.block_end;
      if (sets_.AtLeastNow(kLive, {end, 0}, &neighbour))
        gap_end = Min(gap_end, neighbour.first);
      EraseGap(end, gap_end);
    }
  }
  if (place.part < begin) sets_.Insert(kLive, {place.part, begin});
  if (end < place.part_end) sets_.Insert(kLive, {end, place.part_end});

  const Range* const range = instance_->region.RangeOf(PointerTo(place.block));
  const bool large =
      ClassOfEntry(EntryOf(*range, PointerTo(place.block))) == kPartsClass;
  if (gap_begin == place.block && gap_end == place.block_end) {
    sets_.Erase(kSpans, {place.block, place.block_end | moved});
    Publish();
    if (!large) return FreeWhole(heap, place.block);
    Leave(place.block, place.block_end, place.moved);
    return Count(heap, size_t{0} - 1,
                 size_t{0} - (place.block_end - place.block));
  }
  const uintptr_t from = RoundUp(gap_begin, kUnit);
  const uintptr_t to = RoundDown(gap_end, kUnit);
  if (!large || from >= to) {
    AddGap(gap_begin, gap_end);
    return Publish();
  }
  // Whole units go. What is left is one large block, or two.
  AddGap(gap_begin, from);
  AddGap(to, gap_end);
  sets_.Erase(kSpans, {place.block, place.block_end | moved});
  size_t blocks = size_t{0} - 1;
  if (place.block < from) {
    sets_.Insert(kSpans, {place.block, from | moved});
    ++blocks;
  }
  if (to < place.block_end) {
    sets_.Insert(kSpans, {to, place.block_end | moved});
    ++blocks;
    // Whoever looks for its first unit finds this one.
    const size_t unit = range->IndexOf(PointerTo(to));
    SetEntry(*range, unit,
             MakeEntry(kPartsClass, HeapOfEntry(EntryOf(*range, unit))));
  }
  Publish();
  Leave(from, to, place.moved);
  Count(heap, blocks, size_t{0} - (to - from));
}

ALCOVE_COLD void Parts::Count(Heap* heap, size_t blocks, size_t bytes) {
  if (heap != nullptr) return heap->CountLarge(blocks, bytes);
  instance_->homeless.blocks.FetchSub(blocks, Order::kRelaxed);
  instance_->homeless.bytes.FetchSub(bytes, Order::kRelaxed);
}

// Gives whole units of a large block to the system and the region.
ALCOVE_COLD void Parts::Leave(uintptr_t begin, uintptr_t end, bool moved) {
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
  if (ClassOfEntry(entry) == kHugeClass)
    SetEntry(range, range.IndexOf(p), entry);
  if (heap == nullptr) return FreeHomeless(instance_, range, p, entry);
  FillFreed(instance_->region, p, entry);
  if (ClassOfEntry(entry) == kHugeClass) return heap->ReleaseSpan(p);
  heap->ReturnBlock(ClassOfEntry(entry), p);
}

// ---- The rest ----

// Has the class map say of the block or part that holds `at` that it may be given
// back in parts, before anybody has work to do with it: a free of the whole block
// has to look for that.
ALCOVE_COLD void Parts::Mark(const Heap* heap, uintptr_t at) {
  char* const p = PointerTo(at);
  Range* const range = instance_->region.RangeOf(p);
  if (range == nullptr) Stop(Misuse::kFreeForeign, p);
  size_t unit = range->IndexOf(p);
  const MapEntry entry = EntryOf(*range, unit);
  const SizeClass c = ClassOfEntry(entry);
  if (IsSlabClass(c)) {
    Slab* const slab = SlabAt(*range, p, entry);
    if (heap != nullptr) {
      const ClassInfo& info = InfoOf(c);
      const BlockPlace place = PlaceOf(slab, info, p);
      if (place.index >= slab->blocks) Stop(Misuse::kFreeNoBlock, p);
      CheckFreed(*heap, slab->start + place.index * size_t{info.size}, entry);
    }
    // The bit first, for whoever finds the entry.
    slab->in_parts.FetchOr(PartsBit(*slab, p), Order::kRelease);
    EnterSlab(*range, range->IndexOf(slab->start), slab->units,
              MakeEntry(kPartsSlabClass, HeapOfEntry(entry)));
    return;
  }
  if (c == kPartsSlabClass) {
    Slab* const slab = SlabOf(*range, p);
    slab->in_parts.FetchOr(PartsBit(*slab, p), Order::kRelease);
    return;
  }
  while (unit != 0 && ClassOfEntry(EntryOf(*range, unit)) == kInteriorClass)
    --unit;
  const MapEntry head = EntryOf(*range, unit);
  const SizeClass of_head = ClassOfEntry(head);
  if (IsPartsClass(of_head)) return;
  if (of_head <= kSlabClasses || of_head > kHugeClass)
    Stop(Misuse::kFreeNoBlock, p);
  if (heap != nullptr) CheckFreed(*heap, range->AddressOfUnit(unit), head);
  SetEntry(*range, unit, MakeEntry(kPartsClass, HeapOfEntry(head)));
}

ALCOVE_COLD bool Parts::FreeRange(Heap* heap, void* p, size_t n) {
  const uintptr_t begin = AddressOf(p);
  if (n > kRequestMax) Stop(Misuse::kRangeBeyond, p);
  store_.Begin(&instance_->region);
  Mark(heap, begin);
  return Submit(heap, {begin, n});
}

ALCOVE_COLD void Parts::Free(Heap* heap, const Range& range, void* p,
                             MapEntry entry) {
  if (posted_.Load(Order::kAcquire) != 0 || Holds(p)) {
    Submit(heap, {AddressOf(p), 0});
    return;
  }
  const SizeClass c = ClassOfEntry(entry);
  bool inside = c == kInteriorClass || AddressOf(p) % kUnit != 0;
  if (c == kPartsSlabClass) {
    Slab* const slab = SlabOf(range, p);
    inside = !PlaceOf(slab, InfoOf(slab->size_class), p).is_start;
  }
  if (inside) Stop(Misuse::kFreeInside, p);
  FreeWhole(heap, AddressOf(p));
}

ALCOVE_COLD size_t Parts::SizeOf(const void* p) const {
  const uintptr_t at = AddressOf(p);
  const bool posted = posted_.Load(Order::kAcquire) != 0;
  Pair part;
  if (!sets_.AtMost(kLive, {at, kAny}, &part) || at >= part.second) {
    Place whole;
    if (!posted || Holds(p) || !WholeAt(at, &whole)) return 0;
    part = {whole.part, whole.part_end};
  }
  for (unsigned i = 0; posted && i < kSlots; ++i) {
    // What is to be given back is no block's any more.
    if (slots_[i].ticket.Load(Order::kAcquire) == 0) continue;
    const uintptr_t begin = slots_[i].begin.Load(Order::kRelaxed);
    const uintptr_t end = begin + slots_[i].size.Load(Order::kRelaxed);
    if (begin > at) part.second = Min(part.second, begin);
    if (begin < end && begin <= at) part.first = Max(part.first, end);
  }
  return part.first == at ? part.second - at : 0;
}

ALCOVE_COLD bool Parts::Holds(const void* p) const {
  Pair span;
  return sets_.AtMost(kSpans, {AddressOf(p), kAny}, &span) &&
         AddressOf(p) < (span.second & ~kMoved);
}

ALCOVE_COLD void* Parts::Take(Heap* heap, size_t size) {
  size = RoundUp(size, kGranule);
  if (!TryLock(heap)) return nullptr;
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
  Unlock(heap);
  return PointerTo(block);
}

ALCOVE_COLD void Parts::Release() {
  sets_.Reset();
  store_.Release();
  for (Slot& slot : slots_) {
    slot.ticket.Store(0, Order::kRelaxed);
    slot.owner.Store(0, Order::kRelaxed);
  }
  holder_.Store(0, Order::kRelaxed);
  posted_.Store(0, Order::kRelaxed);
  tickets_.Store(0, Order::kRelaxed);
  largest_gap_.Store(0, Order::kRelaxed);
  gap_bytes_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
