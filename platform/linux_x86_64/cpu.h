// The inline primitives of platform.h on x86_64.
#ifndef ALCOVE_PLATFORM_LINUX_X86_64_CPU_H_
#define ALCOVE_PLATFORM_LINUX_X86_64_CPU_H_

#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"

#define ALCOVE_SYMBOL(name) __asm__(name)

// The distance is one that the linker knows: nothing is left to relocate at
// load, which a note could not stand, being in a page that nobody may write to.
#define ALCOVE_NOTE(section, owner, type, a, b, symbol) \
  ALCOVE_NOTE_(section, owner, type, a, b, symbol)
#define ALCOVE_NOTE_(section, owner, type, a, b, symbol) \
  __asm__(".pushsection " section                        \
          ",\"a\",@note\n"                               \
          ".balign 4\n"                                  \
          ".long 1f - 0f, 3f - 2f, " #type               \
          "\n"                                           \
          "0: .asciz \"" owner                           \
          "\"\n"                                         \
          "1: .balign 4\n"                               \
          "2: .long " #a ", " #b                         \
          "\n"                                           \
          ".quad " symbol                                \
          " - .\n"                                       \
          "3: .popsection")

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {

// Time stamp counters of x86_64 machines run at 1 GHz or more. On a slower one
// decisions that rest on it come later, never wrongly.
inline constexpr uint64_t kTicksPerMillisecondMin = 1000000;

inline uint64_t Ticks() { return __builtin_ia32_rdtsc(); }

inline void SpinHint() { __builtin_ia32_pause(); }

// The same value, of which the compiler knows nothing: it then adds it to an
// address as it is, in the addressing mode, instead of folding it into others.
inline size_t Opaque(size_t value) {
  asm("" : "+r"(value));
  return value;
}

inline void AddUninterrupted(uintptr_t* word, intptr_t n) {
  asm volatile("addq %1, %0" : "+m"(*word) : "er"(n) : "cc", "memory");
}

// The direction flag is clear at every call (System V ABI for AMD64, 3.2.1).
inline void CopyBulk(void* to, const void* from, size_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

inline void FillBulk(void* to, unsigned char byte, size_t size) {
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
}

}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_PLATFORM_LINUX_X86_64_CPU_H_
