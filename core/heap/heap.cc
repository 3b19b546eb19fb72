#include "core/heap/heap.h"

#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"
#include "core/heap/instance.h"
#include "core/heap/remote.h"
#include "core/slab/picture.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// A bin begins with so many slots and doubles. Small, because most threads use
// most classes little: the bins of a thread that used every class once take 3
// KiB.
constexpr unsigned kFirstCapacity = SlotPool::kSmallest;

// A full bin gives back the older half of its own blocks; the blocks of other
// threads go first, and all of them, once they fill this share of it.
constexpr unsigned kOthersShare = 4;

// How many slabs' worth of mail may lie before somebody asks the kernel whether
// the heap's thread is still there: rare enough for a system call, and at most
// 4 MiB of small blocks.
constexpr uint32_t kMailMax = 64;

// Changes of the live count are published in steps of so many bytes, or of this
// share of what is live: each costs two atomic operations that all threads
// contend for.
constexpr size_t kPublishStep = 64 * 1024;
constexpr size_t kPublishShare = 16;

// The address of the lowest block in `bits`, which are of bitmap word `w`.
void* BlockAt(const Slab* slab, const ClassInfo& info, unsigned w,
              BitWord bits) {
  return slab->start + (size_t{w} * 64 + LowestBit(bits)) * info.size;
}

// Slots are written by whole words: nobody may ever find half a pointer in one,
// as he could in the middle of a copy or fill of bytes.
typedef uintptr_t TwoSlots
    [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(8)]];

// Moves `count` slots from at + by to `at`.
void MoveDown(void** at, size_t by, size_t count) {
  size_t i = 0;
  for (; i + 2 <= count; i += 2) {
    *reinterpret_cast<volatile TwoSlots*>(at + i) =
        *reinterpret_cast<volatile TwoSlots*>(at + by + i);
  }
  if (i < count) __atomic_store_n(at + i, at[by + i], __ATOMIC_RELAXED);
}

ALCOVE_INLINE void ClearSlots(void** at, size_t count) {
  const TwoSlots none = {};
  for (; count >= 2; at += 2, count -= 2)
    *reinterpret_cast<volatile TwoSlots*>(at) = none;
  if (count != 0) __atomic_store_n(at, nullptr, __ATOMIC_RELAXED);
}

bool SameUnit(const void* a, const void* b) {
  return (AddressOf(a) ^ AddressOf(b)) < kUnit;
}

// Looks at the first of blocks[0, n), n >= 1, and those behind it for as long
// as they are in the same slab; calls emit(word, bits) for each run of
// neighbours that share a bitmap word. Returns how many blocks it looked at.
template <typename Emit>
ALCOVE_INLINE size_t ForEachWord(Slab* slab, const ClassInfo& info,
                                 void* const* blocks, size_t n, Emit emit) {
  const uintptr_t start = AddressOf(slab->start);
  const size_t extent = size_t{slab->units} << kUnitShift;
  const uint64_t inverse = info.inverse;
  const uint64_t size = info.size;
  const uint64_t limit = info.blocks;
  uint64_t word = 0;
  BitWord bits = 0;
  size_t i = 0;
  do {
    const uint64_t offset = AddressOf(blocks[i]) - start;
    if (offset >= extent) break;
    const uint64_t index = offset * inverse >> kInverseShift;
    if (ALCOVE_UNLIKELY(index * size != offset || index >= limit)) {
      Stop(Misuse::kFreeInside, blocks[i]);
    }
    if (index / 64 != word) {
      if (bits != 0) emit(static_cast<unsigned>(word), bits, i);
      word = index / 64;
      bits = 0;
    }
    const BitWord bit = BitWord{1} << (index % 64);
    if (ALCOVE_UNLIKELY((bits & bit) != 0)) {
      Stop(Misuse::kDoubleFree, blocks[i], info.size);
    }
    bits |= bit;
  } while (++i < n);
  emit(static_cast<unsigned>(word), bits, i);
  return i;
}

// A block that was never handed out, or is available already.
[[noreturn, gnu::cold]] ALCOVE_NOINLINE void StopAtFlush(const Slab* slab,
                                                         const ClassInfo& info,
                                                         unsigned w,
                                                         BitWord bits) {
  const BitWord never = bits & ~slab->UsedBits(w);
  if (never != 0) {
    Stop(Misuse::kFreeNeverAllocated, BlockAt(slab, info, w, never));
  }
  Stop(Misuse::kDoubleFree, BlockAt(slab, info, w, slab->local[w] & bits),
       info.size);
}

}  // namespace

void LiveCount::Add(ptrdiff_t more_blocks, ptrdiff_t more_bytes) {
  // Unsigned, so that a decrease is an addition that wraps around.
  const size_t now_blocks =
      blocks.FetchAdd(static_cast<size_t>(more_blocks), Order::kRelaxed) +
      static_cast<size_t>(more_blocks);
  const size_t now_bytes =
      bytes.FetchAdd(static_cast<size_t>(more_bytes), Order::kRelaxed) +
      static_cast<size_t>(more_bytes);
  // Another thread's decrease may arrive before the increase it undoes: not a
  // peak.
  if (static_cast<ptrdiff_t>(now_blocks) > 0)
    blocks_peak.RaiseTo(now_blocks, Order::kRelaxed);
  if (static_cast<ptrdiff_t>(now_bytes) > 0)
    bytes_peak.RaiseTo(now_bytes, Order::kRelaxed);
}

ALCOVE_COLD void LiveCount::Reset() {
  blocks.Store(0, Order::kRelaxed);
  bytes.Store(0, Order::kRelaxed);
  blocks_peak.Store(0, Order::kRelaxed);
  bytes_peak.Store(0, Order::kRelaxed);
}

ALCOVE_COLD void HomelessCount::Reset() {
  blocks.Store(0, Order::kRelaxed);
  bytes.Store(0, Order::kRelaxed);
}

ALCOVE_COLD void Heap::Init(Instance* instance, HeapNumber number,
                            void** slots) {
  instance_ = instance;
  own_entries_ = MakeEntry(0, number);
  slots_.Init(near_slots_, slots);
  Reseed();
}

// ---- Counting ----

void Heap::MaybePublishLive() {
  const ptrdiff_t change = unpublished_bytes_;
  const auto size = static_cast<size_t>(change < 0 ? -change : change);
  if (size < kPublishStep) return;
  const size_t live = instance_->live.bytes.Load(Order::kRelaxed);
  if (size >= live / kPublishShare) PublishLive();
}

void Heap::PublishLive() {
  instance_->live.Add(unpublished_blocks_, unpublished_bytes_);
  unpublished_blocks_ = 0;
  unpublished_bytes_ = 0;
}

void Heap::CountTaken(size_t blocks, size_t bytes) {
  counts_.taken_blocks.Add(blocks);
  counts_.taken_bytes.Add(bytes);
  unpublished_blocks_ += static_cast<ptrdiff_t>(blocks);
  unpublished_bytes_ += static_cast<ptrdiff_t>(bytes);
  MaybePublishLive();
}

void Heap::CountReturned(size_t blocks, size_t bytes) {
  counts_.taken_blocks.Subtract(blocks);
  counts_.taken_bytes.Subtract(bytes);
  unpublished_blocks_ -= static_cast<ptrdiff_t>(blocks);
  unpublished_bytes_ -= static_cast<ptrdiff_t>(bytes);
  MaybePublishLive();
}

void Heap::CountLarge(size_t blocks, size_t bytes) {
  trail_.large_blocks += blocks;
  trail_.large_bytes += bytes;
  CountTaken(blocks, bytes);
}

void Heap::RefreshView() { view_ = instance_->region.PrimaryView(); }

// ---- Slabs ----

Span Heap::AllocateSpan(size_t units, size_t alignment) {
  // Before the instance grows, what is cached and large enough is used up.
  if (span_units_ >= units && instance_->region.WouldGrow(units)) DrainSpans();
  const Span span = instance_->region.Allocate(units, alignment);
  if (ALCOVE_UNLIKELY(view_.units == 0)) RefreshView();
  if (ALCOVE_LIKELY(span.range != nullptr)) return span;
  Collect();
  DrainSpans();  // with those of the slabs that came back
  return instance_->region.Allocate(units, alignment);
}

void Heap::List(Slab* slab) { ListSlab(&listed_[slab->size_class], slab); }

void Heap::Unlist(Slab* slab) { UnlistSlab(&listed_[slab->size_class], slab); }

void Heap::ReleaseSlab(Slab* slab) {
  LogSlab("retired", *slab);
  Unlist(slab);
  const Span span = instance_->region.SpanAt(slab->start);
  RetireSlab(*span.range, slab);
  if (slab->units != 1) return KeepSpanOfSlab(slab->start, slab->units);
  // A slab of which no block was ever handed out has touched no memory.
  instance_->region.Free(span, slab->units, slab->fresh != 0 || !slab->zero);
}

// After blocks of the slab became available.
ALCOVE_INLINE void Heap::Gained(Slab* slab) {
  if (ALCOVE_UNLIKELY(!slab->listed)) List(slab);
  if (ALCOVE_UNLIKELY(slab->available == slab->blocks)) ReleaseSpare(slab);
}

void Heap::ReleaseSpare(Slab* slab) {
  // The last slab of a class stays, or a thread that allocates and frees one
  // block would take and release a slab each time.
  const bool last = listed_[slab->size_class] == slab && slab->next == nullptr;
  // A slab that still lies in the pending stack stays until Collect has seen
  // it: as another heap's, its remote frees would wait there for this one.
  if (!last && slab->pending.Load(Order::kRelaxed) == 0) ReleaseSlab(slab);
}

// One that is listed, with all of its blocks; null if there is no memory.
ALCOVE_INLINE Slab* Heap::NewSlab(SizeClass c, const ClassInfo& info) {
  Span span;
  if (info.units == 1 || !TakeSpanOfSlab(info.units, &span)) {
    span = AllocateSpan(info.units, kUnit);
  }
  if (ALCOVE_UNLIKELY(span.range == nullptr)) return nullptr;
  Slab* const slab = CreateSlab(span, c, this, MakeEntry(c, number()));
  List(slab);
  LogSlab("made", *slab);
  return slab;
}

void* Heap::Refill(SizeClass c) {
  const AtWork at_work(this);
  if (HasMail()) {
    Collect();
  }
  Bin& bin = bins_[c];
  const ClassInfo& info = InfoOf(c);
  ALCOVE_INVARIANT(bin.own() == 0 && bin.mask.Load(Order::kRelaxed) == 0);
  // A class that needs refills deserves a larger cache.
  if (bin.capacity != 0 && bin.capacity < CapacityMax(c)) {
    Grow(c, static_cast<unsigned>(Min(bin.capacity * 2u, CapacityMax(c))));
  }
  Slab* slab = listed_[c];
  if (slab == nullptr) {
    slab = NewSlab(c, info);
    // What others freed may have come in meanwhile.
    if (ALCOVE_UNLIKELY(slab == nullptr)) slab = listed_[c];
    if (ALCOVE_UNLIKELY(slab == nullptr)) return nullptr;
  }
  const TakenWord taken =
      Config::kRandomPlacement
          ? TakeOne(slab, random_.Below(slab->blocks))
          : TakeWord(slab, info, Config::kUncached ? 1 : RefillMax(c));
  LogSlab("used", *slab);
  if (slab->available == 0) Unlist(slab);
  CountTaken(taken.count, taken.count * size_t{info.size});
  bin.size = info.size;
  bin.mask_slab = slab;
  bin.mask_start = taken.start;
  bin.mask_zero = taken.zero;
  KeepOrder();
  bin.mask.Store(taken.blocks, Order::kRelaxed);
  return bin.PopMask();
}

ALCOVE_COLD void* Heap::TakeAtMultiple(SizeClass c, size_t multiple,
                                       size_t step) {
  // Of many slabs that have other blocks left, no more are looked at.
  constexpr unsigned kSlabsMax = 16;
  const AtWork at_work(this);
  if (HasMail()) Collect();
  const ClassInfo& info = InfoOf(c);
  void* block = nullptr;
  Slab* slab = listed_[c];
  for (unsigned i = 0; slab != nullptr && i < kSlabsMax; ++i) {
    block = ALCOVE_CORE_NAMESPACE::TakeAtMultiple(slab, info, multiple, step);
    if (block != nullptr) break;
    slab = slab->next;
  }
  if (block == nullptr) {
    slab = NewSlab(c, info);
    if (ALCOVE_UNLIKELY(slab == nullptr)) return nullptr;
    block = ALCOVE_CORE_NAMESPACE::TakeAtMultiple(slab, info, multiple, step);
    ALCOVE_INVARIANT(block != nullptr);
  }
  if (slab->available == 0) Unlist(slab);
  CountTaken(1, info.size);
  return block;
}

// ---- Bins ----

ALCOVE_COLD void Heap::Grow(SizeClass c, unsigned capacity) {
  Bin& bin = bins_[c];
  if (bin.bottom == nullptr) {
    // Nothing is in it before there is a limit (ClearBin).
    void** const first = slots_.Take(capacity);
    bin.bottom = first;
    bin.capacity = static_cast<uint16_t>(capacity);
    bin.own_entry = MakeEntry(c, number());
    bin.top.Store(first, Order::kRelaxed);
    KeepOrder();
    bin.limit.Store(first + capacity, Order::kRelaxed);
    return;
  }
  const size_t own = bin.own();
  const size_t others = bin.others();
  void** array = bin.bottom;
  void** const old = bin.bottom;
  const unsigned old_capacity = bin.capacity;
  if (SlotPool::ArraySlots(capacity) != SlotPool::ArraySlots(old_capacity)) {
    array = slots_.Take(capacity);
    if (own != 0) memcpy(array, old, own * sizeof(void*));
  } else {
    // Of spans only, where a slot that is there twice does no harm.
    ALCOVE_INVARIANT(others == 0 || !IsSlabClass(c));
  }
  if (others != 0) {
    // From the last on: in the same array the two places can overlap. Word by
    // word.
    void** from = old + old_capacity;
    void** to = array + capacity;
    for (size_t i = 0; i < others; ++i)
      __atomic_store_n(--to, *--from, __ATOMIC_RELAXED);
  }
  trail_.capacity = capacity;
  trail_.bottom = array;
  trail_.top = array + own;
  trail_.limit = array + capacity - others;
  KeepOrder();
  trail_.size_class = c;
  KeepOrder();
  FinishGrowth();
  if (array != old) slots_.Give(old, old_capacity);
}

ALCOVE_COLD void Heap::FinishGrowth() {
  const SizeClass c = trail_.size_class;
  if (c == 0) return;
  Bin& bin = bins_[c];
  bin.bottom = trail_.bottom;
  bin.capacity = static_cast<uint16_t>(trail_.capacity);
  bin.own_entry = MakeEntry(c, number());
  bin.top.Store(trail_.top, Order::kRelaxed);
  bin.limit.Store(trail_.limit, Order::kRelaxed);
  KeepOrder();
  trail_.size_class = 0;
  KeepOrder();
}

void Heap::MakeRoom(SizeClass c) {
  const AtWork at_work(this);
  Bin& bin = bins_[c];
  const unsigned capacity_max = CapacityMax(c);
  if (bin.capacity < capacity_max) {
    Grow(c, static_cast<unsigned>(
                Min(Max(bin.capacity * 2u, kFirstCapacity), capacity_max)));
    return;
  }
  const size_t others = bin.others();
  if (others * kOthersShare >= bin.capacity) {
    Flush(c, bin.limit.Load(Order::kRelaxed), others);
    bin.ClearOthers();
    if (Heap* const suspect = TakeSuspect(); ALCOVE_UNLIKELY(suspect)) {
      instance_->registry.CleanUpIfDead(suspect);
    }
  } else {
    const size_t own = bin.own();
    const size_t n = Max(own / 2, 1);
    void** const bottom = bin.bottom;
    Flush(c, bottom, n);
    KeepOrder();
    MoveDown(bottom, n, own - n);
    KeepOrder();
    bin.top.Store(bin.bottom + (own - n), Order::kRelaxed);
  }
  if (HasMail()) Collect();
}

ALCOVE_COLD bool Heap::Caches(SizeClass c, const void* block) const {
  const Bin& bin = bins_[c];
  void** const top = bin.top.Load(Order::kRelaxed);
  for (void** p = bin.bottom; p != top; ++p) {
    if (*p == block) return true;
  }
  for (void** p = bin.limit.Load(Order::kRelaxed); p != bin.end(); ++p) {
    if (*p == block) return true;
  }
  if (IsSlabClass(c) && delay_.Holds(c, block)) return true;
  const BitWord mask = bin.mask.Load(Order::kRelaxed);
  if (mask == 0) return false;
  const size_t offset = AddressOf(block) - AddressOf(bin.mask_start);
  return offset / bin.size < 64 && ((mask >> (offset / bin.size)) & 1) != 0;
}

// ---- Giving back ----

// Those of blocks[0, n) that follow each other in one of the heap's own slabs,
// from the first on; returns how many.
size_t Heap::FlushOwnRun(Slab* slab, const ClassInfo& info, void** blocks,
                         size_t n) {
  BitWord* const local = slab->local;
  unsigned hint = slab->hint_word;
  const size_t done = ForEachWord(
      slab, info, blocks, n,
      [=, &hint, &info](unsigned w, BitWord bits, size_t) {
        const BitWord before = local[w];
        if (ALCOVE_UNLIKELY(((before | ~slab->UsedBits(w)) & bits) != 0)) {
          StopAtFlush(slab, info, w, bits);
        }
        local[w] = before | bits;
        hint = Min(hint, w);
      });
  KeepOrder();
  ClearSlots(blocks, done);
  // The slab may go now.
  KeepOrder();
  slab->hint_word = static_cast<uint16_t>(hint);
  slab->available = static_cast<uint16_t>(slab->available + done);
  ALCOVE_INVARIANT(slab->available <= slab->blocks);
  Gained(slab);
  return done;
}

// The same for a single block: where neighbours are of different slabs, half
// the instructions.
ALCOVE_INLINE void Heap::FlushOwn(Slab* slab, const ClassInfo& info,
                                  void** slot) {
  const void* const block = *slot;
  const uint64_t offset = AddressOf(block) - AddressOf(slab->start);
  const uint64_t index = offset * info.inverse >> kInverseShift;
  if (ALCOVE_UNLIKELY(index * info.size != offset || index >= info.blocks)) {
    Stop(Misuse::kFreeInside, block);
  }
  const auto w = static_cast<unsigned>(index / 64);
  const BitWord bit = BitWord{1} << (index % 64);
  BitWord* const local = slab->local + w;
  const BitWord before = *local;
  if (ALCOVE_UNLIKELY(index >= slab->fresh || (before & bit) != 0)) {
    StopAtFlush(slab, info, w, bit);
  }
  *local = before | bit;
  KeepOrder();
  *slot = nullptr;
  KeepOrder();
  if (w < slab->hint_word) slab->hint_word = static_cast<uint16_t>(w);
  slab->available = static_cast<uint16_t>(slab->available + 1);
  ALCOVE_INVARIANT(slab->available <= slab->blocks);
  Gained(slab);
}

// Those of blocks[0, n) that follow each other in one slab of another heap,
// from the first on; returns how many.
size_t Heap::FlushOther(Slab* slab, const ClassInfo& info, void** blocks,
                        size_t n) {
  size_t sent = 0;
  const size_t done = ForEachWord(
      slab, info, blocks, n,
      [slab, &info, blocks, &sent](unsigned w, BitWord bits, size_t end) {
        // Out of the bin first: once the owner has them, they may be live again.
        ClearSlots(blocks + sent, end - sent);
        sent = end;
        KeepOrder();
        const BitWord twice = FreeRemotely(slab, w, bits);
        if (ALCOVE_UNLIKELY(twice != 0)) {
          Stop(Misuse::kDoubleFree, BlockAt(slab, info, w, twice), info.size);
        }
      });
  counts_.sent_blocks.Add(done);
  counts_.sent_bytes.Add(done * info.size);
  auto* const owner = static_cast<Heap*>(slab->owner.Load(Order::kRelaxed));
  if (owner != nullptr && owner->LooksAbandoned()) suspect_ = owner;
  return done;
}

// The slab that holds a block of class `c`, and its entry in the class map; null if
// that says something else.
ALCOVE_INLINE Slab* Heap::SlabOf(SizeClass c, const ClassInfo& info,
                                 const void* block, MapEntry* entry) const {
  const size_t slot = view_.SlotOf(block);
  Slab* slab;
  if (ALCOVE_LIKELY(slot < view_.units)) {
    *entry = LoadEntry(view_.class_map + slot);
    slab = reinterpret_cast<Slab*>(view_.last_descriptor -
                                   slot * kDescriptorBytes);
  } else {
    const Range* const range = instance_->region.RangeOf(block);
    // The public header lets callers put blocks here unseen.
    if (ALCOVE_UNLIKELY(range == nullptr)) Stop(Misuse::kFreeForeign, block);
    *entry = EntryOf(*range, block);
    slab = static_cast<Slab*>(range->descriptor(range->IndexOf(block)));
  }
  if (ALCOVE_UNLIKELY(ClassOfEntry(*entry) != c)) return nullptr;
  return info.units == 1 ? slab : slab - slab->place;
}

// Gives a single block back to its slab, marked or not; whether that is this heap's.
bool Heap::FlushOne(const Range& range, const ClassInfo& info, void** slot) {
  Slab* const slab = SlabHolding(range, *slot);
  if (HeapOfEntry(EntryOf(range, *slot)) != number()) {
    FlushOther(slab, info, slot, 1);
    return false;
  }
  FlushOwn(slab, info, slot);
  return true;
}

// Gives a block back that was freed as one of class `c` and is in no plain slab of
// it: one of a slab with blocks in parts, or a part that a caller vouched for. Stops
// if it was freed already or never was one. Whether it is back in a slab of this
// heap.
ALCOVE_COLD bool Heap::FlushOdd(SizeClass c, const ClassInfo& info,
                                void** slot) {
  void* const block = *slot;
  Range* const range = instance_->region.RangeOf(block);
  const MapEntry entry = EntryOf(*range, block);
  Parts& parts = instance_->parts;
  // Where blocks are kept nobody vouches for one.
  if (!Config::kWholeBlocks && parts.MayHold(*range, block, entry)) {
    // Out of the bin first: once it is free, it may be live again.
    *slot = nullptr;
    KeepOrder();
    if (parts.Free(this, block)) return false;
    *slot = block;
  }
  const MapEntry whole = Parts::EntryOfWhole(*range, block, entry);
  if (ClassOfEntry(whole) != c) Stop(Misuse::kDoubleFree, block, info.size);
  return FlushOne(*range, info, slot);
}

void Heap::Flush(SizeClass c, void** blocks, size_t n) {
  const ClassInfo& info = InfoOf(c);
  size_t own = 0;
  for (size_t i = 0; i < n;) {
    MapEntry entry;
    Slab* const slab = SlabOf(c, info, blocks[i], &entry);
    if (ALCOVE_UNLIKELY(slab == nullptr)) {
      own += FlushOdd(c, info, blocks + i) ? 1 : 0;
      ++i;
    } else if (ALCOVE_UNLIKELY(HeapOfEntry(entry) != number())) {
      i += FlushOther(slab, info, blocks + i, n - i);
    } else if (i + 1 < n && SameUnit(blocks[i], blocks[i + 1])) {
      const size_t done = FlushOwnRun(slab, info, blocks + i, n - i);
      own += done;
      i += done;
    } else {
      FlushOwn(slab, info, blocks + i);
      ++own;
      ++i;
    }
  }
  if (own != 0) CountReturned(own, own * info.size);
}

ALCOVE_COLD void Heap::ReturnBlock(SizeClass c, void* block) {
  const AtWork at_work(this);
  const ClassInfo& info = InfoOf(c);
  if (FlushOne(*instance_->region.RangeOf(block), info, &block))
    CountReturned(1, info.size);
}

ALCOVE_COLD void Heap::ReturnMask(SizeClass c) {
  Bin& bin = bins_[c];
  const BitWord mask = bin.mask.Load(Order::kRelaxed);
  if (mask == 0) return;
  Slab* const slab = bin.mask_slab;
  const unsigned word = PlaceOf(slab, InfoOf(c), bin.mask_start).index / 64;
  slab->local[word] |= mask;
  KeepOrder();
  bin.mask.Store(0, Order::kRelaxed);
  KeepOrder();
  if (word < slab->hint_word) slab->hint_word = static_cast<uint16_t>(word);
  const unsigned count = CountBits(mask);
  slab->available = static_cast<uint16_t>(slab->available + count);
  CountReturned(count, count * size_t{InfoOf(c).size});
  Gained(slab);
}

ALCOVE_COLD void Heap::Drain() {
  const AtWork at_work(this);
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    Bin& bin = bins_[c];
    if (bin.bottom != nullptr) {
      Flush(c, bin.bottom, bin.own());
      bin.ClearOwn();
      Flush(c, bin.limit.Load(Order::kRelaxed), bin.others());
      bin.ClearOthers();
    }
    ReturnMask(c);
    ReleaseDelayed(c);
  }
  Collect();
  ReleaseEmpty();
}

ALCOVE_COLD void Heap::ReleaseEmpty() {
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    for (Slab* slab = listed_[c]; slab != nullptr;) {
      Slab* const next = slab->next;
      ReleaseIfEmpty(slab);
      slab = next;
    }
  }
  DrainSpans();  // with those of these slabs
  PublishLive();
}

void Heap::ReleaseIfEmpty(Slab* slab) {
  if (slab->available == slab->blocks &&
      slab->pending.Load(Order::kRelaxed) == 0) {
    ReleaseSlab(slab);
  }
}

bool Heap::LooksAbandoned() const {
  if (thread() == 0) return HasMail();
  return mail() >= kMailMax;
}

Heap* Heap::TakeSuspect() {
  Heap* const suspect = suspect_;
  suspect_ = nullptr;
  return suspect;
}

// Where there is no top or no limit, there is nothing.
void Heap::ClearBin(Bin& bin) {
  bin.top.Store(nullptr, Order::kRelaxed);
  KeepOrder();
  bin.limit.Store(nullptr, Order::kRelaxed);
  bin.capacity = 0;
  bin.bottom = nullptr;
}

ALCOVE_COLD void Heap::GiveUpSlots() {
  for (Bin& bin : bins_) ClearBin(bin);
  slots_.Reset();
}

ALCOVE_COLD void Heap::CleanUp(bool died) {
  if (ALCOVE_UNLIKELY(interrupted())) {
    Repair();
  } else if (died) {
    const AtWork at_work(this);
    Drain();
    GiveUpSlots();
  } else {
    const AtWork at_work(this);
    Collect();
    // Collect keeps the last slab of a class.
    for (SizeClass c = 1; c <= kSlabClasses; ++c) {
      if (listed_[c] != nullptr) ReleaseIfEmpty(listed_[c]);
    }
    DrainSpans();
    PublishLive();
  }
}

void Heap::Collect() {
  const AtWork at_work(this);
  OpenMail(&mail_trail_, [this](Slab* slab) {
    const ClassInfo& info = InfoOf(slab->size_class);
    // Counted before they are taken: who is stopped in between makes the rest of
    // them seem live, rather than others dead.
    unsigned seen = 0;
    for (unsigned w = 0; w < slab->used_words(); ++w)
      seen += CountBits(slab->remote[w].Load(Order::kRelaxed));
    counts_.received_blocks.Add(seen);
    counts_.received_bytes.Add(seen * size_t{info.size});
    KeepOrder();
    const unsigned count = CollectRemote(slab, info);
    if (ALCOVE_UNLIKELY(count != seen)) {
      counts_.received_blocks.Add(size_t{count} - seen);
      counts_.received_bytes.Add((size_t{count} - seen) * info.size);
    }
    // Even with none: an empty slab may have waited for this (see Gained).
    if (count != 0) CountReturned(count, count * size_t{info.size});
    if (count != 0 || slab->listed) Gained(slab);
  });
}

}  // namespace ALCOVE_CORE_NAMESPACE
