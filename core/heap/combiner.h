// One thread at a time does what many want done, in the order in which they said
// so: flat combining (Hendler, Incze, Shavit and Tzafrir, SPAA 2010), for threads
// that can be stopped for good anywhere.
//
// Nobody waits for who is at it, but where all slots are in use:
//
//   - Who comes and finds nobody there does what others left, and then its own.
//   - Who finds somebody there posts its work in a slot, and goes on. It looks again
//     then: either the other one sees the slot, since it looks after it has left, or
//     this one gets in.
//   - A thread that was stopped for good in there is succeeded. The slot that it had in
//     hand is marked. Work takes place at one instant, when `version` of what it
//     changes becomes another one: if that has not come, the successor does it
//     anew; if it has, it is done.
//
// A slot whose owner is gone before it has a ticket is anybody's. So is, then, one
// that a thread was just clearing when it was stopped: till then it is out of use.
//
// What it combines for is a class of the caller's, given with each call:
//
//   uint64_t name()         what the calling thread goes by, not 0; kNameless, if it
//                           cannot be told from others
//   bool IsGone(name)       whether the thread of that name is stopped for good
//   uint64_t version()      how often what is changed here was published
//   bool Do(work, owed)     does it, and calls Done() once it is published, before
//                           anybody else may have what came of it. `owed`: somebody was
//                           promised it. False: not now, and nothing has changed
//   bool MayWait(work)      whether it may be left though what was left before cannot be
//                           done now
//   void Wait(name)         while that thread is at it
#ifndef ALCOVE_CORE_HEAP_COMBINER_H_
#define ALCOVE_CORE_HEAP_COMBINER_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"

namespace ALCOVE_CORE_NAMESPACE {

template <unsigned kSlots>
class Combiner {
 public:
  struct Work {
    uintptr_t begin;
    size_t size;
  };
  // Nobody can tell whether one of them lives.
  static constexpr uint64_t kNameless = ~uint64_t{0};

  constexpr Combiner() = default;

  // Does it, or leaves it to others. False if it could not be done.
  template <typename Client>
  bool Submit(Client& client, Work work);

  // Gets in, or not. Whoever is in calls Drain before anything else, and Leave at
  // the end.
  template <typename Client>
  bool TryEnter(Client& client);
  template <typename Client>
  void Enter(Client& client) {
    while (!TryEnter(client)) client.Wait(holder_.Load(Order::kRelaxed));
  }
  template <typename Client>
  void Leave(Client& client);

  // Does what others left. False if some of it cannot be done now.
  template <typename Client>
  bool Drain(Client& client);

  // What is in hand needs nobody any more.
  void Done() {
    if (in_hand_ != nullptr) Clear(in_hand_);
    in_hand_ = nullptr;
  }

  // Whether anything is left to be done, or just being done.
  bool busy() const { return posted_.Load(Order::kAcquire) != 0; }

  // For any thread: calls look(busy), and if that returns true, visit(work) for all that
  // is left to be done or just being done; again until nothing changed meanwhile.
  // `version` is the client's.
  template <typename Version, typename Look, typename Visit>
  void Read(Version version, Look look, Visit visit) const;

  // Has the thread that forked keep what it is at, though it goes by another name.
  void Rename(uint64_t before, uint64_t after) {
    holder_.CompareExchange(before, after, Order::kRelaxed);
  }

  // Nobody else is there any more.
  void Reset();

 private:
  struct Slot {
    Atomic<uint64_t> owner;  // who fills it in, or did; 0: nobody
    Atomic<uint64_t>
        ticket;  // its place in the order; 0: there is no work in it
    Atomic<uintptr_t> begin;
    Atomic<size_t> size;
  };
  // In the ticket of a slot while its work is being done.
  static constexpr uint64_t kInHand = uint64_t{1} << 63;

  template <typename Client>
  bool Post(Client& client, Work work);
  bool AnyPosted() const;
  void Clear(Slot* slot);

  Atomic<uint64_t> holder_;  // who is at it; 0: nobody
  Atomic<uint64_t> tickets_;
  Atomic<uint32_t> posted_;  // at least so many slots have work
  // Whose work is being done, and the version when it was begun.
  Slot* in_hand_ = nullptr;
  uint64_t in_hand_version_ = 0;
  Slot slots_[kSlots] = {};
};

template <unsigned kSlots>
template <typename Client>
ALCOVE_COLD bool Combiner<kSlots>::TryEnter(Client& client) {
  const uint64_t self = client.name();
  for (;;) {
    // By a load: who has just posted something must see that the last one has left.
    uint64_t holder = holder_.Load(Order::kSeqCst);
    if (holder == 0) {
      if (holder_.CompareExchange(holder, self, Order::kAcquire)) return true;
      continue;
    }
    // One thread may have several names, each on a level of its own.
    if (holder == self || holder == kNameless || !client.IsGone(holder))
      return false;
    if (holder_.CompareExchange(holder, self, Order::kAcquire)) break;
  }
  const bool undone = client.version() == in_hand_version_;
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

template <unsigned kSlots>
template <typename Client>
ALCOVE_COLD void Combiner<kSlots>::Leave(Client& client) {
  bool done = true;
  while (done) {
    holder_.Store(0, Order::kSeqCst);
    // Either this sees what was left meanwhile, or who left it gets in.
    if (!AnyPosted() || !TryEnter(client)) return;
    done = Drain(client);
  }
  holder_.Store(0, Order::kSeqCst);
}

template <unsigned kSlots>
bool Combiner<kSlots>::AnyPosted() const {
  for (const Slot& slot : slots_) {
    const uint64_t ticket = slot.ticket.Load(Order::kSeqCst);
    if (ticket != 0 && (ticket & kInHand) == 0) return true;
  }
  return false;
}

// False if all slots are in use.
template <unsigned kSlots>
template <typename Client>
ALCOVE_COLD bool Combiner<kSlots>::Post(Client& client, Work work) {
  for (Slot& slot : slots_) {
    uint64_t owner = slot.owner.Load(Order::kRelaxed);
    // In this order: who is gone fills nothing in any more.
    if (owner != 0 && (owner == kNameless || !client.IsGone(owner) ||
                       slot.ticket.Load(Order::kAcquire) != 0))
      continue;
    if (!slot.owner.CompareExchange(owner, client.name(), Order::kAcquire))
      continue;
    slot.begin.Store(work.begin, Order::kRelease);
    slot.size.Store(work.size, Order::kRelease);
    posted_.FetchAdd(1, Order::kRelaxed);
    slot.ticket.Store(tickets_.FetchAdd(1, Order::kRelaxed) + 1,
                      Order::kSeqCst);
    return true;
  }
  return false;
}

template <unsigned kSlots>
template <typename Client>
ALCOVE_COLD bool Combiner<kSlots>::Drain(Client& client) {
  while (busy()) {
    Slot* first = nullptr;
    uint64_t ticket = ~uint64_t{0};
    // Again, since the one before it may have been left behind this look's back.
    for (bool earlier = true; earlier;) {
      earlier = false;
      for (Slot& slot : slots_) {
        const uint64_t its = slot.ticket.Load(Order::kAcquire);
        if (its != 0 && (its & kInHand) == 0 && its < ticket) {
          first = &slot;
          ticket = its;
          earlier = true;
        }
      }
    }
    if (first == nullptr) return true;
    const Work work = {first->begin.Load(Order::kRelaxed),
                       first->size.Load(Order::kRelaxed)};
    // Marked before it is done: done twice, it could be misuse.
    in_hand_ = first;
    in_hand_version_ = client.version();
    KeepOrder();
    first->ticket.Store(ticket | kInHand, Order::kRelease);
    KeepOrder();
    if (!client.Do(work, true)) {
      in_hand_ = nullptr;
      first->ticket.Store(ticket, Order::kRelease);
      return false;
    }
  }
  return true;
}

template <unsigned kSlots>
ALCOVE_COLD void Combiner<kSlots>::Clear(Slot* slot) {
  uint64_t owner = slot->owner.Load(Order::kRelaxed);
  slot->ticket.Store(0, Order::kRelease);
  posted_.FetchSub(1, Order::kRelease);
  // If that one is gone, another may have it by now.
  slot->owner.CompareExchange(owner, 0, Order::kRelease);
}

template <unsigned kSlots>
template <typename Client>
ALCOVE_COLD bool Combiner<kSlots>::Submit(Client& client, Work work) {
  if (!TryEnter(client)) {
    if (Post(client, work)) {
      if (TryEnter(client)) {
        Drain(client);
        Leave(client);
      }
      return true;
    }
    Enter(client);
  }
  bool done;
  if (ALCOVE_LIKELY(Drain(client))) {
    done = client.Do(work, false);
  } else {
    // What was left before has to come before.
    done =
        client.MayWait(work) && (Post(client, work) || client.Do(work, false));
  }
  Leave(client);
  return done;
}

template <unsigned kSlots>
template <typename Version, typename Look, typename Visit>
ALCOVE_COLD void Combiner<kSlots>::Read(Version version, Look look,
                                        Visit visit) const {
  for (;;) {
    const uint64_t before = version();
    bool same = true;
    if (look(busy())) {
      for (const Slot& slot : slots_) {
        const uint64_t ticket = slot.ticket.Load(Order::kAcquire);
        if (ticket == 0) continue;
        const Work work = {slot.begin.Load(Order::kAcquire),
                           slot.size.Load(Order::kAcquire)};
        same = slot.ticket.Load(Order::kRelaxed) == ticket;
        if (!same) break;
        visit(work);
      }
    }
    // What was in a slot may be published by now.
    if (same && version() == before) return;
  }
}

template <unsigned kSlots>
void Combiner<kSlots>::Reset() {
  for (Slot& slot : slots_) {
    slot.ticket.Store(0, Order::kRelaxed);
    slot.owner.Store(0, Order::kRelaxed);
  }
  in_hand_ = nullptr;
  holder_.Store(0, Order::kRelaxed);
  posted_.Store(0, Order::kRelaxed);
  tickets_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_COMBINER_H_
