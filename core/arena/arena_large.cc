// Large blocks of arenas: each is a span of its own, and goes back to the
// region when it is freed.
#include "core/arena/arenas.h"
#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

void* Arena::AllocateLarge(ArenaHeap* heap, size_t units,
                           size_t block_alignment, size_t size, bool zero) {
  Ledger::Slot* slot;
  const Span span = TakeSpan(heap, units, block_alignment, &slot);
  if (ALCOVE_UNLIKELY(span.range == nullptr)) return nullptr;
  auto* const descriptor =
      static_cast<Slab*>(span.range->descriptor(span.first));
  descriptor->start = span.start();
  descriptor->units = static_cast<uint32_t>(units);
  descriptor->size_class = kLargeMark;
  descriptor->moved = Moved::kNo;
  descriptor->place = 0;
  descriptor->owner.Store(nullptr, Order::kRelaxed);
  descriptor->arena = number.Load(Order::kRelaxed);
  descriptor->ledger_slot = slot;
  if (units != 1) {
    SetEntries(*span.range, span.first + 1, units - 1,
               MakeEntry(kInteriorClass, place));
  }
  SetEntry(*span.range, span.first, entry());
  Ledger::Write(slot, span.start(), units);
  large_blocks.FetchAdd(1, Order::kRelaxed);
  large_bytes.FetchAdd(units << kUnitShift, Order::kRelaxed);
  live.Add(1, static_cast<ptrdiff_t>(units << kUnitShift));
  if constexpr (Config::kHugePagesFrom != 0) {
    if (size >= Config::kHugePagesFrom && !span.range->donated())
      platform::AdviseHugePages(span.start(), units << kUnitShift);
  }
  if (zero && !span.zero)
    ClearLarge(arenas->instance()->region, span.start(), size);
  return span.start();
}

void Arena::FreeLarge(Range* range, void* block) {
  Span span;
  span.range = range;
  span.first = range->IndexOf(block);
  // Of two threads that free it, one is late.
  if (ALCOVE_UNLIKELY(!ReplaceEntry(*range, span.first, entry(), 0))) {
    Stop(Misuse::kDoubleFree, block);
  }
  Slab* const descriptor = DescriptorOf(*range, block);
  const size_t units = descriptor->units;
  EraseUnits(*range, span.first, units);
  Ledger::Remove(descriptor->ledger_slot);
  large_blocks.FetchSub(1, Order::kRelaxed);
  large_bytes.FetchSub(units << kUnitShift, Order::kRelaxed);
  live.Add(-1, -static_cast<ptrdiff_t>(units << kUnitShift));
  const bool fresh = RefreshMoved(descriptor, units);
  GiveSpan(span, units, !fresh);
}

bool Arena::ResizeLarge(Range* range, void* block, size_t size,
                        uint64_t* crossed) {
  *crossed = 0;
  if (size > kRequestMax) return false;
  Slab* const descriptor = DescriptorOf(*range, block);
  const size_t first = range->IndexOf(block);
  const size_t old_units = descriptor->units;
  const size_t units = SpanUnits(size);
  if (units == old_units) return true;
  if (units > old_units) {
    const size_t more = units - old_units;
    // In this order, so that what cannot be had crosses no soft quota.
    if (!range->Extend(first + old_units, more)) return false;
    if (!Charge(more, crossed)) {
      Span refused;
      refused.range = range;
      refused.first = first + old_units;
      arenas->instance()->region.FreeTail(refused, more, true);
      return false;
    }
    SetEntries(*range, first + old_units, more,
               MakeEntry(kInteriorClass, place));
    if (descriptor->moved == Moved::kWhole)
      descriptor->moved = Moved::kExtended;
    descriptor->units = static_cast<uint32_t>(units);
    Ledger::Write(descriptor->ledger_slot, block, units);
    large_bytes.FetchAdd(more << kUnitShift, Order::kRelaxed);
    live.Add(0, static_cast<ptrdiff_t>(more << kUnitShift));
    return true;
  }
  Span tail;
  tail.range = range;
  tail.first = first + units;
  const size_t less = old_units - units;
  EraseUnits(*range, tail.first, less);
  descriptor->units = static_cast<uint32_t>(units);
  Ledger::Write(descriptor->ledger_slot, block, units);
  large_bytes.FetchSub(less << kUnitShift, Order::kRelaxed);
  live.Add(0, -static_cast<ptrdiff_t>(less << kUnitShift));
  const bool fresh = descriptor->moved != Moved::kNo &&
                     platform::Refresh(tail.start(), less << kUnitShift);
  arenas->instance()->region.FreeTail(tail, less, !fresh);
  Uncharge(less);
  return true;
}

void* Arena::MoveLarge(ArenaHeap* heap, Range* range, void* block,
                       size_t size) {
  const size_t old_size = LargeSize(*range, block);
  void* target = nullptr;
  // Some more than asked for, as MoveLarge of heap/large.h does.
  if (size > old_size) target = heap->Allocate(size + size / 8, kUnit, false);
  if (target == nullptr) target = heap->Allocate(size, kUnit, false);
  if (target == nullptr) return nullptr;
  Range* const range_of_target = arenas->instance()->region.RangeOf(target);
  Slab* const from = DescriptorOf(*range, block);
  Slab* const to = DescriptorOf(*range_of_target, target);
  switch (CarryOver(from, to, old_size, size,
                    !range->donated() && !range_of_target->donated())) {
    case Carried::kLost:
      // The units of the target stay claimed, and are nobody's.
      Ledger::Remove(to->ledger_slot);
      large_blocks.FetchSub(1, Order::kRelaxed);
      large_bytes.FetchSub(size_t{to->units} << kUnitShift, Order::kRelaxed);
      live.Add(-1, -static_cast<ptrdiff_t>(size_t{to->units} << kUnitShift));
      Uncharge(to->units);
      EraseUnits(*range_of_target, range_of_target->IndexOf(target), to->units);
      return nullptr;
    case Carried::kMoved:
    case Carried::kCopied:
      break;
  }
  FreeLarge(range, block);
  return target;
}

}  // namespace ALCOVE_CORE_NAMESPACE
