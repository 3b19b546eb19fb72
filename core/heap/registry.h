// All heaps of an instance, and which thread each belongs to.
//
// Heaps are only ever added, at the head of a list, so that walking it needs no
// lock. Who may take one over, and how, is in tenancy.h.
#ifndef ALCOVE_CORE_HEAP_REGISTRY_H_
#define ALCOVE_CORE_HEAP_REGISTRY_H_

#include "core/base/atomic.h"
#include "core/heap/heap.h"

namespace ALCOVE_CORE_NAMESPACE {

class Registry {
 public:
  constexpr explicit Registry(ForkGeneration* generation)
      : generation_(generation) {}

  // A heap for the calling thread, taken over or new; null if there is no
  // memory. *adopted: it was another thread's before.
  Heap* Acquire(Instance* instance, bool* adopted);

  // Hands the calling thread's heap back, drained.
  void HandBack(Heap* heap);

  // Whether an ancestor of this process had it last.
  bool IsAncestors(const Heap& heap) const {
    return heap.tenancy.IsAncestors(generation_->Current());
  }
  // In a child of fork, for all heaps of the thread that forked: they are the child's
  // from now on; after that, all others that are inherited are nobody's.
  void Renew(Heap* heap);
  void Settle() { generation_->Settle(); }
  bool settled() const { return generation_->settled(); }

  // Has `heap` cleaned up if it is nobody's or its thread is gone, and leaves
  // it to be taken. For the memory of threads that ended while their blocks
  // lived on: no new thread may ever come to take it over.
  void CleanUpIfDead(Heap* heap);

  // Takes a heap over for the moment if it is nobody's or its thread is gone, to
  // be left by LeaveTaken; for what the layer above keeps beside it.
  bool TakeIfDead(Heap* heap);
  void LeaveTaken(Heap* heap);

  // Cleans up every heap that is nobody's or whose thread is gone.
  void CleanUpDead();

  // Cleans up the heaps that bear the id of the calling thread, which has none:
  // the id was another's, which is gone, and nobody could find that out while
  // the caller lives. Only for the knob `background_purge`.
  void CleanUpNamesakes();

  // Whether a living thread other than the caller, whose heap is `own` (null if
  // it has none), may have a heap.
  bool OthersLive(const Heap* own) const;

  // Whether a living thread other than the caller says that it is just ending
  // `what` (Tenancy::ending).
  bool SomebodyEnds(uint64_t what) const;

  // Unmaps all heaps. Nobody may use them any more.
  void Release();

  Heap* first() const { return heaps_.Load(Order::kAcquire); }
  // What a heap needs of a donation's room; 0 where heaps have mappings of their
  // own.
  static size_t RoomBytes();
  // Bytes mapped for each heap.
  static size_t HeapBytes();

 private:
  // The calling thread's id; without system memory, one that no thread has.
  platform::ThreadId Self();
  bool TakeDead(Heap* heap, Process process, bool* died);
  Heap* Adopt(platform::ThreadId self);
  Heap* Create(Instance* instance, platform::ThreadId self);

  Atomic<Heap*> heaps_;
  Atomic<uint32_t> count_;
  Atomic<uint32_t> ids_;  // given out, without system memory
  ForkGeneration* const generation_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_REGISTRY_H_
