#include "core/arena/arena.h"

#include "core/arena/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {

bool Arena::Charge(size_t units) {
  const size_t bytes = units << kUnitShift;
  // From the arena up, so that one at its own bound never takes room from its
  // siblings.
  for (Arena* arena = this; arena != nullptr; arena = arena->parent) {
    if (ALCOVE_LIKELY(arena->quota.Charge(bytes))) continue;
    for (Arena* charged = this; charged != arena; charged = charged->parent)
      charged->quota.Undo(bytes);
    return false;
  }
  return true;
}

void Arena::Uncharge(size_t units) {
  const size_t bytes = units << kUnitShift;
  for (Arena* arena = this; arena != nullptr; arena = arena->parent)
    arena->quota.Uncharge(bytes);
}

Span Arena::TakeSpan(ArenaHeap* heap, size_t units, size_t alignment,
                     Ledger::Slot** slot) {
  Span span;
  *slot = heap->ledger().Find(arenas->store(), arenas->spare_groups());
  if (ALCOVE_UNLIKELY(*slot == nullptr)) return span;
  if (ALCOVE_UNLIKELY(!Charge(units))) {
    Ledger::Remove(*slot);
    return span;
  }
  if (reserve_range != nullptr && alignment == kUnit) {
    size_t next = reserve_next.Load(Order::kRelaxed);
    while (reserve_end - next >= units) {
      if (reserve_next.CompareExchange(next, next + units, Order::kRelaxed)) {
        span.range = reserve_range;
        span.first = next;
        span.zero = reserve_zero;
        return span;
      }
    }
  }
  if (units == 1 && heap->home()->TakeSpanOfSlab(1, &span)) return span;
  span = heap->home()->AllocateSpan(units, alignment);
  if (ALCOVE_UNLIKELY(span.range == nullptr)) {
    Uncharge(units);
    Ledger::Remove(*slot);
  }
  return span;
}

ALCOVE_COLD void Arena::ForgetCounts() {
  live.Reset();
  large_blocks.Store(0, Order::kRelaxed);
  large_bytes.Store(0, Order::kRelaxed);
  large_blocks_peak.Store(0, Order::kRelaxed);
  large_bytes_peak.Store(0, Order::kRelaxed);
  for (Atomic<size_t>& count : freed_remotely) count.Store(0, Order::kRelaxed);
  any_freed_remotely.Store(0, Order::kRelaxed);
}

void Arena::GiveSpan(const Span& span, size_t units, bool dirty) {
  arenas->instance()->region.Free(span, units, dirty);
  Uncharge(units);
}

}  // namespace ALCOVE_CORE_NAMESPACE
