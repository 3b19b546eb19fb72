// A plugin with an instance of its own, compiled for each configuration with
// PLUGIN_PREFIX, PLUGIN_NAMESPACE and PLUGIN_HEADER, the inline one.
#include "tests/plugins/plugin.h"

#include <cstdlib>
#include <list>

#include PLUGIN_HEADER

#define PASTE_EXPANDED(a, b) a##b
#define PASTE(a, b) PASTE_EXPANDED(a, b)
#define P(name) PASTE(PLUGIN_PREFIX, name)

namespace {

namespace in = ::PLUGIN_NAMESPACE::inlined;

// Holds a block from load to unload: its instance has to be there still when
// C++ destroys the statics of a shared object that is closed.
struct Keeper {
  void* block = P(malloc)(1000);
  ~Keeper() {
    if (block != nullptr && P(owns)(block) == 0) std::abort();
    P(free)(block);
  }
} keeper;

bool Work() {
  void* blocks[64];
  for (int i = 0; i < 64; ++i) {
    blocks[i] = P(malloc)(static_cast<size_t>(i) * 37 % 2000);
    if (blocks[i] == nullptr) return false;
    *static_cast<volatile int*>(blocks[i]) = i;
  }
  for (int i = 0; i < 64; ++i) {
    if (*static_cast<volatile int*>(blocks[i]) != i) return false;
    P(free)(blocks[i]);
  }
  return true;
}

bool WorkInlined() {
  std::list<int, in::allocator<int>> list;
  for (int i = 0; i < 100; ++i) list.push_back(i);
  int sum = 0;
  for (const int i : list) sum += i;
  return sum == 4950 && P(owns)(&list.front()) != 0;
}

}  // namespace

plugins::Plugin AlcoveTestPlugin() {
  return {{P(malloc), P(calloc), P(realloc), P(aligned_alloc), P(free),
           P(malloc_usable_size), P(owns), P(purge)},
          P(thread_detach),
          P(version),
          P(config),
          Work,
          WorkInlined};
}
