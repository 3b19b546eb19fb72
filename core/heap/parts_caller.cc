// Whom the threads that change something take each other for.
#include "core/base/give_way.h"
#include "core/base/line.h"
#include "core/heap/instance.h"
#include "core/heap/parts.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD uint64_t Parts::NameOf(const Heap* heap) {
  if (heap == nullptr) return Combined::kNameless;
  return uint64_t{heap->number()} << 32 | heap->tenancy.turn();
}

ALCOVE_COLD bool Parts::IsGone(uint64_t name) {
  Heap* heap = instance_->registry.first();
  while (heap != nullptr && heap->number() != name >> 32)
    heap = heap->next_heap;
  if (heap == nullptr) return true;
  if (NameOf(heap) == name) instance_->registry.CleanUpIfDead(heap);
  return NameOf(heap) != name;
}

// Whether the call that this one interrupted is at it.
ALCOVE_COLD bool Parts::IsHeldBeneath(uint64_t holder, const Heap* heap) const {
  const Heap* other = instance_->registry.first();
  while (other != nullptr && NameOf(other) != holder) other = other->next_heap;
  return other != nullptr && heap != nullptr &&
         other->thread() == heap->thread();
}

// The calling thread, for the combiner.
class Parts::Caller {
 public:
  Caller(Parts* parts, Heap* heap) : parts_(parts), heap_(heap) {}

  uint64_t name() const { return NameOf(heap_); }
  bool IsGone(uint64_t name) { return parts_->IsGone(name); }
  uint64_t version() const { return parts_->sets_.version(); }
  bool Do(Work work, bool owed) { return parts_->Do(heap_, work, owed); }
  // Who frees has nothing to ask for.
  bool MayWait(Work work) const { return work.size == 0; }
  void Wait(uint64_t holder) {
    if constexpr (Config::kAsyncSignalSafe) {
      if (parts_->IsHeldBeneath(holder, heap_))
        TextLine()
            .Text("a signal handler waits for what it interrupted")
            .Stop();
    }
    GiveWay();
  }

 private:
  Parts* const parts_;
  Heap* const heap_;
};

ALCOVE_COLD bool Parts::TryEnter(Heap* heap) {
  Caller caller(this, heap);
  return combiner_.TryEnter(caller);
}
ALCOVE_COLD void Parts::Enter(Heap* heap) {
  Caller caller(this, heap);
  combiner_.Enter(caller);
}
ALCOVE_COLD void Parts::Leave(Heap* heap) {
  Caller caller(this, heap);
  combiner_.Leave(caller);
}
ALCOVE_COLD bool Parts::Drain(Heap* heap) {
  Caller caller(this, heap);
  return combiner_.Drain(caller);
}
ALCOVE_COLD bool Parts::Submit(Heap* heap, Work work) {
  Caller caller(this, heap);
  return combiner_.Submit(caller, work);
}
ALCOVE_COLD void Parts::Rename(uint64_t before, uint64_t after) {
  combiner_.Rename(before, after);
}

}  // namespace ALCOVE_CORE_NAMESPACE
