// Every replaceable operator new and delete, on malloc.
//
// As the standard has it, two of each family do the work (plain and aligned)
// and the others call those two by name, so that a program that replaces only
// the two, as programs do, replaces all. Weak, so that such a program links.
// The calls of malloc and free are tail calls or nearly so.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "instances/malloc/cxx_runtime.h"

#define ALCOVE_REPLACEABLE __attribute__((weak))

namespace {

// Out of line, to keep what comes before free of a stack frame.
template <typename Allocate>
__attribute__((cold, noinline)) void* AllocateAtLast(Allocate allocate) {
  while (true) {
    const std::new_handler handler = alcove_malloc::NewHandler();
    if (handler == nullptr) alcove_malloc::ThrowBadAlloc();
    handler();  // frees something, throws, or does not return
    void* const block = allocate();
    if (block != nullptr) return block;
  }
}

}  // namespace

ALCOVE_REPLACEABLE void* operator new(size_t size) {
  void* const block = malloc(size);
  if (__builtin_expect(block != nullptr, true)) return block;
  return AllocateAtLast([size] { return malloc(size); });
}

ALCOVE_REPLACEABLE void* operator new(size_t size, std::align_val_t alignment) {
  const auto align = static_cast<size_t>(alignment);
  void* const block = aligned_alloc(align, size);
  if (__builtin_expect(block != nullptr, true)) return block;
  return AllocateAtLast([align, size] { return aligned_alloc(align, size); });
}

ALCOVE_REPLACEABLE void operator delete(void* block) noexcept { free(block); }

ALCOVE_REPLACEABLE void operator delete(void* block,
                                        std::align_val_t) noexcept {
  free(block);
}

// ---- Those that call the four above -----------------------------------------

ALCOVE_REPLACEABLE void* operator new[](size_t size) {
  return operator new(size);
}

ALCOVE_REPLACEABLE void* operator new[](size_t size,
                                        std::align_val_t alignment) {
  return operator new(size, alignment);
}

ALCOVE_REPLACEABLE void* operator new(size_t size,
                                      const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (...) {
    return nullptr;
  }
}

ALCOVE_REPLACEABLE void* operator new[](size_t size,
                                        const std::nothrow_t&) noexcept {
  try {
    return operator new[](size);
  } catch (...) {
    return nullptr;
  }
}

ALCOVE_REPLACEABLE void* operator new(size_t size, std::align_val_t alignment,
                                      const std::nothrow_t&) noexcept {
  try {
    return operator new(size, alignment);
  } catch (...) {
    return nullptr;
  }
}

ALCOVE_REPLACEABLE void* operator new[](size_t size, std::align_val_t alignment,
                                        const std::nothrow_t&) noexcept {
  try {
    return operator new[](size, alignment);
  } catch (...) {
    return nullptr;
  }
}

ALCOVE_REPLACEABLE void operator delete[](void* block) noexcept {
  operator delete(block);
}

ALCOVE_REPLACEABLE void operator delete[](void* block,
                                          std::align_val_t alignment) noexcept {
  operator delete(block, alignment);
}

ALCOVE_REPLACEABLE void operator delete(void* block, size_t) noexcept {
  operator delete(block);
}

ALCOVE_REPLACEABLE void operator delete[](void* block, size_t) noexcept {
  operator delete[](block);
}

ALCOVE_REPLACEABLE void operator delete(void* block, size_t,
                                        std::align_val_t alignment) noexcept {
  operator delete(block, alignment);
}

ALCOVE_REPLACEABLE void operator delete[](void* block, size_t,
                                          std::align_val_t alignment) noexcept {
  operator delete[](block, alignment);
}

ALCOVE_REPLACEABLE void operator delete(void* block,
                                        const std::nothrow_t&) noexcept {
  operator delete(block);
}

ALCOVE_REPLACEABLE void operator delete[](void* block,
                                          const std::nothrow_t&) noexcept {
  operator delete[](block);
}

ALCOVE_REPLACEABLE void operator delete(void* block, std::align_val_t alignment,
                                        const std::nothrow_t&) noexcept {
  operator delete(block, alignment);
}

ALCOVE_REPLACEABLE void operator delete[](void* block,
                                          std::align_val_t alignment,
                                          const std::nothrow_t&) noexcept {
  operator delete[](block, alignment);
}
