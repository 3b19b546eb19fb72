#include "core/heap/large.h"

#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// From here on moving the page tables is cheaper than copying the bytes.
constexpr size_t kMovePagesFrom = size_t{1} << 20;

// A block that had to move gets this share more, so that growing it step by
// step costs a logarithm of moves.
constexpr size_t kGrowthShare = 8;

// From here on a block that is to be zero is asked which of its pages hold
// memory.
constexpr size_t kZeroByPageFrom = size_t{1} << 20;

}  // namespace

void ClearLarge(const Region& region, void* block, size_t size) {
  if (size >= kZeroByPageFrom && !region.RangeOf(block)->donated()) {
    platform::ZeroPages(block, size);
  } else {
    memset(block, 0, size);
  }
}

bool RefreshMoved(Slab* slab, size_t units) {
  const bool fresh = slab->moved != Moved::kNo &&
                     platform::Refresh(slab->start, units << kUnitShift);
  slab->moved = Moved::kNo;
  return fresh;
}

ALCOVE_COLD Carried CarryOver(Slab* from, Slab* to, size_t old_size,
                              size_t size, bool may_move) {
  const bool tried = may_move && old_size >= kMovePagesFrom &&
                     old_size <= size && from->moved != Moved::kExtended;
  if (tried && platform::MovePages(to->start, from->start, old_size)) {
    to->moved = Moved::kWhole;
    // Its pages are fresh ones now.
    from->moved = Moved::kNo;
    return Carried::kMoved;
  }
  if (tried && ALCOVE_UNLIKELY(!platform::Commit(to->start, old_size)))
    return Carried::kLost;
  memcpy(to->start, from->start, Min(old_size, size));
  return Carried::kCopied;
}

size_t LargeSize(const Range& range, const void* block) {
  return size_t{DescriptorOf(range, block)->units} << kUnitShift;
}

size_t ReturnSpan(Region& region, void* start, bool clean) {
  const Span span = region.SpanAt(start);
  const SizeClass c = ClassOfEntry(EntryOf(*span.range, span.first));
  // Somebody else's by now.
  if (ALCOVE_UNLIKELY(c <= kSlabClasses ||
                      (c > kShelvedClass && c != kPartsClass)))
    Stop(Misuse::kDoubleFree, start);
  if (ALCOVE_UNLIKELY(c == kInteriorClass || AddressOf(start) % kUnit != 0)) {
    Stop(Misuse::kFreeInside, start);
  }
  Slab* const slab = DescriptorOf(*span.range, start);
  const size_t units = slab->units;
  EraseUnits(*span.range, span.first, units);
  const bool fresh = clean || RefreshMoved(slab, units);
  slab->moved = Moved::kNo;
  region.Free(span, units, !fresh);
  return units << kUnitShift;
}

void* AllocateLarge(Heap* heap, size_t size, size_t alignment, bool zero) {
  if (size > kRequestMax) return nullptr;
  const size_t units = SpanUnits(size);
  if (units <= kSpanUnitsMax && alignment <= kUnit) {
    void* const cached = heap->TakeCachedSpan(SpanClass(units));
    if (cached != nullptr) {
      if (zero) ClearLarge(heap->instance()->region, cached, size);
      return cached;
    }
  }
  const Span span = heap->AllocateSpan(units, Max(alignment, kUnit));
  if (ALCOVE_UNLIKELY(span.range == nullptr)) return nullptr;
  auto* const slab = static_cast<Slab*>(span.range->descriptor(span.first));
  slab->start = span.start();
  slab->units = static_cast<uint32_t>(units);
  slab->moved = Moved::kNo;
  EnterSpan(*span.range, span.first, 1, units, heap->number());
  heap->CountLarge(1, units << kUnitShift);
  if constexpr (Config::kHugePagesFrom != 0) {
    if (size >= Config::kHugePagesFrom && !span.range->donated())
      platform::AdviseHugePages(slab->start, units << kUnitShift);
  }
  if (zero && !span.zero)
    ClearLarge(heap->instance()->region, slab->start, size);
  return slab->start;
}

void FreeHuge(Heap* heap, const Range& range, void* block) {
  if (ALCOVE_UNLIKELY(AddressOf(block) % kUnit != 0)) {
    Stop(Misuse::kFreeInside, block);
  }
  const Slab* const slab = DescriptorOf(range, block);
  // A short one is here if it is marked as one that may be in parts (heap/parts.h);
  // those that are cached have their class in the map.
  if (slab->units > kExactUnitsMax && slab->units <= kSpanUnitsMax &&
      slab->moved == Moved::kNo &&
      heap->ShelveSpan(range, block, SpanClass(slab->units))) {
    return;
  }
  heap->ReleaseSpan(block);
}

bool ResizeLargeInPlace(Heap* heap, void* block, size_t size) {
  if (size > kRequestMax) return false;
  Region& region = heap->instance()->region;
  Range* const range = region.RangeOf(block);
  const size_t first = range->IndexOf(block);
  Slab* const slab = DescriptorOf(*range, block);
  const size_t old_units = slab->units;
  const size_t units = SpanUnits(size);
  if (units == old_units) return true;
  if (units > old_units) {
    if (!range->Extend(first + old_units, units - old_units)) return false;
    slab->units = static_cast<uint32_t>(units);
    if (slab->moved == Moved::kWhole) slab->moved = Moved::kExtended;
    EnterSpan(*range, first, old_units, units, heap->number());
    heap->CountLarge(0, (units - old_units) << kUnitShift);
    return true;
  }
  Span tail;
  tail.range = range;
  tail.first = first + units;
  const size_t tail_units = old_units - units;
  EraseUnits(*range, tail.first, tail_units);
  EnterSpan(*range, first, units, units, heap->number());
  slab->units = static_cast<uint32_t>(units);
  const bool fresh = slab->moved != Moved::kNo &&
                     platform::Refresh(tail.start(), tail_units << kUnitShift);
  heap->CountLarge(0, size_t{0} - (tail_units << kUnitShift));
  region.FreeTail(tail, tail_units, !fresh);
  return true;
}

ALCOVE_COLD void* MoveLarge(Heap* heap, void* block, size_t size) {
  if (size > kRequestMax) return nullptr;
  Range* const range = heap->instance()->region.RangeOf(block);
  const size_t old_size = LargeSize(*range, block);
  void* target = nullptr;
  if (size > old_size && size < kRequestMax - size / kGrowthShare) {
    target = AllocateLarge(heap, size + size / kGrowthShare, kUnit, false);
  }
  if (target == nullptr) target = AllocateLarge(heap, size, kUnit, false);
  if (target == nullptr) return nullptr;
  Range* const range_of_target = heap->instance()->region.RangeOf(target);
  const Carried carried = CarryOver(
      DescriptorOf(*range, block), DescriptorOf(*range_of_target, target),
      old_size, size, !range->donated() && !range_of_target->donated());
  if (ALCOVE_UNLIKELY(carried == Carried::kLost)) {
    // The target is gone, and its units with it: they stay claimed.
    const size_t units = DescriptorOf(*range_of_target, target)->units;
    EraseUnits(*range_of_target, range_of_target->IndexOf(target), units);
    heap->CountLarge(size_t{0} - 1, size_t{0} - (units << kUnitShift));
    return nullptr;
  }
  heap->ReleaseSpan(block, carried == Carried::kMoved);
  return target;
}

}  // namespace ALCOVE_CORE_NAMESPACE
