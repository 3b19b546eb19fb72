#include "core/api/allocate.h"

#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/failure.h"
#include "core/api/oom.h"
#include "core/arena/arena_blocks.h"
#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"
#include "core/heap/homeless.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// A tail of so many bytes that realloc cuts off is worth giving back.
constexpr size_t kTailMin = size_t{1} << 20;

// Whether a live part begins at `p`, and not a block that is whole; stops for what
// is neither.
ALCOVE_COLD bool IsPart(const void* p) {
  if (g_instance.parts.SizeOf(p) != 0) return true;
  if (g_instance.parts.Holds(p)) Stop(Misuse::kUseInside, p);
  return false;
}

}  // namespace

void* AllocateClass(Heap* heap, SizeClass c) {
  void* block = heap->bin(c).Pop();
  if (block == nullptr) block = heap->Refill(c);
  if (block != nullptr) CheckAllocated(*heap, c, block);
  return block;
}

Range* FindBlock(const void* block, MapEntry* entry) {
  Range* const range = g_instance.region.RangeOf(block);
  if (ALCOVE_UNLIKELY(range == nullptr)) {
    Stop(g_instance.program_break.Contains(block) ? Misuse::kUseAfterFree
                                                  : Misuse::kUseForeign,
         block);
  }
  *entry = EntryOf(*range, block);
  const SizeClass c = ClassOfEntry(*entry);
  if (c == kArenaClass && !g_instance.parts.MayHoldArenas()) return range;
  if (ALCOVE_UNLIKELY(c == kGoneClass))
    g_arenas.StopGone("size or realloc asked of", block, *range);
  if (ALCOVE_UNLIKELY(c == 0 || c == kShelvedClass)) {
    Stop(Misuse::kUseAfterFree, block);
  }
  if (ALCOVE_UNLIKELY(g_instance.parts.MayHold(*range, block, *entry)) &&
      IsPart(block)) {
    *entry = MakeEntry(kPartsClass, HeapOfEntry(*entry));
    return range;
  }
  if (c == kArenaClass) return range;
  *entry = Parts::EntryOfWhole(*range, block, *entry);
  const SizeClass whole = ClassOfEntry(*entry);
  const bool inside =
      IsSlabClass(whole)
          ? !IsBlockStart(*range, InfoOf(whole), block)
          : whole == kInteriorClass || AddressOf(block) % kUnit != 0;
  if (ALCOVE_UNLIKELY(inside)) Stop(Misuse::kUseInside, block);
  return range;
}

size_t SizeIn(const Range& range, const void* block, MapEntry entry) {
  const SizeClass c = ClassOfEntry(entry);
  if (ALCOVE_UNLIKELY(c == kPartsClass)) return g_instance.parts.SizeOf(block);
  return IsSlabClass(c) ? InfoOf(c).size : LargeSize(range, block);
}

namespace {

// A block of a class, if need be one made of what free_range gave back. Not one of 8
// bytes: it would have 16, and a size that free_sized does not expect.
ALCOVE_COLD void* AllocateClassOrPart(Heap* heap, SizeClass c) {
  if (InfoOf(c).size >= Parts::kGranule && heap->bin(c).own() == 0 &&
      heap->bin(c).mask.Load(Order::kRelaxed) == 0 && heap->WouldMakeSlab(c)) {
    void* const part = g_instance.parts.Take(heap, InfoOf(c).size);
    if (part != nullptr) return part;
  }
  return AllocateClass(heap, c);
}

// When no bin has a block. Null if there is no memory, and so with all names that
// begin with Try: no handler is asked.
void* TryAllocateSlower(size_t size) {
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  if (size > kSlabMax) return AllocateLarge(heap, size, kUnit, false);
  const SizeClass c = ClassOfSize(size);
  if (ALCOVE_UNLIKELY(g_instance.parts.HasGap(InfoOf(c).size)))
    return AllocateClassOrPart(heap, c);
  return AllocateClass(heap, c);
}

ALCOVE_NOINLINE void* AllocateSlower(size_t size) {
  void* const block = TryAllocateSlower(size);
  if (ALCOVE_LIKELY(block != nullptr)) return block;
  return TryAgainOrFail(Shortage(0, size, DefaultAlignment(size)),
                        [size] { return TryAllocateSlower(size); });
}

// A block of any size when the fast path had none, by Last where no bin has one
// either.
template <void* (*Last)(size_t)>
ALCOVE_INLINE void* AllocateSlowOr(size_t size) {
  // Sizes that have no place in the look-up table come here first. The heap
  // that a thread has before its first call has empty bins for them, too.
  if (size > kLookupMax && size <= kExactUnitsMax * kUnit) {
    const SizeClass c = size <= kSlabMax
                            ? ClassOfSize(size)
                            : SpanClass((size + kUnit - 1) >> kUnitShift);
    void* const block = ThreadHeap()->bin(c).Pop();
    if (ALCOVE_LIKELY(block != nullptr)) {
      if (ALCOVE_UNLIKELY(size > kSlabMax && AddressOf(block) % kUnit != 0)) {
        Stop(Misuse::kFreeInside, block);
      }
      CheckAllocated(*ThreadHeap(), c, block);
      return block;
    }
  }
  if (size > kExactUnitsMax * kUnit && size <= kSpanUnitsMax * kUnit) {
    void* const block = ThreadHeap()->TakeCachedSpan(
        SpanClass((size + kUnit - 1) >> kUnitShift));
    if (ALCOVE_LIKELY(block != nullptr)) return block;
  }
  return Last(size);
}

// Not sealed, and so with all names that end with Open.
void* TryAllocateOpen(size_t size) {
  return AllocateFromOr<AllocateSlowOr<TryAllocateSlower>>(
      [] { return ThreadHeap(); }, size);
}

void* TryAllocate(size_t size) {
  return Sealed(TryAllocateOpen(WithCanary(size)), size);
}

void* TryAllocateZeroedOpen(size_t size) {
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  if (size > kSlabMax) return AllocateLarge(heap, size, kUnit, true);
  void* block;
  const SizeClass c = ClassOfSize(size);
  Bin& bin = heap->bin(c);
  // A block from the array was used before; one from the mask may be fresh.
  bool zero = false;
  if (bin.own() != 0) {
    block = bin.Pop();
  } else {
    block = bin.PopMask();
    if (block == nullptr) block = heap->Refill(c);
    // Refill may have found blocks that other threads freed, but always through
    // the mask.
    zero = bin.mask_zero;
  }
  if (ALCOVE_UNLIKELY(block == nullptr)) return nullptr;
  CheckAllocated(*heap, c, block);
  if (!zero) memset(block, 0, size);
  return block;
}

void* TryAllocateZeroed(size_t size) {
  return Sealed(TryAllocateZeroedOpen(WithCanary(size)), size);
}

void* TryAllocateAlignedOpen(size_t alignment, size_t size) {
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  const SizeClass c = alignment <= kUnit ? AlignedClass(alignment, size) : 0;
  ALCOVE_INVARIANT(c == 0 || InfoOf(c).size % alignment == 0);
  return c != 0 ? AllocateClass(heap, c)
                : AllocateLarge(heap, size, Max(alignment, kUnit), false);
}

void* TryAllocateAligned(size_t alignment, size_t size) {
  return Sealed(TryAllocateAlignedOpen(alignment, WithCanary(size)), size);
}

}  // namespace

void* AllocateSlow(size_t size) {
  if constexpr (Config::kCanaries) {
    void* const block = TryAllocate(size);
    if (ALCOVE_LIKELY(block != nullptr)) return block;
    return TryAgainOrFail(Shortage(0, size, DefaultAlignment(size)),
                          [size] { return TryAllocate(size); });
  }
  return AllocateSlowOr<AllocateSlower>(size);
}

void* AllocateZeroed(size_t size) {
  if (ALCOVE_LIKELY(size <= kLookupMax && !Config::kCanaries)) {
    void* const block = ThreadHeap()->BinAt(LookupBinOffset(size)).PopOwn();
    if (ALCOVE_LIKELY(block != nullptr)) {
      CheckAllocated(*ThreadHeap(), LookupClass(size), block);
      return memset(block, 0, size);
    }
  }
  void* const block = TryAllocateZeroed(size);
  if (ALCOVE_LIKELY(block != nullptr)) return block;
  return TryAgainOrFail(Shortage(0, size, DefaultAlignment(size)),
                        [size] { return TryAllocateZeroed(size); });
}

void* AllocateAligned(size_t alignment, size_t size) {
  // Where the default alignment does, or a class that is at least 16.
  if (alignment <= 8) return Allocate(size);
  if (alignment <= 16 && (size >= 16 || !Config::kCanaries))
    return Allocate(Max(size, 16));
  if (ALCOVE_UNLIKELY(size > kRequestMax - alignment)) return Fail(kNoMemory);
  void* const block = TryAllocateAligned(alignment, size);
  if (ALCOVE_LIKELY(block != nullptr)) return block;
  return TryAgainOrFail(Shortage(0, size, alignment), [alignment, size] {
    return TryAllocateAligned(alignment, size);
  });
}

namespace {

template <bool kSealed, bool kMayBeInParts = true>
ALCOVE_INLINE void FreeAny(void* block) {
  if (block == nullptr) return;
  Range* const range = g_instance.region.RangeOf(block);
  if (ALCOVE_UNLIKELY(range == nullptr)) {
    Stop(g_instance.program_break.Contains(block) ? Misuse::kFreeNoBlock
                                                  : Misuse::kFreeForeign,
         block);
  }
  MapEntry entry = EntryOf(*range, block);
  SizeClass c = ClassOfEntry(entry);
  if (ALCOVE_UNLIKELY(c == 0 || c == kShelvedClass)) {
    Stop(Misuse::kFreeNoBlock, block);
  }
  if (ALCOVE_UNLIKELY(c == kGoneClass))
    g_arenas.StopGone("free of", block, *range);
  if (c >= kArenaClass || c == kInteriorClass) {
    if (kMayBeInParts &&
        ALCOVE_UNLIKELY(g_instance.parts.MayHold(*range, block, entry)) &&
        g_instance.parts.Free(CurrentHeap(), block))
      return;
    if (ALCOVE_UNLIKELY(c == kInteriorClass)) Stop(Misuse::kFreeInside, block);
    entry = Parts::EntryOfWhole(*range, block, entry);
    c = ClassOfEntry(entry);
    // As a caller of the inline header might have it pass.
    if (IsSlabClass(c) && !IsBlockStart(*range, InfoOf(c), block))
      Stop(Misuse::kFreeInside, block);
  }
  Heap* const heap = CurrentHeap();
  if (c == kArenaClass) {
    [[maybe_unused]] const background::Tending tending;
    const ArenaBlock found =
        FindArenaBlock(g_arenas, range, block, entry, BlockUse::kFree);
    size_t size;
    const bool sealed = !kSealed || BreakSealInArena(found, block, &size);
    if constexpr (Config::kZeroOnFree)
      memset(block, 0, ArenaBlockSize(found, block));
    FreeArenaBlock(heap, found, block);
    if (ALCOVE_UNLIKELY(!sealed)) Stop(Misuse::kWritePastEnd, block, size);
    return;
  }
  if constexpr (kSealed) BreakSeal(heap, range, block, entry);
  if (ALCOVE_UNLIKELY(heap == nullptr)) {
    return FreeHomeless(&g_instance, *range, block, entry);
  }
  [[maybe_unused]] const background::Tending tending;
  CheckFreed(*heap, block, entry);
  FillFreed(g_instance.region, block, entry);
  if (c == kHugeClass) return FreeHuge(heap, *range, block);
  if constexpr (Config::kUncached) {
    if (IsSlabClass(c)) return heap->FreeLater(c, block);
  }
  Bin& bin = heap->bin(c);
  if (bin.full()) {
    if (IsSlabClass(c)) {
      heap->MakeRoom(c);
    } else if (!heap->MakeSpanRoom(c)) {
      return heap->ReleaseSpan(block);
    }
  }
  if (HeapOfEntry(entry) == heap->number()) {
    bin.PushOwn(block);
  } else {
    bin.PushOther(block);
  }
}

}  // namespace

void FreeSlow(void* block) { FreeAny<Config::kCanaries>(block); }

ALCOVE_COLD void FreeAllParts(void* block) {
  FreeAny<Config::kCanaries, false>(block);
}

void FreeOpenSlow(void* block) {
  // Without seals it is FreeSlow.
  if constexpr (Config::kCanaries) FreeAny<false>(block);
}

size_t UsableSize(const void* block) {
  MapEntry entry;
  Range* const range = FindBlock(block, &entry);
  if (Config::kCanaries && ClassOfEntry(entry) != kPartsClass)
    return SealedSize(range, block, entry);
  if (ClassOfEntry(entry) == kArenaClass) {
    return ArenaBlockSize(
        FindArenaBlock(g_arenas, range, block, entry, BlockUse::kOther), block);
  }
  return SizeIn(*range, block, entry);
}

bool MayHaveSize(const void* block, size_t usable, size_t size) {
  if constexpr (Config::kCanaries) return size == usable;
  if (size > usable) return false;
  // realloc keeps a block while at least half of it stays in use, so a block
  // may be up to twice as large as its size asks for.
  if (size >= usable / 2 || GoodSize(size) == usable) return true;
  const Range* const range = g_instance.region.RangeOf(block);
  const MapEntry entry = EntryOf(*range, block);
  if (ClassOfEntry(entry) != kArenaClass) return false;
  // Where a quota had no room for a slab, the block has a unit by itself.
  const auto* const slab =
      static_cast<const Slab*>(range->descriptor(range->IndexOf(block)));
  if (slab->size_class == kLargeMark && slab->units == 1 && size > kSmallMax)
    return true;
  // All blocks may be rounded up to the arena's alignment; and a run's are kept
  // however short they become.
  const Arena* const arena = g_arenas.at(HeapOfEntry(entry));
  return arena->monotonic || arena->alignment > 16;
}

namespace {

void* TryReallocateInArena(Range* range, void* block, MapEntry entry,
                           size_t size) {
  const ArenaBlock found =
      FindArenaBlock(g_arenas, range, block, entry, BlockUse::kOther);
  Arena* const arena = found.arena;
  uint64_t crossed = 0;
  Heap* const heap = CurrentHeap();
  [[maybe_unused]] const background::Tending tending;
  void* const target =
      size > kRequestMax
          ? nullptr
          : ReallocateArenaBlock(&g_arenas, heap, found, block, size, &crossed);
  Arenas::CallBack(arena, crossed, CallSoftQuotaOf);
  return target;
}

void* TryReallocateOpen(Range* range, void* block, MapEntry entry,
                        size_t size) {
  if (ClassOfEntry(entry) == kArenaClass)
    return TryReallocateInArena(range, block, entry, size);
  const size_t old_size = SizeIn(*range, block, entry);
  // In place while at least half of the block stays in use; a tail that is long
  // enough to be worth a system call goes back all the same.
  if (size <= old_size && size >= old_size / 2 && old_size - size < kTailMin) {
    return block;
  }
  if (ALCOVE_UNLIKELY(size > kRequestMax)) return nullptr;
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  [[maybe_unused]] const background::Tending tending;
  if (!IsSlabClass(ClassOfEntry(entry)) && size > kSlabMax) {
    CheckFreed(*heap, block, entry);
    if (ResizeLargeInPlace(heap, block, size)) return block;
    return MoveLarge(heap, block, size);
  }
  void* const target = TryAllocateOpen(size);
  if (ALCOVE_UNLIKELY(target == nullptr)) return nullptr;
  memcpy(target, block, Min(size, old_size));
  FreeOpen(block);
  return target;
}

// A part stays where it is and is cut, or moves; within its arena, if it has one.
ALCOVE_COLD void* TryReallocatePart(Range* range, void* block, MapEntry entry,
                                    size_t size) {
  const size_t old_size = SizeIn(*range, block, entry);
  if (size <= old_size) {
    // What cannot be written down stays.
    if (size < old_size / 2 || old_size - size >= kTailMin)
      FreeRange(static_cast<char*>(block) + size, old_size - size);
    return block;
  }
  if (ALCOVE_UNLIKELY(size > kRequestMax)) return nullptr;
  const ArenaHandle arena = ArenaHolding(block);
  void* const target =
      arena != 0 ? TryArenaAllocate(arena, size, 8, false) : TryAllocate(size);
  if (ALCOVE_UNLIKELY(target == nullptr)) return nullptr;
  memcpy(target, block, old_size);
  Free(block);
  return target;
}

// With the block looked up anew: a handler may have done anything since.
void* TryReallocate(void* block, size_t size) {
  MapEntry entry;
  Range* const range = FindBlock(block, &entry);
  if (ALCOVE_UNLIKELY(ClassOfEntry(entry) == kPartsClass))
    return TryReallocatePart(range, block, entry, size);
  const size_t old_size = OpenSeal(range, block, entry);
  void* const target = TryReallocateOpen(range, block, entry, WithCanary(size));
  if (ALCOVE_LIKELY(target != nullptr)) return Sealed(target, size);
  Sealed(block, old_size);
  return nullptr;
}

}  // namespace

void* Reallocate(void* block, size_t size) {
  void* const target = TryReallocate(block, size);
  if (ALCOVE_LIKELY(target != nullptr)) return target;
  return TryAgainOrFail(
      Shortage(ArenaHolding(block), size, DefaultAlignment(size)),
      [block, size] { return TryReallocate(block, size); });
}

}  // namespace ALCOVE_CORE_NAMESPACE
