#include "core/heap/remote.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD bool SlabOwner::HasInMail(const Slab* wanted) const {
  // Others only push, so that what is below the head stays.
  for (const Slab* slab = pending_.Load(Order::kAcquire); slab != nullptr;
       slab = slab->next_pending.Load(Order::kRelaxed)) {
    if (slab == wanted) return true;
  }
  return false;
}

ALCOVE_COLD void SlabOwner::FinishMail(MailTrail* trail) {
  if (Slab* const slab = trail->at_hand; slab != nullptr) {
    if (trail->rest == slab)
      trail->rest = slab->next_pending.Load(Order::kRelaxed);
    KeepOrder();
    if (!trail->marked) {
      // `pending` has not been 0 yet, so that it is in no stack, and nobody is
      // about to push it.
      slab->pending.Store(Mark(), Order::kRelaxed);
      KeepOrder();
      trail->marked = true;
      KeepOrder();
    }
    // Else it may have been announced anew.
    if (slab->pending.Load(Order::kRelaxed) == Mark())
      slab->pending.Exchange(0, Order::kSeqCst);
    SlabOwner* const owner = slab->owner.Load(Order::kSeqCst);
    if (owner != nullptr && owner != this) Announce(owner, slab);
    KeepOrder();
    trail->at_hand = nullptr;
    KeepOrder();
  }
  trail->marked = false;
  // The stack was not taken after all.
  if (trail->rest != nullptr && HasInMail(trail->rest)) trail->rest = nullptr;
  OpenRest(trail, [](Slab*) {});
}

}  // namespace ALCOVE_CORE_NAMESPACE
