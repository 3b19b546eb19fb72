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

// All heaps together may have room for so many budgets, or for this share of
// what is in use.
constexpr size_t kBudgets = 4;
constexpr size_t kBudgetShare = 8;

// A class that has this share of a heap's room makes do with it. One that has
// less asks for more, and when room was refused so often, all is given anew.
constexpr size_t kClassShare = 4;
constexpr uint32_t kRefusalsMax = 16;

// Single units are those of small arenas (core/arena). So many bring one that
// uses half of the classes up to 4 KiB back without asking the region; more
// would be dirt that counts nowhere.
constexpr unsigned kUnitSlotsMax = 16;

constexpr SizeClass SlabSpanClass(unsigned units) {
  return units == 1 ? kUnitSpanClass : kSlabSpanClass;
}

// The units of every span in the bin of a class.
constexpr unsigned CachedUnits(SizeClass c) {
  if (c == kUnitSpanClass) return 1;
  return c == kSlabSpanClass ? kMediumUnits : UnitsOfSpanClass(c);
}

}  // namespace

void Heap::ReleaseSpan(void* start, bool clean) {
  CountReturned(1, ReturnSpan(instance_->region, start, clean));
}

// Slabs of several units come and go as large blocks would, but their spans
// stay out of the class map, so that a late free of one of their blocks is
// noticed.
void Heap::KeepSpanOfSlab(void* start, unsigned units) {
  const SizeClass c = SlabSpanClass(units);
  Bin& bin = bins_[c];
  if (bin.full() && !MakeSpanRoom(c)) return ReleaseCached(c, start);
  bin.PushOwn(start);
}

bool Heap::TakeSpanOfSlab(unsigned units, Span* span) {
  Bin& bin = bins_[SlabSpanClass(units)];
  if (bin.own() == 0) return false;
  void* const start = bin.Pop();
  *span = instance_->region.SpanAt(start);
  return true;
}

void Heap::ReleaseCached(SizeClass c, void* start) {
  if (c < kSlabSpanClass) return ReleaseSpan(start);
  const Span span = instance_->region.SpanAt(start);
  instance_->region.Free(span, CachedUnits(c), true);
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
  const bool shelved = UnitsOfSpanClass(c) > kExactUnitsMax;
  if (ALCOVE_UNLIKELY(ClassOfEntry(entry) != (shelved ? kShelvedClass : c) ||
                      AddressOf(start) % kUnit != 0)) {
    Stop(Misuse::kDoubleFree, start);
  }
  if (shelved) {
    SetEntry(*range, first, MakeEntry(kHugeClass, number()));
  } else if (HeapOfEntry(entry) != number()) {
    // The next free by this thread is an own one.
    SetEntry(*range, first, MakeEntry(c, number()));
  }
  return start;
}

bool Heap::ShelveSpan(const Range& range, void* start, SizeClass c) {
  Bin& bin = bins_[c];
  if (bin.full() && !MakeSpanRoom(c)) return false;
  SetEntry(range, range.IndexOf(start), MakeEntry(kShelvedClass, number()));
  bin.PushOwn(start);
  return true;
}

ALCOVE_COLD bool Heap::GetSpanBudget(size_t units) {
  if (span_units_ + units > kBudgetUnits) return false;
  Atomic<size_t>& all = instance_->span_units;
  const size_t used = instance_->region.used();
  if (all.FetchAdd(units, Order::kRelaxed) + units >
      Max(kBudgets * kBudgetUnits, used / kBudgetShare)) {
    all.FetchSub(units, Order::kRelaxed);
    return false;
  }
  span_units_ += units;
  return true;
}

ALCOVE_COLD bool Heap::MakeSpanRoom(SizeClass c) {
  const size_t units = CachedUnits(c);
  if (units > kBudgetUnits) return false;
  Bin& bin = bins_[c];
  const unsigned slots_max =
      c == kUnitSpanClass ? kUnitSlotsMax : SlotPool::kSpanSlotsMax;
  if (bin.capacity < slots_max) {
    bool more = GetSpanBudget(units);
    if (!more && bin.capacity * units < span_units_ / kClassShare &&
        ++span_refusals_ == kRefusalsMax) {
      // When the budget is spent, and has long been, what is cached is of sizes
      // that are not in demand now.
      DrainSpans();
      more = GetSpanBudget(units);
    }
    if (more) {
      Grow(c, bin.capacity + 1u);
      return true;
    }
  }
  if (bin.capacity == 0) return false;
  // The oldest goes.
  const size_t own = bin.own();
  if (own == 0) {
    ReleaseCached(c, *(bin.end() - 1));
    const size_t others = bin.others();
    void** const limit = bin.limit.Load(Order::kRelaxed);
    memmove(limit + 1, limit, (others - 1) * sizeof(void*));
    bin.limit.Store(limit + 1, Order::kRelaxed);
  } else {
    ReleaseCached(c, bin.bottom[0]);
    memmove(bin.bottom, bin.bottom + 1, (own - 1) * sizeof(void*));
    bin.top.Store(bin.bottom + own - 1, Order::kRelaxed);
  }
  return true;
}

ALCOVE_COLD void Heap::DrainSpans() {
  for (SizeClass c = kSlabClasses + 1; c <= kUnitSpanClass; ++c) {
    Bin& bin = bins_[c];
    if (bin.bottom == nullptr) continue;
    for (size_t i = 0; i < bin.own(); ++i) ReleaseCached(c, bin.bottom[i]);
    for (void** p = bin.limit.Load(Order::kRelaxed); p != bin.end(); ++p)
      ReleaseCached(c, *p);
    // No room, so that the next free grows it within the budget.
    slots_.Give(bin.bottom, bin.capacity);
    ClearBin(bin);
  }
  instance_->span_units.FetchSub(span_units_, Order::kRelaxed);
  span_units_ = 0;
  span_refusals_ = 0;
}

}  // namespace ALCOVE_CORE_NAMESPACE
