#include "core/api/state.h"

#include "core/api/background.h"
#include "core/api/thread_exit.h"

namespace ALCOVE_CORE_NAMESPACE {

constinit Instance g_instance;
constinit Arenas g_arenas;
constinit Heap g_no_heap;
// The fast paths write to a heap only where a bin is neither empty nor full.
ALCOVE_IF_THREAD_LOCAL(constinit thread_local Heap* tls_heap = &g_no_heap;)

namespace {

// False if the thread cannot remember it.
bool SetThreadHeap(Heap* heap) {
  if constexpr (Config::kTls == Tls::pthread_key) {
    return thread_exit::SetHeap(heap == &g_no_heap ? nullptr : heap);
  } else {
    tls_heap = heap;
    return true;
  }
}

}  // namespace

Heap* CurrentHeap() {
  Heap* const heap = ThreadHeap();
  if (ALCOVE_LIKELY(heap != &g_no_heap)) {
    background::Tend();
    return heap;
  }
  Heap* const acquired = g_instance.registry.Acquire(&g_instance);
  if (acquired == nullptr) return nullptr;
  if (ALCOVE_UNLIKELY(acquired->above_interrupted()))
    g_arenas.Abandon(acquired);
  if (ALCOVE_UNLIKELY(!SetThreadHeap(acquired))) {
    g_instance.registry.HandBack(acquired);
    return nullptr;
  }
  thread_exit::Arm(acquired);
  // Only now: it may allocate, from this instance, too.
  background::Begin();
  return acquired;
}

void ForgetHeap() { SetThreadHeap(&g_no_heap); }

}  // namespace ALCOVE_CORE_NAMESPACE
