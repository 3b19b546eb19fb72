// What a program may ask glibc's malloc to do about its memory.
#include <malloc.h>

#include <cstddef>

#include "instances/malloc/bridge.h"

// All unused memory goes back, whatever `pad` says: an instance has no top of a
// heap at which to keep so much. 1 if any went, else 0, as glibc's.
extern "C" int malloc_trim(size_t /*pad*/) noexcept {
  return alcove_malloc_purge() != 0 ? 1 : 0;
}

// The parameters that glibc's header has are about arenas, bins and the break,
// of which an instance has none; it is tuned by knobs, when it is stamped. They
// are taken and change nothing, as some do in glibc itself: a program that
// reports a refusal would have nothing to report. Others are refused.
extern "C" int mallopt(int parameter, int /*value*/) noexcept {
  switch (parameter) {
    case M_MXFAST:
    case M_NLBLKS:
    case M_GRAIN:
    case M_KEEP:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
      return 1;
    default:
      return 0;
  }
}

extern "C" int __libc_mallopt(int parameter, int value) noexcept
    __attribute__((alias("mallopt")));
