#include "core/stats/stats.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

struct Cached {
  size_t blocks = 0;
  size_t bytes = 0;
};

// The free blocks in one bin. Its owner may be changing it: a difference of two
// pointers read at different moments is taken as 0 where it cannot be true.
Cached CachedIn(const Bin& bin, size_t block_size) {
  // The mask is taken out of a slab but not out of a span, so it counts like
  // the slots.
  size_t blocks = CountBits(bin.mask.Load(Order::kRelaxed));
  const size_t capacity = bin.capacity.Peek();
  void** const bottom = bin.bottom.Peek();
  const auto own = static_cast<size_t>(bin.top.Load(Order::kRelaxed) - bottom);
  const auto others =
      static_cast<size_t>(bottom + capacity - bin.limit.Load(Order::kRelaxed));
  if (own <= capacity) blocks += own;
  if (others <= capacity) blocks += others;
  return {blocks, blocks * block_size};
}

size_t BlockSize(SizeClass c) {
  return IsSlabClass(c) ? InfoOf(c).size
                        : size_t{UnitsOfSpanClass(c)} << kUnitShift;
}

}  // namespace

ALCOVE_COLD Snapshot TakeSnapshot(const Instance& instance) {
  Snapshot s;
  s.bytes_metadata = instance.region.fork_generation().bytes();
  // Blocks that left the spans, less those in caches, less those on their way
  // home.
  size_t blocks = 0 - instance.homeless.blocks.Load(Order::kRelaxed);
  size_t bytes = 0 - instance.homeless.bytes.Load(Order::kRelaxed);
  for (const Heap* heap = instance.registry.first(); heap != nullptr;
       heap = heap->next_heap) {
    if (heap->thread() != 0) ++s.threads;
    if (heap->mapped) s.bytes_metadata += Registry::HeapBytes();
    const Heap::Counts& counts = heap->counts();
    blocks += counts.taken_blocks.Get() - counts.sent_blocks.Get() +
              counts.received_blocks.Get();
    bytes += counts.taken_bytes.Get() - counts.sent_bytes.Get() +
             counts.received_bytes.Get();
    for (SizeClass c = 1; c <= kCachedClasses; ++c) {
      Cached cached = CachedIn(heap->bin(c), BlockSize(c));
      if (IsSlabClass(c)) {
        cached.blocks += heap->delayed().count(c);
        cached.bytes += heap->delayed().count(c) * BlockSize(c);
      }
      blocks -= cached.blocks;
      bytes -= cached.bytes;
      s.bytes_cached += cached.bytes;
    }
  }
  s.blocks_live = blocks;
  s.bytes_live = bytes;
  s.blocks_peak = Max(instance.live.blocks_peak.Load(Order::kRelaxed), blocks);
  s.bytes_peak = Max(instance.live.bytes_peak.Load(Order::kRelaxed), bytes);
  s.bytes_gaps = instance.parts.gap_bytes();
  s.bytes_metadata += instance.parts.metadata();
  s.bytes_metadata += instance.traces.mapped();
  s.bytes_break = instance.program_break.bytes();
  s.bytes_committed = instance.program_break.committed();
  s.bytes_reserved = instance.program_break.reserved();
  for (unsigned i = 0; i < Region::kRangesMax; ++i) {
    const Range* const range = instance.region.range(i);
    if (range == nullptr) break;
    const UnitMap& units = range->units();
    s.bytes_spans += (units.used() - range->guards()) << kUnitShift;
    s.bytes_spans_peak += units.used_peak() << kUnitShift;
    s.bytes_dirty += units.dirty() << kUnitShift;
    s.bytes_committed += range->committed();
    s.bytes_reserved += range->size();
    if (range->donated()) s.bytes_donated += range->size();
    s.bytes_metadata += range->metadata_size();
    const uintptr_t low = AddressOf(range->base());
    if (s.address_low == 0 || low < s.address_low) s.address_low = low;
    s.address_high = Max(s.address_high, low + range->size());
  }
  instance.region.ForEachLent([&s](const LentRange& lent) {
    if (Config::kSystemMemory) s.bytes_metadata += lent.mapped;
    const uint64_t extent = lent.extent.Load(Order::kAcquire);
    if (extent == 0) return;
    const size_t bytes = LentRange::UnitsOf(extent) << kUnitShift;
    s.bytes_spans += lent.range->units().used() << kUnitShift;
    s.bytes_spans_peak += lent.range->units().used_peak() << kUnitShift;
    s.bytes_committed += bytes;
    s.bytes_reserved += bytes;
    s.bytes_donated += bytes;
    const uintptr_t low = LentRange::BaseOf(extent);
    if (s.address_low == 0 || low < s.address_low) s.address_low = low;
    s.address_high = Max(s.address_high, low + bytes);
  });
  return s;
}

}  // namespace ALCOVE_CORE_NAMESPACE
