// Giving back a part of a block.
#include "core/api/allocate.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/hardening/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

SizeClass ClassAt(const void* p) {
  const Range* const range = g_instance.region.RangeOf(p);
  if (range == nullptr) return 0;
  const SizeClass c = ClassOfEntry(EntryOf(*range, p));
  if (c == kGoneClass) g_arenas.StopGone("free_range of", p, *range);
  return c;
}

}  // namespace

bool FreeRange(void* p, size_t n) {
  Heap* const heap = CurrentHeap();
  [[maybe_unused]] const background::Tending tending;
  return g_instance.parts.FreeRange(heap, p, n);
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT int ALCOVE_PUBLIC(free_range)(void* p, size_t n) noexcept {
  if (n == 0) return 0;
  const core::KeepErrno keep_errno;
  const core::Call call;
  if (core::ClassAt(p) == core::kArenaClass) return core::kInvalidArgument;
  return core::FreeRange(p, n) ? 0 : core::kNoMemory;
}
