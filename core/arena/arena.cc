#include "core/arena/arena.h"

#include "core/arena/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {

bool Arena::Charge(size_t units, uint64_t* crossed) {
  const size_t bytes = units << kUnitShift;
  *crossed = 0;
  // What some level would refuse is charged to none, or it would take room from
  // those below for the moment.
  if (ALCOVE_UNLIKELY(parent != nullptr)) {
    for (Arena* arena = this; arena != nullptr; arena = arena->parent) {
      if (!arena->quota.Allows(bytes)) return false;
    }
  }
  unsigned level = 0;
  for (Arena* arena = this; arena != nullptr; arena = arena->parent) {
    bool crossed_here;
    if (ALCOVE_UNLIKELY(!arena->quota.Charge(bytes, &crossed_here))) {
      for (Arena* charged = this; charged != arena; charged = charged->parent)
        charged->quota.Undo(bytes);
      *crossed = 0;
      return false;
    }
    if (ALCOVE_UNLIKELY(crossed_here)) *crossed |= uint64_t{1} << level;
    ++level;
  }
  return true;
}

ALCOVE_COLD bool Arena::CollectAbandoned(const Heap* home) {
  Registry& registry = arenas->instance()->registry;
  bool any = false;
  for (ArenaHeap* heap = heaps.Load(Order::kAcquire); heap != nullptr;
       heap = heap->next.Load(Order::kRelaxed)) {
    Heap* const dead = heap->home();
    if (dead == nullptr || dead == home || heap->left() || !heap->HasMail())
      continue;
    if (!registry.TakeIfDead(dead)) continue;
    if (!dead->above_interrupted()) {
      const Heap::AboveAtWork at_work(dead);
      heap->Collect();
      any = true;
    }
    registry.LeaveTaken(dead);
  }
  return any;
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
  uint64_t crossed;
  if (ALCOVE_UNLIKELY(!Charge(units, &crossed))) {
    // What is held for nothing, by this thread and by those that are gone.
    const bool less = heap->ReleaseEmpty();
    if (!(CollectAbandoned(heap->home()) || less) || !Charge(units, &crossed)) {
      Ledger::Remove(*slot);
      return span;
    }
  }
  if (ALCOVE_UNLIKELY(lent.Load(Order::kAcquire) != nullptr)) {
    span = TakeDonated(units, alignment);
    if (span.range != nullptr) {
      heap->NoteCrossed(crossed);
      heap->Took(span, units);
      return span;
    }
  }
  if (reserve_range != nullptr && alignment == kUnit) {
    size_t next = reserve_next.Load(Order::kRelaxed);
    while (reserve_end - next >= units) {
      if (reserve_next.CompareExchange(next, next + units, Order::kRelaxed)) {
        span.range = reserve_range;
        span.first = next;
        span.zero = reserve_zero;
        heap->NoteCrossed(crossed);
        heap->Took(span, units);
        return span;
      }
    }
  }
  if (units != 1 || alignment != kUnit ||
      !heap->home()->TakeSpanOfSlab(1, &span)) {
    span = heap->home()->AllocateSpan(units, alignment);
  }
  if (ALCOVE_UNLIKELY(span.range == nullptr && arenas->ReleaseQuarantine()))
    span = heap->home()->AllocateSpan(units, alignment);
  if (ALCOVE_LIKELY(span.range != nullptr)) {
    heap->NoteCrossed(crossed);
    heap->Took(span, units);
    return span;
  }
  for (Arena* arena = this; arena != nullptr; arena = arena->parent)
    arena->quota.Undo(units << kUnitShift);
  Ledger::Remove(*slot);
  return span;
}

ALCOVE_COLD Span Arena::TakeDonated(size_t units, size_t alignment) const {
  Span span;
  for (const LentRange* own = lent.Load(Order::kAcquire); own != nullptr;
       own = own->next_of_arena) {
    span.first = own->range->Allocate(units, Max(alignment >> kUnitShift, 1),
                                      &span.zero);
    if (span.first < Range::kRefused) {
      span.range = own->range;
      break;
    }
  }
  return span;
}

ALCOVE_COLD Region::Donation Arena::Donate(void* memory, size_t size) {
  LentRange* own;
  const Region::Donation taken =
      arenas->instance()->region.Lend(memory, size, arenas->store(), &own);
  if (taken != Region::Donation::kTaken) return taken;
  LentRange* head = lent.Load(Order::kRelaxed);
  do {
    own->next_of_arena = head;
  } while (!lent.CompareExchange(head, own, Order::kRelease));
  return taken;
}

ALCOVE_COLD bool Arena::HasDonated(size_t units) const {
  const Span span = TakeDonated(units, kUnit);
  if (span.range == nullptr) return false;
  span.range->Free(span.first, units, false);
  return true;
}

ALCOVE_COLD void Arena::ReturnDonations() {
  LentRange* own = lent.Exchange(nullptr, Order::kAcquire);
  while (own != nullptr) {
    // Once it is nobody's, it may be somebody else's.
    LentRange* const next = own->next_of_arena;
    arenas->instance()->region.TakeBack(own);
    own = next;
  }
}

ALCOVE_COLD void Arena::ForgetCounts() {
  live.Reset();
  large_blocks.Store(0, Order::kRelaxed);
  large_bytes.Store(0, Order::kRelaxed);
  for (Atomic<size_t>& count : freed_remotely) count.Store(0, Order::kRelaxed);
  any_freed_remotely.Store(0, Order::kRelaxed);
}

void Arena::GiveSpan(const Span& span, size_t units, bool dirty) {
  arenas->instance()->region.Free(span, units, dirty);
  Uncharge(units);
}

}  // namespace ALCOVE_CORE_NAMESPACE
