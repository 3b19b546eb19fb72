// Many blocks in one call.
#include "core/api/allocate.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/oom.h"
#include "core/api/trace.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Takes up to `count` of the blocks that the bin has, without a refill; returns
// how many. Those that are handed out are there before the bin has them no more.
size_t PopMany(Bin* bin, void** blocks, size_t count) {
  void** const top = bin->top.Own();
  const size_t own = Min(static_cast<size_t>(top - bin->bottom), count);
  for (size_t i = 0; i < own; ++i)
    blocks[i] = top[-1 - static_cast<ptrdiff_t>(i)];
  bin->top.Store(top - own, Order::kRelaxed);
  size_t taken = own;
  BitWord mask = bin->mask.Own();
  for (; taken < count && mask != 0; mask &= mask - 1)
    blocks[taken++] = bin->mask_start + size_t{LowestBit(mask)} * bin->size;
  bin->mask.Store(mask, Order::kRelaxed);
  return taken;
}

size_t AllocateSlabBlocks(SizeClass c, size_t count, void** blocks) {
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return 0;
  Bin& bin = heap->bin(c);
  size_t taken = 0;
  while (taken < count) {
    const size_t more = PopMany(&bin, blocks + taken, count - taken);
    for (size_t i = 0; i < more; ++i)
      CheckAllocated(*heap, c, blocks[taken + i]);
    taken += more;
    if (taken == count) break;
    void* const block = heap->Refill(c);
    if (ALCOVE_UNLIKELY(block == nullptr)) break;
    CheckAllocated(*heap, c, block);
    blocks[taken++] = block;
  }
  return taken;
}

}  // namespace

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(malloc_batch)(size_t size, size_t count,
                                                 void** blocks) noexcept {
  const core::Call call;
  size_t taken = 0;
  if (size <= core::kSlabMax && !core::Config::kCanaries &&
      core::Config::kBacktraceFrames == 0) {
    const core::SizeClass c = core::ClassOfSize(size);
    taken = core::AllocateSlabBlocks(c, count, blocks);
    if (ALCOVE_LIKELY(taken == count)) return taken;
    core::Shortage shortage(0, size, core::DefaultAlignment(size));
    while (taken != count && shortage.TryAgain())
      taken += core::AllocateSlabBlocks(c, count - taken, blocks + taken);
    if (taken != count) {
      shortage.LogFailure();
      core::Fail(core::kNoMemory);
    }
    return taken;
  }
  for (; taken < count; ++taken) {
    blocks[taken] = core::Traced(core::Allocate(size));
    if (ALCOVE_UNLIKELY(blocks[taken] == nullptr)) break;
  }
  return taken;
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(free_batch)(void* const* blocks,
                                             size_t count) noexcept {
  const core::Call call;
  for (size_t i = 0; i < count; ++i) core::Free(blocks[i]);
}
