#include "core/arena/arena_blocks.h"

#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// In place while at least half of the block stays in use, as in the instance's
// own heap.
bool Keeps(size_t old_size, size_t size) {
  return size <= old_size && size >= old_size / 2;
}

// Whether a block of a unit by itself, there for want of room for a slab, is
// right for this size, too.
bool IsForUnit(size_t old_size, size_t size) {
  return old_size == kUnit && size > kSmallMax && size <= kUnit;
}

ArenaHeap* OwnerOf(const Slab* slab) {
  return static_cast<ArenaHeap*>(slab->owner.Load(Order::kRelaxed));
}

bool IsBegun(const RunBits& bits, uintptr_t granule) {
  return (bits.begun[granule / 64 % kBitWordsMax].Load(Order::kRelaxed) >>
              (granule % 64) &
          1) != 0;
}

// One past the last block of a run.
uintptr_t EndOfRun(const Slab* run) {
  // As long as it is its owner's last one, the owner knows; that it is no more
  // is seen before its next one is (ArenaHeap::CloseRun).
  const uintptr_t next = AddressOf(OwnerOf(run)->run_next());
  const uintptr_t start = AddressOf(run->start);
  const size_t bytes = RunBytes(const_cast<Slab*>(run)).Load(Order::kAcquire);
  if (bytes != 0) return start + bytes;
  return next - start <= (size_t{run->units} << kUnitShift) ? next : start;
}

// The next block of a run after the address, or the run's end.
uintptr_t NextInRun(Range* range, const Slab* run, uintptr_t address) {
  // Read before the bits, so that they are there of every block before it.
  const uintptr_t end = EndOfRun(run);
  uintptr_t at = address + kRunGranule;
  while (at < end) {
    const RunBits bits =
        BitsOfRun(range, range->IndexOf(reinterpret_cast<const void*>(at)));
    const uintptr_t granule = at / kRunGranule;
    const size_t w = granule / 64 % kBitWordsMax;
    const BitWord word = (bits.begun[w].Load(Order::kRelaxed) |
                          bits.freed[w].Load(Order::kRelaxed)) >>
                         (granule % 64);
    if (word != 0) return Min(at + LowestBit(word) * kRunGranule, end);
    at = (granule / 64 + 1) * 64 * kRunGranule;
  }
  return end;
}

void FreeInRun(const ArenaBlock& block, void* address) {
  const uintptr_t granule = AddressOf(address) / kRunGranule;
  const RunBits bits = BitsOfRun(block.range, block.range->IndexOf(address));
  const BitWord bit = BitWord{1} << (granule % 64);
  if (ALCOVE_UNLIKELY((bits.freed[granule / 64 % kBitWordsMax].FetchOr(
                           bit, Order::kRelaxed) &
                       bit) != 0)) {
    Stop(Misuse::kDoubleFree, address);
  }
}

}  // namespace

ArenaBlock FindArenaBlock(const Arenas& arenas, Range* range,
                          const void* address, MapEntry entry, BlockUse use) {
  const Misuse inside =
      use == BlockUse::kFree ? Misuse::kFreeInside : Misuse::kUseInside;
  const Misuse never = use == BlockUse::kFree ? Misuse::kFreeNeverAllocated
                                              : Misuse::kUseAfterFree;
  ArenaBlock block;
  block.arena = arenas.at(HeapOfEntry(entry));
  block.range = range;
  block.slab = SlabHolding(*range, address);
  block.size = 0;
  if (block.slab->size_class == kRunMark) {
    const uintptr_t granule = AddressOf(address) / kRunGranule;
    const RunBits bits = BitsOfRun(range, range->IndexOf(address));
    if (ALCOVE_UNLIKELY(AddressOf(address) % kRunGranule != 0 ||
                        !IsBegun(bits, granule))) {
      Stop(AddressOf(address) < EndOfRun(block.slab) ? inside : never, address);
    }
    if (use != BlockUse::kFree &&
        (bits.freed[granule / 64 % kBitWordsMax].Load(Order::kRelaxed) >>
             (granule % 64) &
         1) != 0) {
      Stop(Misuse::kUseAfterFree, address);
    }
  } else if (block.slab->size_class == kLargeMark) {
    if (ALCOVE_UNLIKELY(AddressOf(address) % kUnit != 0)) Stop(inside, address);
    block.size = size_t{block.slab->units} << kUnitShift;
  } else {
    const ClassInfo& info = InfoOf(block.slab->size_class);
    block.place = PlaceOf(block.slab, info, address);
    if (ALCOVE_UNLIKELY(!block.place.is_start)) Stop(inside, address);
    block.size = info.size;
  }
  return block;
}

ALCOVE_COLD bool FindArenaBlockHolding(const Arenas& arenas, Range* range,
                                       const void* address, uintptr_t* begin,
                                       uintptr_t* end, uint64_t* arena) {
  const char* const unit =
      range->AddressOfUnit(FirstUnitOf(*range, range->IndexOf(address)));
  if (ClassOfEntry(EntryOf(*range, unit)) != kArenaClass) return false;
  const Slab* const slab = SlabHolding(*range, unit);
  const uintptr_t start = AddressOf(slab->start);
  uintptr_t at = AddressOf(address);
  if (slab->size_class == kLargeMark) {
    at = start;
  } else if (slab->size_class == kRunMark) {
    at = RoundDown(at, kRunGranule);
    while (at > start &&
           !IsBegun(BitsOfRun(range, range->IndexOf(
                                         reinterpret_cast<const void*>(at))),
                    at / kRunGranule))
      at -= kRunGranule;
  } else {
    const size_t size = InfoOf(slab->size_class).size;
    at = start + (at - start) / size * size;
  }
  const void* const block = reinterpret_cast<const void*>(at);
  const ArenaBlock found = FindArenaBlock(
      arenas, range, block, EntryOf(*range, block), BlockUse::kOther);
  *begin = at;
  *end = at + ArenaBlockSize(found, block);
  *arena = slab->arena;
  return AddressOf(address) < *end;
}

size_t ArenaBlockSize(const ArenaBlock& block, const void* address) {
  if (block.size != 0) return block.size;
  return NextInRun(block.range, block.slab, AddressOf(address)) -
         AddressOf(address);
}

void FreeArenaBlock(Heap* home, const ArenaBlock& block, void* address) {
  if (block.slab->size_class == kRunMark) return FreeInRun(block, address);
  if (block.slab->size_class == kLargeMark)
    return block.arena->FreeLarge(block.range, address);
  ArenaHeap* const owner = OwnerOf(block.slab);
  if (ALCOVE_LIKELY(owner != nullptr && home != nullptr &&
                    owner->home() == home)) {
    const Heap::AboveAtWork at_work(home);
    return owner->FreeOwn(block.slab, block.place);
  }
  const unsigned index = block.place.index;
  // Read before: once it is freed, the slab may be somebody else's.
  const SizeClass c = block.slab->size_class;
  const BitWord bit = BitWord{1} << (index % 64);
  if (ALCOVE_UNLIKELY(FreeRemotely(block.slab, index / 64, bit) != 0))
    Stop(Misuse::kDoubleFree, address, block.size);
  block.arena->CountFreedRemotely(c);
}

// A run's last block grows where it is; whether it did.
static bool ExtendInRun(Arenas* arenas, Heap* home, const ArenaBlock& block,
                        void* address, size_t old_size, size_t size) {
  ArenaHeap* const owner = OwnerOf(block.slab);
  // HeapFor: what another thread left may have to be settled first.
  return home != nullptr && owner->home() == home &&
         arenas->HeapFor(home, owner->handle()) == owner &&
         owner->ExtendLast(address, old_size, size);
}

bool ResizeArenaBlockInPlace(Arenas* arenas, Heap* home,
                             const ArenaBlock& block, void* address,
                             size_t size, uint64_t* crossed) {
  *crossed = 0;
  const size_t old_size = ArenaBlockSize(block, address);
  if (block.slab->size_class == kLargeMark) {
    // A block of a unit by itself is shorter than any that is asked for.
    if (size <= old_size && (SpanUnits(size) << kUnitShift) >= old_size)
      return true;
    return block.arena->ResizeLarge(block.range, address, size, crossed);
  }
  if (size <= old_size) return true;
  if (block.slab->size_class != kRunMark) return false;
  const Heap::AboveAtWork at_work(home);
  return ExtendInRun(arenas, home, block, address, old_size, size);
}

void* ReallocateArenaBlock(Arenas* arenas, Heap* home, const ArenaBlock& block,
                           void* address, size_t size, uint64_t* crossed) {
  *crossed = 0;
  const size_t old_size = ArenaBlockSize(block, address);
  const bool large = block.slab->size_class == kLargeMark;
  if (large && size > kSlabMax
          ? block.arena->ResizeLarge(block.range, address, size, crossed)
          : Keeps(old_size, size) || (large && IsForUnit(old_size, size))) {
    return address;
  }
  const Heap::AboveAtWork at_work(home);
  if (block.slab->size_class == kRunMark) {
    if (size <= old_size) return address;  // what is left is lost anyway
    if (ExtendInRun(arenas, home, block, address, old_size, size))
      return address;
  }
  if (home == nullptr) return nullptr;
  ArenaHeap* const heap =
      arenas->HeapFor(home, block.arena->handle.Load(Order::kRelaxed));
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  if (large && size > kSlabMax) {
    void* const moved =
        block.arena->MoveLarge(heap, block.range, address, size);
    *crossed = heap->TakeCrossed();
    return moved;
  }
  void* const target = heap->Allocate(size, 8, false);
  *crossed = heap->TakeCrossed();
  if (ALCOVE_UNLIKELY(target == nullptr)) return nullptr;
  memcpy(target, address, Min(size, old_size));
  if constexpr (Config::kZeroOnFree) memset(address, 0, old_size);
  FreeArenaBlock(home, block, address);
  return target;
}

}  // namespace ALCOVE_CORE_NAMESPACE
