// How the end of a thread is noticed, as the knob `thread_exit` says. With
// `probe` there is nothing to do: Registry finds dead threads' heaps.
#ifndef ALCOVE_CORE_API_THREAD_EXIT_H_
#define ALCOVE_CORE_API_THREAD_EXIT_H_

#include "core/heap/heap.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace thread_exit {

// Has the calling thread's heap handed back when the thread ends.
void Arm(Heap* heap);

// The calling thread has handed its heap back itself.
void Disarm();

// Lets go of what the instance holds of the libc's; no thread but the caller
// has a heap.
void Release();

}  // namespace thread_exit
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_THREAD_EXIT_H_
