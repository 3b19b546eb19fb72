#include "core/arena/occupants.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

class Counter {
 public:
  Counter(BlockVisitor visit, void* context)
      : visit_(visit), context_(context) {}
  void Add(void* block, size_t size) {
    ++count_;
    if (visit_ != nullptr) visit_(block, size, context_);
  }
  size_t count() const { return count_; }

 private:
  BlockVisitor visit_;
  void* context_;
  size_t count_ = 0;
};

// Sets a bit for each block of the slab that the heap caches.
void MarkCached(const Heap& heap, Slab* slab, const ClassInfo& info,
                BitWord* cached) {
  const Bin& bin = heap.bin(slab->size_class);
  const size_t extent = size_t{slab->units} << kUnitShift;
  const auto mark = [&](const void* block) {
    if (AddressOf(block) - AddressOf(slab->start) >= extent) return;
    const BlockPlace place = PlaceOf(slab, info, block);
    if (place.is_start)
      cached[place.index / 64] |= BitWord{1} << (place.index % 64);
  };
  if (bin.bottom != nullptr) {
    void** const top = bin.top.Load(Order::kRelaxed);
    for (void** slot = bin.bottom; slot != top; ++slot) mark(*slot);
    for (void** slot = bin.limit.Load(Order::kRelaxed); slot != bin.end();
         ++slot) {
      mark(*slot);
    }
  }
  heap.delayed().ForEach(slab->size_class, mark);
  for (BitWord mask = bin.mask.Load(Order::kRelaxed); mask != 0;
       mask &= mask - 1) {
    mark(bin.mask_start + LowestBit(mask) * size_t{info.size});
  }
}

// Each block that is whole; the others' parts are visited elsewhere.
void VisitSlab(const Registry& registry, const Parts& parts, Slab* slab,
               Counter* counter) {
  const ClassInfo& info = InfoOf(slab->size_class);
  BitWord cached[kBitWordsMax] = {};
  for (const Heap* heap = registry.first(); heap != nullptr;
       heap = heap->next_heap) {
    MarkCached(*heap, slab, info, cached);
  }
  for (unsigned i = 0; i < slab->fresh; ++i) {
    const BitWord away = slab->local[i / 64] |
                         slab->remote[i / 64].Load(Order::kRelaxed) |
                         cached[i / 64];
    char* const block = slab->start + i * size_t{info.size};
    if ((away >> (i % 64) & 1) == 0 && !parts.Holds(block))
      counter->Add(block, info.size);
  }
}

bool IsCached(const Registry& registry, SizeClass c, const void* span) {
  for (const Heap* heap = registry.first(); heap != nullptr;
       heap = heap->next_heap) {
    if (heap->Caches(c, span)) return true;
  }
  return false;
}

void VisitOwn(const Registry& registry, const Parts& parts, const Range& range,
              Counter* counter) {
  const size_t top = range.units().top();
  for (size_t unit = 0; unit < top; ++unit) {
    const SizeClass c = ClassOfEntry(EntryOf(range, unit));
    auto* const slab = static_cast<Slab*>(range.descriptor(unit));
    if (IsSlabClass(c) || c == kPartsSlabClass) {
      if (slab->place == 0) VisitSlab(registry, parts, slab, counter);
    } else if (c == kHugeClass ||
               (c == kPartsClass && !parts.Holds(range.AddressOfUnit(unit))) ||
               (c > kSlabClasses && c <= SpanClass(kExactUnitsMax) &&
                !IsCached(registry, c, slab->start))) {
      counter->Add(slab->start, size_t{slab->units} << kUnitShift);
    }
  }
}

}  // namespace

ALCOVE_COLD size_t VisitOccupants(const Instance& instance,
                                  const Arenas& arenas, const Range& range,
                                  BlockVisitor visit, void* context) {
  Counter counter(visit, context);
  VisitOwn(instance.registry, instance.parts, range, &counter);
  instance.parts.ForEach(
      range.base(), range.base() + range.size(),
      [&](void* part, size_t size) { counter.Add(part, size); });
  struct Inside {
    const Range* range;
    Counter* counter;
  } inside = {&range, &counter};
  arenas.ForEach([&](const Arena& arena) {
    VisitBlocks(
        arena,
        [](void* block, size_t size, void* of) {
          const auto* const here = static_cast<Inside*>(of);
          if (here->range->Contains(block)) here->counter->Add(block, size);
        },
        &inside);
  });
  return counter.count();
}

}  // namespace ALCOVE_CORE_NAMESPACE
