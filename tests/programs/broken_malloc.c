// A malloc that most programs do not survive: there is little of it.
#include <stddef.h>

void* __libc_malloc(size_t size);

void* malloc(size_t size) {
  static int calls;
  return ++calls > 500 ? NULL : __libc_malloc(size);
}
