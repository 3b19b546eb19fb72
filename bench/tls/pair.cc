// The loops that are measured, in a shared object with its instance.
#include <cstddef>

#include PAIR_HEADER

#define PASTE_EXPANDED(a, b) a##b
#define PASTE(a, b) PASTE_EXPANDED(a, b)
#define P(name) PASTE(PAIR_PREFIX, name)

// Allocates a block and frees it, `count` times.
extern "C" __attribute__((visibility("default"))) bool Pairs(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    void* const block = P(malloc)(64);
    if (block == nullptr) return false;
    *static_cast<volatile size_t*>(block) = i;
    P(free)(block);
  }
  return true;
}

// The same with a hundred blocks at a time, less of it one after the other.
extern "C" __attribute__((visibility("default"))) bool Batches(size_t count) {
  void* blocks[100];
  for (size_t i = 0; i < count / 100; ++i) {
    for (void*& block : blocks) {
      block = P(malloc)(64);
      if (block == nullptr) return false;
      *static_cast<volatile size_t*>(block) = i;
    }
    for (void* const block : blocks) P(free)(block);
  }
  return true;
}
