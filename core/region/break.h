// A private break: an address range of the instance's own that grows and shrinks at
// its end, as the process's does by sbrk(2), which it has nothing to do with.
//
// The end is one word. Who grows makes memory accessible first and then moves the end
// by compare-and-swap. Who shrinks moves it, marked in the same step, and takes the mark
// away when the memory behind went back to the system: until then nobody may have that
// again, and whoever comes waits. A second word says who shrinks, so that one who died
// there is succeeded: what is behind the end, up to `dirty_`, may hold memory still.
#ifndef ALCOVE_CORE_REGION_BREAK_H_
#define ALCOVE_CORE_REGION_BREAK_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"
#include "core/base/fork_generation.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

class Break {
 public:
  constexpr Break() = default;

  // Moves the end by `n` bytes. Returns what it was; what is added reads as zero. Null if
  // there is no memory or address space for it, if the end would come before the start,
  // or if another thread is at it for long.
  char* Move(intptr_t n, ForkGeneration* generation);

  // Whether the address is between start and end.
  bool Contains(const void* p) const {
    const uintptr_t range = range_.Load(Order::kAcquire);
    return AddressOf(p) - AddressOf(StartOf(range)) < bytes();
  }

  size_t bytes() const { return end_.Load(Order::kRelaxed) & ~kShrinking; }
  size_t committed() const { return committed_.Load(Order::kRelaxed); }
  size_t reserved() const { return SizeOf(range_.Load(Order::kAcquire)); }

  // Unmaps all. Nobody may use it meanwhile; afterwards it is as constructed.
  void Release();

 private:
  // Where the range begins, and in the lowest bits how often the length that was wanted
  // was halved until the system granted it; 0: there is none.
  static constexpr uintptr_t kAlignment = 4096;
  static char* StartOf(uintptr_t range) {
    return reinterpret_cast<char*>(RoundDown(range, kAlignment));
  }
  static size_t SizeOf(uintptr_t range) {
    return range == 0 ? 0
                      : SizeAfter(static_cast<unsigned>(range % kAlignment));
  }
  static size_t SizeAfter(unsigned halvings);

  bool Begin(size_t least);
  bool CommitTo(uintptr_t range, size_t end);
  bool Await(uint64_t self, ForkGeneration* generation);
  void GiveBack();
  char* Grow(size_t by, ForkGeneration* generation);
  char* Shrink(size_t by, ForkGeneration* generation);

  Atomic<uintptr_t> range_;
  // Offsets from the start.
  static constexpr size_t kShrinking = size_t{1} << 63;
  Atomic<size_t> end_;  // and whether somebody shrinks
  Atomic<size_t> committed_;
  Atomic<size_t> dirty_;       // the end of what may hold memory
  Atomic<uint64_t> shrinker_;  // or who is about to be
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_BREAK_H_
