// The protocol by which a thread frees a block of another thread's slab.
//
//   freeing thread                    owner (SlabOwner::OpenMail)
//   1. owner := slab.owner            a. take the whole pending stack;
//   2. slab.remote[w] |= block           for each slab in it:
//   3. if slab.pending is 0 -> 1:     b. slab.pending := 0
//      push the slab on owner's       c. if slab.owner is another heap now: do
//      stack                             step 3 for that one; null: drop it
//                                     d. take the remote bits
//
// No free is lost: if step 3 finds `pending` already 1, some heap has the slab
// in its stack (or is about to) and has not done b yet, so its d, or that of
// the heap it forwards to in c, comes after 2. Between 1 and 3 the slab can
// have been emptied, freed and made anew for another heap, since another
// thread's announcement can bring our bit home; heaps are immortal and
// descriptors type-stable, so a push on the wrong stack does no harm: c sends
// it on or drops it.
//
// c must not read an owner that is older than the one whose block was freed
// in 2. The operations on `pending` and `owner` are sequentially consistent for
// that: the store of the owner comes before the block exists, so before 2 and
// 3; if 3 read the 1 that b replaces, 3 comes before b, and c, after b, sees
// that store or a later one. So are 2 and the look at the bits in d: if 3 reads
// the 1 that b replaces, 2 comes before b, and d, after b, sees the bit.
//
// An owner that is stopped between a and d for good leaves a trail that
// FinishMail follows. A freeing thread that is stopped in 3, after it made
// `pending` 1 and before the push, leaves one slab of which later remote frees are
// not heard of any more; so does an owner that is stopped there in c.
//
// tests/model explores all interleavings of small cases of this.
#ifndef ALCOVE_CORE_HEAP_REMOTE_H_
#define ALCOVE_CORE_HEAP_REMOTE_H_

#include "core/base/atomic.h"
#include "core/slab/slab.h"

namespace ALCOVE_CORE_NAMESPACE {

// Where an owner is with its mail, for FinishMail.
struct MailTrail {
  Slab* rest = nullptr;  // of the stack that was taken, or is about to be
  Slab* at_hand = nullptr;
  bool marked = false;  // whether that one was
};

// What an owner of slabs has for other threads: the stack of slabs with frees
// that it has not seen. Immortal and type-stable.
class alignas(64) SlabOwner {
 public:
  constexpr SlabOwner() = default;

  bool HasMail() const { return pending_.Load(Order::kRelaxed) != nullptr; }
  // How many slabs were announced since the mail was last opened.
  uint32_t mail() const { return mail_.Load(Order::kRelaxed); }

  // Steps a to c: calls take(slab) for each slab of this owner's in the stack,
  // to do step d. Who will not be repaired needs no trail.
  template <typename Take>
  void OpenMail(MailTrail* trail, Take take);
  template <typename Take>
  void OpenMail(Take take) {
    MailTrail trail;
    OpenMail(&trail, take);
  }

  // Does what is left of b and c, where the owner was stopped between a and d for
  // good. What is missing then is d, for any slab of this owner's.
  void FinishMail(MailTrail* trail);

 private:
  friend void Announce(SlabOwner* owner, Slab* slab);

  template <typename Take>
  void OpenRest(MailTrail* trail, Take take);
  // What `pending` is while this owner has the slab at hand and has not done b;
  // others only ask whether it is 0. Never 0 or 1.
  uint32_t Mark() const {
    return static_cast<uint32_t>(AddressOf(this) >> 5) | 2;
  }
  bool HasInMail(const Slab* wanted) const;

  Atomic<Slab*> pending_;
  Atomic<uint32_t> mail_;
};

// Step 3.
inline void Announce(SlabOwner* owner, Slab* slab) {
  if (slab->pending.Load(Order::kSeqCst) != 0) return;
  if (slab->pending.Exchange(1, Order::kSeqCst) != 0) return;
  owner->mail_.FetchAdd(1, Order::kRelaxed);
  Slab* head = owner->pending_.Load(Order::kRelaxed);
  do {
    slab->next_pending.Store(head, Order::kRelaxed);
  } while (!owner->pending_.CompareExchange(head, slab, Order::kRelease));
}

template <typename Take>
ALCOVE_INLINE void SlabOwner::OpenMail(MailTrail* trail, Take take) {
  mail_.Store(0, Order::kRelaxed);
  Slab* head = pending_.Load(Order::kRelaxed);
  do {
    trail->rest = head;
    KeepOrder();
  } while (!pending_.CompareExchange(head, nullptr, Order::kAcquire));
  OpenRest(trail, take);
}

template <typename Take>
ALCOVE_INLINE void SlabOwner::OpenRest(MailTrail* trail, Take take) {
  while (Slab* const slab = trail->rest) {
    trail->at_hand = slab;
    KeepOrder();
    trail->rest = slab->next_pending.Load(Order::kRelaxed);
    KeepOrder();
    slab->pending.Store(Mark(), Order::kRelaxed);
    KeepOrder();
    trail->marked = true;
    slab->pending.Exchange(0, Order::kSeqCst);
    SlabOwner* const owner = slab->owner.Load(Order::kSeqCst);
    if (owner != nullptr && owner != this) Announce(owner, slab);
    trail->at_hand = nullptr;
    KeepOrder();
    trail->marked = false;
    if (owner == this) take(slab);
  }
}

// Steps 1 to 3, for blocks of one bitmap word. Returns those that were freed
// already.
inline BitWord FreeRemotely(Slab* slab, unsigned word, BitWord blocks) {
  SlabOwner* const owner = slab->owner.Load(Order::kSeqCst);
  const BitWord before = slab->remote[word].FetchOr(blocks, Order::kSeqCst);
  if (ALCOVE_LIKELY(owner != nullptr)) Announce(owner, slab);
  return before & blocks;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_REMOTE_H_
