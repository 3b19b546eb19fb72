// How much an arena holds, and may hold.
//
// Counted in bytes of units, children's included. Any number of threads charge
// at once: what is held never exceeds `hard`, not for a moment.
#ifndef ALCOVE_CORE_ARENA_QUOTA_H_
#define ALCOVE_CORE_ARENA_QUOTA_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"

namespace ALCOVE_CORE_NAMESPACE {

class Quota {
 public:
  // For an arena that holds `held`, which both bounds allow; 0 is no bound.
  void Begin(size_t hard, size_t soft, size_t held = 0) {
    hard_ = hard == 0 ? ~size_t{0} : hard;
    soft_ = soft == 0 ? ~size_t{0} : soft;
    Forget();
    held_.Store(held, Order::kRelaxed);
  }

  // What was held is gone, and so is the peak.
  void Forget() {
    held_.Store(0, Order::kRelaxed);
    peak_.Store(0, Order::kRelaxed);
  }

  // Whether so much more would be allowed at the moment.
  bool Allows(size_t bytes) const {
    return bytes <= hard_ && held() <= hard_ - bytes;
  }

  // False, and nothing is charged, if it would be too much. *crossed: the soft
  // bound was crossed. Changes of `held` have an order, so each crossing is one
  // caller's.
  bool Charge(size_t bytes, bool* crossed) {
    size_t held = held_.Load(Order::kRelaxed);
    do {
      if (ALCOVE_UNLIKELY(bytes > hard_ || held > hard_ - bytes)) return false;
    } while (!held_.CompareExchange(held, held + bytes, Order::kRelaxed));
    *crossed = held <= soft_ && held + bytes > soft_;
    return true;
  }

  // Takes back what was charged a moment ago and not used.
  void Undo(size_t bytes) { held_.FetchSub(bytes, Order::kRelaxed); }

  void Uncharge(size_t bytes) {
    const size_t before = held_.FetchSub(bytes, Order::kRelaxed);
    // It is lower from here on, so the peak is noted only here.
    peak_.RaiseTo(before, Order::kRelaxed);
  }

  size_t held() const { return held_.Load(Order::kRelaxed); }
  size_t peak() const { return Max(peak_.Load(Order::kRelaxed), held()); }
  // As given to Begin.
  size_t hard() const { return hard_ == ~size_t{0} ? 0 : hard_; }
  size_t soft() const { return soft_ == ~size_t{0} ? 0 : soft_; }

 private:
  Atomic<size_t> held_;
  Atomic<size_t> peak_;
  size_t hard_ = 0;
  size_t soft_ = 0;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_QUOTA_H_
