// The state of this stamped copy: one object for the process and one for its
// arenas, one for handlers of a shortage of memory (oom.h), one pointer for each thread, and the pthread key of those
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

// With the knob async_signal_safe, tls_heap is the address of the heap that has
// the thread's table of levels and, in its lowest bits, how many calls are under
// way: counts more or fewer, and takes the two apart.
ALCOVE_INLINE void CountCalls(intptr_t more) {
  platform::AddUninterrupted(reinterpret_cast<uintptr_t*>(&tls_heap), more);
}
ALCOVE_INLINE unsigned CallsIn(const Heap* word) {
  return static_cast<unsigned>(AddressOf(word) % alignof(Heap));
}
ALCOVE_INLINE Heap* TableIn(const Heap* word) {
  return reinterpret_cast<Heap*>(RoundDown(AddressOf(word), alignof(Heap)));
}

// Around every call that uses the thread's heap: the outermost thing in the
// function. Without the knob async_signal_safe it is nothing.
//
// With it, a call may begin in a signal handler that interrupted others on the
// same thread, at any instruction. So each has a level, how many others are
// under way, and a heap of the level: what the interrupted ones are in the
// middle of is not touched, and a block of their heaps is freed as another
// thread's is. Table and count are in one word, and change in one instruction: a
// handler that interrupts no call yet may give the heap up and get another one.
class Call {
 public:
  ALCOVE_INLINE Call() {
    if constexpr (Config::kAsyncSignalSafe) {
      CountCalls(1);
      if (ALCOVE_UNLIKELY((AddressOf(tls_heap) & kTooManyCalls) != 0))
        StopTooDeep();
    }
  }
  ALCOVE_INLINE ~Call() {
    if constexpr (Config::kAsyncSignalSafe) CountCalls(-1);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  static constexpr uintptr_t kTooManyCalls = kHeapLevels + 1;
  static_assert(IsPowerOfTwo(kTooManyCalls));
  [[noreturn]] static void StopTooDeep();
};

// While a call, which holds nothing, calls the program back: what that calls is
// on the level of this one.
class CallBack {
 public:
  CallBack() {
    if constexpr (Config::kAsyncSignalSafe) CountCalls(-1);
  }
  ~CallBack() {
    if constexpr (Config::kAsyncSignalSafe) CountCalls(1);
  }
  CallBack(const CallBack&) = delete;
  CallBack& operator=(const CallBack&) = delete;
};

// How many calls are under way on this thread, this one included; 0 without the
// knob.
inline unsigned CallsUnderWay() {
  if constexpr (Config::kAsyncSignalSafe) return CallsIn(tls_heap);
  return 0;
}

// Whether this call interrupted another one.
inline bool IsInterrupting() { return CallsUnderWay() > 1; }

// The calling thread's heap, or &g_no_heap.
ALCOVE_INLINE Heap* ThreadHeap() {
  if constexpr (Config::kAsyncSignalSafe) {
    const Heap* const word = tls_heap;
    return TableIn(word)->levels[CallsIn(word) - 1];
  } else if constexpr (Config::kTls == Tls::pthread_key) {
    void* const heap = thread_exit::GetHeap();
    return heap == nullptr ? &g_no_heap : static_cast<Heap*>(heap);
  } else {
    return tls_heap;
  }
}

// The calling thread's heap, acquired if it has none; null if there is no
// memory.
Heap* CurrentHeap();

// Where the layer above keeps what is the thread's on all levels; &g_no_heap if it
// has no heap on any.
inline Heap* KeeperHeap() {
  if constexpr (Config::kAsyncSignalSafe) return TableIn(tls_heap);
  return ThreadHeap();
}

// Whether the calling thread has a heap, on any level.
inline bool HasHeaps() { return KeeperHeap() != &g_no_heap; }

// How many pins the calling thread, which has a heap, holds: its heaps stay its own
// for as long.
inline uint32_t& PinsOfThread() { return KeeperHeap()->pins; }

// In a child of fork: says that the other threads of its parent are gone, if the
// caller is the one that forked, so that what they had is there for others.
void MeetFork();

// Has the calling thread, which has interrupted nothing, acquire a heap anew when
// next it calls. Calls give(heap) for each one that it had.
void ForgetHeaps(void (*give)(Heap* heap));

// Hands back what was the calling thread's heap.
void GiveBack(Heap* heap);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_STATE_H_
