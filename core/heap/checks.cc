#include "core/heap/checks.h"

#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"
#include "core/heap/instance.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace internal {

// `size` is a multiple of 8.
static void StopIfWrittenTo(const void* block, size_t size) {
  constexpr uint64_t kEight = ~uint64_t{0} / 0xff * kFreeByte;
  const auto* const bytes = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < size; i += sizeof(kEight)) {
    uint64_t here;
    __builtin_memcpy(&here, bytes + i, sizeof(here));
    if (ALCOVE_LIKELY(here == kEight)) continue;
    while (bytes[i] == kFreeByte) ++i;
    Stop(Misuse::kWriteAfterFree, bytes + i, size);
  }
}

void CheckAllocated(const Heap& heap, SizeClass c, const void* block) {
  if (!Config::kCheckInvariants) return;  // and leave no code in the copy
  const Range* const range = heap.instance()->region.RangeOf(block);
  ALCOVE_INVARIANT(range != nullptr);
  const MapEntry entry =
      Parts::EntryOfWhole(*range, block, EntryOf(*range, block));
  ALCOVE_INVARIANT(ClassOfEntry(entry) == c);
  if (!IsSlabClass(c)) return;
  ALCOVE_INVARIANT(HeapOfEntry(entry) == heap.number());
  Slab* const slab = SlabAt(*range, block, entry);
  ALCOVE_INVARIANT(slab->owner.Load(Order::kRelaxed) == &heap);
  ALCOVE_INVARIANT(slab->size_class == c);
  const BlockPlace place = PlaceOf(slab, InfoOf(c), block);
  ALCOVE_INVARIANT(place.is_start);
  ALCOVE_INVARIANT(place.index < slab->fresh);
  ALCOVE_INVARIANT((slab->local[place.index / 64] >> (place.index % 64) & 1) ==
                   0);
  ALCOVE_INVARIANT(!heap.Caches(c, block));
  StopIfWrittenTo(block, InfoOf(c).size);
}

void CheckStillFreed(SizeClass c, const void* block) {
  if (!Config::kCheckFreed) return;
  if (IsSlabClass(c)) StopIfWrittenTo(block, InfoOf(c).size);
}

void FillFreed(void* block, MapEntry entry) {
  if (!Config::kCheckInvariants) return;
  const SizeClass c = ClassOfEntry(entry);
  if (IsSlabClass(c)) memset(block, kFreeByte, InfoOf(c).size);
}

void CheckFreed(const Heap& heap, const void* block, MapEntry entry) {
  if (!Config::kCheckInvariants && !Config::kCanaries && !kFreesWait) return;
  const SizeClass c = ClassOfEntry(entry);
  if (c == 0 || c == kShelvedClass) Stop(Misuse::kFreeNoBlock, block);
  if (c == kInteriorClass) {
    const Range& range = *heap.instance()->region.RangeOf(block);
    if (heap.instance()->parts.MayHold(range, block, entry)) return;
    Stop(Misuse::kFreeInside, block);
  }
  // These are looked at elsewhere, at every free.
  if (c >= kArenaClass) return;
  if (heap.Caches(c, block)) Stop(Misuse::kDoubleFree, block);
  if (!IsSlabClass(c)) {
    if (AddressOf(block) % kUnit != 0) Stop(Misuse::kFreeInside, block);
    return;
  }
  const ClassInfo& info = InfoOf(c);
  const Range* const range = heap.instance()->region.RangeOf(block);
  Slab* const slab = SlabAt(*range, block, entry);
  ALCOVE_INVARIANT(slab->size_class == c);
  const BlockPlace place = PlaceOf(slab, info, block);
  const unsigned w = place.index / 64;
  const unsigned bit = place.index % 64;
  if (!place.is_start) Stop(Misuse::kFreeInside, block);
  if ((slab->remote[w].Load(Order::kRelaxed) >> bit & 1) != 0) {
    Stop(Misuse::kDoubleFree, block, info.size);
  }
  // The local bits are the owner's to read.
  if (HeapOfEntry(entry) != heap.number()) return;
  ALCOVE_INVARIANT(slab->owner.Load(Order::kRelaxed) == &heap);
  if (place.index >= slab->fresh) Stop(Misuse::kFreeNeverAllocated, block);
  if ((slab->local[w] >> bit & 1) != 0) {
    Stop(Misuse::kDoubleFree, block, info.size);
  }
}

void ZeroFreed(const Region& region, void* block, MapEntry entry) {
  if (!Config::kZeroOnFree) return;
  const Range& range = *region.RangeOf(block);
  const SizeClass c = ClassOfEntry(entry);
  if (IsSlabClass(c)) {
    // Or it would reach into the next block.
    if (!IsBlockStart(range, InfoOf(c), block))
      Stop(Misuse::kFreeInside, block);
    memset(block, 0, InfoOf(c).size);
  } else if (c <= kHugeClass && AddressOf(block) % kUnit == 0) {
    ClearLarge(region, block, LargeSize(range, block));
  }
}

}  // namespace internal
}  // namespace ALCOVE_CORE_NAMESPACE
