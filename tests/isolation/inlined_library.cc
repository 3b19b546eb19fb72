// The shared objects: one file, compiled for each by the name of its function.
#include "tests/isolation/inlined_library.h"

#include "tests/isolation/shared_heap_inline.h"

namespace {
ISOLATION_INLINED(Heap, shared, shared_);
}  // namespace

isolation::CallSites INLINED_LIBRARY_FUNCTION() {
  return ISOLATION_CALL_SITES(Heap, shared_);
}
