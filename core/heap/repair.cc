// What is done with a heap whose thread was stopped in the middle of an operation
// that writes more than one word: killed in a signal handler, or never there, in
// a child of fork.
//
// The truth about a slab is the class map, which says whose it is, and its bits;
// everything else about it is counted anew. The truth about a bin is its slots:
// operations write so that at no moment a block that is live is in one, or has a
// bit. One that is free may be in a slot and have a bit, too.
#include "core/hardening/invariant.h"
#include "core/heap/heap.h"
#include "core/heap/instance.h"
#include "core/heap/remote.h"

namespace ALCOVE_CORE_NAMESPACE {

// Gives what is in a slot to its slab's bits. (*slot, end) may have it once more.
ALCOVE_COLD void Heap::RepairSlot(SizeClass c, void** slot, void** end) {
  void* const block = *slot;
  if (block == nullptr) return;
  const Range* const range = instance_->region.RangeOf(block);
  MapEntry entry = range == nullptr ? 0 : EntryOf(*range, block);
  if (ClassOfEntry(entry) == kPartsSlabClass && !instance_->parts.Holds(block))
    entry = Parts::EntryOfWhole(*range, block, entry);
  if (ClassOfEntry(entry) != c) return;
  Slab* const slab = SlabAt(*range, block, entry);
  const ClassInfo& info = InfoOf(c);
  const BlockPlace place = PlaceOf(slab, info, block);
  const unsigned word = place.index / 64;
  const BitWord bit = BitWord{1} << (place.index % 64);
  if (!place.is_start) return;
  if (HeapOfEntry(entry) == number()) {
    slab->local[word] |= bit & slab->UsedBits(word);
    KeepOrder();
    *slot = nullptr;
  } else {
    // Once only, before its owner can hand it out again: in the middle of a move
    // it is in two slots.
    for (void** later = slot + 1; later != end; ++later) {
      if (*later == block) *later = nullptr;
    }
    // As in a flush.
    *slot = nullptr;
    KeepOrder();
    FreeRemotely(slab, word, bit);
    counts_.sent_blocks.Add(1);
    counts_.sent_bytes.Add(info.size);
  }
}

// Gives what is in a slab class's bin, and what waits, to the slabs' bits.
ALCOVE_COLD void Heap::RepairBin(SizeClass c) {
  Bin& bin = bins_[c];
  const ClassInfo& info = InfoOf(c);
  if (const BitWord mask = bin.mask.Load(Order::kRelaxed); mask != 0) {
    Slab* const slab = bin.mask_slab;
    const unsigned word = PlaceOf(slab, info, bin.mask_start).index / 64;
    slab->local[word] |= mask & slab->UsedBits(word);
    KeepOrder();
    bin.mask.Store(0, Order::kRelaxed);
  }
  delay_.ForEachSlot(c, [&](void** slot) {
    RepairSlot(c, slot, slot + 1);
    *slot = nullptr;
  });
  delay_.Forget(c);
  void** const top = bin.top.Load(Order::kRelaxed);
  void** const limit = bin.limit.Load(Order::kRelaxed);
  if (bin.bottom == nullptr || top == nullptr || limit == nullptr) return;
  for (void** slot = bin.bottom; slot != bin.end(); ++slot) {
    if (slot >= top && slot < limit) continue;
    RepairSlot(c, slot, bin.end());
  }
}

// Counts all slabs of this heap anew, and lists them.
ALCOVE_COLD void Heap::RepairSlabs() {
  for (Slab*& head : listed_) head = nullptr;
  size_t blocks = trail_.large_blocks;
  size_t bytes = trail_.large_bytes;
  for (unsigned i = 0; i < Region::kRangesMax; ++i) {
    const Range* const range = instance_->region.range(i);
    if (range == nullptr) break;
    const size_t top = range->units().top();
    for (size_t unit = 0; unit < top; ++unit) {
      const MapEntry entry = EntryOf(*range, unit);
      const SizeClass c = ClassOfEntry(entry);
      if (HeapOfEntry(entry) != number() ||
          !(IsSlabClass(c) || c == kPartsSlabClass))
        continue;
      auto* const slab = static_cast<Slab*>(range->descriptor(unit));
      // The first unit is the first that is entered, and the last to be erased.
      if (slab->place != 0) continue;
      const ClassInfo& info = InfoOf(slab->size_class);
      EnterSlab(*range, unit, info.units, entry);
      // Another thread may have marked it just now (Parts::Mark).
      if (slab->in_parts.FetchOr(0, Order::kSeqCst) != 0)
        EnterSlab(*range, unit, info.units,
                  MakeEntry(kPartsSlabClass, HeapOfEntry(entry)));
      if (slab->owner.Load(Order::kRelaxed) != this)
        slab->owner.Store(this, Order::kSeqCst);
      unsigned available = slab->blocks - unsigned{slab->fresh};
      for (unsigned w = 0; w < slab->used_words(); ++w) {
        const BitWord freed =
            slab->remote[w].Exchange(0, Order::kSeqCst) & slab->UsedBits(w);
        counts_.received_blocks.Add(CountBits(freed));
        counts_.received_bytes.Add(CountBits(freed) * size_t{info.size});
        slab->local[w] |= freed;
        available += CountBits(slab->local[w]);
      }
      slab->available = static_cast<uint16_t>(available);
      slab->hint_word = 0;
      slab->listed = false;
      if (available != 0) List(slab);
      blocks += slab->blocks - available;
      bytes += (slab->blocks - available) * size_t{info.size};
    }
  }
  // As differences, for whoever looks meanwhile.
  CountTaken(blocks - counts_.taken_blocks.Get(),
             bytes - counts_.taken_bytes.Get());
}

ALCOVE_COLD void Heap::Repair() {
  // The heap counts as at work until all of this is done, which may be
  // interrupted, too.
  RefreshView();
  FinishGrowth();
  FinishMail(&mail_trail_);
  for (SizeClass c = 1; c <= kSlabClasses; ++c) RepairBin(c);
  for (SizeClass c = kSlabClasses + 1; c <= kUnitSpanClass; ++c) RepairSpans(c);
  RepairSlabs();
  GiveUpSlots();
  instance_->span_units.FetchSub(span_units_, Order::kRelaxed);
  span_units_ = 0;
  span_refusals_ = 0;
  suspect_ = nullptr;
  ReleaseEmpty();
  KeepOrder();
  at_work_ = false;
}

}  // namespace ALCOVE_CORE_NAMESPACE
