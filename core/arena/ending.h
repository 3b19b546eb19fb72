// The protocol by which an arena ends, and what that waits for.
//
//   end of an arena                    beginning of a child
//   1. handle := 0, if it is           a. parent's children += 1
//      still the caller's; else stop   b. is the parent's handle still the
//   2. while children is not 0: end       caller's? else stop
//      those that have a handle        c. handle := the child's
//   3. end the blocks
//   4. parent's children -= 1
//
// Whoever brings a handle to 0 ends the arena, so that each is ended once. 1 and
// the first look in 2, a and b are sequentially consistent: who begins a child of
// an arena that is just ended is seen by who ends it, or sees that himself.
//
// Who ends a parent waits in 2 for children that others are just ending or
// beginning: those say so from before 1 or a until behind 4 or c (Ending). Of what
// was begun in a process that this one was forked from, or by a thread that was
// killed, nobody says so any more; there is nobody to wait for then, and nobody who
// would count it down. One looks before the search for children, which then finds
// those that were begun, and after it: who ends one that the search did not find
// said so before.
//
// tests/model explores all interleavings of small cases of this.
#ifndef ALCOVE_CORE_ARENA_ENDING_H_
#define ALCOVE_CORE_ARENA_ENDING_H_

#include "core/arena/handle.h"
#include "core/base/atomic.h"

namespace ALCOVE_CORE_NAMESPACE {

// Step 1; whether the caller is who ends it.
inline bool TakeHandle(Atomic<ArenaHandle>* handle, ArenaHandle expected) {
  return handle->CompareExchange(expected, 0, Order::kSeqCst);
}

// Step 1 for what is a child of `parent`; its handle, 0 if there is none to end.
inline ArenaHandle TakeChild(Atomic<ArenaHandle>* handle,
                             const Atomic<ArenaHandle>& parent_handle,
                             ArenaHandle parent) {
  const ArenaHandle own = handle->Load(Order::kAcquire);
  // No two arenas have the same handle: if it can be taken, this was its parent.
  if (own == 0 || parent_handle.Load(Order::kRelaxed) != parent) return 0;
  if (TakeHandle(handle, own)) return own;
  // For what who took it said before.
  handle->Load(Order::kAcquire);
  return 0;
}

// Steps a and b; false if the parent is gone.
inline bool CountChild(Atomic<uint32_t>* children,
                       const Atomic<ArenaHandle>& parent_handle,
                       ArenaHandle parent) {
  children->FetchAdd(1, Order::kSeqCst);
  // Whoever ends it meanwhile has not waited for this child.
  return parent_handle.Load(Order::kSeqCst) == parent;
}

// Whether there is a step 2.
inline bool HasChildren(const Atomic<uint32_t>& children) {
  return children.Load(Order::kSeqCst) != 0;
}

// Step 4.
inline void UncountChild(Atomic<uint32_t>* children) {
  children->FetchSub(1, Order::kRelease);
}

// Step 2. end_those() ends children that have a handle, and says how many;
// somebody_ends(), whether anybody says that he ends or begins one; wait() is called
// before each new look at the count, and each `waits_per_look` times, one looks
// whether there is anybody to wait for.
template <typename EndThose, typename SomebodyEnds, typename Wait>
void AwaitChildren(Atomic<uint32_t>* children, unsigned waits_per_look,
                   EndThose end_those, SomebodyEnds somebody_ends, Wait wait) {
  unsigned waits = 0;
  for (;;) {
    uint32_t left = children->Load(Order::kAcquire);
    if (left == 0) return;
    const bool alone = ++waits % waits_per_look == 0 && !somebody_ends();
    left -= end_those();
    if (left == 0) continue;
    // Other threads are just ending the rest; below what they end, only they do.
    // Or they were, when this process was forked from theirs: the count is as it
    // was before the looks then.
    if (alone && !somebody_ends())
      children->CompareExchange(left, 0, Order::kAcquire);
    wait();
  }
}

// While a child of `parent` is ended or begun by a thread: says so where that
// thread has a place for it, or counts where it has none.
class Ending {
 public:
  Ending(Atomic<uint64_t>* said, ArenaHandle parent, Atomic<uint32_t>* homeless)
      : said_(said), homeless_(homeless) {
    if (said_ != nullptr) {
      said_->Store(parent, Order::kRelaxed);
    } else {
      homeless_->FetchAdd(1, Order::kRelaxed);
    }
  }
  ~Ending() {
    if (said_ != nullptr) {
      said_->Store(0, Order::kRelease);
    } else {
      homeless_->FetchSub(1, Order::kRelease);
    }
  }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  Atomic<uint64_t>* const said_;
  Atomic<uint32_t>* const homeless_;
};

// Whether a heap was left behind, with all that it has, in an arena that ended:
// then nothing of it belongs to the one that is in the arena's object now, until
// its own thread has it forget all and join. Who looks at arenas from another
// thread skips it, and must find nothing in one that was left.
class LeftBehind {
 public:
  bool Is() const { return left_.Load(Order::kAcquire) != 0; }
  // By who ends the arena, before its next handle.
  void Set() { left_.Store(1, Order::kRelaxed); }
  // Once it has forgotten all.
  void Clear() { left_.Store(0, Order::kRelease); }

 private:
  Atomic<uint32_t> left_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_ENDING_H_
