#include "core/heap/homeless.h"

#include "core/hardening/misuse.h"
#include "core/heap/checks.h"
#include "core/heap/large.h"
#include "core/heap/remote.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD void FreeHomeless(Instance* instance, const Range& range,
                              void* block, MapEntry entry) {
  const SizeClass c = ClassOfEntry(entry);
  size_t bytes;
  if (IsSlabClass(c)) {
    const ClassInfo& info = InfoOf(c);
    bytes = info.size;
    Slab* const slab = SlabAt(range, block, entry);
    const BlockPlace place = PlaceOf(slab, info, block);
    if (!place.is_start) Stop(Misuse::kFreeInside, block);
    const BitWord bit = BitWord{1} << (place.index % 64);
    FillFreed(instance->region, block, entry);
    if (FreeRemotely(slab, place.index / 64, bit) != 0) {
      Stop(Misuse::kDoubleFree, block, info.size);
    }
  } else {
    bytes = ReturnSpan(instance->region, block, false);
  }
  instance->homeless.blocks.FetchAdd(1, Order::kRelaxed);
  instance->homeless.bytes.FetchAdd(bytes, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
