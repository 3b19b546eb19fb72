// Checks on every operation; with the knob `check_invariants` off they compile
// to nothing.
#ifndef ALCOVE_CORE_HEAP_CHECKS_H_
#define ALCOVE_CORE_HEAP_CHECKS_H_

#include "core/heap/heap.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace internal {

void CheckAllocated(const Heap& heap, SizeClass c, const void* block);
void CheckStillFreed(SizeClass c, const void* block);
void CheckFreed(const Heap& heap, const void* block, MapEntry entry);
void FillFreed(void* block, MapEntry entry);
void ZeroFreed(const Region& region, void* block, MapEntry entry);

}  // namespace internal

// A block that a bin of slab class `c` is about to hand out is one: it begins
// where a block does, in a slab of that class that this heap owns, is not
// available there, and nobody wrote to it since it was freed.
ALCOVE_INLINE void CheckAllocated(const Heap& heap, SizeClass c,
                                  const void* block) {
  if constexpr (Config::kCheckInvariants) {
    internal::CheckAllocated(heap, c, block);
  } else if constexpr (Config::kCheckFreed) {
    internal::CheckStillFreed(c, block);
  }
}

// With `check_freed`: nobody wrote to this block of a slab class since it was freed.
ALCOVE_INLINE void CheckStillFreed(SizeClass c, const void* block) {
  if constexpr (Config::kCheckFreed) internal::CheckStillFreed(c, block);
}

// Whether a free would be found to be the second one only after its delay, where no
// canary says so.
inline constexpr bool kFreesWait =
    Config::kReuseDelay != 0 && !Config::kCanaries;

// What is being freed is a live block as far as this heap can know: it begins
// where a block does, was handed out, and is neither available, nor freed by
// another thread, nor cached.
ALCOVE_INLINE void CheckFreed(const Heap& heap, const void* block,
                              MapEntry entry) {
  if constexpr (Config::kCheckInvariants || kFreesWait)
    internal::CheckFreed(heap, block, entry);
}

// For the memory of a live block that is about to be free: zeroes it, with the knob
// `zero_on_free`; with `check_invariants`, fills it if it is one of a slab. Whether it
// does anything.
inline constexpr bool kFillsFreed =
    Config::kCheckInvariants || Config::kZeroOnFree;
ALCOVE_INLINE void FillFreed(const Region& region, void* block,
                             MapEntry entry) {
  if constexpr (Config::kZeroOnFree) internal::ZeroFreed(region, block, entry);
  if constexpr (Config::kCheckInvariants) internal::FillFreed(block, entry);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_CHECKS_H_
