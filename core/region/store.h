// Memory for objects of the layers above: mapped in chunks, never given back before
// shutdown, and used for the same type of object ever after, so that whoever
// holds a stale pointer finds an object of that type.
#ifndef ALCOVE_CORE_REGION_STORE_H_
#define ALCOVE_CORE_REGION_STORE_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"
#include "core/region/region.h"

namespace ALCOVE_CORE_NAMESPACE {

// Objects of a store begin at multiples of this.
inline constexpr size_t kStoreGranule = 512;

// A stack of objects in a store that any thread pushes and pops without a lock.
// T has a member `Atomic<T*> next`. Above the address of the first object the
// head has a count, so that a pop does not take a head that went and came back
// for the one it saw.
template <typename T>
class Stack {
 public:
  void Push(T* object) {
    uint64_t head = head_.Load(Order::kRelaxed);
    do {
      object->next.Store(Object(head), Order::kRelaxed);
    } while (!head_.CompareExchange(head, Head(object, head), Order::kRelease));
  }

  T* Pop() {
    uint64_t head = head_.Load(Order::kAcquire);
    for (;;) {
      T* const object = Object(head);
      if (object == nullptr) return nullptr;
      // Stale if another thread was faster; then the exchange fails.
      T* const next = object->next.Load(Order::kRelaxed);
      if (head_.CompareExchange(head, Head(next, head), Order::kAcquire))
        return object;
      head = head_.Load(Order::kAcquire);
    }
  }

  void Reset() { head_.Store(0, Order::kRelaxed); }

 private:
  // Addresses have 47 bits, of which the lowest 9 are zero.
  static constexpr unsigned kAddressBits = 38;
  static T* Object(uint64_t head) {
    const uint64_t place = head & ((uint64_t{1} << kAddressBits) - 1);
    return reinterpret_cast<T*>(place * kStoreGranule);
  }
  static uint64_t Head(const T* object, uint64_t before) {
    return ((before >> kAddressBits) + 1) << kAddressBits |
           AddressOf(object) / kStoreGranule;
  }

  Atomic<uint64_t> head_;
};

class Store {
 public:
  // Zeroed memory at a multiple of kStoreGranule; `size` is at most 8 KiB. Null
  // if there is none.
  void* Take(size_t size);

  // Whose memory it is; before the first Take.
  void Begin(Region* region) { region_.Store(region, Order::kRelaxed); }

  // Gives everything back.
  void Release();

  // Bytes taken.
  size_t mapped() const;

 private:
  struct Chunk {
    Chunk* before;
    Atomic<size_t> used;
  };
  Atomic<Chunk*> chunks_;
  Atomic<Region*> region_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_STORE_H_
