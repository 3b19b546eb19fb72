#include "app/heaps/dinner_heap_inline.h"

// A block of the plugin's own copy of the instance `dinner_`, taken at the call site.
extern "C" void* plugin_block() { return dinner::inlined::allocate<100>(); }

extern "C" int plugin_owns(const void* block) { return dinner_owns(block); }

extern "C" int plugin_free(void* block) {
  dinner_free(block);
  dinner_thread_detach();
  return dinner_shutdown();
}
