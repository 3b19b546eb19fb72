// What shared objects show of the call sites that are compiled into them.
#ifndef TESTS_ISOLATION_INLINED_LIBRARY_H_
#define TESTS_ISOLATION_INLINED_LIBRARY_H_

#include "tests/isolation/inlined_work.h"

namespace isolation {

struct CallSites {
  bool (*work)();
  Link* (*allocate)();
  void (*deallocate)(Link*);
  void (*deallocate_trusted)(Link*);
  void* (*malloc)();
  int (*owns)(const void*);
  void (*thread_detach)();
  int (*shutdown)();
};

}  // namespace isolation

#define ISOLATION_CALL_SITES(heap, prefix)                             \
  isolation::CallSites {                                               \
    isolation::RunInlinedWork<heap>, heap::Allocate, heap::Deallocate, \
        heap::DeallocateTrusted, heap::Malloc, heap::Owns,             \
        prefix##thread_detach, prefix##shutdown                        \
  }

// In the shared object that holds the instance `shared_`, in one that uses it,
// and in the plugins, which have one each, of the same prefix.
extern "C" isolation::CallSites IsolationHeapCallSites();
extern "C" isolation::CallSites IsolationUserCallSites();
extern "C" isolation::CallSites IsolationPluginCallSites();

#endif  // TESTS_ISOLATION_INLINED_LIBRARY_H_
