/* A shared object with an instance, and, compiled with PLUGIN_WAITS, one that
 * takes its time to load: its constructor reads a byte from the file descriptor
 * that the environment names, while the loader holds its lock. */
#include "tests/registry/plugin.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/registry/plug_heap.h"

#if defined(PLUGIN_WAITS)
__attribute__((constructor)) static void Wait(void) {
  const char* const descriptor = getenv("PLUGIN_WAITS_FOR");
  char byte;
  if (descriptor != NULL && read(atoi(descriptor), &byte, 1) < 0) abort();
}
#endif

const struct registry_plugin* registry_plugin_functions(void) {
  static const struct registry_plugin functions = {plug_malloc,
                                                   plug_realloc,
                                                   plug_free,
                                                   plug_free_sized,
                                                   plug_malloc_usable_size,
                                                   plug_shutdown};
  return &functions;
}
