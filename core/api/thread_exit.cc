#include "core/api/thread_exit.h"

#include "core/api/ending_threads.h"
#include "core/api/failure.h"
#include "core/api/state.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace thread_exit {

constinit Atomic<uint64_t> g_key;

namespace {

constexpr bool kHandsBack = Config::kThreadExit == ThreadExit::pthread_key;
constexpr bool kIsTls = Config::kTls == Tls::pthread_key;
constexpr bool kUsesKey = kHandsBack || kIsTls;

// Those in AtExit. (Of a process beside, by clone(CLONE_VM), there are none: it is not
// libc's, which alone calls destructors.)
constinit EndingThreads g_ending;

// How long Release waits for a thread that does not come out of AtExit while no
// thread but the caller has a heap: it was killed there.
constexpr uint64_t kPatienceMs = 1000;

uint32_t ThisProcess() {
  return EndingThreads::MarkOf(g_instance.region.fork_generation().Current());
}

// Waits until no thread is in AtExit.
void AwaitEnding() {
  const uint32_t process = ThisProcess();
  uint64_t since = 0;
  while (!g_ending.None(process)) {
    if (!g_instance.registry.OthersLive(nullptr)) {
      const uint64_t ms = platform::Milliseconds();
      if (since == 0) since = ms;
      if (ms - since >= kPatienceMs) return;
    }
    platform::Yield();
  }
}

void AtExit([[maybe_unused]] void* heap) {
  // Before the look at the key: either Release sees this thread, or this thread
  // that there is nothing left to hand back to.
  const uint32_t process = ThisProcess();
  g_ending.Enter(process);
  if (g_key.Load(Order::kSeqCst) != 0) {
    const Call call;
    // It may be the one that forked, and never have called since.
    if constexpr (kIsTls) {
      SetHeap(static_cast<Heap*>(heap));  // the key has it no more
      MeetFork();
      SetHeap(nullptr);
      GiveBack(static_cast<Heap*>(heap));
    } else {
      MeetFork();
      ForgetHeaps(GiveBack);
    }
  }
  g_ending.Leave(process);
}

// The key, made by the first thread that needs it; false if libc has none left,
// and then dead threads are found by probing.
[[maybe_unused]] bool GetKey(unsigned* key) {
  uint64_t have = g_key.Load(Order::kAcquire);
  if (have == 0) {
    unsigned made;
    if (pthread_key_create(&made, kHandsBack ? AtExit : nullptr) != 0)
      return false;
    if (g_key.CompareExchange(have, uint64_t{made} + 1, Order::kAcqRel)) {
      have = uint64_t{made} + 1;
    } else {
      pthread_key_delete(made);  // another thread was faster
    }
  }
  *key = static_cast<unsigned>(have - 1);
  return true;
}

// Puts the calling thread's value under the key; false if there is no room for it.
[[maybe_unused]] bool SetValue(const void* value) {
  // libc may have to allocate, and fail; free leaves errno alone.
  const KeepErrno keep_errno;
  unsigned key;
  return GetKey(&key) && pthread_setspecific(key, value) == 0;
}

}  // namespace

ALCOVE_COLD bool SetHeap(Heap* heap) {
  if constexpr (kIsTls) {
    if (heap == nullptr && g_key.Load(Order::kAcquire) == 0) return true;
    return SetValue(heap);
  } else {
    return false;
  }
}

// With kIsTls the value under the key is what SetHeap makes of it.

ALCOVE_COLD void Arm(Heap* heap) {
  if constexpr (kHandsBack && !kIsTls) SetValue(heap);
}

ALCOVE_COLD void Disarm() {
  if constexpr (kHandsBack && !kIsTls) SetValue(nullptr);
}

ALCOVE_COLD void Release() {
  if constexpr (kUsesKey) {
    const uint64_t have = g_key.Exchange(0, Order::kSeqCst);
    if (have != 0) pthread_key_delete(static_cast<unsigned>(have - 1));
    // What they hand back to is about to go, and this code, too, perhaps.
    AwaitEnding();
  }
}

}  // namespace thread_exit
}  // namespace ALCOVE_CORE_NAMESPACE
