// A few places for threads that have no heap to say in that they are at something.
//
// A place is the word that names the thread (ForkGeneration::Thread), so that those of
// threads that were killed, or that an ancestor had, are there to be taken, and tell
// nobody anything.
#ifndef ALCOVE_CORE_BASE_THREAD_PLACES_H_
#define ALCOVE_CORE_BASE_THREAD_PLACES_H_

#include "core/base/atomic.h"
#include "core/base/fork_generation.h"

namespace ALCOVE_CORE_NAMESPACE {

template <unsigned kCount>
class ThreadPlaces {
 public:
  static constexpr unsigned kNone = kCount;

  // A place for the calling thread, which may have others; kNone if there is none left,
  // or if the system knows no threads.
  unsigned Enter(ForkGeneration* generation) {
    if (!Config::kSystemMemory) return kNone;
    // A child's thread may have the id of an ancestor's.
    if (!generation->watches()) generation->Watch();
    const uint64_t self = generation->Thread();
    for (unsigned i = 0; i < kCount; ++i) {
      uint64_t before = threads_[i].Load(Order::kRelaxed);
      if (before != 0 && generation->MayBeThere(before)) continue;
      // Acquire, and release below: what is kept beside the place changes hands, too.
      if (threads_[i].CompareExchange(before, self, Order::kAcquire)) return i;
    }
    return kNone;
  }

  void Leave(unsigned place) { threads_[place].Store(0, Order::kRelease); }

  // The thread that a place names; 0 for none.
  uint64_t thread(unsigned place) const {
    return threads_[place].Load(Order::kAcquire);
  }

  void Reset() {
    for (Atomic<uint64_t>& thread : threads_) thread.Store(0, Order::kRelaxed);
  }

 private:
  Atomic<uint64_t> threads_[kCount];
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_THREAD_PLACES_H_
