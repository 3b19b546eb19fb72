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

// One store of a whole word, so that no slot is ever half of one pointer and half
// of another: a loop of plain ones could become a copy of bytes.
void MoveSlot(void** to, void* const* from) {
  __atomic_store_n(to, *from, __ATOMIC_RELAXED);
}

// The units of every span in the bin of a class.
constexpr unsigned CachedUnits(SizeClass c) {
  if (c == kUnitSpanClass) return 1;
  return c == kSlabSpanClass ? kMediumUnits : UnitsOfSpanClass(c);
}

}  // namespace

void Heap::ReleaseSpan(void* start, bool clean) {
  CountLarge(size_t{0} - 1,
             size_t{0} - ReturnSpan(instance_->region, start, clean));
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
  const AtWork at_work(this);
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
  // The oldest goes, out of the bin first: it must not go twice.
  const size_t own = bin.own();
  void* oldest;
  if (own == 0) {
    void** slot = bin.end() - 1;
    oldest = *slot;
    void** const limit = bin.limit.Load(Order::kRelaxed);
    for (; slot != limit; --slot) MoveSlot(slot, slot - 1);
    bin.limit.Store(limit + 1, Order::kRelaxed);
  } else {
    void** slot = bin.bottom;
    oldest = *slot;
    void** const last = bin.bottom + own - 1;
    for (; slot != last; ++slot) MoveSlot(slot, slot + 1);
    bin.top.Store(last, Order::kRelaxed);
  }
  KeepOrder();
  ReleaseCached(c, oldest);
  return true;
}

ALCOVE_COLD void Heap::DrainSpans() {
  const AtWork at_work(this);
  for (SizeClass c = kSlabClasses + 1; c <= kUnitSpanClass; ++c) {
    Bin& bin = bins_[c];
    if (bin.bottom == nullptr) continue;
    // Each is out of the bin before it goes.
    for (void** top = bin.top.Load(Order::kRelaxed); top != bin.bottom;) {
      bin.top.Store(--top, Order::kRelaxed);
      KeepOrder();
      ReleaseCached(c, *top);
    }
    for (void** p = bin.limit.Load(Order::kRelaxed); p != bin.end();) {
      bin.limit.Store(p + 1, Order::kRelaxed);
      KeepOrder();
      ReleaseCached(c, *p++);
    }
    // No room, so that the next free grows it within the budget.
    void** const array = bin.bottom;
    const unsigned capacity = bin.capacity;
    ClearBin(bin);
    KeepOrder();
    slots_.Give(array, capacity);
  }
  instance_->span_units.FetchSub(span_units_, Order::kRelaxed);
  span_units_ = 0;
  span_refusals_ = 0;
}

// A bin that its owner was changing can have a slot twice. What it lacks is lost.
ALCOVE_COLD void Heap::RepairSpans(SizeClass c) {
  Bin& bin = bins_[c];
  void** const top = bin.top.Load(Order::kRelaxed);
  void** const limit = bin.limit.Load(Order::kRelaxed);
  if (bin.bottom == nullptr || top == nullptr || limit == nullptr) return;
  const bool in_map = c < kSlabSpanClass;
  for (void** slot = bin.bottom; slot != bin.end(); ++slot) {
    void* const start = *slot;
    if (slot >= top && slot < limit) continue;
    if (start == nullptr) continue;
    for (void** later = slot; later != bin.end(); ++later) {
      if (*later == start) *later = nullptr;
    }
    KeepOrder();
    const Range* const range = instance_->region.RangeOf(start);
    if (range == nullptr) continue;
    const SizeClass is = ClassOfEntry(EntryOf(*range, start));
    const SizeClass expected =
        CachedUnits(c) > kExactUnitsMax ? kShelvedClass : c;
    if (in_map ? is == expected : is == 0 || is == kGoneClass)
      ReleaseCached(c, start);
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE
