#include "core/arena/arena_heap.h"

#include "core/arena/arena.h"
#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"
#include "core/heap/checks.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// A thread's runs double up to so many units, which a block of any class fits.
constexpr unsigned kRunUnitsMax = 16;

// What is taken is added to the arena's count in steps of so many bytes.
constexpr ptrdiff_t kPublishStep = 64 * 1024;

}  // namespace

void ArenaHeap::Begin(Arena* arena, ArenaHandle handle, bool monotonic,
                      size_t alignment) {
  // Announced since it retired, by threads that were late.
  if (ALCOVE_UNLIKELY(HasMail())) OpenMail([](Slab*) {});
  arena_ = arena;
  granule_mask_ = Max(alignment, kRunGranule) - 1;
  run_units_ = monotonic ? 1 : 0;
  handle_.Store(handle, Order::kRelaxed);
  const ArenaHandle spoilt = Spoilt(handle);
  slab_handle_.Store(monotonic || alignment > 16 ? spoilt : handle,
                     Order::kRelaxed);
  run_handle_.Store(monotonic ? handle : spoilt, Order::kRelaxed);
}

void ArenaHeap::Spoil() {
  const ArenaHandle spoilt =
      Spoilt(MakeHandle(arena_->number.Load(Order::kRelaxed), arena_->place));
  slab_handle_.Store(spoilt, Order::kRelaxed);
  run_handle_.Store(spoilt, Order::kRelaxed);
  handle_.Store(spoilt, Order::kRelaxed);
  crossed_ = 0;
}

void ArenaHeap::Retire(Stack<LedgerGroup>* spare_groups) {
  Spoil();
  for (uint64_t bins = used_bins_; bins != 0; bins &= bins - 1) {
    ArenaBin& bin = bins_[LowestBit(bins)];
    bin.next.Store(nullptr, Order::kRelaxed);
    bin.end.Store(nullptr, Order::kRelaxed);
    bin.mask.Store(0, Order::kRelaxed);
    bin.listed = nullptr;
    bin.taken = 0;
    bin.freed = 0;
    bin.slabs = 0;
  }
  used_bins_ = 0;
  run_limit_ = nullptr;
  run_index_ = kNoIndex;
  resting_ = false;
  run_next_.Store(nullptr, Order::kRelaxed);
  run_ = nullptr;
  run_start_.Store(nullptr, Order::kRelaxed);
  run_end_ = nullptr;
  touched_ = 0;
  unpublished_blocks_ = 0;
  unpublished_bytes_ = 0;
  blocks_peak_ = 0;
  bytes_peak_ = 0;
  only_.range = nullptr;
  spans_ = 0;
  // A slab in it may be somebody else's by now (remote.h), and has to hear that.
  OpenMail([](Slab*) {});
  ledger_.Clear(spare_groups);
  left_.Clear();  // last
}

void ArenaHeap::Leave(const Region& region, MapEntry gone) {
  if (resting_) WakeForEnd();
  Spoil();
  if (only_.range != nullptr) {
    SetEntry(*only_.range, only_.first, gone);
  } else if (spans_ != 0) {
    ledger_.ForEach([&](LedgerEntry entry) {
      Range* const range = region.RangeOf(entry.start());
      SetEntry(*range, range->IndexOf(entry.start()), gone);
    });
  }
  left_.Set();
}

void ArenaHeap::Rest() {
  Spoil();
  run_next_.Store(run_->start, Order::kRelaxed);
  run_limit_ = run_->start;
  run_index_ = kNoIndex;
  run_->zero = false;
  run_->ledger_slot->Store(0, Order::kRelaxed);
  OpenMail([](Slab*) {});
}

void ArenaHeap::BeginRested(Arena* arena, ArenaHandle handle,
                            size_t alignment) {
  Begin(arena, handle, true, alignment);
  resting_ = true;
  SetOnly(run_range_, run_range_->IndexOf(run_->start));
  KeepOrder();
  spans_ = 1;
}

// The first block: only now is the unit the arena's.
bool ArenaHeap::StartRested() {
  uint64_t crossed;
  if (!arena_->Charge(1, &crossed)) return false;
  NoteCrossed(crossed);
  resting_ = false;
  run_->arena = arena_->number.Load(Order::kRelaxed);
  Ledger::WriteForGood(run_->ledger_slot, run_->start, 1);
  SetEntry(*run_range_, run_range_->IndexOf(run_->start), arena_->entry());
  return true;
}

ALCOVE_COLD void ArenaHeap::SettleRun() {
  run_index_ = kNoIndex;
  char* const next = run_next_.Own();
  if (run_ == nullptr || resting_ || next == run_end_) return;
  // A block can have been entered there before it was handed out.
  const uintptr_t granule = AddressOf(next) / kRunGranule;
  Atomic<BitWord>* const word = RunUnit(next) + granule / 64 % kBitWordsMax;
  run_marks_ = word->Load(Order::kRelaxed) & ~(~BitWord{0} << (granule % 64));
  word->Store(run_marks_, Order::kRelaxed);
  run_index_ = granule / 64;
}

void ArenaHeap::FinishRun() {
  if (run_ == nullptr) return;
  CloseRun();
  KeepOrder();
  run_ = nullptr;
}

void ArenaHeap::WakeForEnd() {
  if (run_ != nullptr)
    Ledger::WriteForGood(run_->ledger_slot, run_->start, run_->units);
  resting_ = false;
}

void ArenaHeap::Count(ptrdiff_t blocks, ptrdiff_t bytes) {
  unpublished_blocks_ = unpublished_blocks_ + blocks;
  unpublished_bytes_ = unpublished_bytes_ + bytes;
  const ptrdiff_t now_blocks = unpublished_blocks_;
  if (now_blocks > blocks_peak_) blocks_peak_ = now_blocks;
  const ptrdiff_t change = unpublished_bytes_;
  if (change > bytes_peak_) bytes_peak_ = change;
  if (ALCOVE_LIKELY(change < kPublishStep && change > -kPublishStep)) return;
  arena_->live.Add(unpublished_blocks_, unpublished_bytes_);
  unpublished_blocks_ = 0;
  unpublished_bytes_ = 0;
  blocks_peak_ = 0;
  bytes_peak_ = 0;
}

// ---- Slabs ----

void ArenaHeap::List(Slab* slab) {
  ListSlab(&bins_[slab->size_class].listed, slab);
}

void ArenaHeap::Unlist(Slab* slab) {
  UnlistSlab(&bins_[slab->size_class].listed, slab);
}

// After blocks of the slab became available.
void ArenaHeap::Gained(Slab* slab) {
  if (ALCOVE_UNLIKELY(!slab->listed)) List(slab);
  if (ALCOVE_LIKELY(slab->available != slab->blocks)) return;
  ArenaBin& bin = bins_[slab->size_class];
  // The last one of a class stays, and so does one whose mail is on its way, as
  // in a Heap.
  if (bin.listed == slab && slab->next == nullptr) return;
  Release(slab);
}

// Gives a slab of which all blocks are available back, if its mail allows.
void ArenaHeap::Release(Slab* slab) {
  if (slab->pending.Load(Order::kRelaxed) != 0) return;
  ArenaBin& bin = bins_[slab->size_class];
  Unlist(slab);
  bin.slabs = bin.slabs - 1;
  only_.range = nullptr;
  const unsigned units = slab->units;
  touched_ = touched_ - size_t{slab->fresh} * InfoOf(slab->size_class).size;
  const Span span = home()->instance()->region.SpanAt(slab->start);
  const bool dirty = slab->fresh != 0 || !slab->zero;
  Ledger::Remove(slab->ledger_slot);
  RetireSlab(*span.range, slab);
  arena_->GiveSpan(span, units, dirty);
}

// Puts what was taken and not handed out back.
void ArenaHeap::ReturnRest(SizeClass c) {
  ArenaBin& bin = bins_[c];
  const auto count = static_cast<unsigned>(bin.Left());
  if (count == 0) return;
  const BitWord mask = bin.mask.Own();
  char* const start = mask != 0 ? bin.mask_start : bin.next.Own();
  bin.mask.Store(0, Order::kRelaxed);
  bin.end.Store(bin.next.Own(), Order::kRelaxed);
  Slab* const slab =
      SlabHolding(*home()->instance()->region.RangeOf(start), start);
  const unsigned index = PlaceOf(slab, InfoOf(c), start).index;
  if (mask != 0) {
    const unsigned word = index / 64;
    slab->local[word] |= mask;
    if (word < slab->hint_word) slab->hint_word = static_cast<uint16_t>(word);
    slab->available = static_cast<uint16_t>(slab->available + count);
  } else {
    ReturnFresh(slab, index);
    touched_ = touched_ - count * size_t{InfoOf(c).size};
  }
  bin.taken = bin.taken - count;
  Count(-static_cast<ptrdiff_t>(count),
        -static_cast<ptrdiff_t>(count * size_t{InfoOf(c).size}));
  Gained(slab);
}

ALCOVE_COLD bool ArenaHeap::ReleaseEmpty() {
  bool any = false;
  for (uint64_t bins = used_bins_; bins != 0; bins &= bins - 1) {
    const SizeClass c = LowestBit(bins);
    ReturnRest(c);
    Slab* const slab = bins_[c].listed;
    if (slab == nullptr || slab->available != slab->blocks) continue;
    Release(slab);
    any = true;
  }
  return any;
}

void ArenaHeap::Collect() {
  OpenMail([this](Slab* slab) {
    // Announced late, when its unit had become one of a run.
    if (ALCOVE_UNLIKELY(slab->size_class == kRunMark)) return;
    const ClassInfo& info = InfoOf(slab->size_class);
    const unsigned count = CollectRemote(slab, info);
    if (count != 0) {
      CheckCollected(slab);
      Count(-static_cast<ptrdiff_t>(count),
            -static_cast<ptrdiff_t>(count * size_t{info.size}));
    }
    if (count != 0 || slab->listed) Gained(slab);
  });
}

// What another thread freed cannot be what was not handed out yet.
void ArenaHeap::CheckCollected(const Slab* slab) const {
  const ArenaBin& bin = bins_[slab->size_class];
  if (bin.Left() == 0) return;
  const BitWord mask = bin.mask.Own();
  const char* const start = mask != 0 ? bin.mask_start : bin.next.Own();
  const auto offset = AddressOf(start) - AddressOf(slab->start);
  if (offset >= size_t{slab->units} << kUnitShift) return;
  const auto first = static_cast<unsigned>(offset / bin.size);
  if (mask != 0) {
    const BitWord held = slab->local[first / 64] & mask;
    if (ALCOVE_LIKELY(held == 0)) return;
    Stop(Misuse::kDoubleFree, start + size_t{LowestBit(held)} * bin.size,
         bin.size);
  }
  for (unsigned i = first; i < slab->fresh; ++i) {
    if (ALCOVE_UNLIKELY((slab->local[i / 64] >> (i % 64) & 1) != 0))
      Stop(Misuse::kFreeNeverAllocated, slab->start + size_t{i} * bin.size);
  }
}

void* ArenaHeap::Refill(SizeClass c, bool* zero) {
  if (HasMail()) Collect();
  ArenaBin& bin = bins_[c];
  const ClassInfo& info = InfoOf(c);
  used_bins_ |= uint64_t{1} << c;
  Slab* slab = bin.listed;
  if (slab == nullptr) {
    Ledger::Slot* slot;
    const Span span = arena_->TakeSpan(this, info.units, kUnit, &slot);
    if (ALCOVE_LIKELY(span.range != nullptr)) {
      slab = CreateSlab(span, c, this, arena_->entry());
      const uint64_t number = arena_->number.Load(Order::kRelaxed);
      for (unsigned i = 0; i < info.units; ++i) slab[i].arena = number;
      slab->ledger_slot = slot;
      Ledger::Write(slot, slab->start, info.units);
      bin.slabs = bin.slabs + 1;
      touched_ = touched_ + size_t{slab->fresh} * info.size;
      List(slab);
    } else {
      Collect();
      slab = bin.listed;
      if (slab == nullptr) return nullptr;
    }
  }
  unsigned count;
  bin.size = info.size;
  const unsigned fresh = slab->fresh;
  if (slab->available == slab->blocks - fresh) {
    count = TakeFresh(slab, info, ArenaBin::FreshMax(info.size));
    *zero = slab->zero;
    char* const start = slab->start + size_t{fresh} * info.size;
    touched_ = touched_ + size_t{count} * info.size;
    bin.next.Store(start, Order::kRelaxed);
    bin.end.Store(start + size_t{count} * info.size, Order::kRelaxed);
  } else {
    const TakenWord taken =
        Config::kRandomPlacement
            ? TakeOne(slab, home()->RandomBelow(slab->blocks))
            : TakeWord(slab, info);
    count = taken.count;
    *zero = taken.zero;
    bin.mask_start = taken.start;
    bin.mask.Store(taken.blocks, Order::kRelaxed);
  }
  if (slab->available == 0) Unlist(slab);
  const uint64_t bit = uint64_t{1} << c;
  zero_bins_ = *zero ? zero_bins_ | bit : zero_bins_ & ~bit;
  bin.taken = bin.taken + count;
  Count(count, static_cast<ptrdiff_t>(count * size_t{info.size}));
  return Pop(bin);
}

bool ArenaHeap::Holds(SizeClass c, const char* block) const {
  const ArenaBin& bin = bins_[c];
  const char* const next = bin.next.Load(Order::kRelaxed);
  const char* const end = bin.end.Load(Order::kRelaxed);
  if (AddressOf(block) - AddressOf(next) < AddressOf(end) - AddressOf(next))
    return true;
  const BitWord mask = bin.mask.Load(Order::kRelaxed);
  if (mask == 0) return false;
  const size_t offset = AddressOf(block) - AddressOf(bin.mask_start);
  return offset < size_t{64} * bin.size &&
         (mask >> (offset / bin.size) & 1) != 0;
}

void ArenaHeap::FreeOwn(Slab* slab, const BlockPlace& place) {
  const ClassInfo& info = InfoOf(slab->size_class);
  const unsigned w = place.index / 64;
  const BitWord bit = BitWord{1} << (place.index % 64);
  BitWord* const local = slab->local + w;
  char* const block = slab->start + size_t{place.index} * info.size;
  if (ALCOVE_UNLIKELY(place.index >= slab->fresh ||
                      Holds(slab->size_class, block))) {
    Stop(Misuse::kFreeNeverAllocated, block);
  }
  if (ALCOVE_UNLIKELY(
          ((*local | slab->remote[w].Load(Order::kRelaxed)) & bit) != 0)) {
    Stop(Misuse::kDoubleFree, block, info.size);
  }
  *local |= bit;
  if (w < slab->hint_word) slab->hint_word = static_cast<uint16_t>(w);
  slab->available = static_cast<uint16_t>(slab->available + 1);
  ArenaBin& bin = bins_[slab->size_class];
  bin.freed = bin.freed + 1;
  Count(-1, -static_cast<ptrdiff_t>(info.size));
  Gained(slab);
}

// ---- Runs ----

size_t ArenaHeap::RunTouched() const {
  const char* const next = run_next();
  const char* const start = run_start_.Load(Order::kRelaxed);
  // Where another thread looks, the two may be of different runs.
  const size_t bytes = AddressOf(next) - AddressOf(start);
  return bytes <= kRunUnitsMax * kUnit ? bytes : 0;
}

void ArenaHeap::CloseRun() {
  // Before others see that it is not the last one any more.
  RunBytes(run_).Store(static_cast<BitWord>(run_next_.Own() - run_->start),
                       Order::kRelease);
}

bool ArenaHeap::NewRun(size_t bytes) {
  const size_t needed = (bytes + kUnit - 1) >> kUnitShift;
  size_t units = Max(needed, run_units_);
  // Shorter rather than elsewhere.
  if (ALCOVE_UNLIKELY(arena_->lent.Load(Order::kRelaxed) != nullptr) &&
      !arena_->HasDonated(units)) {
    units = needed;
  }
  Ledger::Slot* slot;
  Span span = arena_->TakeSpan(this, units, kUnit, &slot);
  if (ALCOVE_UNLIKELY(span.range == nullptr && units > needed)) {
    units = needed;
    span = arena_->TakeSpan(this, units, kUnit, &slot);
  }
  if (ALCOVE_UNLIKELY(span.range == nullptr)) return false;
  run_units_ = static_cast<unsigned>(Min(run_units_ * 2, kRunUnitsMax));
  auto* const run = static_cast<Slab*>(span.range->descriptor(span.first));
  run->start = span.start();
  run->units = static_cast<uint32_t>(units);
  run->size_class = kRunMark;
  run->zero = span.zero;
  run->moved = Moved::kNo;
  run->owner.Store(this, Order::kRelaxed);
  RunBytes(run).Store(0, Order::kRelaxed);
  const uint64_t number = arena_->number.Load(Order::kRelaxed);
  for (unsigned i = 0; i < units; ++i) {
    run[i].place = i;
    run[i].arena = number;
    SetEntry(*span.range, span.first + i, arena_->entry());
  }
  run->ledger_slot = slot;
  Ledger::WriteForGood(slot, run->start, units);
  if (run_ != nullptr) {
    touched_ = touched_ + RunTouched();
    CloseRun();
  }
  run_ = run;
  run_range_ = span.range;
  run_start_.Store(run->start, Order::kRelaxed);
  run_end_ = run->start + (units << kUnitShift);
  run_next_.Store(run->start, Order::kRelease);
  run_limit_ = run->start;
  return true;
}

// The bits of the run's unit that `place` is in, which will be written to.
Atomic<BitWord>* ArenaHeap::RunUnit(const char* place) const {
  const size_t index = run_range_->IndexOf(place);
  return static_cast<Atomic<BitWord>*>(run_range_->bits(index));
}

// Has Enter find the bits of the unit that `place` is in.
void ArenaHeap::EnterFrom(const char* place) {
  run_begun_ = AddressOf(RunUnit(place)) -
               AddressOf(place) / kUnit * kBitWordsMax * sizeof(BitWord);
}

void ArenaHeap::EnterPadding(const char* place) {
  const uintptr_t granule = AddressOf(place) / kRunGranule;
  Atomic<BitWord>* const freed = RunUnit(place) + kBitWordsMax;
  freed[granule / 64 % kBitWordsMax].FetchOr(BitWord{1} << (granule % 64),
                                             Order::kRelaxed);
}

// How far the fast path may go: where another unit begins, its bits have to be
// looked up first.
void ArenaHeap::SetLimit(char* next) {
  const size_t rest = AddressOf(next) % kUnit;
  run_limit_ = rest == 0 ? next : next + (kUnit - rest);
}

void* ArenaHeap::AllocateRun(size_t size, size_t alignment, bool zero) {
  if (ALCOVE_UNLIKELY(resting_) && !StartRested()) return nullptr;
  const size_t bytes = RoundUp(Max(size, 1), granule_mask_ + 1);
  char* block = nullptr;
  if (run_ != nullptr) {
    block =
        reinterpret_cast<char*>(RoundUp(AddressOf(run_next_.Own()), alignment));
  }
  // Runs begin at a unit, so that no alignment up to that takes more.
  if (block == nullptr ||
      AddressOf(run_end_) - Min(AddressOf(block), AddressOf(run_end_)) <
          bytes) {
    if (ALCOVE_UNLIKELY(!NewRun(bytes))) return nullptr;
    block = run_->start;
  } else if (ALCOVE_UNLIKELY(block != run_next_.Own())) {
    EnterPadding(run_next_.Own());
    run_next_.Store(block, Order::kRelease);
  }
  EnterFrom(block);
  Enter(block);
  char* const next = block + bytes;
  SetLimit(next);
  if (ALCOVE_UNLIKELY(bytes > kUnit - AddressOf(block) % kUnit &&
                      run_limit_ != next)) {
    EnterFrom(next);
  }
  run_next_.Store(next, Order::kRelease);
  if (zero && !run_->zero) memset(block, 0, size);
  return block;
}

bool ArenaHeap::ExtendLast(void* block, size_t usable, size_t size) {
  char* const start = static_cast<char*>(block);
  char* const next = run_next_.Own();
  if (start + usable != next ||
      AddressOf(start) / kUnit != (AddressOf(next) - 1) / kUnit)
    return false;
  if (size > kUnit) return false;
  const size_t bytes = RoundUp(size, granule_mask_ + 1);
  // Within its unit.
  if (AddressOf(start) % kUnit + bytes > kUnit) return false;
  SetLimit(start + bytes);
  run_next_.Store(start + bytes, Order::kRelease);
  return true;
}

// ---- Any size ----

void* ArenaHeap::Allocate(size_t size, size_t alignment, bool zero) {
  if (ALCOVE_UNLIKELY(size > kRequestMax)) return nullptr;
  alignment = Max(alignment, arena_->alignment);
  if (arena_->monotonic && size <= kSlabMax && alignment <= kUnit)
    return AllocateRun(size, alignment, zero);
  SizeClass c;
  if (alignment <= 16) {
    const size_t least = alignment <= 8 ? 1 : 16;
    c = size <= kSlabMax ? ClassOfSize(Max(size, least)) : 0;
  } else {
    c = alignment <= kUnit ? AlignedClass(alignment, size) : 0;
  }
  if (c == 0)
    return arena_->AllocateLarge(this, SpanUnits(size), Max(alignment, kUnit),
                                 size, zero);
  ArenaBin& bin = bins_[c];
  bool is_zero = (zero_bins_ >> c & 1) != 0;
  void* block = Pop(bin);
  if (block == nullptr) {
    // Where there is room for the block alone, that rather than a slab elsewhere.
    if (ALCOVE_UNLIKELY(arena_->lent.Load(Order::kRelaxed) != nullptr) &&
        InfoOf(c).units != 1 && bin.listed == nullptr &&
        !arena_->HasDonated(InfoOf(c).units) && arena_->HasDonated(1)) {
      return arena_->AllocateLarge(this, 1, kUnit, size, zero);
    }
    block = Refill(c, &is_zero);
    // Where there is no room for a slab there may be for the block alone.
    if (block == nullptr && InfoOf(c).units != 1)
      return arena_->AllocateLarge(this, 1, kUnit, size, zero);
  }
  if (block != nullptr) CheckStillFreed(c, block);
  if (block != nullptr && zero && !is_zero) memset(block, 0, size);
  return block;
}

}  // namespace ALCOVE_CORE_NAMESPACE
