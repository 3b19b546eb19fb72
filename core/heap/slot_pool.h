// The memory of a heap's bins: arrays of 8 to 4096 pointers, powers of two.
// They are packed one behind the other as bins grow, so that a heap costs
// memory for the classes its thread uses, not a page for each; a bin that grows
// leaves its old array to the next bin.
#ifndef ALCOVE_CORE_HEAP_SLOT_POOL_H_
#define ALCOVE_CORE_HEAP_SLOT_POOL_H_

#include "core/base/bits.h"
#include "core/hardening/invariant.h"
#include "core/heap/bin.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

class SlotPool {
 public:
  static constexpr unsigned kSmallest = 8;
  static constexpr unsigned kLargest = 4096;
  static constexpr unsigned kNearSlots = 8 * kSmallest;
  // Of a bin of spans.
  static constexpr unsigned kSpanSlotsMax = Config::kSystemMemory ? 64 : 8;
  static_assert(Config::kCacheBlocksPerClass <= kLargest);

  // Slots of the array that a bin of `capacity` lives in.
  static constexpr size_t ArraySlots(unsigned capacity) {
    size_t slots = kSmallest;
    while (slots < capacity) slots *= 2;
    return slots;
  }

  // Slots that suffice however the bins of one heap grow: each leaves behind at
  // most as much as it holds.
  static constexpr size_t SlotsMax() {
    // Of spans, and of those that were slabs.
    size_t slots = (kSpanClasses + 2) * kSpanSlotsMax * 2;
    for (SizeClass c = 1; c <= kSlabClasses; ++c)
      slots += 2 * ArraySlots(CapacityMax(c));
    return slots;
  }

  // Uses kNearSlots slots first, and then memory for SlotsMax().
  void Init(void** near_memory, void** memory) {
    near_ = near_memory;
    memory_ = memory;
    Restart();
  }

  // Takes all arrays back, and gives their memory to the system.
  void Reset() {
    if (far_ == nullptr) {
      const size_t page = platform::PageSize();
      const uintptr_t begin = RoundUp(AddressOf(memory_), page);
      const uintptr_t end = AddressOf(next_) & ~(page - 1);
      // Where it fails, they stay as they are: nobody relies on their contents.
      if (Config::kSystemMemory && begin < end)
        platform::Purge(reinterpret_cast<void*>(begin), end - begin);
    }
    for (void**& array : free_) array = nullptr;
    Restart();
  }

  // An array of ArraySlots(capacity) slots.
  void** Take(unsigned capacity) {
    void**& free = free_[OrderOf(capacity)];
    void** array = free;
    if (array != nullptr) {
      free = static_cast<void**>(array[0]);
    } else {
      const size_t slots = ArraySlots(capacity);
      if (far_ != nullptr && static_cast<size_t>(near_end_ - next_) < slots) {
        next_ = far_;
        far_ = nullptr;
      }
      array = next_;
      next_ += slots;
      ALCOVE_INVARIANT(far_ != nullptr || next_ <= memory_ + SlotsMax());
    }
    return array;
  }

  void Give(void** array, unsigned capacity) {
    if (array == nullptr) return;
    array[0] = free_[OrderOf(capacity)];
    free_[OrderOf(capacity)] = array;
  }

 private:
  static unsigned OrderOf(unsigned capacity) {
    return HighestBit(ArraySlots(capacity)) - HighestBit(kSmallest);
  }

  void Restart() {
    next_ = near_;
    near_end_ = near_ + kNearSlots;
    far_ = memory_;
  }

  void** near_ = nullptr;
  void** memory_ = nullptr;
  void** next_ = nullptr;
  void** near_end_ = nullptr;
  void** far_ = nullptr;  // null once it is in use
  void** free_[HighestBit(kLargest) - HighestBit(kSmallest) + 1] = {};
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_SLOT_POOL_H_
