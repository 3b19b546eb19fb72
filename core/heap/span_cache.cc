// The part of a heap that caches the spans of large blocks. A span belongs to
// nobody: it is handed out again by whichever thread freed it. Bins of span
// classes are small, and together bounded by the knob cache_span_kib.
#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/heap.h"
#include "core/heap/instance.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

constexpr size_t kBudgetUnits = Config::kCacheSpanBytes >> kUnitShift;

// One class may take a quarter of the budget; a span that fits it alone is
// still cached.
constexpr unsigned SpanCapacityMax(unsigned units) {
  if (units > kBudgetUnits) return 0;
  return static_cast<unsigned>(
      Min(Max(kBudgetUnits / 4 / units, 1), SlotPool::kSmallest));
}

}  // namespace

void Heap::ReleaseSpan(void* start, bool clean) {
  CountReturned(1, ReturnSpan(instance_->region, start, clean));
}

void* Heap::TakeCachedSpan(SizeClass c) {
  Bin& bin = bins_[c];
  void* start;
  if (bin.top.Load(Order::kRelaxed) != bin.bottom) {
    start = bin.Pop();
  } else if (bin.bottom != nullptr && bin.others() != 0) {
    void** const slot = bin.limit.Load(Order::kRelaxed);
    start = *slot;
    bin.limit.Store(slot + 1, Order::kRelaxed);
  } else {
    return nullptr;
  }
  Range* const range = instance_->region.RangeOf(start);
  const size_t first = range->IndexOf(start);
  const MapEntry entry = EntryOf(*range, first);
  if (ALCOVE_UNLIKELY(ClassOfEntry(entry) != c ||
                      AddressOf(start) % kUnit != 0)) {
    Stop(Misuse::kDoubleFree, start);
  }
  // The next free by this thread is an own one.
  if (HeapOfEntry(entry) != number())
    SetEntry(*range, first, MakeEntry(c, number()));
  return start;
}

bool Heap::MakeSpanRoom(SizeClass c) {
  const unsigned units = UnitsOfSpanClass(c);
  const unsigned capacity_max = SpanCapacityMax(units);
  if (capacity_max == 0) return false;
  Bin& bin = bins_[c];
  if (bin.capacity < capacity_max) {
    // When the budget is spent, what is cached is of sizes that are not in
    // demand now.
    if (span_units_ + units > kBudgetUnits) DrainSpans();
    span_units_ += units;
    Grow(c, bin.capacity + 1u);
    return true;
  }
  // The oldest goes.
  const size_t own = bin.own();
  if (own == 0) {
    ReleaseSpan(*(bin.end() - 1));
    const size_t others = bin.others();
    void** const limit = bin.limit.Load(Order::kRelaxed);
    memmove(limit + 1, limit, (others - 1) * sizeof(void*));
    bin.limit.Store(limit + 1, Order::kRelaxed);
  } else {
    ReleaseSpan(bin.bottom[0]);
    memmove(bin.bottom, bin.bottom + 1, (own - 1) * sizeof(void*));
    bin.top.Store(bin.bottom + own - 1, Order::kRelaxed);
  }
  return true;
}

void Heap::DrainSpans() {
  for (SizeClass c = kSlabClasses + 1; c <= kCachedClasses; ++c) {
    Bin& bin = bins_[c];
    if (bin.bottom == nullptr) continue;
    for (size_t i = 0; i < bin.own(); ++i) ReleaseSpan(bin.bottom[i]);
    bin.ClearOwn();
    for (void** p = bin.limit.Load(Order::kRelaxed); p != bin.end(); ++p)
      ReleaseSpan(*p);
    // No room, so that the next free grows it within the budget. The array
    // stays.
    bin.capacity = 0;
    bin.ClearOthers();
  }
  span_units_ = 0;
}

}  // namespace ALCOVE_CORE_NAMESPACE
