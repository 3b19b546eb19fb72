// The malloc family: arguments checked, failures given their errno, the rest in
// allocate.h.
#include "core/api/allocate.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/trace.h"
#include "core/hardening/misuse.h"

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT void* ALCOVE_PUBLIC(malloc)(size_t size) noexcept {
  const core::Call call;
  return core::Traced(core::Allocate(size));
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(free)(void* block) noexcept {
  const core::Call call;
  core::Free(block);
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(calloc)(size_t count, size_t size) noexcept {
  size_t bytes;
  if (ALCOVE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) {
    return core::Fail(core::kNoMemory);
  }
  const core::Call call;
  return core::Traced(core::AllocateZeroed(bytes));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(realloc)(void* block, size_t size) noexcept {
  const core::Call call;
  if (block == nullptr) return core::Traced(core::Allocate(size));
  if (size == 0) {
    core::Free(block);
    return nullptr;
  }
  return core::Traced(core::Reallocate(block, size));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(reallocarray)(void* block, size_t count,
                                                size_t size) noexcept {
  size_t bytes;
  if (ALCOVE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes))) {
    return core::Fail(core::kNoMemory);
  }
  return ALCOVE_PUBLIC(realloc)(block, bytes);
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(aligned_alloc)(size_t alignment,
                                                 size_t size) noexcept {
  if (ALCOVE_UNLIKELY(!core::ValidAlignment(alignment)))
    return core::Fail(core::kInvalidArgument);
  const core::Call call;
  return core::Traced(core::AllocateAligned(alignment, size));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(memalign)(size_t alignment,
                                            size_t size) noexcept {
  return ALCOVE_PUBLIC(aligned_alloc)(alignment, size);
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(posix_memalign)(void** block, size_t alignment,
                                                size_t size) noexcept {
  if (ALCOVE_UNLIKELY(!core::ValidAlignment(alignment) ||
                      alignment < sizeof(void*))) {
    return core::kInvalidArgument;
  }
  const core::KeepErrno keep_errno;
  const core::Call call;
  void* const result = core::Traced(core::AllocateAligned(alignment, size));
  if (ALCOVE_UNLIKELY(result == nullptr)) return core::kNoMemory;
  *block = result;
  return 0;
}

ALCOVE_EXPORT size_t
ALCOVE_PUBLIC(malloc_usable_size)(const void* block) noexcept {
  return block == nullptr ? 0 : core::UsableSize(block);
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(malloc_good_size)(size_t size) noexcept {
  if (core::Config::kCanaries)
    return core::GoodSize(core::WithCanary(size)) == 0 ? 0 : size;
  return core::GoodSize(size);
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(free_sized)(void* block,
                                             size_t size) noexcept {
  if (block == nullptr) return;
  const size_t usable = core::UsableSize(block);
  if (ALCOVE_UNLIKELY(!core::MayHaveSize(block, usable, size))) {
    core::Stop(core::Misuse::kWrongSize, block, usable);
  }
  const core::Call call;
  core::Free(block);
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(free_aligned_sized)(void* block,
                                                     size_t alignment,
                                                     size_t size) noexcept {
  if (block == nullptr) return;
  const size_t usable = core::UsableSize(block);
  // An alignment can make a block much larger than its size asks for.
  if (ALCOVE_UNLIKELY(size > usable ||
                      (core::Config::kCanaries && size != usable))) {
    core::Stop(core::Misuse::kWrongSize, block, usable);
  }
  if (ALCOVE_UNLIKELY(!core::ValidAlignment(alignment) ||
                      core::AddressOf(block) % alignment != 0)) {
    core::Stop(core::Misuse::kWrongAlignment, block);
  }
  const core::Call call;
  core::Free(block);
}
