// The state of this stamped copy, all of it: one object for the process, one
// pointer for each thread.
#ifndef ALCOVE_CORE_API_STATE_H_
#define ALCOVE_CORE_API_STATE_H_

#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

extern ALCOVE_HIDDEN Instance g_instance;

// What a thread has before its first call: all bins empty and full. Never
// written.
extern ALCOVE_HIDDEN Heap g_no_heap;

// The calling thread's heap, or &g_no_heap. Initialized statically, so that
// reading it needs no call.
extern ALCOVE_HIDDEN constinit thread_local Heap* tls_heap;

// The calling thread's heap, acquired if it has none; null if there is no
// memory.
Heap* CurrentHeap();

// Gives the calling thread's heap up, and has it acquire one anew when next it
// calls.
void ForgetHeap();

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_STATE_H_
