// What one thread caches of one size class.
//
// An array of pointers with two ends: blocks of the thread's own slabs grow up
// from the bottom and are handed out again, last in first out; blocks of other
// threads' slabs grow down from the end and wait to be given back together. The
// bin is full when the two meet. Behind the array, `mask` holds the rest of the
// bitmap word that the last refill took, handed out in address order.
//
//   bottom            top            limit              bottom + capacity
//     | own, own, own  |     free      |  other's, other's  |
//
// A bin that is all zero is empty and full at once and has no array: the state
// in which a thread's first malloc and first free find it, so that the fast
// path tests nothing else.
//
// One thread writes; statistics look meanwhile at where the array and its ends
// are, and at `mask`.
#ifndef ALCOVE_CORE_HEAP_BIN_H_
#define ALCOVE_CORE_HEAP_BIN_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"
#include "core/slab/slab.h"

namespace ALCOVE_CORE_NAMESPACE {

struct alignas(64) Bin {
  Atomic<void**> top;
  Atomic<void**> limit;
  Published<void**> bottom;
  Atomic<BitWord> mask;
  char* mask_start;  // the block of the mask's bit 0
  Slab* mask_slab;   // meaningful while mask is not 0
  uint32_t size;     // of a block, in bytes; set by the first refill
  Published<uint16_t> capacity;
  bool mask_zero;  // the mask's blocks read as zero
  // The class map's entry of this thread's slabs of the class, for the inlined
  // frees of the public header; 0, which no block's unit has, without an array.
  uint32_t own_entry;

  // A block, or null if the bin has none of its own.
  ALCOVE_INLINE void* Pop() {
    void* const block = PopOwn();
    return ALCOVE_LIKELY(block != nullptr) ? block : PopMask();
  }

  ALCOVE_INLINE void* PopOwn() {
    void** const t = top.Own();
    if (ALCOVE_UNLIKELY(t == bottom)) return nullptr;
    void* const block = t[-1];
    top.Store(t - 1, Order::kRelaxed);
    if (block == nullptr) __builtin_unreachable();  // see PopMask
    return block;
  }

  ALCOVE_INLINE void* PopMask() {
    const BitWord m = mask.Own();
    if (ALCOVE_UNLIKELY(m == 0)) return nullptr;
    mask.Store(m & (m - 1), Order::kRelaxed);
    char* const block = mask_start + size_t{LowestBit(m)} * size;
    // Or the caller's test for null would be made again.
    if (block == nullptr) __builtin_unreachable();
    return block;
  }

  bool full() const { return top.Own() == limit.Own(); }

  // Put a block at the end for blocks of one's own slabs, or at that for
  // others'. False if the bin is full.
  ALCOVE_INLINE bool PushOwn(void* block) {
    void** const t = top.Own();
    if (ALCOVE_UNLIKELY(t == limit.Own())) return false;
    *t = block;
    KeepOrder();  // or a thread that is stopped here leaves a block that is another's
    top.Store(t + 1, Order::kRelaxed);
    return true;
  }
  ALCOVE_INLINE bool PushOther(void* block) {
    void** const l = limit.Own();
    if (ALCOVE_UNLIKELY(l == top.Own())) return false;
    l[-1] = block;
    KeepOrder();
    limit.Store(l - 1, Order::kRelaxed);
    return true;
  }

  void** end() const { return bottom + capacity; }
  size_t own() const {
    return static_cast<size_t>(top.Load(Order::kRelaxed) - bottom);
  }
  size_t others() const {
    return static_cast<size_t>(end() - limit.Load(Order::kRelaxed));
  }

  // Empties one end.
  void ClearOwn() { top.Store(bottom, Order::kRelaxed); }
  void ClearOthers() { limit.Store(end(), Order::kRelaxed); }
};
static_assert(sizeof(Bin) == 1 << kBinShift);

namespace internal {

struct CapacityTable {
  uint16_t max[kSlabClasses + 1];
};

constexpr CapacityTable MakeCapacityTable() {
  CapacityTable table{};
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const size_t by_bytes = Config::kCacheBytesPerClass / ComputeSize(c);
    table.max[c] = static_cast<uint16_t>(
        Max(Min(by_bytes, Config::kCacheBlocksPerClass), 4));
  }
  return table;
}
static constexpr CapacityTable kCapacityTable = MakeCapacityTable();

}  // namespace internal

// How many blocks a bin of slab class `c` may hold.
constexpr unsigned CapacityMax(SizeClass c) {
  return internal::kCapacityTable.max[c];
}

// How many blocks a refill may take: the more, the further it reaches into
// memory that was never touched while others' frees are on their way home.
constexpr unsigned RefillMax(SizeClass c) {
  return static_cast<unsigned>(Min(CapacityMax(c), 64));
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_BIN_H_
