// Blocks at multiples of any number.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/oom.h"
#include "core/api/trace.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// The odd part of a number, and what it was multiplied by.
struct Factors {
  size_t odd;
  size_t power;

  explicit Factors(size_t number)
      : odd(number >> LowestBit(number)), power(number / odd) {}
};

// Spans begin at units, so what a span begins at is a multiple of both.
size_t SpanAlignment(const Factors& factors) {
  return factors.odd * Max(factors.power, kUnit);
}

bool ValidMultiple(size_t multiple) {
  return multiple != 0 && multiple <= kAlignmentMax &&
         SpanAlignment(Factors(multiple)) <= kAlignmentMax;
}

constexpr size_t CommonDivisor(size_t a, size_t b) {
  while (b != 0) {
    const size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// The class whose blocks are multiples of the power, whose size has nothing in common
// with the odd part, and of which a slab has as many blocks as that says: then one of
// them is where it should be. 0 if no class of about that size is such a one.
SizeClass ClassFor(const Factors& factors, size_t size) {
  if (factors.power > kUnit || size > kSlabMax) return 0;
  const SizeClass least = factors.power <= 16
                              ? ClassOfSize(Max(size, factors.power))
                              : AlignedClass(factors.power, size);
  if (least == 0) return 0;
  for (SizeClass c = least; c <= kSlabClasses; ++c) {
    const ClassInfo& info = InfoOf(c);
    if (info.size > 2 * size_t{InfoOf(least).size}) break;
    if (info.blocks >= factors.odd && info.size % factors.power == 0 &&
        CommonDivisor(info.size, factors.odd) == 1)
      return c;
  }
  return 0;
}

// Null if there is no memory; `multiple` is no power of two.
void* TryAtMultipleOpen(size_t multiple, size_t size) {
  Heap* const heap = CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  const Factors factors(multiple);
  const SizeClass c = ClassFor(factors, size);
  void* const block =
      c != 0 ? heap->TakeAtMultiple(c, multiple, factors.odd)
             : AllocateLarge(heap, size, SpanAlignment(factors), false);
  if (c != 0 && block != nullptr) CheckAllocated(*heap, c, block);
  return block;
}

void* TryAtMultiple(size_t multiple, size_t size) {
  return Sealed(TryAtMultipleOpen(multiple, WithCanary(size)), size);
}

void* AllocateAtMultiple(size_t multiple, size_t size) {
  if (IsPowerOfTwo(multiple)) return AllocateAligned(multiple, size);
  if (ALCOVE_UNLIKELY(size > kRequestMax)) return Fail(kNoMemory);
  void* const block = TryAtMultiple(multiple, size);
  if (ALCOVE_LIKELY(block != nullptr)) return block;
  return TryAgainOrFail(Shortage(0, size, multiple), [multiple, size] {
    return TryAtMultiple(multiple, size);
  });
}

}  // namespace

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT void* ALCOVE_PUBLIC(alloc_at_multiple)(size_t multiple,
                                                     size_t size) noexcept {
  if (ALCOVE_UNLIKELY(!core::ValidMultiple(multiple)))
    return core::Fail(core::kInvalidArgument);
  const core::Call call;
  return core::Traced(core::AllocateAtMultiple(multiple, size));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_alloc_at_multiple)(
    ALCOVE_PUBLIC(arena) * arena, size_t multiple, size_t size) noexcept {
  const core::ArenaHandle handle = core::AddressOf(arena);
  const core::Call call;
  if (ALCOVE_UNLIKELY(!core::ValidMultiple(multiple))) {
    core::g_arenas.Resolve(handle);
    return core::Fail(core::kInvalidArgument);
  }
  return core::Traced(core::ArenaAllocateSlow(
      handle, size,
      core::IsPowerOfTwo(multiple)
          ? multiple
          : core::SpanAlignment(core::Factors(multiple)),
      false));
}
