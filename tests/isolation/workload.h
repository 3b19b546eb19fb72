// A program's use of an instance, by its C functions alone: all kinds of
// blocks, allocated, verified, resized and freed. Header only and without libc,
// so that a freestanding program can run it, too.
#ifndef TESTS_ISOLATION_WORKLOAD_H_
#define TESTS_ISOLATION_WORKLOAD_H_

#include <stddef.h>
#include <stdint.h>

namespace isolation {

struct Functions {
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  void (*free)(void*);
  size_t (*malloc_usable_size)(const void*);
  int (*owns)(const void*);
  size_t (*purge)();
};

inline void FillBlock(void* block, size_t size) {
  auto* const bytes = static_cast<volatile unsigned char*>(block);
  // Every page and both ends; the loops of a huge block would take the test's
  // time.
  for (size_t i = 0; i < size; i += 509)
    bytes[i] = static_cast<unsigned char>(i ^ size);
  if (size != 0) bytes[size - 1] = static_cast<unsigned char>(size);
}

inline bool IsFilled(const void* block, size_t size, size_t filled_size) {
  const auto* const bytes = static_cast<const volatile unsigned char*>(block);
  for (size_t i = 0; i + 1 < size; i += 509) {
    if (bytes[i] != static_cast<unsigned char>(i ^ filled_size)) return false;
  }
  return size != filled_size || size == 0 ||
         bytes[size - 1] == static_cast<unsigned char>(size);
}

// True if all was as it should be. Leaves nothing allocated.
inline bool RunWorkload(const Functions& f) {
  constexpr size_t kSizes[] = {1,     16,     100,    1000,    9000,
                               60000, 100000, 700000, 1500000, 5000000};
  constexpr size_t kCopies = 4;
  constexpr size_t kCount = sizeof(kSizes) / sizeof(kSizes[0]);
  void* blocks[kCount * kCopies];
  for (size_t i = 0; i < kCount * kCopies; ++i) {
    const size_t size = kSizes[i % kCount];
    blocks[i] = i % 3 == 0   ? f.malloc(size)
                : i % 3 == 1 ? f.calloc(1, size)
                             : f.aligned_alloc(4096, size);
    if (blocks[i] == nullptr || f.owns(blocks[i]) == 0) return false;
    if (f.malloc_usable_size(blocks[i]) < size) return false;
    if (i % 3 == 1) {
      const auto* const bytes = static_cast<const volatile char*>(blocks[i]);
      for (size_t at = 0; at < size; at += 61) {
        if (bytes[at] != 0) return false;
      }
    }
    FillBlock(blocks[i], size);
  }
  for (size_t i = 0; i < kCount * kCopies; ++i) {
    const size_t size = kSizes[i % kCount];
    const size_t other = kSizes[(i + 3) % kCount];
    blocks[i] = f.realloc(blocks[i], other);
    if (blocks[i] == nullptr) return false;
    const size_t kept = size < other ? size : other;
    if (!IsFilled(blocks[i], kept, size)) return false;
  }
  for (void* const block : blocks) f.free(block);
  f.purge();
  // Many small ones, so that slabs come and go.
  void* chain = nullptr;
  for (int i = 0; i < 20000; ++i) {
    void** const link = static_cast<void**>(f.malloc(64));
    if (link == nullptr) return false;
    *link = chain;
    chain = link;
  }
  while (chain != nullptr) {
    void* const next = *static_cast<void**>(chain);
    f.free(chain);
    chain = next;
  }
  return true;
}

}  // namespace isolation

// The functions of the instance with a prefix.
#define ISOLATION_FUNCTIONS(prefix)                                           \
  isolation::Functions {                                                      \
    prefix##malloc, prefix##calloc, prefix##realloc, prefix##aligned_alloc,   \
        prefix##free, prefix##malloc_usable_size, prefix##owns, prefix##purge \
  }

#endif  // TESTS_ISOLATION_WORKLOAD_H_
