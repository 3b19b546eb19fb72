// Freed blocks that a thread keeps out of use for a while, by class (the knob
// `reuse_delay`), so that a late use of one meets nobody else's.
//
// A block that is freed takes a random place in the first half of the slots of its
// class, and the one that was there goes into the second half, a ring, out of which
// the oldest goes back to its slab. So each stays for as many frees at least as the
// ring has slots, and nobody can say when it will come out.
//
// Only the heap's owner writes; statistics look at how many there are. A block is in
// one slot at a time: who is stopped in the middle loses the one in hand.
#ifndef ALCOVE_CORE_HEAP_DELAY_H_
#define ALCOVE_CORE_HEAP_DELAY_H_

#include "core/base/atomic.h"
#include "core/hardening/secret.h"
#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {

// A thread's random numbers, of which each is a function of the one before.
template <bool kOn>
class RandomNumbers {
 public:
  void Seed(uint64_t) {}
  uint32_t Below(uint32_t) { return 0; }
};
template <>
class RandomNumbers<true> {
 public:
  void Seed(uint64_t seed) { state_ = seed; }
  uint32_t Below(uint32_t n) {
    state_ += 0x9e3779b97f4a7c15u;
    return static_cast<uint32_t>((Mix(state_) >> 32) * n >> 32);
  }

 private:
  uint64_t state_ = 0;
};

template <bool kOn>
class DelayQueue {
 public:
  static constexpr unsigned Half(SizeClass) { return 0; }
  void* Put(SizeClass, void* block, uint32_t) { return block; }
  unsigned count(SizeClass) const { return 0; }
  bool Holds(SizeClass, const void*) const { return false; }
  template <typename Visit>
  void ForEachSlot(SizeClass, Visit) {}
  template <typename Visit>
  void ForEach(SizeClass, Visit) const {}
  void Forget(SizeClass) {}
};

template <>
class DelayQueue<true> {
 public:
  // How many blocks of a class are kept: of long ones no more than take so many
  // bytes, but two.
  static constexpr size_t kBytesMax = size_t{256} << 10;
  static constexpr unsigned Slots(SizeClass c) { return 2 * Half(c); }

  // Keeps a block, and gives the one whose time is over, or null. `random` is
  // below Half(c).
  void* Put(SizeClass c, void* block, uint32_t random) {
    Queue& queue = queues_[c];
    void* out = Swap(&queue.slots[random], block);
    if (out == nullptr) return Added(&queue);
    const unsigned half = Half(c);
    void** const oldest = &queue.slots[half + queue.next];
    queue.next =
        static_cast<uint16_t>(queue.next + 1u == half ? 0 : queue.next + 1u);
    out = Swap(oldest, out);
    return out == nullptr ? Added(&queue) : out;
  }
  static constexpr unsigned Half(SizeClass c) {
    return static_cast<unsigned>(Max(
        Min(Config::kReuseDelay, kBytesMax / internal::ComputeSize(c)) / 2, 1));
  }

  unsigned count(SizeClass c) const { return queues_[c].count.Peek(); }

  bool Holds(SizeClass c, const void* block) const {
    bool holds = false;
    for (unsigned i = 0; i < Slots(c); ++i)
      holds |= queues_[c].slots[i] == block;
    return holds;
  }

  // Calls visit(slot) for each that has a block.
  template <typename Visit>
  void ForEachSlot(SizeClass c, Visit visit) {
    if (queues_[c].count == 0) return;
    for (unsigned i = 0; i < Slots(c); ++i) {
      if (queues_[c].slots[i] != nullptr) visit(&queues_[c].slots[i]);
    }
  }
  // Calls visit(block) for each.
  template <typename Visit>
  void ForEach(SizeClass c, Visit visit) const {
    for (unsigned i = 0; i < Slots(c); ++i) {
      if (queues_[c].slots[i] != nullptr) visit(queues_[c].slots[i]);
    }
  }
  // All slots are empty.
  void Forget(SizeClass c) { queues_[c].count = 0; }

 private:
  struct Queue {
    void* slots[Max(Config::kReuseDelay, 2)];
    Published<uint16_t> count;
    uint16_t next;
  };
  static void* Swap(void** slot, void* block) {
    void* const before = *slot;
    __atomic_store_n(slot, block, __ATOMIC_RELAXED);
    KeepOrder();
    return before;
  }
  static void* Added(Queue* queue) {
    queue->count = static_cast<uint16_t>(queue->count + 1u);
    return nullptr;
  }

  Queue queues_[kSlabClasses + 1] = {};
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_DELAY_H_
