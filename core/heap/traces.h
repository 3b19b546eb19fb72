// Who allocated a block: the addresses that its malloc would have returned through,
// with the knob `backtrace_frames`.
//
// They lie out of line, in one mapping for each range, at a place that follows from
// the block's: so who allocates a block writes to what is his alone, and nothing is
// ever searched or given back. A unit has room for as many traces as it can have
// blocks; memory is taken only where there are any.
#ifndef ALCOVE_CORE_HEAP_TRACES_H_
#define ALCOVE_CORE_HEAP_TRACES_H_

#include "core/base/atomic.h"
#include "core/region/region.h"
#include "core/size/size_class.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

// Writes the return addresses of the function whose frame this is, and of those that
// called it, to out[0, max), max >= 1; returns how many. Where a function keeps
// something else in the register for frames the chain ends, or goes astray in the
// stack; memory that cannot be read is not read.
unsigned WalkFrames(const platform::Frame* frame, void** out, unsigned max);

template <bool kOn>
class Traces {
 public:
  constexpr Traces() = default;
  void** At(const Region&, const Range&, size_t, size_t) { return nullptr; }
  void* const* Find(const Region&, const Range&, size_t, size_t) const {
    return nullptr;
  }
  size_t mapped() const { return 0; }
  void Release() {}
};

template <>
class Traces<true> {
 public:
  static constexpr size_t kFrames = Config::kBacktraceFrames;

  constexpr Traces() = default;

  // kFrames words for block `index` of what begins at a unit of the range; behind the
  // last frame there is a null, if there is room. Null if there is no memory for that,
  // or if the range is one arena's (region/lent.h).
  void** At(const Region& region, const Range& range, size_t unit,
            size_t index);
  // The same for whoever reads them.
  void* const* Find(const Region& region, const Range& range, size_t unit,
                    size_t index) const;

  size_t mapped() const { return mapped_.Load(Order::kRelaxed); }
  void Release();

 private:
  static size_t Place(size_t unit, size_t index) {
    return (unit * kBlocksMax + index) * kFrames;
  }

  Atomic<void**> of_range_[Region::kRangesMax] = {};
  size_t sizes_[Region::kRangesMax] = {};
  Atomic<size_t> mapped_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_TRACES_H_
