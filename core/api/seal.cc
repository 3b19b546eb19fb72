#include "core/api/seal.h"

#include "core/api/allocate.h"
#include "core/base/mem.h"
#include "core/hardening/misuse.h"
#include "core/heap/checks.h"
#include "core/heap/large.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace internal {

namespace {

// Of a block that is a span, so much behind what was asked for is canary at least,
// and as much more as is on the same page of this size.
constexpr size_t kSpanCanaryPage = 4096;

// What a span's descriptor says was asked for while the block is free.
constexpr size_t kNotLive = ~size_t{0};

// A block and what is known of it from outside.
struct Shell {
  char* block;
  size_t extent;
  Slab* span;  // the descriptor of a block that is a span; else null

  Canary canary() const { return Canary(g_instance.secret.Get(), block); }
  // Of a span: one past its canary.
  char* end(size_t size) const {
    return block + Min(RoundUp(size + kCanaryBytes, kSpanCanaryPage), extent);
  }
};

Shell ShellOf(const ArenaBlock& found, void* block) {
  return {static_cast<char*>(block), ArenaBlockSize(found, block),
          found.slab->size_class == kLargeMark ? found.slab : nullptr};
}

Shell ShellOf(Range* range, void* block, MapEntry entry) {
  const SizeClass c = ClassOfEntry(entry);
  if (c == kArenaClass) {
    return ShellOf(
        FindArenaBlock(g_arenas, range, block, entry, BlockUse::kOther), block);
  }
  if (IsSlabClass(c))
    return {static_cast<char*>(block), InfoOf(c).size, nullptr};
  Slab* const span = DescriptorOf(*range, block);
  return {static_cast<char*>(block), size_t{span->units} << kUnitShift, span};
}

// *size: what was asked for, or as much as is known of it.
bool IsSealed(const Shell& shell, size_t* size) {
  if (shell.span == nullptr)
    return shell.canary().Check(shell.block, shell.extent, size);
  *size = shell.span->request;
  if (ALCOVE_UNLIKELY(*size > shell.extent - kCanaryBytes)) {
    *size = shell.extent;
    return false;
  }
  return shell.canary().Fills(shell.block + *size, shell.end(*size));
}

// So that nobody reads there what the canary of this address is.
void Wipe(const Shell& shell, size_t size) {
  if (shell.span != nullptr) {
    memset(shell.block + size, 0,
           static_cast<size_t>(shell.end(size) - (shell.block + size)));
    shell.span->request = kNotLive;
  } else {
    memset(shell.block + size, 0, shell.extent - size);
  }
}

void WipeFreed(const Shell& shell, size_t size) {
  Wipe(shell, size);
  // What is zeroed or filled says it thus.
  if (!kFillsFreed && shell.span == nullptr)
    shell.canary().PutFreed(shell.block, shell.extent);
}

ALCOVE_COLD bool SaysFreed(const Shell& shell) {
  if (shell.span != nullptr) return shell.span->request == kNotLive;
  if (!kFillsFreed) return shell.canary().SaysFreed(shell.block, shell.extent);
  for (size_t i = 0; i < shell.extent; ++i) {
    if (static_cast<unsigned char>(shell.block[i]) != kFreeByte) return false;
  }
  return true;
}

}  // namespace

void* Seal(void* block, size_t size) {
  if (!Config::kCanaries) return block;  // and leave no code in the copy
  MapEntry entry;
  Range* const range = FindBlock(block, &entry);
  const Shell shell = ShellOf(range, block, entry);
  if (shell.span != nullptr) {
    shell.span->request = size;
    shell.canary().Fill(shell.block + size, shell.end(size));
  } else {
    shell.canary().Put(shell.block, size, shell.extent);
  }
  return block;
}

size_t SealedSize(Range* range, const void* block, MapEntry entry) {
  if (!Config::kCanaries) return 0;
  const Shell shell = ShellOf(range, const_cast<void*>(block), entry);
  size_t size;
  if (ALCOVE_UNLIKELY(!IsSealed(shell, &size))) {
    if (SaysFreed(shell)) Stop(Misuse::kUseAfterFree, block);
    Stop(Misuse::kWritePastEnd, block, size);
  }
  return size;
}

size_t OpenSeal(Range* range, void* block, MapEntry entry) {
  if (!Config::kCanaries) return 0;
  const size_t size = internal::SealedSize(range, block, entry);
  Wipe(ShellOf(range, block, entry), size);
  return size;
}

void BreakSeal(Heap* heap, Range* range, void* block, MapEntry entry) {
  if (!Config::kCanaries) return;
  const SizeClass c = ClassOfEntry(entry);
  const bool is_start = IsSlabClass(c) ? IsBlockStart(*range, InfoOf(c), block)
                                       : AddressOf(block) % kUnit == 0;
  if (ALCOVE_UNLIKELY(!is_start)) Stop(Misuse::kFreeInside, block);
  const Shell shell = ShellOf(range, block, entry);
  size_t size;
  if (ALCOVE_UNLIKELY(!IsSealed(shell, &size))) {
    // Who frees a block that is free finds no seal either.
    if (heap != nullptr) internal::CheckFreed(*heap, block, entry);
    if (SaysFreed(shell))
      Stop(Misuse::kDoubleFree, block, IsSlabClass(c) ? shell.extent : 0);
    Stop(Misuse::kWritePastEnd, block, size);
  }
  WipeFreed(shell, size);
}

bool BreakSealInArena(const ArenaBlock& found, void* block, size_t* size) {
  if (!Config::kCanaries) return true;
  const Shell shell = ShellOf(found, block);
  if (ALCOVE_UNLIKELY(!IsSealed(shell, size))) return false;
  WipeFreed(shell, *size);
  return true;
}

// One whose seal is broken is for its free to complain about.
size_t SizeForVisit(void* block, size_t extent) {
  if (!Config::kCanaries) return extent;
  // A part has no seal, and what is left of a block says none.
  if (g_instance.parts.Holds(block)) return extent;
  MapEntry entry;
  Range* const range = FindBlock(block, &entry);
  size_t size;
  return IsSealed(ShellOf(range, block, entry), &size) ? size : extent;
}

}  // namespace internal
}  // namespace ALCOVE_CORE_NAMESPACE
