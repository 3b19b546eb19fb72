#include "core/api/state.h"

#include "core/api/background.h"
#include "core/api/thread_exit.h"

namespace ALCOVE_CORE_NAMESPACE {

constinit Instance g_instance;
constinit Arenas g_arenas;
constinit Heap g_no_heap;
// The fast paths write to a heap only where a bin is neither empty nor full.
constinit thread_local Heap* tls_heap = &g_no_heap;

Heap* CurrentHeap() {
  Heap* const heap = tls_heap;
  if (ALCOVE_LIKELY(heap != &g_no_heap)) {
    background::Tend();
    return heap;
  }
  Heap* const acquired = g_instance.registry.Acquire(&g_instance);
  if (acquired == nullptr) return nullptr;
  tls_heap = acquired;
  thread_exit::Arm(acquired);
  // Only now: it may allocate, from this instance, too.
  background::Begin();
  return acquired;
}

void ForgetHeap() { tls_heap = &g_no_heap; }

}  // namespace ALCOVE_CORE_NAMESPACE
