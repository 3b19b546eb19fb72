// The four functions that a compiler calls on its own even in freestanding
// code. The stamping macro renames them after the instance and hides them.
#ifndef ALCOVE_CORE_BASE_MEM_H_
#define ALCOVE_CORE_BASE_MEM_H_

#include <stddef.h>

extern "C" {
__attribute__((visibility("hidden"))) void* memcpy(void* to, const void* from,
                                                   size_t size);
__attribute__((visibility("hidden"))) void* memmove(void* to, const void* from,
                                                    size_t size);
__attribute__((visibility("hidden"))) void* memset(void* to, int byte,
                                                   size_t size);
__attribute__((visibility("hidden"))) int memcmp(const void* a, const void* b,
                                                 size_t size);
}

#endif  // ALCOVE_CORE_BASE_MEM_H_
