#include "core/arena/survey.h"

#include "core/arena/arena_blocks.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

template <typename Visit>
void ForEachHeap(const Arena& arena, Visit visit) {
  for (const ArenaHeap* heap = arena.heaps.Load(Order::kAcquire);
       heap != nullptr; heap = heap->next.Load(Order::kRelaxed)) {
    // Nothing of one that was left behind is this arena's.
    if (!heap->left()) visit(*heap);
  }
}

// Calls visit(range, descriptor, units) for each span, or for each run only:
// other descriptors may be somebody else's a moment later.
enum class Spans { kAll, kRuns };
template <typename Visit>
void ForEachSpan(const Arena& arena, Spans which, Visit visit) {
  const Region& region = arena.arenas->instance()->region;
  ForEachHeap(arena, [&](const ArenaHeap& heap) {
    heap.ledger().ForEach([&](LedgerEntry entry) {
      if (which == Spans::kRuns && !entry.stays()) return;
      Range* const range = region.RangeOf(entry.start());
      // Donated to an arena that ends meanwhile.
      if (ALCOVE_UNLIKELY(range == nullptr)) return;
      visit(
          range,
          static_cast<Slab*>(range->descriptor(range->IndexOf(entry.start()))),
          entry.units());
    });
  });
}

struct Totals {
  size_t blocks = 0;
  size_t bytes = 0;
};

Totals LiveOfClass(const Arena& arena, SizeClass c, size_t* units) {
  size_t blocks = 0 - arena.freed_remotely[c].Load(Order::kRelaxed);
  *units = 0;
  ForEachHeap(arena, [&](const ArenaHeap& heap) {
    const ArenaBin& bin = heap.bin(c);
    blocks += bin.taken.Peek() - bin.freed.Peek() - bin.Left();
    *units += size_t{bin.slabs.Peek()} * InfoOf(c).units;
  });
  return {blocks, blocks * InfoOf(c).size};
}

// Calls visit(block, size, live) for the blocks of a run in their order.
template <typename Visit>
void ForEachInRun(Range* range, Slab* run, Visit visit) {
  ArenaBlock block;
  block.range = range;
  block.slab = run;
  block.size = 0;
  char* at = run->start;
  const char* const end = run->start + (size_t{run->units} << kUnitShift);
  while (at < end) {
    const uintptr_t granule = AddressOf(at) / kRunGranule;
    const RunBits bits = BitsOfRun(range, range->IndexOf(at));
    const auto bit = [granule](const Atomic<BitWord>* words) {
      return (words[granule / 64 % kBitWordsMax].Load(Order::kRelaxed) >>
                  (granule % 64) &
              1) != 0;
    };
    const size_t size = ArenaBlockSize(block, at);
    if (bit(bits.begun)) visit(at, size, !bit(bits.freed));
    // At the end of what is handed out there is nothing more.
    if (static_cast<ptrdiff_t>(size) <= 0) break;
    at += size;
  }
}

Totals LiveInRuns(const Arena& arena, Totals* all, size_t* units) {
  Totals live;
  *all = {};
  *units = 0;
  if (!arena.monotonic) return live;
  ForEachSpan(arena, Spans::kRuns,
              [&](Range* range, Slab* run, size_t span_units) {
                *units += span_units;
                ForEachInRun(range, run, [&](char*, size_t size, bool is_live) {
                  ++all->blocks;
                  all->bytes += size;
                  if (!is_live) return;
                  ++live.blocks;
                  live.bytes += size;
                });
              });
  return live;
}

}  // namespace

ALCOVE_COLD ArenaSnapshot TakeSnapshot(const Arena& arena) {
  ArenaSnapshot s;
  ptrdiff_t blocks_above = 0;
  ptrdiff_t bytes_above = 0;
  ForEachHeap(arena, [&](const ArenaHeap& heap) {
    ++s.threads;
    s.bytes_committed += heap.touched();
    blocks_above += heap.unpublished_blocks_peak();
    bytes_above += heap.unpublished_bytes_peak();
  });
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    size_t units;
    const Totals totals = LiveOfClass(arena, c, &units);
    s.blocks_live += totals.blocks;
    s.bytes_live += totals.bytes;
    s.bytes_mapped += units << kUnitShift;
  }
  // What heaps have not published yet was on top of what they have.
  s.blocks_peak = Max(arena.live.blocks_peak.Load(Order::kRelaxed),
                      arena.live.blocks.Load(Order::kRelaxed) +
                          static_cast<size_t>(blocks_above));
  s.bytes_peak = Max(arena.live.bytes_peak.Load(Order::kRelaxed),
                     arena.live.bytes.Load(Order::kRelaxed) +
                         static_cast<size_t>(bytes_above));
  Totals all;
  size_t units;
  const Totals runs = LiveInRuns(arena, &all, &units);
  const size_t large_bytes = arena.large_bytes.Load(Order::kRelaxed);
  s.blocks_live += runs.blocks + arena.large_blocks.Load(Order::kRelaxed);
  s.bytes_live += runs.bytes + large_bytes;
  // Nothing in a run is used again, so that it is held to the end.
  s.blocks_peak += all.blocks;
  s.bytes_peak += all.bytes;
  s.bytes_mapped += (units << kUnitShift) + large_bytes;
  if (arena.reserve_range != nullptr) {
    s.bytes_mapped +=
        (arena.reserve_end - arena.reserve_next.Load(Order::kRelaxed))
        << kUnitShift;
  }
  s.bytes_committed += large_bytes;
  for (const LentRange* own = arena.lent.Load(Order::kAcquire); own != nullptr;
       own = own->next_of_arena) {
    s.bytes_donated += own->range->size();
    s.bytes_donated_used += own->range->units().used() << kUnitShift;
  }
  s.blocks_peak = Max(s.blocks_peak, s.blocks_live);
  s.bytes_peak = Max(s.bytes_peak, s.bytes_live);
  return s;
}

ALCOVE_COLD void VisitClasses(const Arena& arena, ClassVisitor visit,
                              void* context) {
  ClassSnapshot s;
  Totals all;
  const Totals runs = LiveInRuns(arena, &all, &s.units);
  s.blocks_live = runs.blocks;
  s.bytes_live = runs.bytes;
  if (s.units != 0) visit(s, context);
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const Totals totals = LiveOfClass(arena, c, &s.units);
    s.block_size = InfoOf(c).size;
    s.blocks_live = totals.blocks;
    s.bytes_live = totals.bytes;
    if (s.units != 0) visit(s, context);
  }
  s.block_size = 0;
  s.blocks_live = arena.large_blocks.Load(Order::kRelaxed);
  s.bytes_live = arena.large_bytes.Load(Order::kRelaxed);
  s.units = s.bytes_live >> kUnitShift;
  if (s.units != 0) visit(s, context);
}

ALCOVE_COLD size_t VisitBlocks(const Arena& arena, BlockVisitor visit,
                               void* context) {
  size_t count = 0;
  ForEachSpan(arena, Spans::kAll, [&](Range* range, Slab* slab, size_t units) {
    if (slab->size_class == kLargeMark) {
      visit(slab->start, units << kUnitShift, context);
      ++count;
    } else if (slab->size_class == kRunMark) {
      ForEachInRun(range, slab, [&](char* block, size_t size, bool is_live) {
        if (!is_live) return;
        visit(block, size, context);
        ++count;
      });
    } else {
      const auto* const owner =
          static_cast<const ArenaHeap*>(slab->owner.Load(Order::kRelaxed));
      const size_t size = InfoOf(slab->size_class).size;
      for (unsigned i = 0; i < slab->fresh; ++i) {
        const BitWord away =
            slab->local[i / 64] | slab->remote[i / 64].Load(Order::kRelaxed);
        char* const block = slab->start + i * size;
        if ((away >> (i % 64) & 1) != 0 ||
            owner->Holds(slab->size_class, block)) {
          continue;
        }
        visit(block, size, context);
        ++count;
      }
    }
  });
  return count;
}

}  // namespace ALCOVE_CORE_NAMESPACE
