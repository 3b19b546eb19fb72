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

// The same with a pin.
extern "C" __attribute__((visibility("default"))) bool PinnedPairs(
    size_t count) {
  auto* const pin = P(pin)();
  bool enough = true;
  for (size_t i = 0; i < count && enough; ++i) {
    void* const block = P(pinned_malloc)(pin, 64);
    enough = block != nullptr;
    if (enough) *static_cast<volatile size_t*>(block) = i;
    P(pinned_free)(pin, block);
  }
  P(unpin)(pin);
  return enough;
}

// With a hundred blocks at a time, less of it one after the other.
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

extern "C" __attribute__((visibility("default"))) bool PinnedBatches(
    size_t count) {
  void* blocks[100];
  auto* const pin = P(pin)();
  bool enough = true;
  for (size_t i = 0; i < count / 100 && enough; ++i) {
    for (void*& block : blocks) {
      block = P(pinned_malloc)(pin, 64);
      enough = enough && block != nullptr;
      if (block != nullptr) *static_cast<volatile size_t*>(block) = i;
    }
    for (void* const block : blocks) P(pinned_free)(pin, block);
  }
  P(unpin)(pin);
  return enough;
}

// By one call for the hundred.
extern "C" __attribute__((visibility("default"))) bool CalledBatches(
    size_t count) {
  void* blocks[100];
  for (size_t i = 0; i < count / 100; ++i) {
    if (P(malloc_batch)(64, 100, blocks) != 100) return false;
    for (void* const block : blocks) *static_cast<volatile size_t*>(block) = i;
    P(free_batch)(blocks, 100);
  }
  return true;
}
