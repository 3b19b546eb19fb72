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
      return in_arenas();
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
  if (!holder_.CompareExchange(holder, self, Order::kSeqCst)) return false;
  // What that one had in hand is lost, but not the slot.
  in_hand_ = nullptr;
  for (Slot& slot : slots_) {
    if ((slot.ticket.Load(Order::kRelaxed) & kInHand) != 0) Clear(&slot);
  }
  return true;
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
    const uint64_t ticket = slot.ticket.Load(Order::kSeqCst);
    if (ticket != 0 && (ticket & kInHand) == 0) return true;
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
    slot.begin.Store(work.begin, Order::kRelease);
    slot.size.Store(work.size, Order::kRelease);
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
      if (its != 0 && (its & kInHand) == 0 && its < ticket) {
        first = &slot;
        ticket = its;
      }
    }
    if (first == nullptr) return true;
    const Work work = {first->begin.Load(Order::kRelaxed),
                       first->size.Load(Order::kRelaxed)};
    // Before it is done: done twice, it would be misuse. It still says what is no
    // block's any more (SizeOf), until the sets do (Publish).
    in_hand_ = first;
    first->ticket.Store(ticket | kInHand, Order::kRelease);
    KeepOrder();
    if (!Do(heap, work)) {
      in_hand_ = nullptr;
      first->ticket.Store(ticket, Order::kRelease);
      return false;
    }
  }
  return true;
}

// Before what is given back may be anybody's again.
ALCOVE_COLD void Parts::ClearInHand() {
  if (in_hand_ != nullptr) Clear(in_hand_);
  in_hand_ = nullptr;
}

ALCOVE_COLD void Parts::Clear(Slot* slot) {
  slot->ticket.Store(0, Order::kRelease);
  posted_.FetchSub(1, Order::kRelaxed);
  slot->owner.Store(0, Order::kRelease);
}

ALCOVE_COLD bool Parts::Submit(Heap* heap, Work work) {
  if (!TryLock(heap)) {
    if (Post(heap, work)) {
      if (TryLock(heap)) {
        Drain(heap);
        Unlock(heap);
      }
      return true;
    }
    AwaitLock(heap);
  }
  Drain(heap);
  const bool done = Do(heap, work);
  Unlock(heap);
  return done;
}

ALCOVE_COLD void Parts::AwaitLock(Heap* heap) {
  while (!TryLock(heap)) {
    if constexpr (Config::kAsyncSignalSafe) {
      if (IsHeldBeneath(heap))
        TextLine()
            .Text("a signal handler waits for what it interrupted")
            .Stop();
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
      at >= (span.second & ~kFlags)) {
    if (!WholeAt(at, place)) Stop(Misuse::kFreeNoBlock, PointerTo(at));
    StopIfFree(heap, place->block);
    return true;
  }
  place->block = span.first;
  place->block_end = span.second & ~kFlags;
  place->flags = span.second & kFlags;
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
  size_t unit = range->IndexOf(p);
  place->flags = 0;
  place->arena = 0;
  place->is_new = true;
  if (ClassOfEntry(EntryOf(*range, unit)) == kPartsSlabClass) {
    Slab* const slab = SlabOf(*range, p);
    const ClassInfo& info = InfoOf(slab->size_class);
    const BlockPlace found = PlaceOf(slab, info, p);
    if (found.index >= slab->blocks) return false;
    place->block = AddressOf(slab->start) + found.index * size_t{info.size};
    place->block_end = place->block + info.size;
  } else {
    unit = HeadOf(*range, unit);
    const auto* const slab = static_cast<const Slab*>(range->descriptor(unit));
    if (ClassOfEntry(EntryOf(*range, unit)) == kArenaClass) {
      if (!in_arenas() ||
          !find_in_arena_.Load(Order::kRelaxed)(
              at, &place->block, &place->block_end, &place->arena))
        return false;
      place->flags = kOfArena;
      place->part = place->block;
      place->part_end = place->block_end;
      return true;
    }
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
    ClearInHand();
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
  ClearInHand();
  Pair largest;
  largest_gap_.Store(
      sets_.AtMostNow(kGaps, {kAny, kAny}, &largest) ? largest.first : 0,
      Order::kRelaxed);
  gap_bytes_.Store(gap_bytes_now_, Order::kRelaxed);
}

// Takes [begin, end) out of a part.
ALCOVE_COLD void Parts::Remove(Heap* heap, const Place& place, uintptr_t begin,
                               uintptr_t end) {
  const bool of_arena = (place.flags & kOfArena) != 0;
  gap_bytes_now_ = gap_bytes_.Load(Order::kRelaxed);
  // What lies free before and behind.
  uintptr_t gap_begin = begin;
  uintptr_t gap_end = end;
  Pair neighbour;
  if (place.is_new) {
    sets_.Insert(kSpans, {place.block, place.block_end | place.flags});
    if (of_arena) sets_.Insert(kArenas, {place.arena, place.block});
  } else {
    sets_.Erase(kLive, {place.part, place.part_end});
    if (begin == place.part) {
      gap_begin = place.block;
      if (sets_.AtMostNow(kLive, {begin, kAny}, &neighbour))
        gap_begin = Max(gap_begin, neighbour.second);
      if (!of_arena) EraseGap(gap_begin, begin);
    }
    if (end == place.part_end) {
      gap_end = place.block_end;
      if (sets_.AtLeastNow(kLive, {end, 0}, &neighbour))
        gap_end = Min(gap_end, neighbour.first);
      if (!of_arena) EraseGap(end, gap_end);
    }
  }
  if (place.part < begin) sets_.Insert(kLive, {place.part, begin});
  if (end < place.part_end) sets_.Insert(kLive, {end, place.part_end});

  if (of_arena)
    return RemoveInArena(heap, place, begin, end, gap_begin, gap_end);
  const Range* const range = instance_->region.RangeOf(PointerTo(place.block));
  const bool large =
      ClassOfEntry(EntryOf(*range, PointerTo(place.block))) == kPartsClass;
  if (gap_begin == place.block && gap_end == place.block_end) {
    sets_.Erase(kSpans, {place.block, place.block_end | place.flags});
    Publish();
    if (!large) return FreeWhole(heap, place.block);
    Leave(place.block, place.block_end, (place.flags & kMoved) != 0);
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
  sets_.Erase(kSpans, {place.block, place.block_end | place.flags});
  size_t blocks = size_t{0} - 1;
  if (place.block < from) {
    sets_.Insert(kSpans, {place.block, from | place.flags});
    ++blocks;
  }
  if (to < place.block_end) {
    sets_.Insert(kSpans, {to, place.block_end | place.flags});
    ++blocks;
    // Whoever looks for its first unit finds this one.
    const size_t unit = range->IndexOf(PointerTo(to));
    SetEntry(*range, unit,
             MakeEntry(kPartsClass, HeapOfEntry(EntryOf(*range, unit))));
  }
  Publish();
  Leave(from, to, (place.flags & kMoved) != 0);
  Count(heap, blocks, size_t{0} - (to - from));
}

// The rest of it for an arena's block.
ALCOVE_COLD void Parts::RemoveInArena(Heap* heap, const Place& place,
                                      uintptr_t begin, uintptr_t end,
                                      uintptr_t gap_begin, uintptr_t gap_end) {
  if (gap_begin == place.block && gap_end == place.block_end) {
    sets_.Erase(kSpans, {place.block, place.block_end | place.flags});
    sets_.Erase(kArenas, {ArenaAt(place), place.block});
    Publish();
    return free_in_arena_.Load(Order::kRelaxed)(heap, PointerTo(place.block));
  }
  Publish();
  // Only those that have just become free.
  const uintptr_t from =
      Max(RoundUp(gap_begin, kUnit), RoundDown(begin, kUnit));
  const uintptr_t to = Min(RoundDown(gap_end, kUnit), RoundUp(end, kUnit));
  if (from < to && !instance_->region.RangeOf(PointerTo(from))->donated())
    platform::Purge(PointerTo(from), to - from);
}

// The number of the arena whose block it is.
ALCOVE_COLD uint64_t Parts::ArenaAt(const Place& place) const {
  const char* const p = PointerTo(place.block);
  return DescriptorOf(*instance_->region.RangeOf(p), p)->arena;
}

ALCOVE_COLD void Parts::ForgetArena(Heap* heap, uint64_t arena) {
  Pair span;
  const bool any =
      sets_.AtMost(kArenas, {arena, kAny}, &span) && span.first == arena;
  if (!any && posted_.Load(Order::kAcquire) == 0) return;
  AwaitLock(heap);
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
        part.first < (block.second & ~kFlags)) {
      sets_.Erase(kLive, part);
    } else {
      sets_.Erase(kSpans, block);
      sets_.Erase(kArenas, span);
    }
    sets_.Commit();
  }
  Unlock(heap);
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
  if (ClassOfEntry(entry) == kArenaClass)
    return free_in_arena_.Load(Order::kRelaxed)(heap, p);
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
  slab->in_parts.FetchOr(PartsBit(*slab, p), Order::kRelease);
  if (ClassOfEntry(entry) == kPartsSlabClass) return;
  EnterSlab(range, range.IndexOf(slab->start), slab->units,
            MakeEntry(kPartsSlabClass, HeapOfEntry(entry)));
}

ALCOVE_COLD bool Parts::FreeRange(Heap* heap, void* p, size_t n) {
  const uintptr_t begin = AddressOf(p);
  if (n > kRequestMax) Stop(Misuse::kRangeBeyond, p);
  store_.Begin(&instance_->region);
  Mark(heap, begin);
  return Submit(heap, {begin, n});
}

ALCOVE_COLD bool Parts::Free(Heap* heap, void* p) {
  if (posted_.Load(Order::kAcquire) == 0 && !Holds(p)) return false;
  Submit(heap, {AddressOf(p), 0});
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

ALCOVE_COLD bool Parts::Holds(const void* p) const {
  Pair span;
  return sets_.AtMost(kSpans, {AddressOf(p), kAny}, &span) &&
         AddressOf(p) < (span.second & ~kFlags);
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
  in_arenas_.Store(0, Order::kRelaxed);
  sets_.Reset();
  store_.Release();
  for (Slot& slot : slots_) {
    slot.ticket.Store(0, Order::kRelaxed);
    slot.owner.Store(0, Order::kRelaxed);
  }
  in_hand_ = nullptr;
  holder_.Store(0, Order::kRelaxed);
  posted_.Store(0, Order::kRelaxed);
  tickets_.Store(0, Order::kRelaxed);
  largest_gap_.Store(0, Order::kRelaxed);
  gap_bytes_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
