// The twelve instances of the process, and the malloc beside them.
#ifndef TESTS_COEXISTENCE_HEAPS_H_
#define TESTS_COEXISTENCE_HEAPS_H_

#include <array>
#include <cstddef>
#include <string_view>

#include "tests/isolation/workload.h"

namespace coexistence {

struct Figures {
  size_t bytes_cached;
  size_t bytes_reserved;
  size_t bytes_metadata;
  size_t threads;
};

struct Heap {
  const char* prefix;
  const char* version;  // as the build says
  const char* preset;
  const char* label;
  isolation::Functions functions;
  const char* (*says_version)();
  void (*thread_detach)();
  int (*shutdown)();
  void (*abandon)();
  Figures (*figures)();

  bool IsHosted() const { return std::string_view(preset) == "hosted"; }
};

inline constexpr size_t kHeaps = 12;
const std::array<Heap, kHeaps>& Heaps();

// How many of the instances call the address theirs; *owner is the last of them.
size_t CountOwners(const void* address, const Heap** owner);

// Whether malloc and operator new are jemalloc's, by jemalloc's own count.
bool MallocIsJemalloc();

}  // namespace coexistence

#endif  // TESTS_COEXISTENCE_HEAPS_H_
