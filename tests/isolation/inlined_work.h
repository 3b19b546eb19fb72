// A program's use of an instance at its call sites. Header only and without
// libc, so that a freestanding program can run it, too.
#ifndef TESTS_ISOLATION_INLINED_WORK_H_
#define TESTS_ISOLATION_INLINED_WORK_H_

#include <stddef.h>

namespace isolation {

struct Link {
  Link* next;
  size_t bytes[5];
};

// `Heap` is what ISOLATION_INLINED declares. True if all was as it should be.
// Leaves nothing allocated.
template <typename Heap>
bool RunInlinedWork() {
  for (int round = 0; round < 3; ++round) {
    Link* chain = nullptr;
    for (size_t i = 0; i < 5000; ++i) {
      Link* const link =
          i % 5 == 0 ? static_cast<Link*>(Heap::Malloc()) : Heap::Allocate();
      if (link == nullptr || Heap::Owns(link) == 0) return false;
      for (size_t& byte : link->bytes) byte = i;
      link->next = chain;
      chain = link;
    }
    for (size_t i = 5000; i-- > 0;) {
      Link* const next = chain->next;
      for (const size_t byte : chain->bytes) {
        if (byte != i) return false;
      }
      if (i % 5 == 0) {
        Heap::Free(chain);
      } else if (i % 2 == 0) {
        Heap::Deallocate(chain);
      } else {
        Heap::DeallocateTrusted(chain);
      }
      chain = next;
    }
    if (chain != nullptr) return false;
    // The cache at the call site is that of the functions.
    Link* const link = Heap::Allocate();
    Heap::Deallocate(link);
    if (Heap::Malloc() != link) return false;
    Heap::Free(link);
    if (Heap::Allocate() != link) return false;
    Heap::DeallocateTrusted(link);
  }
  return true;
}

}  // namespace isolation

// struct `name`: the instance of a prefix and its namespace.
#define ISOLATION_INLINED(name, space, prefix)                                \
  struct name {                                                               \
    static isolation::Link* Allocate() {                                      \
      return space::inlined::allocate<isolation::Link>();                     \
    }                                                                         \
    static void Deallocate(isolation::Link* link) {                           \
      space::inlined::deallocate<isolation::Link>(link);                      \
    }                                                                         \
    static void DeallocateTrusted(isolation::Link* link) {                    \
      space::inlined::deallocate_trusted<isolation::Link>(link);              \
    }                                                                         \
    static void* Malloc() { return prefix##malloc(sizeof(isolation::Link)); } \
    static void Free(void* block) { prefix##free(block); }                    \
    static int Owns(const void* block) { return prefix##owns(block); }        \
  }

#endif  // TESTS_ISOLATION_INLINED_WORK_H_
