// Ranges with guards: the knob `guard_pages`.
#include "core/base/log.h"
#include "core/region/range.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

// The first unit stays as it was reserved, and claimed for good.
ALCOVE_COLD void Range::GuardBegin() {
  if constexpr (Config::kGuardPages) {
    size_t dirty;
    if (units_.ClaimAt(0, 1, &dirty)) CountGuards(1);
  }
}

// Whoever has claimed the units makes them accessible; the guard is so already, or
// rather is not.
ALCOVE_COLD size_t Range::AllocateGuarded(size_t count, size_t alignment,
                                          bool* zero) {
  if (!Config::kGuardPages) return kRefused;  // and leave no code in the copy
  size_t dirty;
  const size_t first = units_.Claim(count + 1, alignment, &dirty);
  if (first == UnitMap::kNone) return first;
  if (ALCOVE_UNLIKELY(
          !platform::Commit(AddressOfUnit(first), count << kUnitShift))) {
    units_.Release(first, count + 1, dirty != 0);
    return kRefused;
  }
  // What a guard holds would be nobody's to give back.
  if (dirty != 0) platform::Purge(AddressOfUnit(first + count), kUnit);
  committed_.RaiseTo(first + count + 1, Order::kRelaxed);
  CountGuards(1);
  *zero = dirty == 0;
  return first;
}

// The span's guard becomes its first new unit, and the last one claimed its guard.
ALCOVE_COLD bool Range::ExtendGuarded(size_t first, size_t count) {
  if (!Config::kGuardPages) return false;
  size_t dirty;
  if (!units_.ClaimAt(first + 1, count, &dirty)) return false;
  if (ALCOVE_UNLIKELY(
          !platform::Commit(AddressOfUnit(first), count << kUnitShift))) {
    units_.Release(first + 1, count, dirty != 0);
    return false;
  }
  if (dirty != 0) platform::Purge(AddressOfUnit(first + count), kUnit);
  committed_.RaiseTo(first + count + 1, Order::kRelaxed);
  return true;
}

// Where the system refuses to protect them, for want of mappings, they stay
// accessible, and no worse than without the knob.
ALCOVE_COLD void Range::FreeGuarded(size_t first, size_t count, bool dirty) {
  if (!Config::kGuardPages) return;
  platform::Protect(AddressOfUnit(first), count << kUnitShift);
  guards_.FetchSub(1, Order::kRelaxed);
  units_.Release(first + count, 1, false);
  units_.Release(first, count, dirty);
}

// The first of them is the new guard, and the old one goes in its place.
ALCOVE_COLD void Range::FreeTailGuarded(size_t first, size_t count,
                                        bool dirty) {
  if (!Config::kGuardPages) return;
  if (dirty) platform::Purge(AddressOfUnit(first), kUnit);
  platform::Protect(AddressOfUnit(first), count << kUnitShift);
  units_.Release(first + count, 1, false);
  if (count != 1) units_.Release(first + 1, count - 1, dirty);
}

}  // namespace ALCOVE_CORE_NAMESPACE
