// The state of this stamped copy, all of it: one object for the process and
// one for its arenas, one pointer for each thread, and the pthread key of those
// that have one (thread_exit.h).
#ifndef ALCOVE_CORE_API_STATE_H_
#define ALCOVE_CORE_API_STATE_H_

#include "core/api/thread_exit.h"
#include "core/arena/arenas.h"
#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

extern ALCOVE_HIDDEN Instance g_instance;

// Its arenas.
extern ALCOVE_HIDDEN Arenas g_arenas;

// What a thread has before its first call: all bins empty and full. Never
// written.
extern ALCOVE_HIDDEN Heap g_no_heap;

// The calling thread's heap, or &g_no_heap; undefined with tls = "pthread_key".
// Initialized statically, so that reading it needs no call but what its TLS
// model does. Its symbol is the one public variable: code that includes the
// inline header reads it. A new layout of what it points to is a new number, so
// that code that was compiled for the old one does not link.
extern __attribute__((visibility("protected"))) constinit thread_local Heap*
    tls_heap ALCOVE_SYMBOL(ALCOVE_PREFIX_STRING "thread_heap_v1");

// The calling thread's heap, or &g_no_heap.
ALCOVE_INLINE Heap* ThreadHeap() {
  if constexpr (Config::kTls == Tls::pthread_key) {
    void* const heap = thread_exit::GetHeap();
    return heap == nullptr ? &g_no_heap : static_cast<Heap*>(heap);
  } else {
    return tls_heap;
  }
}

// The calling thread's heap, acquired if it has none; null if there is no
// memory.
Heap* CurrentHeap();

// Gives the calling thread's heap up, and has it acquire one anew when next it
// calls.
void ForgetHeap();

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_STATE_H_
