// The canaries of blocks (core/hardening/canary.h) at the one place where all of
// them pass: what the layers below hand out is sealed behind the bytes that were
// asked for, and the seal is looked at before a block is freed, resized or
// measured. Without the knob `canaries` all of it is nothing, and a block's usable
// size is its extent.
//
// Below the seal everything is in extents: what is asked of the layers there is
// WithCanary(size), and what they say of a block is its extent.
#ifndef ALCOVE_CORE_API_SEAL_H_
#define ALCOVE_CORE_API_SEAL_H_

#include "core/api/state.h"
#include "core/arena/arena_blocks.h"
#include "core/arena/survey.h"
#include "core/hardening/canary.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace internal {

void* Seal(void* block, size_t size);
size_t OpenSeal(Range* range, void* block, MapEntry entry);
size_t SealedSize(Range* range, const void* block, MapEntry entry);
void BreakSeal(Heap* heap, Range* range, void* block, MapEntry entry);
bool BreakSealInArena(const ArenaBlock& found, void* block, size_t* size);
size_t SizeForVisit(void* block, size_t extent);

}  // namespace internal

// Seals a block that was just allocated with WithCanary(size), or again, and
// returns it; null stays null.
ALCOVE_INLINE void* Sealed(void* block, size_t size) {
  if constexpr (Config::kCanaries) {
    if (ALCOVE_UNLIKELY(block == nullptr)) return nullptr;
    return internal::Seal(block, size);
  }
  return block;
}

// How many bytes were asked for of a live block, which this range and entry are of;
// stops if somebody wrote past them.
ALCOVE_INLINE size_t SealedSize(Range* range, const void* block,
                                MapEntry entry) {
  if constexpr (Config::kCanaries)
    return internal::SealedSize(range, block, entry);
  return 0;
}

// The same, and takes the seal away, for the block to be resized; it is to be
// sealed again.
ALCOVE_INLINE size_t OpenSeal(Range* range, void* block, MapEntry entry) {
  if constexpr (Config::kCanaries)
    return internal::OpenSeal(range, block, entry);
  return 0;
}

// Of a block that is about to be freed, no arena's: stops if somebody wrote past its
// end, or if it is none. `heap`: the caller's, or null.
ALCOVE_INLINE void BreakSeal(Heap* heap, Range* range, void* block,
                             MapEntry entry) {
  if constexpr (Config::kCanaries)
    internal::BreakSeal(heap, range, block, entry);
}

// Of one of an arena's. False: somebody wrote past its end, or it was freed before,
// which the free itself finds; *size: what was asked for, as far as that is known.
ALCOVE_INLINE bool BreakSealInArena(const ArenaBlock& found, void* block,
                                    size_t* size) {
  if constexpr (Config::kCanaries)
    return internal::BreakSealInArena(found, block, size);
  return true;
}

// What walk(visit, context) gives, which visits blocks with their extents: here
// visit(block, size, context) is called with what was asked for.
template <typename Walk>
size_t VisitSealed(BlockVisitor visit, void* context, Walk walk) {
  if constexpr (!Config::kCanaries) return walk(visit, context);
  if (visit == nullptr) return walk(nullptr, nullptr);
  struct Outer {
    BlockVisitor visit;
    void* context;
  } outer = {visit, context};
  const BlockVisitor inner = [](void* block, size_t extent, void* of) {
    const auto* const to = static_cast<const Outer*>(of);
    to->visit(block, internal::SizeForVisit(block, extent), to->context);
  };
  return walk(inner, &outer);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_SEAL_H_
