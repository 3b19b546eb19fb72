// How the end of a thread is noticed, as the knob `thread_exit` says, and the
// pthread key of an instance that has one, for that or for the knob `tls`. With
// `probe` there is nothing to do at the end of a thread: Registry finds dead
// threads' heaps.
#ifndef ALCOVE_CORE_API_THREAD_EXIT_H_
#define ALCOVE_CORE_API_THREAD_EXIT_H_

#include "core/base/atomic.h"
#include "core/heap/heap.h"

// libc's, met only where a knob asks for it. pthread_key_t is an unsigned int on
// Linux, with glibc and with musl.
extern "C" {
int pthread_key_create(unsigned* key, void (*destructor)(void*)) noexcept;
int pthread_key_delete(unsigned key) noexcept;
int pthread_setspecific(unsigned key, const void* value) noexcept;
void* pthread_getspecific(unsigned key) noexcept;
}

namespace ALCOVE_CORE_NAMESPACE {
namespace thread_exit {

// Has the calling thread's heap handed back when the thread ends.
void Arm(Heap* heap);

// The calling thread has handed its heap back itself.
void Disarm();

// Lets go of what the instance holds of the libc's; no thread but the caller
// has a heap, or nobody will come back to the one that it has.
void Release();

// ---- With tls = "pthread_key": what the thread has under the key ----

// The key and 1, or 0 for none yet.
extern ALCOVE_HIDDEN Atomic<uint64_t> g_key;

inline void* GetHeap() {
  const uint64_t key = g_key.Load(Order::kAcquire);
  return key == 0 ? nullptr
                  : pthread_getspecific(static_cast<unsigned>(key - 1));
}

// False if libc has no key or no memory for it.
bool SetHeap(Heap* heap);

}  // namespace thread_exit
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_THREAD_EXIT_H_
