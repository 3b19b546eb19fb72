// One thread at a time, and what others leave for it.
#include "core/base/give_way.h"
#include "core/base/line.h"
#include "core/heap/instance.h"
#include "core/heap/parts.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Of those who have no heap; nobody can tell whether one of them lives.
constexpr uint64_t kHomelessName = ~uint64_t{0};

}  // namespace

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
  // What that one had in hand is to be done still, if it was not published.
  const bool undone = sets_.version() == in_hand_version_;
  in_hand_ = nullptr;
  for (Slot& slot : slots_) {
    const uint64_t ticket = slot.ticket.Load(Order::kRelaxed);
    if ((ticket & kInHand) == 0) continue;
    if (undone) {
      slot.ticket.Store(ticket & ~kInHand, Order::kRelease);
    } else {
      Clear(&slot);
    }
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
    in_hand_version_ = sets_.version();
    KeepOrder();
    first->ticket.Store(ticket | kInHand, Order::kRelease);
    KeepOrder();
    if (!Do(heap, work, true)) {
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
  bool done;
  if (ALCOVE_LIKELY(Drain(heap))) {
    done = Do(heap, work, false);
  } else {
    // What was left before has to come before; who frees may leave word, too.
    done = work.size == 0 && (Post(heap, work) || Do(heap, work, false));
  }
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
    GiveWay();
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE
